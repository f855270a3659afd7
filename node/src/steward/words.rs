//! A question in plain words, made here from the typed question: the asker's own words are never
//! shown.

use schemas::dictionary::{Dictionary, Label};
use schemas::id::Slug;
use schemas::question::{Dataset, Filter, Measure, Question, Release, Table};
use serde::Serialize;

/// The question in the two languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// What is read of each stay.
    pub columns: Vec<String>,
}

/// Puts a question into words. Names that the dictionary lacks stay as they are.
pub fn text(question: &Question, dictionary: &Dictionary) -> Text {
    let of_dataset = dictionary.of(question.dataset);
    let dictionary = of_dataset.as_deref().unwrap_or(dictionary);
    let names = Names { dictionary };
    let mut lines = vec![names.about(question)];
    for table in &question.tables {
        let by = names.by(table);
        let measures: Vec<Label> = table
            .blocks
            .iter()
            .map(|block| names.measure(&block.measure))
            .collect();
        let measures = joined(&measures, "；", "; ");
        lines.push(Label {
            zh: format!("按{}统计：{}。", by.zh, measures.zh),
            en: format!("By {}: {}.", by.en, measures.en),
        });
    }
    if question.centred {
        lines.push(centred());
    }
    lines.push(weight(question));
    lines.push(visible(question.release));
    let whole = joined(&lines, "\n", "\n");
    Text {
        zh: whole.zh,
        en: whole.en,
        columns: columns(question),
    }
}

/// What a row of a dataset is; elsewhere a row is called a stay whatever it is.
fn rows(dataset: Dataset) -> (&'static str, &'static str) {
    match dataset {
        Dataset::Stays => ("结算的住院病例", "Inpatient stays settled"),
        Dataset::Visits => (
            "的门诊就诊（以下每次就诊计一例）",
            "Outpatient visits (each a stay below)",
        ),
        Dataset::Referrals => (
            "的转诊（以下每次转诊计一例）",
            "Referrals (each a stay below)",
        ),
        Dataset::Followups => (
            "的慢病随访（以下每次随访计一例）",
            "Follow-ups (each a stay below)",
        ),
        Dataset::Surveys => (
            "的满意度答卷（以下每份计一例）",
            "Satisfaction answers (each a stay below)",
        ),
    }
}

/// That sums are centred, and what that means for a patient.
fn centred() -> Label {
    Label {
        zh: "与例数同表的合计与平方和，每例先减去封顶值的一半再求和：同样的隐私代价下噪声减半；\
             对已知某患者在数据中的人，该患者数值的保护也减半。"
            .to_owned(),
        en: "Sums and squares beside a number of stays count each stay's value less half the cap: \
             half the noise at the same privacy price. Against whoever knows that a patient is in \
             the data, that patient's value is protected half as well."
            .to_owned(),
    }
}

/// How much one patient may weigh.
fn weight(question: &Question) -> Label {
    if let Some(series) = question.series {
        let months = series.months;
        return Label {
            zh: format!("每位患者每月最多计一次、每年最多计 {months} 个月。"),
            en: format!(
                "Of each patient at most one stay a month and {months} months a year count."
            ),
        };
    }
    let (groups, stays) = (question.bounds.groups, question.bounds.stays);
    Label {
        zh: format!("每位患者每年最多计 {groups} 个病组、每组 {stays} 次住院。"),
        en: format!(
            "Of each patient at most {groups} case groups a year count, each with at most {stays} \
             of its stays."
        ),
    }
}

