//! What each figure is called and in which unit it stands, in tables of all kinds.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Asked, Kind, Way};

use super::words::Dress;

/// The unit of a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A number of stays.
    Stays,
    /// The benchmark's currency.
    Money,
    /// The currency by case group, else multiples of the reference.
    Percentile,
    /// Multiples of the reference.
    Reference,
    /// Days.
    Days,
    /// Points of a score.
    Points,
    /// A share of one.
    Share,
    /// A ratio.
    Ratio,
}

/// A figure's names.
pub(crate) struct Column {
    pub(crate) kind: Kind,
    /// In CSV files, without the unit.
    pub(super) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
    /// How its figures were obtained, where the report holds both ways.
    pub(super) way: Option<Way>,
    /// How many hospitals an alliance's figure sums, where the report holds both ways.
    pub(super) hospitals: Option<usize>,
}

/// How many hospitals the alliance's figures sum, each way.
#[derive(Clone, Copy)]
pub(super) struct Summed {
    attributed: usize,
    pooled: usize,
}

impl Summed {
    /// Of a report that holds both ways.
    pub(super) fn of(benchmark: &Benchmark) -> Option<Self> {
        let pooled = benchmark.pooled.as_ref()?;
        let hospitals = benchmark.hospitals.iter();
        Some(Self {
            attributed: hospitals.filter(|one| one.data.value().is_some()).count(),
            pooled: pooled.round.hospitals.len(),
        })
    }

    pub(super) fn by(self, way: Way) -> usize {
        match way {
            Way::Attributed => self.attributed,
            Way::Pooled => self.pooled,
        }
    }
}

impl Column {
    /// How its figures were obtained, and of how many hospitals, in both languages; nothing where the
    /// report holds one way only.
    pub(super) fn obtained(&self) -> String {
        let way = match self.way {
            None => return String::new(),
            Some(Way::Attributed) => "分别 attributed",
            Some(Way::Pooled) => "合并 pooled",
        };
        self.hospitals.map_or_else(
            || way.to_owned(),
            |hospitals| format!("{way}，{hospitals} 家 hospitals"),
        )
    }

    /// The same with how many hospitals its figures sum.
    pub(super) fn summed(self, summed: Option<Summed>) -> Self {
        Self {
            hospitals: self.way.and_then(|way| Some(summed?.by(way))),
            ..self
        }
    }

    /// The unit beside the name in tables, where the figures or the name do not say it.
    pub(super) fn unit_beside(&self, currency: &str) -> String {
        match self.unit {
            Unit::Stays | Unit::Share | Unit::Ratio => String::new(),
            Unit::Days => "天 days".to_owned(),
            Unit::Points => "分 points".to_owned(),
            Unit::Money => currency.to_owned(),
            Unit::Percentile | Unit::Reference => "参考值的倍数 × reference".to_owned(),
        }
    }

    pub(super) fn dress(&self) -> Dress {
        match self.unit {
            Unit::Share => Dress::Percent,
            _ => Dress::Number,
        }
    }

    /// The unit in the column's name; nothing where the name says it.
    pub(super) fn suffix(&self, currency: &str, in_money: bool) -> String {
        match (self.unit, in_money) {
            (Unit::Money, _) | (Unit::Percentile, true) => format!("_{}", currency.to_lowercase()),
            (Unit::Percentile, false) | (Unit::Reference, _) => "_per_reference".to_owned(),
            (Unit::Days, _) => "_days".to_owned(),
            (Unit::Points, _) => "_points".to_owned(),
            (Unit::Stays | Unit::Share | Unit::Ratio, _) => String::new(),
        }
    }

    /// The unit in words.
    pub(super) fn unit_in_words(&self, currency: &str, in_money: bool) -> String {
        match (self.unit, in_money) {
            (Unit::Stays, _) => "stays".to_owned(),
            (Unit::Money, _) | (Unit::Percentile, true) => currency.to_owned(),
            (Unit::Percentile, false) | (Unit::Reference, _) => {
                "multiples of the case group's reference".to_owned()
            }
            (Unit::Days, _) => "days".to_owned(),
            (Unit::Points, _) => "points".to_owned(),
            (Unit::Share, _) => "share of 1".to_owned(),
            (Unit::Ratio, _) => "ratio, 1 = the yardstick".to_owned(),
        }
    }
}

