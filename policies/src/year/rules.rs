//! The rules of a year: its course (`rules/year.toml`), and all that results are computed by.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use schemas::year::Matter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::form::Written;
use crate::figures::alerts::{self, AlertRules};
use crate::figures::appraisal::{self, AppraisalRules};
use crate::figures::bonus::{self, BonusRules};
use crate::figures::budget::{self, BudgetRules};
use crate::figures::overspend::{self, OverspendRules};
use crate::figures::settings::{Faults, RulesError, distinct, read};

/// The rules of the course as shipped.
pub const DEFAULT: &str = include_str!("../../rules/year.toml");
/// The name under which any administrator decides.
pub const ADMINISTRATOR: &str = "administrator";

/// All rules of a year.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Rules {
    /// Its course.
    pub year: YearRules,
    /// The split.
    pub budget: BudgetRules,
    /// Surplus and bonus.
    pub bonus: BonusRules,
    /// Overspend.
    pub overspend: OverspendRules,
    /// Appraisal.
    pub appraisal: AppraisalRules,
    /// Warnings.
    pub alerts: AlertRules,
    /// The text that these rules were read from, where another build wrote it: what is cited and kept.
    #[serde(skip)]
    pub written: Option<Written>,
}

/// Rules that are refused: every file at fault, with all of its faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(.0))]
pub struct Broken(pub Vec<(&'static str, RulesError)>);

/// File by file.
fn told(all: &[(&'static str, RulesError)]) -> String {
    let lines = all.iter().map(|(file, fault)| format!("`{file}`: {fault}"));
    lines.collect::<Vec<String>>().join("; ")
}

impl Rules {
    /// The names of the files that an alliance may have rules of its own in.
    pub const FILES: [&str; 6] = [
        "year.toml",
        "budget.toml",
        "bonus.toml",
        "overspend.toml",
        "appraisal.toml",
        "alerts.toml",
    ];

    /// The files as shipped, comments and all.
    pub const SHIPPED: [(&str, &str); 6] = {
        let [course, split, payout, bearers, grades, warnings] = Self::FILES;
        [
            (course, DEFAULT),
            (split, budget::DEFAULT),
            (payout, bonus::DEFAULT),
            (bearers, overspend::DEFAULT),
            (grades, appraisal::DEFAULT),
            (warnings, alerts::DEFAULT),
        ]
    };

    /// Reads and checks all rules. `own` gives an alliance's text of a file, where it has one.
    ///
    /// What was read is written and read once more: rules that could not be read back from a state file
    /// or a published one are refused here.
    pub fn read(own: impl Fn(&str) -> Option<String>) -> Result<Self, Broken> {
        fn of<T: Serialize + DeserializeOwned>(
            (own, broken): (&impl Fn(&str) -> Option<String>, &mut Broken),
            (file, shipped): (&'static str, &'static str),
            parse: fn(&str) -> Result<T, RulesError>,
        ) -> Option<T> {
            let text = own(file);
            let parsed = parse(text.as_deref().unwrap_or(shipped)).and_then(|parsed| {
                let text = serde_json::to_string(&parsed).unwrap_or_default();
                serde_json::from_str(&text).map_err(|error| RulesError::Shape(error.to_string()))
            });
            parsed.map_err(|fault| broken.0.push((file, fault))).ok()
        }
        let mut broken = Broken(Vec::new());
        let [course, split, payout, bearers, grades, warnings] = Self::SHIPPED;
        let year = of((&own, &mut broken), course, YearRules::parse);
        let budget = of((&own, &mut broken), split, BudgetRules::parse);
        let bonus = of((&own, &mut broken), payout, BonusRules::parse);
        let overspend = of((&own, &mut broken), bearers, OverspendRules::parse);
        let appraisal = of((&own, &mut broken), grades, AppraisalRules::parse);
        let alerts = of((&own, &mut broken), warnings, AlertRules::parse);
        match (year, budget, bonus, overspend, appraisal, alerts) {
            (
                Some(year),
                Some(budget),
                Some(bonus),
                Some(overspend),
                Some(appraisal),
                Some(alerts),
            ) => Ok(Self {
                year,
                budget,
                bonus,
                overspend,
                appraisal,
                alerts,
                written: None,
            }),
            _ => Err(broken),
        }
    }

    /// Checks rules that were not read by [`Rules::read`], such as those of a message.
    pub fn check(&self) -> Result<(), Broken> {
        let mut broken = Broken(Vec::new());
        let mut of = |file, check: &dyn Fn(&mut Faults)| {
            let mut faults = Faults::default();
            check(&mut faults);
            if !faults.0.is_empty() {
                broken.0.push((file, RulesError::Values(faults.0)));
            }
        };
        let [course, split, payout, bearers, grades, warnings] = Self::FILES;
        of(course, &|faults| self.year.check(faults));
        of(split, &|faults| self.budget.check(faults));
        of(payout, &|faults| self.bonus.check(faults));
        of(bearers, &|faults| self.overspend.check(faults));
        of(grades, &|faults| self.appraisal.check(faults));
        of(warnings, &|faults| self.alerts.check(faults));
        if broken.0.is_empty() {
            Ok(())
        } else {
            Err(broken)
        }
    }

    /// The first file whose rules are not effective yet in January of a year.
    pub fn later_than(&self, year: u16) -> Option<&'static str> {
        let january = Month::new(year, 1).ok();
        let from = [
            self.year.effective,
            self.budget.effective,
            self.bonus.effective,
            self.overspend.effective,
            self.appraisal.effective,
            self.alerts.effective,
        ];
        let mut of = Self::FILES.into_iter().zip(from);
        let later = of.find(|(_, from)| january.is_none_or(|january| *from > january));
        later.map(|(file, _)| file)
    }

    /// Digest of all rules, as a year's opening cites it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-year-rules-v1", self)
    }
}

/// Rules of a year's course.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// The party that says what was paid, and pays out.
    pub insurer: Slug,
    /// The party that decides about overspend together with the insurer (管理委员会).
    pub committee: Slug,
    /// The party that signs for all members together.
    pub members: Slug,
    /// The matters.
    pub matters: BTreeMap<Matter, MatterRules>,
}

/// How a matter is decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatterRules {
    /// Parties that all have to sign.
    pub signers: BTreeSet<Slug>,
    /// Who answers objections, all of them the same way: parties, or `administrator`.
    pub deciders: BTreeSet<Slug>,
    /// Days in which members may object.
    pub objection_days: u32,
    /// Days after an objection in which those who decide answer it; who is late is named.
    pub answer_days: u32,
}

