//! The questions of a simulation, what each costs, and what the exact cells behind them are: known
//! outside both programs, so that what leaves can be judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use node::answer::{self, App};
use node::clock::Clock;
use node::config::Config;
use node::store::state::State;
use policies::plan::{self, Bound, Layout};
use policies::rules::Privacy;
use policies::template::{self, Template};
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::{Purpose, Question};

use super::made::{Member, START};

/// What is known of a question that may be answered.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) layout: Layout,
    /// The quota that pays.
    pub(super) purpose: Purpose,
    /// Months of its series that a patient counts in; 0 where it is none.
    pub(super) months: u64,
}

/// Cells of an answer.
pub(super) type Cells = Vec<Option<Vec<i64>>>;

/// All questions.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) dictionary: Dictionary,
    pub(super) floors: Digest,
    /// Templates and periods that the alliance asks honestly.
    pub(super) honest: Vec<(Template, &'static str)>,
    /// Free questions within their price.
    pub(super) free: Vec<Question>,
    pub(super) known: BTreeMap<Digest, Known>,
    /// Exact cells by hospital and question.
    pub(super) exact: BTreeMap<(Slug, Digest), Cells>,
}

const HONEST: [(&str, &str); 6] = [
    ("monthly-benchmark", "2025-01"),
    ("monthly-benchmark", "2025-02"),
    ("monthly-benchmark", "2025-03"),
    ("yearly-hospitals", "2025"),
    ("yearly-benchmark", "2025"),
    // Nothing was loaded of that year.
    ("monthly-benchmark", "2024-05"),
];

/// Free questions: eight months, of which the allowance pays for five.
const FREE: u8 = 8;

impl Catalog {
    pub(super) fn new(dictionary: &Dictionary, rules: &Privacy) -> Self {
        let floors = rules.digest().expect("a digest");
        let shipped = template::shipped();
        let find = |name: &str| shipped.iter().find(|one| one.id.as_str() == name);
        let honest: Vec<(Template, &'static str)> = HONEST
            .iter()
            .map(|(name, period)| (find(name).expect("a template").clone(), *period))
            .collect();
        let mut catalog = Self {
            dictionary: dictionary.clone(),
            floors,
            honest,
            free: Vec::new(),
            known: BTreeMap::new(),
            exact: BTreeMap::new(),
        };
        for at in 0..catalog.honest.len() {
            let (template, period) = catalog.honest[at].clone();
            let question = catalog.question(&template, period);
            catalog.know(&question, rules, template.purpose);
        }
        for month in 1..=FREE {
            let text = "id = \"own\"\nversion = 1\nlabel = { zh = \"问\", en = \"q\" }\n\
                        purpose = \"free\"\nrelease = \"attributed\"\n\
                        bounds = { groups = 3, stays = 1 }\n[[tables]]\nby = [\"sex\"]\n\
                        blocks = [{ measure = { kind = \"count\" }, rho = \"0.04\" }]";
            let template = Template::parse(text).expect("a template");
            let question = catalog.question(&template, &format!("2025-{month:02}"));
            catalog.know(&question, rules, Purpose::Free);
            catalog.free.push(question);
        }
        catalog
    }

    /// What a template asks of a period.
    pub(super) fn question(&self, template: &Template, period: &str) -> Question {
        let period = period.parse().expect("a period");
        let draft = template.draft(&self.dictionary, self.floors, period);
        draft.expect("a question").question
    }

    fn know(&mut self, question: &Question, rules: &Privacy, purpose: Purpose) {
        let layout = plan::compile(question, &self.dictionary, rules).expect("a layout");
        let months = match layout.bound {
            Bound::Series { months } => u64::from(months.max(1)),
            _ => 0,
        };
        let known = Known {
            purpose,
            months,
            layout,
        };
        self.known.insert(known.layout.question, known);
    }

    /// Computes a hospital's exact cells, which the product's types keep from leaving: only noise of
    /// a test's own, none at all, lets them out.
    pub(super) async fn look(&mut self, member: &Member) {
        let config = Config::read(&member.folder).expect("settings");
        let state = State::open(&member.folder).await.expect("a state");
        let app = App::open(&config, state, Clock::Fixed(START)).await;
        let app = Arc::new(app.expect("a node"));
        for (digest, known) in &self.known {
            let period = known.layout.period;
            let released = node::snapshot::released(&app.state, &app.data, &period)
                .await
                .expect("released months");
            if released.months.is_empty() {
                continue;
            }
            let exact = answer::exact(&app, &known.layout, &released).expect("exact cells");
            let cells = node::noise::add(&known.layout, exact, &crate::noise::Zero, 1);
            let cells = cells.expect("cells").into_blocks();
            self.exact.insert((member.name.clone(), *digest), cells);
        }
        app.state.pool().close().await;
    }
}
