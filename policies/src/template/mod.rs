//! Question templates: what the alliance asks again and again, named, versioned and priced, and
//! how one becomes a question.

use serde::Deserialize;

use schemas::canonical;
use schemas::dictionary::{Dictionary, Label};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::{NotALoss, Rho};
use schemas::question::{
    Block, Bounds, Dataset, Filter, Measure, Purpose, Question, Release, Series, Table,
};
use schemas::round::TemplateRef;
use schemas::shown;
use schemas::time::Period;
use schemas::written;

/// A question template as written in `rules/templates/*.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub id: Slug,
    /// Rises with every change of what is asked or what it costs.
    pub version: u32,
    /// Name for people.
    pub label: Label,
    /// Which quota pays.
    pub purpose: Purpose,
    /// How the answer leaves the hospital.
    pub release: Release,
    /// How much one patient may weigh in a data year.
    pub bounds: Bounds,
    /// Set where a year's months are asked for one reserved charge.
    pub series: Option<Series>,
    /// Fewer answers than this and the round dies; 1 where it is left out.
    pub min_answers: Option<u32>,
    /// What is asked about; stays where it is left out.
    #[serde(default)]
    pub dataset: Dataset,
    /// Which stays count; all where it is left out.
    #[serde(default)]
    pub filter: Filter,
    /// Whether sums beside a count are centred ([`Question::centred`]); not where it is left out.
    #[serde(default)]
    pub centred: bool,
    /// The tables.
    pub tables: Vec<Table>,
}

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML of the expected shape.
    #[error("the template cannot be read: {0}")]
    Shape(String),
    /// A rule is broken.
    #[error("template {place}: {rule}")]
    Rule {
        /// Which entry.
        place: String,
        /// What must hold.
        rule: &'static str,
    },
    /// The losses do not add up within the range of a loss.
    #[error("template: {0}")]
    Loss(#[from] NotALoss),
}

/// Why no question follows from a template.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The period is turned, or longer than 36 months.
    #[error("the period runs forward over at most 36 months")]
    Period,
    /// One month of a series is asked at a time.
    #[error("a series is asked one month at a time")]
    SeriesMonth,
    /// A filter names a dimension or key that the dictionary lacks. Leaving it out would ask about
    /// more patients than meant.
    #[error("the dictionary has no dimension or key `{0}` of the template's filter")]
    Filter(String),
    /// The dictionary does not define the dataset.
    #[error("the dictionary has no dataset `{0}`")]
    NoDataset(&'static str),
    /// The dictionary has none of what the template asks.
    #[error("the dictionary has none of the fields and dimensions that the template asks for")]
    Nothing,
    /// The dictionary has no canonical form.
    #[error("the dictionary has no digest")]
    Dictionary(#[from] canonical::Error),
}

/// A question drafted from a template, and what had to be left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The question in canonical order.
    pub question: Question,
    /// What the dictionary lacks, for people.
    pub left_out: Vec<String>,
}

const SHIPPED: [&str; 11] = [
    include_str!("../../rules/templates/audit-signals.toml"),
    include_str!("../../rules/templates/monthly-benchmark.toml"),
    include_str!("../../rules/templates/yearly-alliance.toml"),
    include_str!("../../rules/templates/yearly-benchmark.toml"),
    include_str!("../../rules/templates/yearly-followups.toml"),
    include_str!("../../rules/templates/yearly-hospitals.toml"),
    include_str!("../../rules/templates/yearly-pooled.toml"),
    include_str!("../../rules/templates/yearly-referrals.toml"),
    include_str!("../../rules/templates/yearly-surveys.toml"),
    include_str!("../../rules/templates/yearly-visits.toml"),
    include_str!("../../rules/templates/yearly-warnings.toml"),
];

/// The templates that come with the software. Nodes compare questions with their own copy.
pub fn shipped() -> Vec<Template> {
    SHIPPED
        .into_iter()
        .filter_map(|text| Template::parse(text).ok())
        .collect()
}

