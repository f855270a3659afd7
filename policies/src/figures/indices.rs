//! CMI and consumption indices as exact fractions (rule R3: exact until they are written).

use dashu::rational::RBig;

/// A sum over stays and their number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Total {
    /// Sum of the amount, in any unit.
    pub sum: RBig,
    /// Number of stays.
    pub n: RBig,
}

impl Total {
    /// Sum / number; `None` for no stays.
    pub fn mean(&self) -> Option<RBig> {
        ratio(&self.sum, &self.n)
    }
}

/// One case group: a hospital's total and the benchmark's, both in one unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The hospital.
    pub own: Total,
    /// The benchmark.
    pub benchmark: Total,
}

/// Case mix index: Σ weight·n / Σ n over (weight, n). `None` for no stays.
pub fn cmi<'a>(groups: impl IntoIterator<Item = (&'a RBig, &'a RBig)>) -> Option<RBig> {
    let (mut weight, mut stays) = (RBig::ZERO, RBig::ZERO);
    for (each, n) in groups {
        weight += each * n;
        stays += n;
    }
    ratio(&weight, &stays)
}

/// 费用消耗指数 or, with lengths of stay, 时间消耗指数: Σ kᵢ·nᵢ / Σ nᵢ with kᵢ = the hospital's mean over
/// the benchmark's mean in group i. Groups in which the hospital has no stays are left out; `None`
/// where the benchmark has no mean above zero for one that counts, or nothing counts.
pub fn consumption(groups: &[Pair]) -> Option<RBig> {
    let (mut top, mut stays) = (RBig::ZERO, RBig::ZERO);
    for group in groups.iter().filter(|group| group.own.n != RBig::ZERO) {
        // k·n = sum / mean of the benchmark.
        top += ratio(&group.own.sum, &group.benchmark.mean()?)?;
        stays += &group.own.n;
    }
    ratio(&top, &stays)
}

/// Observed over expected: Σ sum / Σ n × the benchmark's mean. The ratio of sums, which weighs
/// groups by money; not to be taken for [`consumption`], which weighs them by stays.
pub fn observed_expected(groups: &[Pair]) -> Option<RBig> {
    let (mut observed, mut expected) = (RBig::ZERO, RBig::ZERO);
    for group in groups.iter().filter(|group| group.own.n != RBig::ZERO) {
        observed += &group.own.sum;
        expected += &group.own.n * group.benchmark.mean()?;
    }
    ratio(&observed, &expected)
}

fn ratio(top: &RBig, bottom: &RBig) -> Option<RBig> {
    (*bottom != RBig::ZERO).then(|| top / bottom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::half_up;

    fn decimal(text: &str) -> RBig {
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        let scale = 10_u64.pow(u32::try_from(digits.len()).unwrap());
        let top: u64 = format!("{whole}{digits}").parse().unwrap();
        RBig::from(top) / RBig::from(scale)
    }

    fn total(n: &str, mean: &str) -> Total {
        let n = decimal(n);
        Total {
            sum: &n * decimal(mean),
            n,
        }
    }

    fn pair(n: &str, own: &str, benchmark: &str) -> Pair {
        Pair {
            own: total(n, own),
            benchmark: total("1", benchmark),
        }
    }

    /// Oracle O4: CMI and indices of two hospitals, four places.
    #[test]
    fn o4_indices() {
        // (n, fee, benchmark fee, stay, benchmark stay, weight)
        type Row = (
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
        );
        let first: [Row; 3] = [
            ("120", "588000", "600000", "6.8", "7.0", "0.3825"),
            ("80", "1575000", "1500000", "6.3", "6.0", "1.2345"),
            ("40", "4830000", "4600000", "9.3", "9.0", "3.7877"),
        ];
        let second: [Row; 2] = [
            ("300", "624000", "600000", "7.7", "7.0", "0.3825"),
            ("60", "1410000", "1500000", "5.7", "6.0", "1.2345"),
        ];
        let case_mix = |rows: &[Row]| {
            let lines: Vec<(RBig, RBig)> = rows
                .iter()
                .map(|row| (decimal(row.5), decimal(row.0)))
                .collect();
            cmi(lines.iter().map(|(weight, n)| (weight, n))).unwrap()
        };
        for (rows, expected) in [
            (&first[..], ["1.2340", "1.0150", "1.0079", "1.0366"]),
            (&second[..], ["0.5245", "1.0233", "1.0750", "1.0067"]),
        ] {
            let costs: Vec<Pair> = rows.iter().map(|r| pair(r.0, r.1, r.2)).collect();
            let stays: Vec<Pair> = rows.iter().map(|r| pair(r.0, r.3, r.4)).collect();
            let figures = [
                case_mix(rows),
                consumption(&costs).unwrap(),
                consumption(&stays).unwrap(),
                observed_expected(&costs).unwrap(),
            ];
            assert_eq!(figures.map(|figure| half_up(&figure, 4)), expected);
        }
        let all: Vec<Row> = first.iter().chain(&second).copied().collect();
        assert_eq!(half_up(&case_mix(&all), 4), "0.8083");
    }

    #[test]
    fn nothing_to_divide_by_gives_no_index() {
        assert_eq!(cmi([]), None);
        assert_eq!(consumption(&[]), None);
        assert_eq!(consumption(&[pair("1", "5", "0")]), None);
        assert_eq!(observed_expected(&[pair("0", "5", "0")]), None);
    }
}
