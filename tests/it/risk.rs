//! The de-identification report's figures against pyCANON, an independent package: on tables that are
//! made up and on what a load wrote. `deploy/test.sh` sets `CONSILIUM_RISK_PYTHON`; without it this says that
//! it did not run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use node::deidentify::risk::{Counts, Lines, Risk, Seen, Share};
use node::store::columns::{Codes, MonthColumns, folder};
use schemas::digest::Digest;
use serde_json::{Value, json};

use crate::hospital::{Hospital, Line, file};

const LINES: Lines = Lines {
    small_class: 5,
    risk_permille: 50,
    has_days: true,
};
/// Columns of the default quasi-identifiers.
const QUASI: [&str; 4] = ["age_band", "sex", "district", "insurance"];

/// A table: the quasi-identifiers' codes by column, case groups, days.
#[derive(Default)]
struct Table {
    quasi: Vec<Vec<u16>>,
    group: Vec<u16>,
    days: Vec<u16>,
}

impl Table {
    fn seen(&self) -> Vec<Seen> {
        let class = |row: usize| {
            let codes = self.quasi.iter().map(|codes| u64::from(codes[row]));
            codes.fold(0, |class, code| class << 16 | code)
        };
        let row = |row: usize| Seen {
            class: class(row),
            group: self.group[row],
            days: self.days[row],
        };
        (0..self.group.len()).map(row).collect()
    }

    fn json(&self) -> Value {
        json!({"quasi": self.quasi, "group": self.group, "days": self.days, "threshold": 0.05})
    }
}

/// What the package says of each table.
fn judged(python: &OsString, tables: &[Table]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/risk.py");
    let mut program = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let lines: Vec<String> = tables
        .iter()
        .map(|table| format!("{}\n", table.json()))
        .collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            input.write_all(line.as_bytes()).unwrap();
        }
    });
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Counts are equal; the package's floats are the exact fractions but for their last digits.
fn same(own: &Risk, theirs: &Value) {
    let count = |name: &str| theirs[name].as_u64().unwrap();
    assert_eq!(
        [own.smallest_class, own.fewest_groups, own.classes],
        [count("k"), count("l"), count("classes")]
    );
    let close = |name: &str, share: Share| {
        let own = share.part as f64 / share.whole as f64;
        let theirs = theirs[name].as_f64().unwrap();
        // The report rounds up to six decimals.
        let above = own - theirs;
        let reported = share.whole == 1_000_000;
        let fits = above.abs() < 1e-11 || (reported && (0.0..=1.000_001e-6).contains(&above));
        assert!(fits, "{name}: {own} and {theirs}");
    };
    close("t_groups", own.t_groups);
    close("t_days", own.t_days.unwrap());
    close("mean", own.mean);
    let highest = Share {
        part: 1,
        whole: u128::from(own.smallest_class),
    };
    close("max", highest);
    let above = own.above.part * u128::from(own.rows) / own.above.whole;
    assert_eq!(above, u128::from(count("above")));
    // The package rounds down to a whole number, an exact one sometimes to the number below.
    let entropy: f64 = own.entropy_groups.parse().unwrap();
    let whole = theirs["entropy_l"].as_f64().unwrap();
    let exact = (entropy - entropy.round()).abs() < 1e-9;
    assert!(
        whole == entropy.floor() || (exact && whole == entropy - 1.0),
        "{entropy} and {whole}"
    );
}

/// Tables from one patient to 1,500 rows, with few and with many classes.
fn made() -> Vec<Table> {
    let mut drawn = 0_u64;
    let mut below = |n: u16| {
        drawn += 1;
        let digest = Digest::of("risk", &[&drawn.to_le_bytes()]);
        u16::from_le_bytes([digest.as_bytes()[0], digest.as_bytes()[1]]) % n
    };
    let sizes = [
        (1, 1, 1, 1, 1),
        (30, 2, 2, 3, 2),
        (300, 3, 2, 5, 9),
        (300, 300, 2, 40, 60),
        (1500, 4, 3, 12, 30),
        (1500, 19, 3, 60, 90),
    ];
    let table = |(rows, ages, sexes, groups, days): (usize, u16, u16, u16, u16)| Table {
        quasi: [ages, sexes, 2]
            .iter()
            .map(|codes| (0..rows).map(|_| below(*codes)).collect())
            .collect(),
        // Low groups are frequent.
        group: (0..rows)
            .map(|_| below(groups).min(below(groups)))
            .collect(),
        days: (0..rows).map(|_| 1 + below(days)).collect(),
    };
    sizes.map(table).into_iter().collect()
}

