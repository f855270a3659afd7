//! Members' case-weighted volumes of past months, and what they let expect of the plan's year.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::figures::benchmark::Benchmark;
use policies::figures::budget::Measured;
use policies::figures::forecast::{Observed, forecast};
use schemas::id::Slug;
use schemas::time::Month;

use super::YearError;
use super::facts::{VOLUME, released};

/// Decimals of a forecast volume.
const PLACES: u32 = 2;

/// Each member's volume in benchmarks of single months as CSV, `member,month,value,variance`, for
/// [`expected`]; benchmarks of longer periods are left out.
pub fn volumes(benchmarks: &[Benchmark]) -> String {
    let mut lines: Vec<(Slug, Month, String)> = Vec::new();
    for benchmark in benchmarks {
        let [month] = benchmark.period.months()[..] else {
            continue;
        };
        for hospital in &benchmark.hospitals {
            let found = released(benchmark, &hospital.id, VOLUME);
            if let Some(Measured {
                value, variance, ..
            }) = found
            {
                let variance = variance.map(|one| one.to_string()).unwrap_or_default();
                let line = format!("{},{month},{value},{variance}", hospital.id);
                lines.push((hospital.id.clone(), month, line));
            }
        }
    }
    lines.sort();
    let mut text = "member,month,value,variance\n".to_owned();
    for (_, _, line) in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What each member's months let expect of a year: the months of it that are known, and forecasts of
/// the others. The variance is that of the forecasts' prediction intervals, taken as if all months
/// erred together: never too small.
pub fn expected(text: &str, year: u16) -> Result<BTreeMap<Slug, Measured>, YearError> {
    let mut all = BTreeMap::new();
    for (member, months) in read(text)? {
        let found = of_year(&months, year).ok_or_else(|| YearError::History(member.clone()))?;
        all.insert(member, found);
    }
    Ok(all)
}

type Series = Vec<(Month, Observed)>;

fn read(text: &str) -> Result<BTreeMap<Slug, Series>, YearError> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let wrong = |line: usize, what: &str| YearError::Months {
        line,
        what: what.to_owned(),
    };
    let head = lines.next().map(str::trim).unwrap_or_default();
    if head != "member,month,value" && head != "member,month,value,variance" {
        return Err(wrong(
            1,
            "`member,month,value` or `member,month,value,variance`",
        ));
    }
    let mut all: BTreeMap<Slug, Series> = BTreeMap::new();
    for (place, line) in lines.enumerate() {
        let number = place.saturating_add(2);
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let member: Slug = field(0).parse().map_err(|_| wrong(number, "the member"))?;
        let month: Month = field(1).parse().map_err(|_| wrong(number, "the month"))?;
        let amount = |text: &str| text.parse::<f64>().ok().filter(|one| *one >= 0.0);
        let value = amount(field(2)).ok_or_else(|| wrong(number, "the value"))?;
        let variance = match field(3) {
            "" => Some(0.0),
            text => amount(text),
        };
        let variance = variance.ok_or_else(|| wrong(number, "the variance"))?;
        let series = all.entry(member).or_default();
        if series
            .last()
            .is_some_and(|(last, _)| last.next() != Some(month))
        {
            return Err(wrong(number, "the month after the one before"));
        }
        series.push((month, Observed { value, variance }));
    }
    Ok(all)
}

