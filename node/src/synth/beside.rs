//! Rows of the datasets beside stays, about the same made-up patients: files `NAME-visits.csv` and
//! so on. Every file begins with the columns that a node drops or makes coarser.

use std::io::Write;

use schemas::question::Dataset;

use super::calendar::Source;
use super::chance::Chance;
use super::hospital::Tier;
use super::person::{Person, number};
use super::{contacts, visits};

/// What a dataset's file is made of.
pub(super) struct Kind {
    /// First letter of its numbers.
    letter: u8,
    /// Place of its stream of random numbers.
    stream: u64,
    /// Columns of the number and of the day.
    number: &'static str,
    day: &'static str,
    /// The columns after these.
    header: &'static str,
    /// Rows of a patient in the mean.
    each: u32,
    /// Writes the columns after these, without a line's end.
    tail: fn(&Source<'_>, &Person, &mut Chance, &mut Vec<u8>),
}

/// How rows of a dataset are made; `None` for stays, which have files of their own.
pub(super) fn kind(dataset: Dataset) -> Option<Kind> {
    let (letter, stream, each) = match dataset {
        Dataset::Stays => return None,
        Dataset::Visits => (b'V', 5, 3),
        Dataset::Referrals => (b'R', 6, 2),
        Dataset::Followups => (b'F', 7, 12),
        Dataset::Surveys => (b'Q', 8, 2),
    };
    let (number, day, header): (_, _, &str) = match dataset {
        Dataset::Stays | Dataset::Visits => ("visit_no", "visit_date", visits::HEADER),
        Dataset::Referrals => ("referral_no", "referral_date", contacts::REFERRAL),
        Dataset::Followups => ("followup_no", "followup_date", contacts::FOLLOWUP),
        Dataset::Surveys => ("survey_no", "answer_date", contacts::SURVEY),
    };
    Some(Kind {
        letter,
        stream,
        number,
        day,
        header,
        each,
        tail: match dataset {
            Dataset::Stays | Dataset::Visits => visits::tail,
            Dataset::Referrals => contacts::referral,
            Dataset::Followups => contacts::followup,
            Dataset::Surveys => contacts::survey,
        },
    })
}

/// Writes so many rows with a header above them.
pub(super) fn write(
    kind: &Kind,
    source: &Source<'_>,
    rows: u32,
    to: &mut impl Write,
) -> std::io::Result<()> {
    let (number, day, header) = (kind.number, kind.day, kind.header);
    writeln!(
        to,
        "{number},patient_id,name,resident_id,phone,sex,birth_date,{day},{header}"
    )?;
    let patients = source.hospital.stays.min(rows / kind.each).max(1);
    let mut line = Vec::new();
    for index in 1..=rows {
        line.clear();
        one(kind, source, (index, patients), &mut line);
        line.push(b'\n');
        to.write_all(&line)?;
    }
    Ok(())
}

fn one(kind: &Kind, source: &Source<'_>, (index, patients): (u32, u32), to: &mut Vec<u8>) {
    let hospital = source.hospital;
    let place = [
        source.seed,
        hospital.number.into(),
        kind.stream,
        index.into(),
    ];
    let mut chance = Chance::of(&place);
    let patient = chance.below(patients);
    let (person, leaves, ..) = source.patient(patient);
    let days = u32::try_from(source.dates.days()).unwrap_or(365);
    let drawn = i32::try_from(chance.below(days)).unwrap_or(0);
    // Nobody comes before birth.
    let born_now = person.born.0 == u32::from(source.dates.year());
    let day = if born_now { leaves } else { drawn };
    to.push(kind.letter);
    number(to, source.dates.year().into(), 4);
    number(to, hospital.number, 2);
    number(to, index, 8);
    to.extend_from_slice(b",MR");
    // The same number as in the file of stays.
    let scattered = u64::from(patient) * 7919 + 1_234_567;
    number(to, u32::try_from(scattered % 100_000_000).unwrap_or(0), 8);
    to.push(b',');
    person.write_name(to);
    to.push(b',');
    person.write_resident_id(to);
    to.push(b',');
    person.write_phone(to);
    to.extend_from_slice(if person.female { b",f," } else { b",m," });
    person.write_birth_date(to);
    to.push(b',');
    to.extend_from_slice(source.dates.text(day));
    to.push(b',');
    (kind.tail)(source, &person, &mut chance, to);
}

/// The word of a tier in files.
pub(super) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Tertiary => "tertiary",
        Tier::Secondary => "secondary",
        Tier::Grassroots => "grassroots",
    }
}
