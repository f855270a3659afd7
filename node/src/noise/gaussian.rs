//! The sampler: opendp's exact discrete Gaussian (Canonne, Kamath, Steinke 2020).

use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_gaussian;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::L2Distance;
use policies::plan::BlockLayout;

use super::{NoiseError, Source, scale};

/// opendp's discrete Gaussian, drawn from the generator of the calling thread.
///
/// Built without OpenSSL, that generator is ChaCha20 seeded by the operating system (`rand` 0.7
/// `thread_rng`, a cryptographic generator); see `docs/adr/0002-noise-generator.md`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gaussian;

type Vector = VectorDomain<AtomDomain<i64>>;
type Noise = Measurement<Vector, L2Distance<f64>, ZeroConcentratedDivergence, Vec<i64>>;

impl Source for Gaussian {
    fn add(&self, exact: &[i64], block: &BlockLayout) -> Result<Vec<i64>, NoiseError> {
        let domain = VectorDomain::new(AtomDomain::<i64>::default());
        let noise: Noise = make_gaussian(domain, L2Distance::default(), scale(block.sigma), None)
            .map_err(|error| sampler(&error))?;
        // The block was priced in whole numbers; opendp's own map, rounded up in floats, must
        // agree to within its rounding.
        let sensitivity = root_up(block.l2_squared);
        let cost = noise.map(&sensitivity).map_err(|error| sampler(&error))?;
        let paid = nano(block.rho.nano()) * 1e-9;
        if cost > paid * (1.0 + 1e-12) {
            return Err(NoiseError::Underpaid);
        }
        noise
            .invoke(&exact.to_vec())
            .map_err(|error| sampler(&error))
    }
}

/// The square root, rounded up; exact for squares of whole numbers.
fn root_up(square: u128) -> f64 {
    let whole = square.isqrt();
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounded up by one step where inexact"
    )]
    let (root, float) = (whole as f64, square as f64);
    if whole * whole == square && whole < 1 << 53 {
        root
    } else {
        float.sqrt().next_up()
    }
}

fn nano(nano: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a loss is at most 10^12 billionths"
    )]
    let float = nano as f64;
    float
}

/// The sampler's error without any value.
fn sampler(error: &opendp::error::Error) -> NoiseError {
    NoiseError::Sampler(format!("{:?}", error.variant))
}
