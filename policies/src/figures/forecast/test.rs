use super::*;
use crate::figures::simulation::Source;

fn exact(values: &[f64]) -> Vec<Observed> {
    let one = |value: &f64| Observed {
        value: *value,
        variance: 0.0,
    };
    values.iter().map(one).collect()
}

/// 48 months with a trend and a season, and noise of this standard deviation.
fn seasonal(source: &mut Source, sd: f64, months: usize) -> Vec<f64> {
    let month = |t: usize| {
        let season = [
            0.0, -8.0, 3.0, 1.0, 0.0, -2.0, 5.0, 6.0, 2.0, -1.0, 4.0, 10.0,
        ][t % 12];
        200.0 + 0.8 * count(t) + 2.0 * season + sd * source.normal()
    };
    (0..months).map(month).collect()
}

#[test]
fn the_method_that_foretells_best_is_taken() {
    let mut source = Source::new(3);
    let y = exact(&seasonal(&mut source, 1.0, 48));
    let found = forecast(&y, 12, 12, 2).unwrap();
    assert!(matches!(
        found.method,
        Method::HoltWintersAdditive | Method::HoltWintersMultiplicative
    ));
    assert_eq!(found.months.len(), 12);
    let line: Vec<f64> = (0..20)
        .map(|t| 5.0 + 3.0 * count(t) + source.normal())
        .collect();
    assert_eq!(
        forecast(&exact(&line), 12, 3, 2).unwrap().method,
        Method::Linear
    );
    let flat: Vec<f64> = (0..30).map(|t| [5.0, 9.0, 7.0][t % 3]).collect();
    let found = forecast(&exact(&flat), 3, 3, 1).unwrap();
    assert_eq!(found.method, Method::SeasonalNaive);
    let certain = Some(("5.0".to_owned(), "5.0".to_owned()));
    assert_eq!(found.months[0].value, "5.0");
    assert_eq!(found.months[0].interval, certain);
    // Three months only: a value, and no claim about it.
    let found = forecast(&exact(&[1.0, 2.0, 3.0]), 12, 2, 0).unwrap();
    assert_eq!(
        (found.method, found.months[1].value.as_str()),
        (Method::Drift, "5")
    );
    assert_eq!(found, forecast(&exact(&[1.0, 2.0, 3.0]), 12, 2, 0).unwrap());
}

#[test]
fn what_cannot_be_foretold_is_refused() {
    let y = exact(&[1.0; 10]);
    assert_eq!(forecast(&y[..2], 12, 1, 2), Err(ForecastError::Short));
    assert_eq!(forecast(&y, 0, 1, 2), Err(ForecastError::Long));
    assert_eq!(forecast(&y, 12, 37, 2), Err(ForecastError::Ahead));
    let mut odd = y.clone();
    odd[4].value = f64::NAN;
    assert_eq!(forecast(&odd, 12, 1, 2), Err(ForecastError::Value(5)));
    odd[4] = Observed {
        value: 1.0,
        variance: -1.0,
    };
    assert_eq!(forecast(&odd, 12, 1, 2), Err(ForecastError::Value(5)));
}

/// What the next months are without noise lies in the intervals about as often as they say. The
/// method is chosen on the same series, so a little less than 95 % would be no surprise.
#[test]
fn stat_intervals_hold_the_months_to_come() {
    let mut source = Source::new(91);
    let (mut held, mut of) = (0_u32, 0_u32);
    for _ in 0..300 {
        let whole = seasonal(&mut source, 4.0, 54);
        let known: Vec<Observed> = whole[..48]
            .iter()
            .map(|value| Observed {
                value: value + 3.0 * source.normal(),
                variance: 9.0,
            })
            .collect();
        let found = forecast(&known, 12, 6, 4).unwrap();
        for (ahead, value) in found.months.iter().zip(&whole[48..]) {
            let (low, high) = ahead.interval.as_ref().unwrap();
            let inside =
                low.parse::<f64>().unwrap() <= *value && *value <= high.parse::<f64>().unwrap();
            held += u32::from(inside);
            of += 1;
        }
    }
    let coverage = f64::from(held) / f64::from(of);
    println!("coverage of forecasts {coverage:.4}");
    assert!((0.90..=0.99).contains(&coverage), "{coverage}");
}

#[test]
fn noise_of_the_inputs_widens_the_interval() {
    let flat = [5.0, 9.0, 7.0].repeat(10);
    let noisy: Vec<Observed> = flat
        .iter()
        .map(|value| Observed {
            value: *value,
            variance: 4.0,
        })
        .collect();
    let found = forecast(&noisy, 3, 1, 2).unwrap();
    let wide = Some(("1.08".to_owned(), "8.92".to_owned()));
    assert_eq!(found.months[0].interval, wide);
}
