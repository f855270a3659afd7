//! Random bytes for blinds and proofs.

use rand_core::{CryptoRng, RngCore};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::OprfError;

/// ring's random source in the form that `voprf` asks for, which cannot report a failure: a failure
/// is noted, and what was made with it is thrown away.
pub(super) struct Random {
    source: SystemRandom,
    failed: bool,
}

impl Random {
    /// Gives what was made, unless the source failed meanwhile.
    pub(super) fn used<T>(
        make: impl FnOnce(&mut Self) -> Result<T, OprfError>,
    ) -> Result<T, OprfError> {
        let mut random = Self {
            source: SystemRandom::new(),
            failed: false,
        };
        let made = make(&mut random)?;
        if random.failed {
            return Err(OprfError::Random);
        }
        Ok(made)
    }
}

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        if self.source.fill(bytes).is_err() {
            self.failed = true;
            // Anything but zero, for which a caller would ask again for ever.
            bytes.fill(1);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Random {}
