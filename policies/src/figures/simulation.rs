//! A small seedable source of discrete Gaussian noise for tests of coverage. Never for a release.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Source(u64);

impl Source {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((z ^ (z >> 31)) >> 32).unwrap();
        f64::from(high) / 4_294_967_296.0
    }

    /// Standard normal (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        libm::sqrt(-2.0 * libm::log(u)) * libm::cos(std::f64::consts::TAU * v)
    }

    /// A sampler at one scale.
    pub(super) fn table(sigma: f64) -> Table {
        let mut cumulative = Vec::new();
        let reach = (10.0 * sigma).ceil() + 1.0;
        let (mut k, mut total) = (-reach, 0.0);
        while k <= reach {
            total += libm::exp(-(k * k) / (2.0 * sigma * sigma));
            cumulative.push((total, k));
            k += 1.0;
        }
        Table { cumulative, total }
    }
}

/// Inverse table of the discrete Gaussian's distribution.
pub(super) struct Table {
    cumulative: Vec<(f64, f64)>,
    total: f64,
}

impl Table {
    pub(super) fn draw(&mut self, source: &mut Source) -> f64 {
        let at = source.uniform() * self.total;
        let place = self.cumulative.partition_point(|(below, _)| *below <= at);
        self.cumulative[place.min(self.cumulative.len() - 1)].1
    }
}