impl Template {
    /// Reads and checks a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template: Self =
            toml::from_str(text).map_err(|error| TemplateError::Shape(told(text, &error)))?;
        template.check()?;
        Ok(template)
    }

    /// Name and version.
    pub fn reference(&self) -> TemplateRef {
        TemplateRef {
            id: self.id.clone(),
            version: self.version,
        }
    }

    /// What a hospital pays for a data year's use: one answer, or the whole series.
    pub fn price(&self) -> Result<Rho, NotALoss> {
        let blocks = self.tables.iter().flat_map(|table| &table.blocks);
        let one = Rho::sum(blocks.map(|block| block.rho))?;
        match self.series {
            Some(series) => one.checked_mul(u64::from(series.months)),
            None => Ok(one),
        }
    }

    fn check(&self) -> Result<(), TemplateError> {
        let broken = |place: &str, rule| {
            Err(TemplateError::Rule {
                place: format!("{}.{place}", self.id),
                rule,
            })
        };
        if self.version == 0 {
            return broken("version", "versions begin at 1");
        }
        if !shown::is_plain(&self.label.zh) || !shown::is_plain(&self.label.en) {
            return broken("label", "text on one line");
        }
        let sound = |bound: u8| (1..=50).contains(&bound);
        if !sound(self.bounds.groups) || !sound(self.bounds.stays) {
            return broken("bounds", "from 1 to 50");
        }
        if self.series.is_some_and(|s| !(1..=12).contains(&s.months)) {
            return broken("series", "from 1 to 12 months");
        }
        if self.min_answers == Some(0) {
            return broken("min_answers", "at least 1");
        }
        if !(1..=8).contains(&self.tables.len()) {
            return broken("tables", "from 1 to 8 tables");
        }
        if self.centred && self.purpose == Purpose::Free {
            return broken("centred", "free questions ask plain sums");
        }
        for table in &self.tables {
            if table.by.len() > 4 || !table.by.is_sorted_by(|a, b| a < b) {
                return broken("tables.by", "at most 4 dimensions, sorted, each once");
            }
            if table.blocks.is_empty() {
                return broken("tables.blocks", "at least one block");
            }
            for (position, block) in table.blocks.iter().enumerate() {
                if block.rho == Rho::ZERO {
                    return broken("tables.blocks.rho", "above zero");
                }
                let before = table.blocks.iter().take(position);
                if before.into_iter().any(|b| b.measure == block.measure) {
                    return broken("tables.blocks", "each measure once in a table");
                }
            }
        }
        self.price()?;
        Ok(())
    }

    /// Makes the question for a period. Blocks over fields, and tables over dimensions, that the
    /// dictionary lacks are left out and named: they then cost nothing. A filter is never left
    /// out. `rules` is the digest of the alliance's floors.
    pub fn draft(
        &self,
        dictionary: &Dictionary,
        rules: Digest,
        period: Period,
    ) -> Result<Draft, DraftError> {
        if !period.is_sound() {
            return Err(DraftError::Period);
        }
        if self.series.is_some() && period.from != period.to {
            return Err(DraftError::SeriesMonth);
        }
        let cited = dictionary.digest()?;
        let of = self.dataset;
        let dictionary = &*dictionary
            .of(of)
            .ok_or(DraftError::NoDataset(of.as_str()))?;
        check_filter(&self.filter, dictionary)?;
        let mut left_out = Vec::new();
        let mut tables = Vec::new();
        for table in &self.tables {
            let missing = table
                .by
                .iter()
                .find(|id| dictionary.dimension(id.as_str()).is_none());
            if let Some(id) = missing {
                left_out.push(format!("a table by `{id}`: not a dimension"));
                continue;
            }
            let mut kept: Vec<Block> = Vec::new();
            for block in &table.blocks {
                match lacking(&block.measure, dictionary)? {
                    None => kept.push(block.clone()),
                    Some(note) => left_out.push(note),
                }
            }
            if !kept.is_empty() {
                tables.push(Table {
                    by: table.by.clone(),
                    blocks: kept,
                });
            }
        }
        if tables.is_empty() {
            return Err(DraftError::Nothing);
        }
        left_out.dedup();
        let question = Question {
            dataset: self.dataset,
            dictionary: cited,
            rules,
            period,
            filter: self.filter.clone(),
            tables,
            bounds: self.bounds,
            series: self.series,
            release: self.release,
            centred: self.centred,
        };
        Ok(Draft {
            question: question.canonical(),
            left_out,
        })
    }
}

fn told(text: &str, error: &toml::de::Error) -> String {
    written::fault(text, error.message(), error.span().map(|span| span.start))
}

/// What the dictionary lacks for a measure, if anything.
fn lacking(measure: &Measure, dictionary: &Dictionary) -> Result<Option<String>, DraftError> {
    let field = match measure {
        Measure::Count => return Ok(None),
        Measure::CountWhere { filter } => {
            check_filter(filter, dictionary)?;
            return Ok(None);
        }
        Measure::Sum { field }
        | Measure::Relative { field }
        | Measure::Squares { field }
        | Measure::Histogram { field }
        | Measure::Structure { field } => field,
    };
    if dictionary.field(field.as_str()).is_none() {
        return Ok(Some(format!("measures of `{field}`: not a field")));
    }
    let whole = matches!(measure, Measure::Structure { .. });
    if whole && dictionary.items_of(field).next().is_none() {
        return Ok(Some(format!("structure of `{field}`: it has no items")));
    }
    Ok(None)
}

fn check_filter(filter: &Filter, dictionary: &Dictionary) -> Result<(), DraftError> {
    for (id, keys) in filter {
        let unknown = |name: &str| DraftError::Filter(name.to_owned());
        let dimension = dictionary
            .dimension(id.as_str())
            .ok_or_else(|| unknown(id.as_str()))?;
        // The months of a filter are checked against the period when the question is compiled.
        let Some(allowed) = dictionary.keys(dimension) else {
            continue;
        };
        if let Some(key) = keys.iter().find(|key| !allowed.contains(key)) {
            return Err(unknown(key));
        }
    }
    Ok(())
}

#[cfg(test)]
mod test;
