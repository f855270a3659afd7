//! Forecasts of monthly series, 1 to 36 months ahead: Holt–Winters (additive and multiplicative),
//! the season before, drift, the straight line. Which one is chosen by how well each would have
//! foretold the last months. Floats of fixed order of summation, rounded to declared digits.

mod holt_winters;
mod simple;

use serde::{Deserialize, Serialize};

use self::holt_winters::{Season, Weights, count, fit, spread};
use crate::figures::decimal::fixed;

/// Half width of a 95 % interval in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;
/// Most months ahead.
pub const MOST_AHEAD: usize = 36;
/// Longest series.
const LONGEST: usize = 600;
/// A method is tried on at least so many months before it is believed.
const LEAST_TRIED: usize = 6;
/// Weights that are tried for smoothing.
const GRID: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// One observation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Observed {
    /// The value; noised, where it comes from answers.
    pub value: f64,
    /// Variance of the noise in it; zero where it is exact.
    pub variance: f64,
}

/// How a forecast is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Holt–Winters, seasons added.
    HoltWintersAdditive,
    /// Holt–Winters, seasons multiplied.
    HoltWintersMultiplicative,
    /// The value of the season before.
    SeasonalNaive,
    /// On by the mean step.
    Drift,
    /// The straight line.
    Linear,
}

/// All methods, in the order in which equally good ones are preferred.
pub const METHODS: [Method; 5] = [
    Method::SeasonalNaive,
    Method::Drift,
    Method::Linear,
    Method::HoltWintersAdditive,
    Method::HoltWintersMultiplicative,
];

/// A forecast.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// How it was made.
    pub method: Method,
    /// Mean absolute error of the chosen method over the months that it would have foretold; none
    /// where the series is too short to try it.
    pub error: Option<String>,
    /// The months ahead.
    pub months: Vec<Ahead>,
}

/// A month ahead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    /// The value.
    pub value: String,
    /// Lower and upper end of the 95 % prediction interval; none where nothing could be tried.
    pub interval: Option<(String, String)>,
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    /// Too short.
    #[error("a forecast needs at least three months")]
    Short,
    /// Too long.
    #[error("a series has at most {LONGEST} months, a season from 1 to 24")]
    Long,
    /// Too far.
    #[error("a forecast goes 1 to {MOST_AHEAD} months ahead")]
    Ahead,
    /// Not a number.
    #[error("month {0} of the series is not a finite number, or its variance below zero")]
    Value(usize),
}

/// Forecasts `ahead` months of a series with seasons of `season` months, by the method that would
/// have foretold the last season best; values are written with `places` decimals.
///
/// The interval adds up the method's own error, estimated from its steps inside the series (which
/// hold the noise of the inputs too), and is never tighter than the noise of the inputs alone.
pub fn forecast(
    series: &[Observed],
    season: usize,
    ahead: usize,
    places: u32,
) -> Result<Forecast, ForecastError> {
    if series.len() < 3 {
        return Err(ForecastError::Short);
    }
    if series.len() > LONGEST || !(1..=24).contains(&season) {
        return Err(ForecastError::Long);
    }
    if !(1..=MOST_AHEAD).contains(&ahead) {
        return Err(ForecastError::Ahead);
    }
    let sound =
        |one: &Observed| one.value.is_finite() && one.variance.is_finite() && one.variance >= 0.0;
    if let Some(place) = series.iter().position(|one| !sound(one)) {
        return Err(ForecastError::Value(place + 1));
    }
    let y: Vec<f64> = series.iter().map(|one| one.value).collect();
    let tried = METHODS.iter().filter_map(|method| {
        let error = rolling_error(&y, season, ahead, *method)?;
        Some((*method, error))
    });
    let best = tried.min_by(|a, b| a.1.total_cmp(&b.1));
    // Too short to try anything: the drift needs two months only, and promises nothing.
    let tried = best.is_some();
    let (method, error) = best.unwrap_or((Method::Drift, 0.0));
    let model = Model::new(&y, season, method).ok_or(ForecastError::Short)?;
    let noise = series.iter().map(|one| one.variance).sum::<f64>() / count(series.len());
    let step = model.step.max(noise);
    let mut months = Vec::with_capacity(ahead);
    for h in 1..=ahead {
        let (value, spread) = model.ahead(&y, h).ok_or(ForecastError::Short)?;
        let reach = Z95 * (step * spread).sqrt();
        let text = |value: f64| fixed(value, places).unwrap_or_default();
        months.push(Ahead {
            value: text(value),
            interval: tried.then(|| (text(value - reach), text(value + reach))),
        });
    }
    Ok(Forecast {
        method,
        error: fixed(error, places).filter(|_| tried),
        months,
    })
}

