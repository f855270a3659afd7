//! Holt–Winters smoothing (Holt 1957, Winters 1960) with a fixed start: level and trend from the
//! first two seasons, seasonal parts from the first.

/// Whether seasons are added or multiplied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Season {
    Additive,
    Multiplicative,
}

/// Smoothing weights, each between 0 and 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Weights {
    pub(super) level: f64,
    pub(super) trend: f64,
    pub(super) season: f64,
}

/// A fitted series.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Fitted {
    pub(super) level: f64,
    pub(super) trend: f64,
    /// Seasonal parts of the last season, oldest first.
    pub(super) seasons: Vec<f64>,
    /// One step ahead of each observation.
    pub(super) steps: Vec<f64>,
    of: Season,
}

/// Smooths a series of at least two seasons of `m`; `None` where it is shorter, or where
/// multiplicative seasons would divide by what is not above zero.
pub(super) fn fit(y: &[f64], m: usize, of: Season, by: Weights) -> Option<Fitted> {
    let (first, second) = (y.get(..m)?, y.get(m..m.checked_mul(2)?)?);
    if m == 0 || (of == Season::Multiplicative && y.iter().any(|y| *y <= 0.0)) {
        return None;
    }
    let size = count(m);
    let mut level = first.iter().sum::<f64>() / size;
    let mut trend = (second.iter().sum::<f64>() - first.iter().sum::<f64>()) / (size * size);
    let mut seasons: Vec<f64> = match of {
        Season::Additive => first.iter().map(|y| y - level).collect(),
        Season::Multiplicative => first.iter().map(|y| y / level).collect(),
    };
    let mut steps = Vec::with_capacity(y.len());
    for (t, y) in y.iter().enumerate() {
        let place = t % m;
        let season = seasons.get(place).copied()?;
        let ahead = level + trend;
        let (step, now, part) = match of {
            Season::Additive => (ahead + season, y - season, y - ahead),
            Season::Multiplicative => (ahead * season, y / season, y / ahead),
        };
        steps.push(step);
        let before = level;
        level = by.level * now + (1.0 - by.level) * ahead;
        trend = by.trend * (level - before) + (1.0 - by.trend) * trend;
        if let Some(season) = seasons.get_mut(place) {
            *season = by.season * part + (1.0 - by.season) * *season;
        }
    }
    seasons.rotate_left(y.len() % m);
    let finite = [level, trend].iter().chain(&seasons).all(|x| x.is_finite());
    finite.then_some(Fitted {
        level,
        trend,
        seasons,
        steps,
        of,
    })
}

impl Fitted {
    /// `h` steps ahead of the last observation, from 1.
    pub(super) fn ahead(&self, h: usize) -> f64 {
        let place = h.saturating_sub(1) % self.seasons.len().max(1);
        let season = self.seasons.get(place).copied().unwrap_or(0.0);
        let line = self.level + count(h) * self.trend;
        match self.of {
            Season::Additive => line + season,
            Season::Multiplicative => line * season,
        }
    }
}

/// The variance of a forecast `h` steps ahead in units of one step's: 1 + Σ c_j², j < h, with
/// c_j = α(1 + jβ) + γ·[m divides j] (Hyndman and others 2008, table 6.1, in our weights).
pub(super) fn spread(by: Weights, m: usize, h: usize) -> f64 {
    let c = |j: usize| {
        let season = if j.is_multiple_of(m) { by.season } else { 0.0 };
        by.level * (1.0 + count(j) * by.trend) + season
    };
    1.0 + (1..h).map(|j| c(j) * c(j)).sum::<f64>()
}

/// A count as a float; series are short.
#[expect(
    clippy::cast_precision_loss,
    reason = "lengths of series lie far below 2^53"
)]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle O13.
    #[test]
    fn o13_start_state_steps_and_forecast() {
        let y = [
            30.0, 21.0, 29.0, 31.0, 33.0, 24.0, 33.0, 35.0, 36.0, 27.0, 37.0, 38.0,
        ];
        let by = Weights {
            level: 0.5,
            trend: 0.2,
            season: 0.3,
        };
        let found = fit(&y, 4, Season::Additive, by).unwrap();
        let text = |x: f64| format!("{x:.6}");
        assert_eq!(
            (text(found.level), text(found.trend)),
            ("35.718673".into(), "0.775384".into())
        );
        let seasons: Vec<String> = found.seasons.iter().map(|x| text(*x)).collect();
        assert_eq!(seasons, ["2.745551", "-6.941656", "1.428634", "2.468624"]);
        let steps: Vec<String> = found.steps.iter().map(|x| format!("{x:.4}")).collect();
        let expected = [
            "30.8750", "22.2250", "30.2775", "32.1760", "30.7452", "23.4127", "32.3945", "35.4921",
            "35.7280", "27.0011", "35.7326", "38.9365",
        ];
        assert_eq!(steps, expected);
        let ahead: Vec<String> = (1..=4).map(|h| text(found.ahead(h))).collect();
        assert_eq!(ahead, ["39.239609", "30.327785", "39.473459", "41.288834"]);
        let errors = y
            .iter()
            .zip(&found.steps)
            .map(|(y, step)| ((y - step) / y).abs());
        assert_eq!(
            format!("{:.4}", errors.sum::<f64>() / 12.0 * 100.0),
            "3.0099"
        );
        assert!(fit(&y[..7], 4, Season::Additive, by).is_none());
        assert!(fit(&[0.0; 8], 4, Season::Multiplicative, by).is_none());
    }

    #[test]
    fn a_series_that_follows_the_model_is_continued_exactly() {
        let by = Weights {
            level: 0.3,
            trend: 0.1,
            season: 0.2,
        };
        let factors = [0.8, 1.2, 1.0];
        let y: Vec<f64> = (0..12).map(|t| 100.0 * factors[t % 3]).collect();
        let found = fit(&y, 3, Season::Multiplicative, by).unwrap();
        for h in 1..=6 {
            let expected = 100.0 * factors[(11 + h) % 3];
            assert!((found.ahead(h) - expected).abs() < 1e-9, "{h}");
        }
        assert!((spread(by, 3, 1) - 1.0).abs() < 1e-12);
        assert!(spread(by, 3, 12) > spread(by, 3, 6));
    }
}
