//! How costs and stays scatter: lognormal, by tables of whole numbers, so that no machine's
//! floating point shows in a file.

use super::chance::Chance;

/// Steps of 0.001 from -8 to 3.
const LOWEST: i32 = -8000;
const HIGHEST: i32 = 3000;
/// 1.0 in the table of powers: a power of two, so that a product is only shifted.
const ONE_BITS: u32 = 30;
const ONE: u64 = 1 << ONE_BITS;
/// 1.0 while the table is made, and e^0.001 on that scale.
const FINE: u128 = 1_000_000_000_000_000;
const STEP: u128 = 1_001_000_500_166_708;
/// Standard deviates are kept as so many quantiles.
const QUANTILES: u32 = 4096;

/// Tables of the normal quantiles and of the powers of e.
#[derive(Debug)]
pub(super) struct Spread {
    quantiles: Vec<i16>,
    powers: Vec<u64>,
}

impl Spread {
    /// Makes the tables (a few milliseconds).
    pub(super) fn new() -> Self {
        let mut spread = Self {
            quantiles: Vec::new(),
            powers: powers(),
        };
        // The normal density at every 0.001 from -4 to 4, then its running total.
        let mut total = 0_u64;
        let area: Vec<(i16, u64)> = (-4000_i16..=4000)
            .map(|z| {
                let wide = i32::from(z);
                total += spread.times(ONE, -(wide * wide) / 2000);
                (z, total)
            })
            .collect();
        for quantile in 0..u64::from(QUANTILES) {
            let point = u128::from(total) * u128::from(2 * quantile + 1);
            let place = area.partition_point(|(_, below)| {
                u128::from(*below) * u128::from(2 * QUANTILES) < point
            });
            spread
                .quantiles
                .push(area.get(place).map_or(4000, |(z, _)| *z));
        }
        spread
    }

    /// A standard normal deviate in thousandths, from about -3.7 to 3.7.
    pub(super) fn normal(&self, chance: &mut Chance) -> i16 {
        chance.of_these(&self.quantiles)
    }

    /// `base` times e to the power of `thousandths` / 1000.
    pub(super) fn times(&self, base: u64, thousandths: i32) -> u64 {
        let place = thousandths.clamp(LOWEST, HIGHEST) - LOWEST;
        let power = usize::try_from(place)
            .ok()
            .and_then(|place| self.powers.get(place));
        let product = u128::from(base) * u128::from(power.copied().unwrap_or(ONE));
        u64::try_from(product >> ONE_BITS).unwrap_or(u64::MAX)
    }

    /// A lognormal amount with the given median; `sigma` and `deviate` in thousandths.
    pub(super) fn lognormal(&self, median: u64, sigma: i32, deviate: i16) -> u64 {
        self.times(median, sigma * i32::from(deviate) / 1000)
    }
}

fn powers() -> Vec<u64> {
    let narrow = |fine: u128| u64::try_from(fine * u128::from(ONE) / FINE).unwrap_or(u64::MAX);
    let mut down = vec![FINE];
    for _ in LOWEST..0 {
        let last = down.last().copied().unwrap_or(FINE);
        down.push(last * FINE / STEP);
    }
    let mut table: Vec<u64> = down.into_iter().rev().map(narrow).collect();
    let mut up = FINE;
    for _ in 0..HIGHEST {
        up = up * STEP / FINE;
        table.push(narrow(up));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_and_quantiles_are_those_of_the_books() {
        let spread = Spread::new();
        assert_eq!(spread.times(1_000_000, 0), 1_000_000);
        assert_eq!(spread.times(1_000_000, 1000), 2_718_281);
        assert_eq!(spread.times(1_000_000, -1000), 367_879);
        let at = |quantile: usize| i32::from(spread.quantiles[quantile]);
        assert!(at(2048).abs() <= 1);
        assert!((at(3993) - 1960).abs() <= 4, "{}", at(3993));
        assert_eq!(at(0), -at(4095));
        assert!(at(4095) > 3500);
    }
}
