//! Facts about case groups: CHS-DRG 1.1 codes and rounded relative weights as published, names
//! and everything else our own.

use serde::Deserialize;

use super::Error;

/// The committed table.
const TABLE: &str = include_str!("groups.csv");
/// Cost of weight 1, in fen.
const COST_OF_ONE: u64 = 1_200_000;
/// Charges of weight 1, in fen.
const CHARGE_OF_ONE: u64 = 1_272_000;

/// Whom a group's stays belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sex {
    /// Women and men.
    Any,
    /// Women only.
    Female,
}

/// A case group: what it is, and how often and in whom it occurs in generated data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseGroup {
    /// CHS-DRG 1.1 code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Relative weight with two decimals.
    weight: String,
    /// Length of an ordinary stay in thousandths of a day.
    pub los_milli: u64,
    /// Department that treats it.
    pub(super) department: String,
    /// ICD-10 code without its last two characters.
    pub(super) diagnosis: String,
    /// How often, by tier of hospital.
    pub(super) tertiary: u32,
    pub(super) secondary: u32,
    pub(super) grassroots: u32,
    /// How often in winter, in percent of the yearly mean.
    pub(super) winter: u32,
    pub(super) sex: Sex,
    /// Age in years, both ends included.
    pub(super) from_age: u32,
    pub(super) to_age: u32,
    /// Deaths among 10,000 stays.
    pub(super) deaths: u32,
}

impl CaseGroup {
    /// Relative weight in hundredths.
    pub fn weight_hundredths(&self) -> u64 {
        let digits = self.weight.replace('.', "");
        digits.parse().unwrap_or(100)
    }

    /// Cost of an ordinary stay, in fen.
    pub fn cost_fen(&self) -> u64 {
        self.weight_hundredths() * COST_OF_ONE / 100
    }

    /// Charges of an ordinary stay, in fen.
    pub fn charge_fen(&self) -> u64 {
        self.weight_hundredths() * CHARGE_OF_ONE / 100
    }

    /// Fourth character of the code: 1, 3 or 5 by complications, 9 for not subdivided.
    pub(super) fn severity(&self) -> u8 {
        self.code.as_bytes().get(3).copied().unwrap_or(b'9')
    }

    /// Scatter of the log of cost, in thousandths: complicated stays differ more.
    pub(super) fn sigma(&self) -> i32 {
        match self.severity() {
            b'1' => 560,
            b'3' => 460,
            b'5' => 400,
            _ => 480,
        }
    }

    /// Second character of the code: A–J surgery, K–Q procedure, R–Z medical.
    pub(super) fn partition(&self) -> u8 {
        self.code.as_bytes().get(1).copied().unwrap_or(b'R')
    }

    /// Whether a patient of that sex (true: female) and age may have it.
    pub(super) fn fits(&self, female: bool, age: u32) -> bool {
        (female || self.sex == Sex::Any) && (self.from_age..=self.to_age).contains(&age)
    }

    /// Births and newborns: one stay a year.
    pub(super) fn once(&self) -> bool {
        self.department == "0502" || self.to_age == 0
    }

    fn mdc(&self) -> String {
        format!("MDC{}", self.code.get(..1).unwrap_or("X"))
    }
}

/// Reads the committed table.
pub fn groups() -> Result<Vec<CaseGroup>, Error> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let rows: Result<Vec<CaseGroup>, csv::Error> = reader.deserialize().collect();
    rows.map_err(|_| Error::Table)
}

/// The table from which an alliance builds its dictionary's groups; the last row is `other`.
pub fn groups_csv(groups: &[CaseGroup]) -> String {
    let mut text = String::from("code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli\n");
    for group in groups {
        let facts = [
            &group.code,
            &group.name_zh,
            &group.name_en,
            &group.mdc(),
            &group.weight,
        ];
        for fact in facts {
            text.push_str(fact);
            text.push(',');
        }
        let references = [group.cost_fen(), group.charge_fen(), group.los_milli];
        text.push_str(&references.map(|value| value.to_string()).join(","));
        text.push('\n');
    }
    let other = format!("other,其他,Other,other,1.00,{COST_OF_ONE},{CHARGE_OF_ONE},8000\n");
    text + &other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let groups = groups().unwrap();
        assert!(groups.len() > 55 && groups.len() < 255);
        let mut codes: Vec<&str> = groups.iter().map(|group| group.code.as_str()).collect();
        assert!(codes.iter().all(|code| {
            let c = code.as_bytes();
            c.len() == 4
                && c[..2].iter().all(u8::is_ascii_uppercase)
                && c[2].is_ascii_digit()
                && b"1359".contains(&c[3])
        }));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), groups.len());
        for group in &groups {
            assert!(group.weight.split_once('.').unwrap().1.len() == 2);
            assert!(group.from_age <= group.to_age && group.los_milli >= 1000);
            assert!(group.tertiary + group.secondary + group.grassroots > 0);
            let names = format!("{}{}", group.name_zh, group.name_en);
            assert!(!names.contains([',', '"']), "{names}");
        }
        let text = groups_csv(&groups);
        assert_eq!(text.lines().count(), groups.len() + 2);
        let heart = "FR25,心力衰竭，轻,Heart failure (mild),MDCF,0.56,672000,712320,8000";
        assert!(text.lines().any(|line| line == heart));
        assert!(text.lines().last().unwrap().starts_with("other,"));
    }
}
