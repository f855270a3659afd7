//! Ledgers as tables (CSV, UTF-8, a header): `departments.csv`, `direct.csv`, `uses.csv`, `shared.csv`; and
//! the cases of a period with what was charged and done.

use std::collections::BTreeMap;
use std::path::Path;

use policies::costing::{Case, Class, Department, Direct, Driver, Ledgers, Shared, Use, Volume};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time;

use super::CostError;
use crate::ingest::table::each;

/// Longest name of a case group in characters.
const NAME: usize = 64;

const CLASSES: [(&[&str], Class); 4] = [
    (&["administrative", "行政后勤类"], Class::Administrative),
    (&["auxiliary", "医疗辅助类"], Class::Auxiliary),
    (&["technical", "医疗技术类"], Class::Technical),
    (&["clinical", "临床服务类"], Class::Clinical),
];
const FACTS: [(&[&str], Driver); 2] = [
    (&["headcount", "人数"], Driver::Headcount),
    (&["area", "面积"], Driver::Area),
];
const USES: [(&[&str], Driver); 2] = [
    (&["workload", "工作量"], Driver::Workload),
    (&["income", "收入"], Driver::Income),
];

/// Reads a month's ledgers from a folder. `shared.csv` and `uses.csv` may be missing.
pub fn month(month: time::Month, folder: &Path) -> Result<Ledgers, CostError> {
    let none = |_: &str| false;
    let mut ledgers = Ledgers {
        month,
        departments: Vec::new(),
        direct: Vec::new(),
        shared: Vec::new(),
        uses: Vec::new(),
    };
    let wanted = ["department", "class", "headcount", "area"];
    each(&folder.join("departments.csv"), (&wanted, &none), |row| {
        ledgers.departments.push(Department {
            id: row.code("department")?,
            class: row.one_of("class", &CLASSES)?,
            headcount: row.parts("headcount", 1_000)?,
            area: row.parts("area", 100)?,
        });
        Ok(())
    })?;
    let wanted = ["department", "item", "amount"];
    each(&folder.join("direct.csv"), (&wanted, &none), |row| {
        ledgers.direct.push(Direct {
            department: row.code("department")?,
            item: row.code("item")?,
            amount: row.need("amount")?,
        });
        Ok(())
    })?;
    let path = folder.join("shared.csv");
    if path.exists() {
        let wanted = ["name", "item", "amount", "driver"];
        each(&path, (&wanted, &none), |row| {
            ledgers.shared.push(Shared {
                name: row.code("name")?,
                item: row.code("item")?,
                amount: row.need("amount")?,
                driver: row.one_of("driver", &FACTS)?,
            });
            Ok(())
        })?;
    }
    let path = folder.join("uses.csv");
    if path.exists() {
        let wanted = ["source", "target", "driver", "weight"];
        each(&path, (&wanted, &none), |row| {
            let driver = row.one_of("driver", &USES)?;
            let weight = match driver {
                Driver::Income => {
                    let fen: Fen = row.need("weight")?;
                    let fen = u64::try_from(fen.0);
                    fen.map_err(|_| row.wrong("`weight` is zero or more"))?
                }
                _ => row.parts("weight", 1_000)?,
            };
            ledgers.uses.push(Use {
                source: row.code("source")?,
                target: row.code("target")?,
                driver,
                weight,
            });
            Ok(())
        })?;
    }
    Ok(ledgers)
}

/// Reads what clinical departments did in a month, from `volumes.csv` of its folder; nothing where there
/// is none. Columns: `department`, `days`, `charges` (yuan), and `own:ITEM` (yuan) for each cost item that cases
/// bear themselves.
pub fn volumes(folder: &Path) -> Result<Vec<Volume>, CostError> {
    let path = folder.join("volumes.csv");
    let mut volumes = Vec::new();
    if !path.exists() {
        return Ok(volumes);
    }
    let wanted = ["department", "days", "charges"];
    let may = |name: &str| name.starts_with("own:");
    each(&path, (&wanted, &may), |row| {
        let mut own = BTreeMap::new();
        for name in row.names() {
            if let Some(item) = name.strip_prefix("own:") {
                let id = item.parse().map_err(|_| row.wrong(&format!("`{name}`")))?;
                let fen = match row.text(name) {
                    Some(_) => row.need(name)?,
                    None => Fen(0),
                };
                own.insert(id, fen);
            }
        }
        volumes.push(Volume {
            department: row.code("department")?,
            days: row.parts("days", 1)?,
            charges: row.parts("charges", 100)?,
            own,
        });
        Ok(())
    })?;
    Ok(volumes)
}

/// The cases of a period by clinical department.
pub type Cases = BTreeMap<Slug, Vec<Case>>;

