//! One line of a hospital's settlement file.

use schemas::money::Fen;

use super::Error;
use super::calendar::{Disposition, Readmission, Source, Stay};
use super::chance::Chance;
use super::groups::CaseGroup;
use super::hospital::Tier;
use super::person::{number, plain};

/// The columns of a hospital's file. The first six, and the days in dates, are what a node drops.
pub const HEADER: [&str; 29] = [
    "settlement_no",
    "patient_id",
    "name",
    "resident_id",
    "phone",
    "address",
    "sex",
    "birth_date",
    "admission_date",
    "discharge_date",
    "department",
    "insurance",
    "district",
    "diagnosis",
    "drg",
    "severity",
    "disposition",
    "readmission",
    "total_charges",
    "total_cost",
    "cost_staff",
    "cost_materials",
    "cost_drugs",
    "cost_depreciation",
    "cost_amortisation",
    "cost_risk_fund",
    "cost_other",
    "fund_paid",
    "self_paid",
];

/// A line that is written field by field and can be changed afterwards.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: Vec<u8>,
    /// Where each field ends.
    ends: Vec<usize>,
}

impl Line {
    fn begin(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn field(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.ends.is_empty() {
            self.text.push(b',');
        }
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    fn text_field(&mut self, text: &str) {
        self.field(|to| to.extend_from_slice(text.as_bytes()));
    }

    fn money(&mut self, fen: i64) {
        self.field(|to| {
            if fen < 0 {
                to.push(b'-');
            }
            plain(to, fen.unsigned_abs() / 100);
            to.push(b'.');
            number(to, u32::try_from(fen.unsigned_abs() % 100).unwrap_or(0), 2);
        });
    }

    fn place(&self, column: &str) -> Option<(usize, std::ops::Range<usize>)> {
        let position = HEADER.iter().position(|name| *name == column)?;
        let end = *self.ends.get(position)?;
        let start = match position.checked_sub(1) {
            Some(before) => self.ends.get(before)? + 1,
            None => 0,
        };
        Some((position, start..end))
    }

    /// The text of a column.
    pub(super) fn get(&self, column: &str) -> String {
        let text = self
            .place(column)
            .and_then(|(_, range)| self.text.get(range));
        String::from_utf8_lossy(text.unwrap_or(&[])).into_owned()
    }

    /// Puts another text into a column.
    pub(super) fn set(&mut self, column: &str, text: &str) {
        let Some((position, range)) = self.place(column) else {
            return;
        };
        let old = range.len();
        self.text.splice(range, text.bytes());
        for end in self.ends.iter_mut().skip(position) {
            *end = *end - old + text.len();
        }
    }

    /// The whole line without its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.text
    }
}

/// Writes a stay, which is the file's row `index` (from 1), without any defect.
pub(super) fn write(
    line: &mut Line,
    source: &Source<'_>,
    stay: &Stay,
    index: u32,
) -> Result<(), Error> {
    let Some(group) = source.group(stay.group) else {
        return Err(Error::Table);
    };
    let hospital = source.hospital;
    let (person, ..) = source.patient(stay.patient);
    let place = [
        source.seed,
        hospital.number.into(),
        3,
        stay.patient.into(),
        stay.nth.into(),
    ];
    let mut chance = Chance::of(&place);
    let discharge = i32::from(stay.discharge);
    let admission = discharge - source.days(stay.group, stay.deviate);

    line.begin();
    line.field(|to| {
        number(to, source.dates.year().into(), 4);
        number(to, hospital.number, 2);
        number(to, index, 8);
    });
    line.field(|to| {
        to.extend_from_slice(b"MR");
        // Odd and prime to ten: every patient has another number, in no order.
        let scattered = u64::from(stay.patient) * 7919 + 1_234_567;
        number(to, u32::try_from(scattered % 100_000_000).unwrap_or(0), 8);
    });
    line.field(|to| person.write_name(to));
    line.field(|to| person.write_resident_id(to));
    line.field(|to| person.write_phone(to));
    line.field(|to| person.write_address(to));
    line.text_field(if person.female { "f" } else { "m" });
    line.field(|to| person.write_birth_date(to));
    line.field(|to| to.extend_from_slice(source.dates.text(admission)));
    line.field(|to| to.extend_from_slice(source.dates.text(discharge)));
    line.text_field(&group.department);
    line.text_field(person.insurance.key());
    line.field(|to| number(to, person.district, 6));
    line.field(|to| {
        to.extend_from_slice(group.diagnosis.as_bytes());
        number(to, chance.below(4), 2);
    });
    line.text_field(&group.code);
    line.field(|to| to.push(group.severity()));
    line.text_field(match stay.disposition {
        Disposition::Home => "home",
        Disposition::Transfer => "transfer",
        Disposition::Left => "left",
        Disposition::Died => "died",
    });
    line.text_field(match stay.readmission {
        Readmission::None => "none",
        Readmission::Within15 => "within_15",
        Readmission::Within30 => "within_30",
    });

    let amounts = amounts(source, stay, group, &mut chance)?;
    line.money(amounts.charges);
    line.money(amounts.cost);
    for item in &amounts.items {
        line.money(item.0);
    }
    let (least, most) = person.insurance.share();
    let nearby = if hospital.tier == Tier::Grassroots && most > 0 {
        8
    } else {
        0
    };
    let percent = chance.between(least, most) + nearby;
    let fund = amounts.charges * i64::from(percent) / 100;
    line.money(fund);
    line.money(amounts.charges - fund);
    Ok(())
}

struct Amounts {
    charges: i64,
    cost: i64,
    items: Vec<Fen>,
}

fn amounts(
    source: &Source<'_>,
    stay: &Stay,
    group: &CaseGroup,
    chance: &mut Chance,
) -> Result<Amounts, Error> {
    let median = group.cost_fen() * u64::from(source.hospital.level_permille) / 1000;
    // Long stays are dear stays: 0.6² + 0.8² = 1 keeps the deviate standard.
    let own = source.spread.normal(chance);
    let deviate = i16::try_from((i32::from(stay.deviate) * 6 + i32::from(own) * 8) / 10);
    let cost = source
        .spread
        .lognormal(median, group.sigma(), deviate.unwrap_or(0));
    // Off the steps of the tables, by less than a thousandth.
    let cost = cost + u64::from(chance.below(u32::try_from(cost / 1000).unwrap_or(0)));
    let charges =
        cost * group.charge_fen() / group.cost_fen() * u64::from(chance.between(940, 1060)) / 1000;
    let shares: [u32; 7] = match group.partition() {
        b'A'..=b'J' => [330, 290, 120, 110, 10, 3, 137],
        b'K'..=b'Q' => [310, 350, 110, 100, 10, 3, 117],
        _ => [390, 80, 290, 100, 10, 3, 127],
    };
    let weights = shares.map(|share| u64::from(share * chance.between(80, 120)));
    let cost = i64::try_from(cost).map_err(|_| Error::Table)?;
    let items = Fen(cost).split(&weights).map_err(|_| Error::Table)?;
    Ok(Amounts {
        charges: i64::try_from(charges).map_err(|_| Error::Table)?,
        cost,
        items,
    })
}
