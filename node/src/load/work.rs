//! The part of a load that works on files only: one pass, ranks, reports, all under a staging
//! name.

use std::collections::{BTreeMap, BTreeSet};

use schemas::dictionary::{Dictionary, Unit};
use schemas::digest::Digest;
use schemas::time::{DataYear, Month, Timestamp};
use serde::Serialize;

use super::exposure::{self, Measure};
use super::held::Held;
use super::identity::identity;
use super::kept::Stays;
use super::moved::{self, Elsewhere, Suspects};
use super::staging::Staging;
use super::stream::{self, Pass, Passed};
use super::{
    LoadError, PatientCounts, Quality, Request, Summary, Timeliness, bind, exposure_text, quality,
    ranks, summary,
};
use crate::config::Config;
use crate::deidentify::KeyRing;
use crate::ingest::IngestError;
use crate::ingest::bound::{Bound, When};
use crate::ingest::date::month_of;
use crate::store::columns::{ranks_file, write_ranks};
use crate::store::loads::LoadedMonth;
use crate::store::marks::Reached;
use crate::store::month_rates::RatesUsed;

/// The part of a load that works on files only.
pub(super) struct Work<'a> {
    pub config: &'a Config,
    pub now: Timestamp,
    pub request: &'a Request,
    /// Of the mapping's dataset.
    pub dictionary: &'a Dictionary,
    /// Digest of the whole dictionary.
    pub coded: Digest,
    pub file_digest: &'a str,
    pub held: &'a Held,
    /// How far this load reads a view.
    pub mark: Option<&'a Reached>,
    pub progress: &'a dyn Fn(u64),
}

/// A load that is written but not registered.
pub(super) struct Done {
    pub staging: Staging,
    pub file_digest: String,
    pub unit: &'static str,
    pub span: &'static str,
    /// Only some departments' stays are in it.
    pub pilot: bool,
    pub months: Vec<LoadedMonth>,
    pub used_keys: Vec<(u16, String)>,
    pub mark: Option<Reached>,
    /// By which rates the stays of each month were costed.
    pub rates: BTreeMap<Month, RatesUsed>,
    pub summary: Summary,
}