#[tokio::test]
async fn figures_are_those_of_an_independent_package() {
    let Some(python) = std::env::var_os("CONSILIUM_RISK_PYTHON") else {
        println!("did not run: needs pyCANON (CONSILIUM_RISK_PYTHON, set by deploy/test.sh)");
        return;
    };
    let mut tables = made();
    let mut own: Vec<Risk> = Vec::new();
    for table in &tables {
        own.push(Counts::of(table.seen()).figures(LINES));
    }
    let (written, reported) = loaded().await;
    tables.extend(written);
    own.extend(reported);
    let theirs = judged(&python, &tables);
    assert_eq!(theirs.len(), own.len());
    for (own, theirs) in own.iter().zip(&theirs) {
        same(own, theirs);
    }
    println!(
        "{} tables, {} rows: k, l, entropy l, t by group and stay, highest, mean and high risks equal",
        own.len(),
        own.iter().map(|risk| risk.rows).sum::<u64>()
    );
}

/// What a load of two months wrote, read back month by month and whole, and what its report says.
async fn loaded() -> (Vec<Table>, Vec<Risk>) {
    let hospital = Hospital::new("h1").await;
    let ages = ["1940-05-05", "1960-05-05", "1961-05-05", "1990-05-05"];
    let lines = (0..380_usize).map(|n| {
        let group = ["BR15", "GD15", "FM11", "ES35"][(n * n) % 4];
        let month = 3 + (n % 2) as u8;
        Line::new(&format!("p{n}"), &format!("s{n}"), month, group, 9000)
            .with("birth_date", ages[n * n % 7 % 4])
            .with("sex", ["f", "m"][n / 3 % 2])
            .with("district", ["230102", "110101"][n % 5 % 2])
            .with(
                "admission_date",
                &format!("2025-{month:02}-{:02}", 3 + n % 11),
            )
    });
    let lines: Vec<Line> = lines.collect();
    let summary = hospital.load_bytes(&file(&lines)).await.unwrap();
    assert_eq!(summary.kept, 380);
    let load = folder(&hospital.config.data).join(summary.load.unwrap());
    let report = std::fs::read(load.join("deidentification.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let risk = |of: &Value| serde_json::from_value::<Risk>(of.clone()).unwrap();
    let (mut tables, mut risks) = (Vec::new(), Vec::new());
    for month in report["months"].as_array().unwrap() {
        let columns = MonthColumns::open(&load, month["month"].as_str().unwrap().parse().unwrap());
        tables.push(read(&columns.unwrap(), &QUASI));
        risks.push(risk(&month["risk"]));
        for left_out in QUASI {
            let rest: Vec<&str> = QUASI.into_iter().filter(|name| *name != left_out).collect();
            let columns =
                MonthColumns::open(&load, month["month"].as_str().unwrap().parse().unwrap());
            let Some(without) = month["without"].get(left_out) else {
                continue;
            };
            tables.push(read(&columns.unwrap(), &rest));
            risks.push(risk(without));
        }
    }
    let mut whole = Table {
        quasi: vec![Vec::new(); 4],
        ..Table::default()
    };
    let months = [tables.first(), tables.get(tables.len() / 2)];
    for month in months.into_iter().flatten() {
        for (all, one) in whole.quasi.iter_mut().zip(&month.quasi) {
            all.extend(one);
        }
        whole.group.extend(&month.group);
        whole.days.extend(&month.days);
    }
    tables.push(whole);
    risks.push(risk(&report["whole"]));
    assert_eq!(risks.last().unwrap().rows, 380);
    (tables, risks)
}

fn read(columns: &MonthColumns, quasi: &[&str]) -> Table {
    let mut table = Table {
        quasi: vec![Vec::new(); quasi.len()],
        ..Table::default()
    };
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, name) in quasi.iter().enumerate() {
        by_name.insert(name, place);
    }
    for batch in columns.batches() {
        for (name, place) in &by_name {
            match batch.codes(name).unwrap() {
                Codes::Narrow(codes) => {
                    table.quasi[*place].extend(codes.iter().map(|c| u16::from(*c)))
                }
                Codes::Wide(codes) => table.quasi[*place].extend(codes),
            }
        }
        table.group.extend(batch.case_group());
        let days = batch.amounts("los").unwrap().iter();
        table.days.extend(days.map(|milli| (milli / 1000) as u16));
    }
    table
}
