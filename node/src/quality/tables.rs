//! The three tables of consumables, each in the codes of its own system, brought to common codes through
//! approved crosswalks before they are matched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use policies::quality::{Line, Matched, matched};
use schemas::money::Fen;
use schemas::time::Month;

use super::read::lines;
use crate::ingest::crosswalk::Crosswalk;
use crate::ingest::table::TableError;

/// One of the three tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// What surgery recorded as used.
    Surgery,
    /// What stock gave out.
    Stock,
    /// What was charged.
    Charges,
}

impl Side {
    /// All, in the order of the match.
    const ALL: [Self; 3] = [Self::Surgery, Self::Stock, Self::Charges];

    /// The table of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Surgery => "surgery",
            Self::Stock => "stock",
            Self::Charges => "charges",
        }
    }
}

/// Where the tables are, and the approved crosswalks that their codes go through.
#[derive(Clone, Default, Debug)]
pub struct Tables {
    /// The folder of `surgery.csv`, `stock.csv` and `charges.csv`.
    pub folder: PathBuf,
    /// Of items, by table; one without stays in its own codes.
    pub items: BTreeMap<Side, Crosswalk>,
    /// Of departments, by table.
    pub departments: BTreeMap<Side, Crosswalk>,
}

impl Tables {
    /// Reads and matches the tables of a month; with it the number of different codes that a crosswalk
    /// does not have in the month and that stood for themselves.
    pub(super) fn matched(&self, month: Month) -> Result<(Matched, u64), TableError> {
        let mut missing: BTreeSet<(Side, String)> = BTreeSet::new();
        let mut read = |side: Side| {
            let path = self.folder.join(format!("{}.csv", side.name()));
            let mut crossed = Vec::new();
            for line in lines(&path)? {
                let department = self.department(side, line.department, month, &mut missing);
                let line = Line { department, ..line };
                self.cross(side, line, month, &mut missing, &mut crossed);
            }
            Ok::<_, TableError>(crossed)
        };
        let [surgery, stock, charges] = Side::ALL.map(&mut read);
        let found = matched(&surgery?, &stock?, &charges?);
        Ok((found, u64::try_from(missing.len()).unwrap_or(u64::MAX)))
    }

    /// A line in common codes: of an item that goes to several, a line each, by largest remainder to the
    /// last thousandth.
    fn cross(
        &self,
        side: Side,
        line: Line,
        month: Month,
        missing: &mut BTreeSet<(Side, String)>,
        to: &mut Vec<Line>,
    ) {
        let Some(crosswalk) = self.items.get(&side) else {
            return to.push(line);
        };
        let parts = crosswalk.split(&line.item, month, Fen(line.quantity));
        let parts = parts.unwrap_or_default();
        if parts.is_empty() {
            missing.insert((side, line.item.clone()));
            return to.push(line);
        }
        to.extend(parts.into_iter().map(|(item, part)| Line {
            case: line.case.clone(),
            item: item.to_owned(),
            department: line.department.clone(),
            quantity: part.0,
        }));
    }

    /// A department in common codes: of one that goes to several the one with the largest share, of equal
    /// ones the first.
    fn department(
        &self,
        side: Side,
        code: String,
        month: Month,
        missing: &mut BTreeSet<(Side, String)>,
    ) -> String {
        let Some(crosswalk) = self.departments.get(&side).filter(|_| !code.is_empty()) else {
            return code;
        };
        let links = crosswalk.of(&code, month).iter().rev();
        if let Some(link) = links.max_by_key(|link| link.share) {
            return link.target.clone();
        }
        missing.insert((side, code.clone()));
        code
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn crosswalk(folder: &Path, name: &str, text: &str) -> Crosswalk {
        let path = folder.join(format!("{name}-crosswalk.csv"));
        std::fs::write(&path, text).unwrap();
        Crosswalk::read(name.parse().unwrap(), &path).unwrap()
    }

    fn three() -> (tempfile::TempDir, Tables) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let text = format!("case,item,quantity,department\n{text}");
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write(
            "surgery.csv",
            "c1,screw,4,0401\nc1,plate,1,0401\nc2,mesh,2,0401\n",
        );
        // Stock counts sets of one plate and three screws, and a screw by itself.
        write("stock.csv", "c1,SET-9,4,11\nc1,SCR,1,11\nc2,MSH,2,12\n");
        write("charges.csv", "c1,70001,4,\nc1,70002,1,\nc2,70003,2,\n");
        let tables = Tables {
            folder: folder.path().to_owned(),
            ..Tables::default()
        };
        (folder, tables)
    }

    #[test]
    fn tables_agree_once_their_codes_are_common() {
        let (folder, mut tables) = three();
        let month: Month = "2026-01".parse().unwrap();
        let (plain, missing) = tables.matched(month).unwrap();
        assert_eq!((plain.uses, plain.agree, missing), (9, 0, 0));
        let stock =
            "source,target,ratio\nSET-9,screw,3/4\nSET-9,plate,1/4\nSCR,screw,1\nMSH,mesh,1\n";
        let charges = "source,target\n70001,screw\n70002,plate\n70003,mesh\n";
        tables.items = BTreeMap::from([
            (Side::Stock, crosswalk(folder.path(), "stock-items", stock)),
            (
                Side::Charges,
                crosswalk(folder.path(), "charge-items", charges),
            ),
        ]);
        let departments = "source,target,ratio\n11,0401,2/3\n11,0402,1/3\n12,0401,1\n";
        tables.departments = BTreeMap::from([(
            Side::Stock,
            crosswalk(folder.path(), "stock-departments", departments),
        )]);
        let (found, missing) = tables.matched(month).unwrap();
        assert_eq!((found.uses, found.agree, missing), (3, 3, 0));
        let places: Vec<&(String, String)> = found.by.keys().collect();
        assert!(
            places.iter().all(|(department, _)| department == "0401"),
            "{places:?}"
        );
    }

    #[test]
    fn codes_that_no_line_has_stand_for_themselves_and_are_counted() {
        let (folder, mut tables) = three();
        let until = "source,target,to\n70001,screw,2025-12\n70002,plate,\n";
        let of = crosswalk(folder.path(), "charge-items", until);
        tables.items = BTreeMap::from([(Side::Charges, of)]);
        let (found, missing) = tables.matched("2026-01".parse().unwrap()).unwrap();
        assert_eq!(
            missing, 2,
            "70001 has no line in the month, 70003 none at all"
        );
        assert_eq!(found.agree, 0);
        assert_eq!(found.uses, 8);
        assert_eq!(Side::named("surgeries"), None);
        assert_eq!(Side::named("stock"), Some(Side::Stock));
    }
}
