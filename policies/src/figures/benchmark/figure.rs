//! What a written figure says of its noise.

use dashu::rational::RBig;

use super::types::Figure;
use crate::figures::Exact;

impl Figure {
    /// A standard deviation of its noise that is not too small: the wider side of the noise interval,
    /// which ends 1.96 of them away (1.95 makes it a little larger) where it is not cut at what can be.
    /// `None` where the interval has no upper end.
    pub fn deviation(&self) -> Option<RBig> {
        let number = |text: &str| Some(text.parse::<Exact>().ok()?.0);
        let value = number(self.noisy.as_deref().unwrap_or(&self.value))?;
        let low = number(&self.noise.low)?;
        let high = number(self.noise.high.as_deref()?)?;
        let side = (high - &value).max(value - low).max(RBig::ZERO);
        Some(side * RBig::from(100) / RBig::from(195))
    }

    /// This figure with what came out of the noise beside it, where that is another number.
    pub(super) fn beside(self, noisy: String) -> Self {
        Self {
            noisy: (noisy != self.value).then_some(noisy),
            ..self
        }
    }
}