/// Reads cases: `department,case_group,days,direct`, and where known `charge:UNIT` (yuan) and `item:CODE`
/// (times done).
pub fn cases(path: &Path) -> Result<Cases, CostError> {
    let wanted = ["department", "case_group", "days", "direct"];
    let may = |name: &str| name.starts_with("charge:") || name.starts_with("item:");
    let mut cases = Cases::new();
    each(path, (&wanted, &may), |row| {
        let group = row.text("case_group").unwrap_or_default();
        let long = group.is_empty() || group.chars().count() > NAME;
        if long || !schemas::shown::is_plain(group) || row.holds_person("case_group") {
            return Err(row.wrong("`case_group` is missing or refused"));
        }
        let mut case = Case {
            group: group.to_owned(),
            weight: row.parts("days", 1)?,
            direct: match row.text("direct") {
                Some(_) => row.need("direct")?,
                None => Fen(0),
            },
            charges: BTreeMap::new(),
            items: BTreeMap::new(),
        };
        for name in row.names() {
            if row.text(name).is_none() {
                continue;
            }
            let id = |rest: &str| rest.parse().map_err(|_| row.wrong(&format!("`{name}`")));
            if let Some(unit) = name.strip_prefix("charge:") {
                case.charges.insert(id(unit)?, row.need(name)?);
            } else if let Some(item) = name.strip_prefix("item:") {
                case.items.insert(id(item)?, row.parts(name, 1)?);
            }
        }
        let of: Slug = row.code("department")?;
        cases.entry(of).or_default().push(case);
        Ok(())
    })?;
    Ok(cases)
}

/// Reads amounts by name: a column of that name and `cost` (yuan).
pub fn amounts(path: &Path, name: &str) -> Result<BTreeMap<Slug, Fen>, CostError> {
    let mut found = BTreeMap::new();
    each(path, (&[name, "cost"], &|_| false), |row| {
        if found.insert(row.need(name)?, row.need("cost")?).is_some() {
            return Err(row.wrong(&format!("`{name}` stands twice")));
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ingest::table::TableError;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const DEPARTMENTS: &str = "\u{feff}department,class,headcount,area\nadm,行政后勤类,7.5,\n\
                               lab,technical,3,20.25\nward,clinical,12,300\n";
    const DIRECT: &str =
        "department,item,amount\nadm,personnel,100.01\nlab,drugs,-1.00\nward,personnel,5\n";

    #[test]
    fn ledgers_are_read_from_tables() {
        let uses = "source,target,driver,weight\nlab,ward,income,10.50\n";
        let shared = "name,item,amount,driver\nwater,other,9.99,面积\n";
        let folder = folder(&[
            ("departments.csv", DEPARTMENTS),
            ("direct.csv", DIRECT),
            ("uses.csv", uses),
            ("shared.csv", shared),
        ]);
        let found = month("2026-01".parse().unwrap(), folder.path()).unwrap();
        let heads: Vec<(u64, u64)> = found
            .departments
            .iter()
            .map(|of| (of.headcount, of.area))
            .collect();
        assert_eq!(heads, [(7_500, 0), (3_000, 2_025), (12_000, 30_000)]);
        assert_eq!(found.direct[1].amount, Fen(-100));
        assert_eq!(
            (found.uses[0].weight, found.shared[0].driver),
            (1_050, Driver::Area)
        );
    }

    #[test]
    fn what_is_refused_is_named_by_file_and_line_without_its_value() {
        for (file, text, told) in [
            (
                "departments.csv",
                "department,class,headcount\nx,wing,1\n",
                "line 2: `class` is one of",
            ),
            (
                "departments.csv",
                "department,class,heads\n",
                "the columns are",
            ),
            (
                "departments.csv",
                "department,class,headcount\nx,clinical,-1\n",
                "`headcount`",
            ),
            (
                "direct.csv",
                "department,item,amount\nadm,personnel,777.777\n",
                "`amount`",
            ),
            (
                "direct.csv",
                "department,item,amount\nadm,personnel\n",
                "number of fields",
            ),
            (
                "uses.csv",
                "source,target,driver,weight\nlab,ward,income,-7.77\n",
                "`weight`",
            ),
            (
                "uses.csv",
                "source,target,driver,weight\nlab,ward,area,1\n",
                "`driver` is one of workload",
            ),
            (
                "shared.csv",
                "name,item,amount,driver\nWater 7,other,1,area\n",
                "`name`",
            ),
            (
                "direct.csv",
                "department,item,amount\nadm,13877712345,1\n",
                "`item` is shaped like the number of a person",
            ),
        ] {
            let files: BTreeMap<&str, &str> = [
                ("departments.csv", DEPARTMENTS),
                ("direct.csv", DIRECT),
                (file, text),
            ]
            .into();
            let folder = folder(&files.into_iter().collect::<Vec<_>>());
            let error = month("2026-01".parse().unwrap(), folder.path())
                .unwrap_err()
                .to_string();
            assert!(error.contains(told) && error.contains(file), "{error}");
            assert!(!error.contains("777") && !error.contains("wing"), "{error}");
        }
        let empty = month(
            "2026-01".parse().unwrap(),
            tempfile::tempdir().unwrap().path(),
        );
        assert!(matches!(empty, Err(CostError::Table(TableError::File(..)))));
    }

    #[test]
    fn cases_carry_charges_and_what_was_done() {
        let text = "department,case_group,days,direct,charge:lab,item:s101\nward,ES35,7,12.30,4.50,3\nward,GD15,2,,,\n";
        let folder = folder(&[("cases.csv", text)]);
        let found = cases(&folder.path().join("cases.csv")).unwrap();
        let ward = &found[&"ward".parse::<Slug>().unwrap()];
        assert_eq!((ward[0].weight, ward[0].direct), (7, Fen(1_230)));
        assert_eq!(ward[0].charges[&"lab".parse::<Slug>().unwrap()], Fen(450));
        assert_eq!(ward[0].items[&"s101".parse::<Slug>().unwrap()], 3);
        assert!(ward[1].charges.is_empty() && ward[1].direct == Fen(0));
    }
}