impl Work<'_> {
    pub(super) fn run(&self, ring: &KeyRing) -> Result<Done, LoadError> {
        let data = self.config.data.as_path();
        let last_month = month_of(self.now).ok_or(LoadError::Random)?;
        let bound = bind(self.dictionary, self.request)?.believes_until(last_month)?;
        let (staging, mut passed) = self.pass(&bound, ring)?;
        let coding = self.coded.to_string();
        // A view is one picture from begin to end; a file may have been written to meanwhile.
        let is_view = self.request.from.view().is_some();
        if !is_view && identity(&passed.file_digest, self.request, &coding) != self.file_digest {
            return Err(IngestError::Changed.into());
        }
        let timeliness = Timeliness {
            loaded: self.now,
            days: self.config.quality.timely_days,
            history: self.request.history,
        };
        let quality = quality::judge(&passed.tally, timeliness);
        let mut summary = summary::of(&bound, &passed, quality);
        summary.loadable()?;
        let months: BTreeSet<Month> = passed.digests.keys().copied().collect();
        self.none_is_emptied(&months)?;
        self.same_unit(&months, unit(&bound))?;
        let earlier = self.held.ranks(data, &months, self.dictionary)?;
        let mut ranks_digests = BTreeMap::new();
        for (month, ranks) in ranks::assign(std::mem::take(&mut passed.ranks), earlier) {
            let digest = write_ranks(ranks_file(&staging.folder, month), &ranks)?;
            ranks_digests.insert(month, digest);
        }
        self.report(&staging, &bound, &mut summary)?;
        let loaded = |quality: &Quality| LoadedMonth {
            load: staging.id.clone(),
            month: quality.month,
            dataset: self.held.dataset,
            folder: staging.final_name(),
            dictionary: self.coded,
            unit: unit(&bound).to_owned(),
            rows: quality.kept,
            grade: quality.grade,
            findings: summary.findings,
            data_digest: passed
                .digests
                .get(&quality.month)
                .cloned()
                .unwrap_or_default(),
            ranks_digest: ranks_digests
                .get(&quality.month)
                .cloned()
                .unwrap_or_default(),
            release: None,
            restated_by: None,
        };
        let costing = bound.costing.iter();
        let used =
            costing.flat_map(|of| months.iter().map(move |month| (*month, of.rates(*month))));
        let rates = used.filter_map(|(month, of)| Some((month, of?.used.clone())));
        let rates = rates.collect();
        let months = summary.quality.iter().map(loaded).collect();
        summary.load = Some(staging.id.clone());
        Ok(Done {
            rates,
            unit: unit(&bound),
            span: span(&bound),
            pilot: bound.pilot.is_some(),
            staging,
            file_digest: self.file_digest.to_owned(),
            months,
            used_keys: passed.used_keys,
            mark: self.mark.cloned(),
            summary,
        })
    }

    /// Reads and writes under a staging name. Where a view moved a stay to another month, the month that it
    /// left is read too, so that it is kept in one of them: not refused as a duplicate in its year, not
    /// counted in two years.
    fn pass(&self, bound: &Bound, ring: &KeyRing) -> Result<(Staging, Passed), LoadError> {
        let data = self.config.data.as_path();
        let (mut suspects, mut needed) = (Suspects::new(), BTreeSet::new());
        let mut cleared: BTreeSet<Month> = BTreeSet::new();
        let years = self.other_years();
        loop {
            let stays = self.stays_of_other_months(bound)?;
            let staging = Staging::create(data)?;
            let pass = Pass {
                origin: &self.request.from,
                bound,
                dictionary: self.dictionary,
                last_month: month_of(self.now).ok_or(LoadError::Random)?,
                file: self.file_digest.as_bytes(),
                folder: Some(&staging.folder),
                progress: self.progress,
            };
            let elsewhere = Elsewhere::new(ring, &years)?;
            let passed = pass.run(ring.clone(), stays, elsewhere)?;
            let Some(view) = self.request.from.view() else {
                return Ok((staging, passed));
            };
            let mut still = moved::unmoved(&suspects, &passed.ranks);
            suspects.clear();
            still.retain(|month| !needed.contains(month));
            if !still.is_empty() {
                view.narrow(&still);
                cleared.extend(still);
                continue;
            }
            let again: BTreeSet<[u8; 16]> = passed.again.iter().copied().collect();
            let mut left = self.held.months_of(data, &view.months(), &again)?;
            needed.extend(left.iter().copied());
            suspects = passed.elsewhere.suspects(data, self.held, &view.months())?;
            suspects.retain(|month, _| !cleared.contains(month));
            left.extend(suspects.keys().copied());
            if left.is_empty() {
                return Ok((staging, passed));
            }
            view.widen(&left);
        }
    }

    /// The data years in which a view's rows may have stood: those of its dataset that are held. A file says
    /// of months beside its own nothing, and a load of the whole view reads them all.
    fn other_years(&self) -> BTreeSet<DataYear> {
        let of_view = self.request.from.view().is_some() && !self.request.whole;
        let held = self.held.own().filter(|held| of_view && held.is_current());
        held.map(|held| held.month.year()).collect()
    }

    /// A month of a view that was loaded and has no row left cannot be replaced: its rows would count on.
    fn none_is_emptied(&self, written: &BTreeSet<Month>) -> Result<(), LoadError> {
        let Some(view) = self.request.from.view() else {
            return Ok(());
        };
        let read = view.months();
        let held = self.held.own().filter(|held| held.is_current());
        let mut emptied =
            held.filter(|held| read.contains(&held.month) && !written.contains(&held.month));
        match emptied.next() {
            Some(held) => Err(LoadError::Emptied { month: held.month }),
            None => Ok(()),
        }
    }

    /// Stays of the store that a row of this file would repeat. Refuses a month that waits for the
    /// officer; a released month is replaced when this load is released, so its stays may recur.
    fn stays_of_other_months(&self, bound: &Bound) -> Result<Stays, LoadError> {
        let mut stays = Stays::default();
        if self.held.months.is_empty() {
            return Ok(stays);
        }
        let months = stream::months_in(&self.request.from, bound)?;
        let waits = self
            .held
            .own()
            .find(|held| held.release.is_none() && months.contains(&held.month));
        if let Some(waits) = waits {
            return Err(LoadError::Staged {
                month: waits.month,
                load: waits.load.clone(),
            });
        }
        self.held.stays(&self.config.data, &months, |stay| {
            stays.insert(stay);
        })?;
        Ok(stays)
    }

    /// Within a data year one thing counts as a patient, in all datasets together: else ranks would
    /// bound nothing, and the allowance that they share would be of different things.
    fn same_unit(&self, months: &BTreeSet<Month>, file: &'static str) -> Result<(), LoadError> {
        let same_year = |held: &&LoadedMonth| months.iter().any(|m| m.year() == held.month.year());
        let other = self
            .held
            .months
            .iter()
            .filter(same_year)
            .find(|held| held.unit != file);
        match other {
            Some(held) => Err(LoadError::Unit {
                year: held.month.year().0,
                stored: held.unit.clone(),
                file,
            }),
            None => Ok(()),
        }
    }

    /// Judges what was written and writes the reports beside it.
    fn report(
        &self,
        staging: &Staging,
        bound: &Bound,
        summary: &mut Summary,
    ) -> Result<(), LoadError> {
        let settings = &self.config.quality;
        let stays = self.dictionary.fields.iter();
        let mut stays = stays.filter(|field| field.unit == Unit::MilliDay);
        let has = |name: &str| bound.fields.iter().any(|field| field.name == name);
        let stay = stays.find(|field| has(field.id.as_str()));
        let stay = stay.map(|field| field.id.as_str());
        let mut measure = Measure::new(settings, &bound.shape, stay);
        for quality in &summary.quality {
            measure.month(&staging.folder, quality.month)?;
        }
        let report = measure.report();
        staging.write("quality.json", &pretty(&summary.quality)?)?;
        let mut text = quality::text(&summary.quality);
        text += &patients_text(&summary.patients, &summary.warnings);
        staging.write("quality.txt", text.as_bytes())?;
        let in_columns: u64 = report.months.iter().map(|month| month.findings).sum();
        summary.findings = in_columns + exposure::findings_in_texts(&staging.folder)?;
        let text = exposure_text::text(&report, settings, summary.findings);
        staging.write("deidentification.json", &pretty(&report)?)?;
        staging.write("deidentification.txt", text.as_bytes())?;
        summary.exposure = report.months;
        Ok(())
    }
}

/// The report's part on patients, and what is doubtful of the whole load.
fn patients_text(patients: &[PatientCounts], warnings: &[String]) -> String {
    let head = "\nStays a patient (every row its own patient where none is shown):\n".to_owned();
    let counts = patients.iter().map(|of| {
        format!(
            "  {}: {} patients, {} stays, most of one: {}\n",
            of.year, of.patients, of.stays, of.most
        )
    });
    let warnings = warnings
        .iter()
        .map(|warning| format!("warning: {warning}\n"));
    [head].into_iter().chain(counts).chain(warnings).collect()
}

fn pretty<T: Serialize>(value: &T) -> Result<Vec<u8>, LoadError> {
    serde_json::to_vec_pretty(value).map_err(|error| LoadError::Io(error.into()))
}

/// What a month of the file holds.
fn span(bound: &Bound) -> &'static str {
    match bound.when {
        When::Discharge(_) => "month",
        When::Year(_) => "year",
    }
}

/// What the file counts as a patient.
fn unit(bound: &Bound) -> &'static str {
    if bound.patient.is_some() {
        "patient"
    } else {
        "row"
    }
}