/// What becomes visible, and to whom.
fn visible(release: Release) -> Label {
    let (zh, en) = match release {
        Release::Attributed => (
            "加噪后的数字以本院名义提供给联盟；公布时仅显示达到门槛的单元。",
            "The noised numbers leave under this hospital's name, to the alliance; what is published \
             shows only cells that reach the threshold.",
        ),
        Release::Pooled => (
            "仅公布多家医院的加噪合计，不显示本院数字。",
            "Only a noised sum over several hospitals becomes visible, never this hospital's.",
        ),
    };
    Label {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// Fields and dimensions that the scan reads.
fn columns(question: &Question) -> Vec<String> {
    let mut columns: Vec<String> = question.filter.keys().map(ToString::to_string).collect();
    for table in &question.tables {
        columns.extend(table.by.iter().map(ToString::to_string));
        for block in &table.blocks {
            match &block.measure {
                Measure::Count => {}
                Measure::CountWhere { filter } => {
                    columns.extend(filter.keys().map(ToString::to_string));
                }
                Measure::Sum { field }
                | Measure::Relative { field }
                | Measure::Squares { field }
                | Measure::Histogram { field }
                | Measure::Structure { field } => columns.push(field.to_string()),
            }
        }
    }
    columns.sort();
    columns.dedup();
    columns
}

struct Names<'a> {
    dictionary: &'a Dictionary,
}

impl Names<'_> {
    /// Which stays.
    fn about(&self, question: &Question) -> Label {
        let (from, to) = (question.period.from, question.period.to);
        let (zh, en) = rows(question.dataset);
        if question.filter.is_empty() {
            return Label {
                zh: format!("{from} 至 {to} {zh}。"),
                en: format!("{en} from {from} to {to}."),
            };
        }
        let filter = self.filter(&question.filter);
        Label {
            zh: format!("{from} 至 {to} {zh}，仅限{}。", filter.zh),
            en: format!("{en} from {from} to {to}, only where {}.", filter.en),
        }
    }

    fn dimension(&self, id: &Slug) -> Label {
        let known = self.dictionary.dimension(id.as_str());
        known.map_or_else(|| plain(id.as_str()), |dimension| dimension.label.clone())
    }

    fn field(&self, id: &Slug) -> Label {
        let known = self.dictionary.field(id.as_str());
        known.map_or_else(|| plain(id.as_str()), |field| field.label.clone())
    }

    fn key(&self, dimension: &Slug, code: &str) -> Label {
        let known = self.dictionary.dimension(dimension.as_str());
        let mut keys = known.into_iter().flat_map(|dimension| &dimension.keys);
        keys.find(|key| key.code == code)
            .map_or_else(|| plain(code), |key| key.label.clone())
    }

    fn by(&self, table: &Table) -> Label {
        if table.by.is_empty() {
            return Label {
                zh: "全院".to_owned(),
                en: "the hospital as a whole".to_owned(),
            };
        }
        let names: Vec<Label> = table.by.iter().map(|id| self.dimension(id)).collect();
        joined(&names, " × ", " × ")
    }

    fn filter(&self, filter: &Filter) -> Label {
        let parts = filter.iter().map(|(id, keys)| {
            let name = self.dimension(id);
            let keys: Vec<Label> = keys.iter().map(|code| self.key(id, code)).collect();
            let keys = joined(&keys, "或", " or ");
            Label {
                zh: format!("{}为{}", name.zh, keys.zh),
                en: format!("{} is {}", name.en, keys.en),
            }
        });
        joined(&parts.collect::<Vec<_>>(), "且", " and ")
    }

    fn measure(&self, measure: &Measure) -> Label {
        let of = |field: &Slug, zh: &str, en: &str| {
            let name = self.field(field);
            Label {
                zh: format!("{}的{zh}", name.zh),
                en: format!("{en} of {}", name.en),
            }
        };
        match measure {
            Measure::Count => Label {
                zh: "例数".to_owned(),
                en: "number of stays".to_owned(),
            },
            Measure::CountWhere { filter } => {
                let filter = self.filter(filter);
                Label {
                    zh: format!("其中{}的例数", filter.zh),
                    en: format!("number of stays where {}", filter.en),
                }
            }
            Measure::Sum { field } => of(field, "合计（封顶）", "sum (capped)"),
            Measure::Relative { field } => of(
                field,
                "相对病组基准的合计",
                "sum relative to each group's reference",
            ),
            Measure::Squares { field } => of(field, "平方和", "sum of squares"),
            Measure::Histogram { field } => of(field, "分布", "distribution"),
            Measure::Structure { field } => of(field, "构成", "structure by item"),
        }
    }
}

fn joined(labels: &[Label], zh: &str, en: &str) -> Label {
    let list = |pick: fn(&Label) -> &str, between: &str| {
        labels.iter().map(pick).collect::<Vec<_>>().join(between)
    };
    Label {
        zh: list(|label| &label.zh, zh),
        en: list(|label| &label.en, en),
    }
}

fn plain(text: &str) -> Label {
    Label {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}