impl YearRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    fn check(&self, faults: &mut Faults) {
        let office = |name: &Slug| name.as_str() == ADMINISTRATOR;
        faults.counted_from_one(self.version);
        let parties = [&self.insurer, &self.committee, &self.members];
        faults.check(
            !parties.into_iter().any(office),
            "`insurer`, `committee` and `members` are parties, not `administrator`",
        );
        faults.check(
            distinct(parties.into_iter()),
            "`insurer`, `committee` and `members` are three parties",
        );
        for matter in Matter::ALL {
            let name = matter.as_str();
            let Some(of) = self.matters.get(&matter) else {
                faults.check(false, &format!("`matters.{name}` is missing"));
                continue;
            };
            let signers = format!("`matters.{name}` is signed by at least two");
            faults.check(of.signers.len() >= 2, &signers);
            let parties = format!("`matters.{name}` is signed by parties, not `administrator`");
            faults.check(!of.signers.iter().any(office), &parties);
            let deciders = format!("`matters.{name}` needs somebody who answers objections");
            faults.check(!of.deciders.is_empty(), &deciders);
            let days = format!("`matters.{name}.objection_days` is from 1 to 90");
            faults.check((1..=90).contains(&of.objection_days), &days);
            let days = format!("`matters.{name}.answer_days` is from 1 to 90");
            faults.check((1..=90).contains(&of.answer_days), &days);
            for party in self.wanted(matter) {
                let fault = format!("`matters.{name}.signers` leaves out `{party}`");
                faults.check(of.signers.contains(party), &fault);
            }
        }
    }

    /// Who has to sign a matter, whoever else does: nobody's money is decided about without him. Overspend
    /// is classified by insurer and committee together; a budget or bonus binds members that signed it.
    fn wanted(&self, matter: Matter) -> Vec<&Slug> {
        match matter {
            Matter::Plan | Matter::Bonus => vec![&self.insurer, &self.members],
            Matter::Settlement => vec![&self.insurer, &self.committee],
            Matter::Appraisal => vec![&self.insurer],
        }
    }

    /// The parties that a year needs.
    pub fn parties(&self) -> BTreeSet<&Slug> {
        let matters = self.matters.values();
        let named = matters.flat_map(|of| of.signers.iter().chain(&of.deciders));
        let named = named.chain([&self.insurer, &self.committee, &self.members]);
        named
            .filter(|name| name.as_str() != ADMINISTRATOR)
            .collect()
    }
}
