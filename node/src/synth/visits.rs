//! Outpatient visits of the same made-up patients as the stays: a file `NAME-visits.csv`.

use std::io::Write;

use super::calendar::Source;
use super::chance::Chance;
use super::hospital::Tier;
use super::person::{number, plain};

/// The columns of a file of visits. The first five, and the day, are what a node drops.
const HEADER: [&str; 14] = [
    "visit_no",
    "patient_id",
    "name",
    "resident_id",
    "phone",
    "sex",
    "birth_date",
    "visit_date",
    "tier",
    "department",
    "insurance",
    "family",
    "total_cost",
    "repeat_test",
];

/// Disease family and what a visit of it costs about, in yuan.
const FAMILIES: [(&str, u32); 8] = [
    ("hypertension", 280),
    ("diabetes", 340),
    ("heart", 420),
    ("lung", 380),
    ("stroke", 450),
    ("infection", 180),
    ("injury", 260),
    ("eye", 250),
];

/// Visits of a patient in the mean.
const PATIENTS_OF: u32 = 3;

/// Writes so many visits with a header above them.
pub(super) fn write(source: &Source<'_>, visits: u32, to: &mut impl Write) -> std::io::Result<()> {
    writeln!(to, "{}", HEADER.join(","))?;
    let patients = source.hospital.stays.min(visits / PATIENTS_OF).max(1);
    let mut line = Vec::new();
    for index in 1..=visits {
        line.clear();
        one(source, (index, patients), &mut line);
        to.write_all(&line)?;
    }
    Ok(())
}

fn one(source: &Source<'_>, (index, patients): (u32, u32), to: &mut Vec<u8>) {
    let hospital = source.hospital;
    let place = [source.seed, hospital.number.into(), 5, index.into()];
    let mut chance = Chance::of(&place);
    let patient = chance.below(patients);
    let (person, leaves, ..) = source.patient(patient);
    let days = u32::try_from(source.dates.days()).unwrap_or(365);
    let drawn = i32::try_from(chance.below(days)).unwrap_or(0);
    // Nobody visits before birth.
    let born_now = person.born.0 == u32::from(source.dates.year());
    let day = if born_now { leaves } else { drawn };
    let (family, yuan) = chance.of_these(&FAMILIES);
    to.push(b'V');
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
    let tier = match hospital.tier {
        Tier::Tertiary => ",tertiary,",
        Tier::Secondary => ",secondary,",
        Tier::Grassroots => ",grassroots,",
    };
    to.extend_from_slice(tier.as_bytes());
    to.extend_from_slice(chance.of_these(&["0301", "0302", "0303"]).as_bytes());
    to.push(b',');
    to.extend_from_slice(person.insurance.key().as_bytes());
    to.push(b',');
    to.extend_from_slice(family.as_bytes());
    to.push(b',');
    plain(to, chance.between(yuan / 2, yuan * 2).into());
    to.push(b'.');
    number(to, chance.below(100), 2);
    to.extend_from_slice(if chance.happens(80_000) {
        b",1\n"
    } else {
        b",0\n"
    });
}