/// `None` where the series is too short to be believed, or ends too early.
fn of_year(months: &Series, year: u16) -> Option<Measured> {
    let in_year = |month: Month| month.year().0 == year;
    let known = months.iter().filter(|(month, _)| in_year(*month));
    let (mut value, mut variance) = (0.0, 0.0);
    for (_, one) in known {
        value += one.value;
        variance += one.variance;
    }
    let (begin, end) = (Month::new(year, 1).ok()?, Month::new(year, 12).ok()?);
    let ((first, _), (last, _)) = (months.first()?, months.last()?);
    // Part of a year is none.
    if *first > begin {
        return None;
    }
    let ahead = usize::from(end.index().checked_sub(last.index())?);
    let mut reach = 0.0;
    if ahead > 0 {
        let series: Vec<Observed> = months.iter().map(|(_, one)| *one).collect();
        let found = forecast(&series, 12, ahead, PLACES).ok()?;
        let ours = found.months.len().checked_sub(12.min(found.months.len()))?;
        for month in found.months.iter().skip(ours) {
            let (low, high) = month.interval.as_ref()?;
            let number = |text: &str| text.parse::<f64>().ok();
            // What is counted is not below zero.
            value += number(&month.value)?.max(0.0);
            reach += (number(high)? - number(low)?) / 2.0;
        }
    }
    // 1.95 for 1.96: a little larger. Known months and forecasts may err together too.
    let sd = reach / 1.95 + variance.sqrt();
    let exact = |number: f64| format!("{number:.2}").parse::<Exact>().ok();
    let variance = exact(sd * sd)?;
    Some(Measured {
        value: exact(value)?,
        variance: (variance.0 > RBig::ZERO).then_some(variance),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn history(months: usize, variance: &str) -> String {
        let mut text = "member,month,value,variance\n".to_owned();
        let mut month: Month = "2023-01".parse().unwrap();
        for at in 0..months {
            let value = 1000 + 10 * (at % 12) + at;
            writeln!(text, "h1,{month},{value},{variance}").unwrap();
            month = month.next().unwrap();
        }
        text
    }

    #[test]
    fn a_year_is_what_is_known_of_it_and_what_is_expected() {
        // Three whole years: all of the fourth is forecast, near what the pattern says.
        let all = expected(&history(36, "4"), 2026).unwrap();
        let found = &all["h1"];
        let value: f64 = found.value.to_string().parse().unwrap();
        let truth: f64 = (36..48)
            .map(|at| f64::from(1000 + 10 * (at % 12) + at))
            .sum();
        assert!(
            (value - truth).abs() < 0.01 * truth,
            "{value} against {truth}"
        );
        // Never less than the noise of the inputs: twelve months of variance 4, erring together.
        let variance: f64 = found
            .variance
            .as_ref()
            .unwrap()
            .to_string()
            .parse()
            .unwrap();
        assert!(variance >= 12.0 * 12.0 * 4.0, "{variance}");
        // Known months are taken as they are.
        let known = expected(&history(48, ""), 2026).unwrap();
        let known = &known["h1"];
        assert_eq!(
            known.value.to_string().parse::<f64>().unwrap().to_bits(),
            truth.to_bits()
        );
        assert_eq!(known.variance, None);
    }

    #[test]
    fn what_cannot_be_believed_is_refused() {
        let refused = |text: &str, year| expected(text, year).unwrap_err();
        for months in [2, 5] {
            let short = refused(&history(months, ""), 2026);
            assert!(matches!(short, YearError::History(_)), "{months}: {short}");
        }
        // It begins after January of the year.
        let late = "member,month,value\nh1,2026-11,100\nh1,2026-12,100\n";
        assert!(matches!(refused(late, 2026), YearError::History(_)));
        // More than 36 months ahead.
        assert!(matches!(
            refused(&history(36, ""), 2029),
            YearError::History(_)
        ));
        for (text, line) in [
            ("a,b\n", 1),
            ("member,month,value\nh1,2025-01,x\n", 2),
            ("member,month,value\nh1,2025-01,-1\n", 2),
            ("member,month,value\nh1,2025-01,1\nh1,2025-03,1\n", 3),
            ("member,month,value\nh1,2025-13,1\n", 2),
            ("member,month,value\nh1,2025-01,NaN\n", 2),
        ] {
            let error = refused(text, 2026);
            assert!(
                matches!(error, YearError::Months { line: at, .. } if at == line),
                "{text}"
            );
        }
    }
}
