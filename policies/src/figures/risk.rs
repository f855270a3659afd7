//! Risk of dying by case group (死亡风险评分) and the mortality of groups of low risk: deaths there ask
//! for a look at care. The CN-DRG method: the logarithm of each group's mortality against mean and
//! standard deviation over the groups in which somebody died.

use dashu::rational::RBig;

use crate::figures::exact::sum;

/// Deaths and cases of a case group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Deaths in hospital.
    pub deaths: u64,
    /// Cases.
    pub cases: u64,
}

/// Each group's score: 0 nobody died, 1 low (below mean − SD), 2 below the mean, 3 below mean + SD, 4
/// high. With fewer than two groups in which somebody died there is no spread: they all score 3.
pub fn scores(groups: &[Group]) -> Vec<u8> {
    let log = |group: &Group| {
        let known = group.deaths > 0 && group.cases > 0;
        known.then(|| libm::log(count(group.deaths) / count(group.cases)))
    };
    let logs: Vec<Option<f64>> = groups.iter().map(log).collect();
    let known: Vec<f64> = logs.iter().copied().flatten().collect();
    let n = count(u64::try_from(known.len()).unwrap_or(u64::MAX));
    let mean = known.iter().sum::<f64>() / n;
    let squares: f64 = known.iter().map(|x| (x - mean) * (x - mean)).sum();
    let sd = libm::sqrt(squares / (n - 1.0));
    let score = |log: &Option<f64>| match log {
        None => 0,
        Some(x) if *x < mean - sd => 1,
        Some(x) if *x < mean => 2,
        Some(x) if *x >= mean + sd => 4,
        Some(_) => 3,
    };
    logs.iter().map(score).collect()
}

/// Deaths per case over the groups whose score is one of `low`. `None` without cases.
pub fn mortality(groups: &[Group], scores: &[u8], low: &[u8]) -> Option<RBig> {
    let of = |count: fn(&Group) -> u64| {
        let counted = groups.iter().zip(scores);
        let counted = counted.filter(|(_, score)| low.contains(score));
        sum(counted.map(|(group, _)| RBig::from(count(group))))
    };
    let cases = of(|group| group.cases);
    (cases > RBig::ZERO).then(|| of(|group| group.deaths) / cases)
}

fn count(number: u64) -> f64 {
    RBig::from(number).to_f64().value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::half_up;

    /// Oracle O18.
    #[test]
    fn o18_scores_and_low_risk_mortality() {
        let groups = [
            (0, 400),
            (1, 2000),
            (2, 1000),
            (6, 900),
            (12, 800),
            (30, 700),
            (60, 400),
        ]
        .map(|(deaths, cases)| Group { deaths, cases });
        let scores = scores(&groups);
        assert_eq!(scores, [0, 1, 2, 2, 3, 3, 4]);
        let percent = |low: &[u8]| {
            let part = mortality(&groups, &scores, low).unwrap();
            half_up(&(part * RBig::from(100)), 4)
        };
        assert_eq!(percent(&[1]), "0.0500");
        assert_eq!(percent(&[0, 1]), "0.0417");
        assert_eq!(mortality(&groups, &scores, &[9]), None);
    }

    #[test]
    fn one_group_has_no_spread() {
        let one = |deaths| Group { deaths, cases: 10 };
        assert_eq!(scores(&[one(0), one(2)]), [0, 3]);
        assert_eq!(scores(&[]), [] as [u8; 0]);
        assert_eq!(
            scores(&[Group {
                deaths: 1,
                cases: 0
            }]),
            [0]
        );
    }
}