pub(crate) fn column(kind: Kind) -> Column {
    let (name, unit, zh, en) = match kind {
        Kind::Stays => ("stays", Unit::Stays, "病例数", "Stays"),
        Kind::TotalCost => (
            "total_cost",
            Unit::Money,
            "封顶总费用",
            "Capped cost, total",
        ),
        Kind::MeanCost => ("mean_cost", Unit::Money, "封顶均次费用", "Capped mean cost"),
        Kind::Deviation => ("deviation", Unit::Money, "标准差", "Standard deviation"),
        Kind::Variation => (
            "variation",
            Unit::Ratio,
            "变异系数",
            "Coefficient of variation",
        ),
        Kind::P25 => ("p25", Unit::Percentile, "P25", "25th percentile"),
        Kind::P50 => ("p50", Unit::Percentile, "P50", "median"),
        Kind::P75 => ("p75", Unit::Percentile, "P75", "75th percentile"),
        Kind::P90 => ("p90", Unit::Percentile, "P90", "90th percentile"),
        Kind::CappedShare => (
            "capped_share",
            Unit::Share,
            "封顶病例占比",
            "Share of capped stays",
        ),
        Kind::AboveCap => (
            "above_cap",
            Unit::Reference,
            "封顶影响",
            "What the cap takes off the mean",
        ),
        Kind::MeanStay => ("mean_stay", Unit::Days, "平均住院日", "Mean length of stay"),
        Kind::MeanScore => ("mean_score", Unit::Points, "平均得分", "Mean score"),
        Kind::Structure => ("share", Unit::Share, "成本构成", "Cost structure"),
        Kind::Cmi => ("cmi", Unit::Ratio, "病例组合指数 CMI", "Case mix index"),
        Kind::CostIndexReference => (
            "cost_index_reference",
            Unit::Ratio,
            "费用消耗指数·参考",
            "Cost index, reference",
        ),
        Kind::CostIndexAlliance => (
            "cost_index_alliance",
            Unit::Ratio,
            "费用消耗指数·联盟",
            "Cost index, alliance",
        ),
        Kind::CostObservedExpected => (
            "cost_observed_expected",
            Unit::Ratio,
            "费用实际/期望",
            "Cost, observed / expected",
        ),
        Kind::TimeIndexReference => (
            "time_index_reference",
            Unit::Ratio,
            "时间消耗指数·参考",
            "Time index, reference",
        ),
        Kind::TimeIndexAlliance => (
            "time_index_alliance",
            Unit::Ratio,
            "时间消耗指数·联盟",
            "Time index, alliance",
        ),
        Kind::TimeObservedExpected => (
            "time_observed_expected",
            Unit::Ratio,
            "时间实际/期望",
            "Time, observed / expected",
        ),
    };
    Column {
        kind,
        name,
        unit,
        zh,
        en,
        way: None,
        hospitals: None,
    }
}

/// The columns of what was asked for, without the structure, which is one for each item.
pub(crate) fn columns(asked: &[Asked]) -> Vec<Column> {
    let plain = asked.iter().filter(|one| one.figure != Kind::Structure);
    let named = plain.map(|one| Column {
        way: one.way,
        ..column(one.figure)
    });
    named.collect()
}

/// Whether a figure was asked for.
pub(super) fn has(asked: &[Asked], kind: Kind) -> bool {
    asked.iter().any(|asked| asked.figure == kind)
}

/// Whether a figure is known of the sum over hospitals only.
pub(super) fn pooled(asked: &[Asked], kind: Kind) -> bool {
    let mut all = asked.iter();
    all.any(|asked| asked.figure == kind && asked.way == Some(Way::Pooled))
}

/// Only hospitals have these: the alliance is their yardstick.
pub(crate) fn of_hospitals_only(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CostIndexAlliance
            | Kind::CostObservedExpected
            | Kind::TimeIndexAlliance
            | Kind::TimeObservedExpected
    )
}

/// Names of the cost items' share columns.
pub(super) fn share_names(benchmark: &Benchmark, asked: &[Asked]) -> Vec<String> {
    let items = benchmark.items.iter();
    let names = items.map(|item| format!("share_{}", item.id));
    if has(asked, Kind::Structure) {
        names.collect()
    } else {
        Vec::new()
    }
}