/// A method fitted to a series.
struct Model {
    method: Method,
    season: usize,
    fitted: Option<(holt_winters::Fitted, Weights)>,
    /// Variance of one step's error.
    step: f64,
}

impl Model {
    fn new(y: &[f64], season: usize, method: Method) -> Option<Self> {
        let mut model = Self::fitted(y, season, method)?;
        model.step = model.one_step(y)?;
        Some(model)
    }

    /// Fitted, without what its errors inside the series say: enough to see how it foretells.
    fn fitted(y: &[f64], season: usize, method: Method) -> Option<Self> {
        let fitted = match method {
            Method::HoltWintersAdditive => Some(best_weights(y, season, Season::Additive)?),
            Method::HoltWintersMultiplicative => {
                Some(best_weights(y, season, Season::Multiplicative)?)
            }
            _ => None,
        };
        Some(Self {
            method,
            season,
            fitted,
            step: 0.0,
        })
    }

    /// The mean square of errors one step ahead, with what fitting used up taken off.
    fn one_step(&self, y: &[f64]) -> Option<f64> {
        let square = |errors: Vec<f64>, used: usize| {
            let left = count(errors.len().checked_sub(used).filter(|n| *n > 0)?);
            Some(errors.iter().map(|error| error * error).sum::<f64>() / left)
        };
        match (&self.fitted, self.method) {
            (Some((fitted, _)), _) => {
                let errors = y.iter().zip(&fitted.steps).skip(self.season);
                square(
                    errors.map(|(y, step)| y - step).collect(),
                    3.min(y.len() / 4),
                )
            }
            (None, Method::SeasonalNaive) => {
                let before = y.iter().zip(y.iter().skip(self.season));
                square(before.map(|(before, now)| now - before).collect(), 0)
            }
            (None, Method::Linear) => {
                let line = |t: usize| {
                    let h = count(t) - count(y.len()) + 1.0;
                    let (now, _) = simple::linear(y, 0)?;
                    let (next, _) = simple::linear(y, 1)?;
                    Some(now + h * (next - now))
                };
                let errors = y.iter().enumerate().map(|(t, y)| Some(y - line(t)?));
                square(errors.collect::<Option<Vec<f64>>>()?, 2)
            }
            (None, _) => {
                let slope = (y.last()? - y.first()?) / count(y.len() - 1);
                let steps = y.iter().zip(y.iter().skip(1));
                square(steps.map(|(before, now)| now - before - slope).collect(), 1)
            }
        }
    }

    fn ahead(&self, y: &[f64], h: usize) -> Option<(f64, f64)> {
        match (&self.fitted, self.method) {
            (Some((fitted, by)), _) => Some((fitted.ahead(h), spread(*by, self.season, h))),
            (None, Method::SeasonalNaive) => simple::seasonal_naive(y, self.season, h),
            (None, Method::Linear) => simple::linear(y, h),
            (None, _) => simple::drift(y, h),
        }
    }
}

/// The weights of the grid whose steps err least; of equal ones the first.
fn best_weights(y: &[f64], m: usize, of: Season) -> Option<(holt_winters::Fitted, Weights)> {
    let mut best: Option<(f64, holt_winters::Fitted, Weights)> = None;
    for level in GRID {
        for trend in GRID {
            for season in GRID {
                let by = Weights {
                    level,
                    trend,
                    season,
                };
                let Some(fitted) = fit(y, m, of, by) else {
                    continue;
                };
                let errors = y.iter().zip(&fitted.steps).skip(m);
                let error: f64 = errors.map(|(y, step)| (y - step) * (y - step)).sum();
                if best.as_ref().is_none_or(|(least, _, _)| error < *least) {
                    best = Some((error, fitted, by));
                }
            }
        }
    }
    best.map(|(_, fitted, by)| (fitted, by))
}

/// The mean absolute error over the last season's months (six to twelve), each foretold from what was known before
/// it, up to `ahead` steps. `None` where the method needs more than there is.
fn rolling_error(y: &[f64], season: usize, ahead: usize, method: Method) -> Option<f64> {
    let (mut sum, mut of) = (0.0, 0_usize);
    let first = y.len().saturating_sub(season.clamp(LEAST_TRIED, 12)).max(3);
    for origin in first..y.len() {
        let (known, then) = y.split_at_checked(origin)?;
        let model = Model::fitted(known, season, method)?;
        for (h, value) in then.iter().enumerate().take(ahead) {
            let (foretold, _) = model.ahead(known, h + 1)?;
            sum += (value - foretold).abs();
            of += 1;
        }
    }
    (of >= LEAST_TRIED).then(|| sum / count(of))
}

#[cfg(test)]
mod test;
