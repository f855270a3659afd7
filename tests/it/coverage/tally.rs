//! Counting intervals that hold, and the rule of the module above.

use std::collections::BTreeMap;

use policies::figures::benchmark::Figure;
use schemas::outcome::Outcome;

/// Held and shown intervals by measure and band.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, &'static str), [u32; 4]>);

/// Measures whose coverage is bounded from both sides.
const TWO_SIDED: [&str; 4] = ["stays", "total_cost", "mean_cost", "mean_stay"];
const MEASURED: u32 = 2000;

impl Tally {
    pub(super) fn note(
        &mut self,
        measure: &'static str,
        band: &'static str,
        said: &Outcome<Figure>,
        truth: f64,
    ) {
        let Some(figure) = said.value() else { return };
        let number = |text: &str| -> f64 { text.parse().unwrap() };
        let low = number(&figure.noise.low);
        let high = figure.noise.high.as_deref().map_or(f64::INFINITY, number);
        // Ends are written with two or four decimals.
        let rounding = if measure == "stays" {
            0.0
        } else {
            0.005_f64.min(truth.abs() * 1e-3)
        };
        let entry = self.0.entry((measure, band)).or_default();
        let (above, below) = (low > truth + rounding, high < truth - rounding);
        entry[0] += 1;
        entry[1] += u32::from(above);
        entry[2] += u32::from(below);
        entry[3] += u32::from(!above && !below);
    }

    /// Prints the table and requires the rule.
    pub(crate) fn judge(&self, title: &str) {
        println!("\ncoverage of 95 % noise intervals: {title}");
        println!("measure              band        intervals   held %   too high %   too low %");
        let mut broken = Vec::new();
        for ((measure, band), [shown, above, below, held]) in &self.0 {
            let n = f64::from(*shown);
            let percent = |part: u32| 100.0 * f64::from(part) / n;
            let share = percent(*held);
            let both = TWO_SIDED.contains(measure) && *band != "n < 11";
            let alarm = |expected: f64| 480.0 * (expected * (1.0 - expected) / n).sqrt();
            let whole = if *measure == "stays" { 0.965 } else { 0.95 };
            let room = (alarm(0.95) - 2.0).max(0.0);
            let over = (alarm(whole) - (97.0 - 100.0 * whole)).max(0.0);
            let rule = if *shown < MEASURED {
                "  no requirement: too few"
            } else if share < 93.0 - room || both && share > 97.0 + over {
                broken.push(format!("{measure} {band}: {share:.2} %"));
                "  BROKEN"
            } else {
                ""
            };
            println!(
                "{measure:<20} {band:<11} {shown:>9}   {share:>6.2}   {:>10.2}   {:>9.2}{rule}",
                percent(*above),
                percent(*below)
            );
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
