//! Stays costed by the signed rates of an earlier closed month, from raw files: exact to the fen, no patient
//! moves another one's cost, rates of the same month or a later one are refused.

use std::collections::BTreeMap;
use std::fs;

use node::costing::{self, CostError};
use node::ingest::IngestError;
use node::ingest::costed::RateBook;
use node::load::LoadError;
use node::release;
use node::store::columns::{self, MonthColumns};
use policies::costing::{CostRules, DEFAULT, Method};
use schemas::money::half_up;
use schemas::seal::Signer;
use schemas::time::Month;
use tests::officers::{self, SECOND, STEWARD};

use crate::hospital::{Hospital, Line, MAPPING, NOW, dictionary, file};

const DEPARTMENTS: &str = "department,class,headcount,area\nadm,administrative,3,\n\
    0401,clinical,10,\n2100,clinical,5,\n";
const DIRECT: &str = "department,item,amount\nadm,other,100.01\n0401,personnel,9000.03\n\
    0401,drugs,1000.00\n0401,depreciation,77.77\n2100,personnel,500.00\n";
/// 0401: 31 days, 20,000 yuan charged, 800 of its drugs borne by the cases; 2100 has no volumes.
const VOLUMES: &str = "department,days,charges,own:drugs\n0401,31,20000.00,800.00\n";

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// The shipped mapping, with cost fields that follow from rates.
fn mapping() -> String {
    let mut text = String::new();
    for line in MAPPING.lines() {
        let name = line.split(" = ").next().unwrap();
        let item = match name {
            "cost" => "all",
            "cost_staff" => "personnel",
            "cost_materials" => "consumables",
            "cost_drugs" => "drugs",
            "cost_depreciation" => "depreciation",
            "cost_amortisation" => "amortisation",
            "cost_risk_fund" => "risk-fund",
            "cost_other" => "other",
            _ => {
                text += &format!("{line}\n");
                continue;
            }
        };
        text += &format!("{name} = {{ costing = \"{item}\" }}\n");
    }
    text + "[costing]\ndepartment = \"department\"\ndays = \"los\"\ncharges = \"charges\"\n\
            own.drugs = { column = \"cost_drugs\", unit = \"yuan\" }\n"
}

async fn close(hospital: &Hospital, period: &str, direct: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("departments.csv", DEPARTMENTS),
        ("direct.csv", direct),
        ("volumes.csv", VOLUMES),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let rules = CostRules::parse(DEFAULT).unwrap();
    let ledgers = costing::month(month(period), folder.path()).unwrap();
    let volumes = costing::volumes(folder.path()).unwrap();
    let of = (&ledgers, volumes.as_slice());
    costing::keep(&hospital.state, &rules, of, (false, NOW))
        .await
        .unwrap();
}

async fn order(
    hospital: &Hospital,
    (period, method, from): (&str, Method, &str),
    names: &[&str],
) -> Result<costing::Ordered, CostError> {
    let config = &hospital.config;
    let register = node::access::officers(hospital.state.pool(), &config.hospital);
    let register = register.await.unwrap();
    let keys: Vec<Signer> = names
        .iter()
        .map(|name| officers::key(&config.data, name))
        .collect();
    let which = (month(period), method, month(from));
    let whose = (&config.hospital, &register);
    costing::order(&hospital.state, whose, which, &keys, NOW).await
}

const BOTH: [&str; 2] = [STEWARD, SECOND];

/// A hospital with the close of 2024-12 that costs stays from 2025-01 on.
async fn hospital() -> Hospital {
    let hospital = Hospital::new("h1").await;
    close(&hospital, "2024-12", DIRECT).await;
    order(&hospital, ("2024-12", Method::TopDown, "2025-01"), &BOTH)
        .await
        .unwrap();
    hospital
}

type Costs = BTreeMap<[u8; 16], Vec<u32>>;

/// The cost fields of every stay of a load, by its id.
fn costs(hospital: &Hospital, load: &str, months: &[&str]) -> Costs {
    let folder = columns::folder(&hospital.config.data).join(load);
    let fields: Vec<String> = dictionary()
        .fields
        .iter()
        .map(|f| f.id.to_string())
        .collect();
    let fields = fields.iter().filter(|name| name.starts_with("cost"));
    let fields: Vec<&String> = fields.collect();
    let mut found = Costs::new();
    for at in months {
        let columns = MonthColumns::open(&folder, month(at)).unwrap();
        for batch in columns.batches() {
            let (stays, _) = batch.stay().as_chunks::<16>();
            for (row, stay) in stays.iter().enumerate() {
                let of = fields.iter().map(|name| batch.amounts(name).unwrap()[row]);
                found.insert(*stay, of.collect());
            }
        }
    }
    found
}

/// Two days, charged 1,234.56, drugs of 33.10.
fn line(patient: &str, settlement: &str, at: u8) -> Line {
    Line::new(patient, settlement, at, "FR19", 1_000)
        .with("total_charges", "1234.56")
        .with("cost_drugs", "33.10")
}

/// By hand from the ledgers: 10,001 fen of administration go 10 : 5 by headcount.
#[tokio::test]
async fn a_stay_costs_to_the_fen_what_the_signed_rates_say() {
    let hospital = hospital().await;
    let bytes = file(&[line("P1", "S1", 1), line("P2", "S2", 2)]);
    let loaded = hospital.load_as(&bytes, &mapping()).await.unwrap();
    assert_eq!((loaded.kept, loaded.refused), (2, 0), "{:?}", loaded.rules);
    let found = costs(
        &hospital,
        loaded.load.as_ref().unwrap(),
        &["2025-01", "2025-02"],
    );
    let other = half_up(10_001 * 10, 15).unwrap();
    let part = |fen: i128| u32::try_from(half_up(fen * 2, 31).unwrap()).unwrap();
    let (staff, drugs) = (part(900_003), 3_310 + part(20_000));
    let (worn, other) = (part(7_777), part(other));
    let names: Vec<String> = dictionary()
        .fields
        .iter()
        .map(|f| f.id.to_string())
        .collect();
    let names: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with("cost"))
        .collect();
    for values in found.values() {
        let at = |name: &str| values[names.iter().position(|one| *one == name).unwrap()];
        assert_eq!(at("cost_staff"), staff);
        assert_eq!(at("cost_drugs"), drugs);
        assert_eq!((at("cost_depreciation"), at("cost_other")), (worn, other));
        assert_eq!(at("cost"), staff + drugs + worn + other);
    }
    hospital.release().await;
    // The method and the rates are seen with the month, and in the log by digest.
    let months = release::months(&hospital.state).await.unwrap();
    let used = months[0].rates.as_ref().unwrap();
    assert_eq!(
        (used.period, used.method),
        (month("2024-12"), Method::TopDown)
    );
    let log = hospital.state.log().await.unwrap();
    let mut told = log.iter();
    let told = told.rfind(|entry| entry.kind.as_str() == "load").unwrap();
    assert_eq!(told.detail["rates"], used.digest.to_string());
    // By charges from 2025-03 on: (123,456 - 3,310) of 2,000,000 - 80,000 fen.
    order(
        &hospital,
        ("2024-12", Method::CostToCharge, "2025-03"),
        &BOTH,
    )
    .await
    .unwrap();
    let bytes = file(&[line("P1", "S3", 2), line("P2", "S4", 3)]);
    let loaded = hospital.load_as(&bytes, &mapping()).await.unwrap();
    let load = loaded.load.unwrap();
    let staff_of = |at| {
        let place = names.iter().position(|one| *one == "cost_staff").unwrap();
        costs(&hospital, &load, &[at]).values().next().unwrap()[place]
    };
    assert_eq!(staff_of("2025-02"), staff);
    let by_charges = half_up(900_003 * (123_456 - 3_310), 1_920_000).unwrap();
    assert_eq!(i128::from(staff_of("2025-03")), by_charges);
}

#[tokio::test]
async fn no_patient_moves_the_cost_of_another_one() {
    let hospital = hospital().await;
    let mut lines = Vec::new();
    for patient in 0..12_u8 {
        for at in 1..=3_u8 {
            let settlement = format!("S{patient:02}{at}");
            let days = format!("2025-{at:02}-{:02}", 1 + patient);
            let charge = format!("{}.{patient:02}", 1_000 + u32::from(patient) * 977);
            lines.push(
                line(&format!("P{patient:02}"), &settlement, at)
                    .with("admission_date", &days)
                    .with("total_charges", &charge),
            );
        }
    }
    // One who bears as much as all others together, and one whose rows are all refused.
    lines.push(line("EXTREME", "X1", 2).with("cost_drugs", "1000000.00"));
    lines.push(line("REFUSED", "X2", 2).with("department", "9999"));
    let months = ["2025-01", "2025-02", "2025-03"];
    let mut whole: Option<Costs> = None;
    for victim in ["", "EXTREME", "REFUSED", "P00", "P07", "P11"] {
        let rest = lines.iter().filter(|line| line.patient() != victim);
        let rest: Vec<Line> = rest.cloned().collect();
        let loaded = hospital.load_as(&file(&rest), &mapping()).await.unwrap();
        let load = loaded.load.unwrap();
        let own = u64::from(victim != "REFUSED");
        assert_eq!(
            loaded.rules.get("rates").copied().unwrap_or(0),
            own,
            "{victim}"
        );
        let found = costs(&hospital, &load, &months);
        let before = whole.get_or_insert_with(|| found.clone());
        assert!(
            found.iter().all(|(stay, of)| before[stay] == *of),
            "{victim}"
        );
        let gone = before.len() - found.len();
        let most = if victim.starts_with('P') { 3 } else { 1 };
        assert!(gone <= most, "{victim}: {gone}");
        release::discard(&hospital.state, &hospital.config.data, &load, NOW)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn rates_of_the_month_itself_or_a_later_one_are_refused() {
    let hospital = hospital().await;
    close(&hospital, "2025-03", DIRECT).await;
    for from in ["2025-03", "2025-02", "2024-01"] {
        let refused = order(&hospital, ("2025-03", Method::TopDown, from), &BOTH).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, CostError::NotEarlier { .. }), "{refused}");
    }
    let one = order(
        &hospital,
        ("2025-03", Method::TopDown, "2025-04"),
        &[STEWARD],
    )
    .await;
    assert!(matches!(one, Err(CostError::Unsigned)));
    let twice = [STEWARD, STEWARD];
    let twice = order(&hospital, ("2025-03", Method::TopDown, "2025-04"), &twice).await;
    assert!(matches!(twice, Err(CostError::Unsigned)));
    let open = order(&hospital, ("2025-01", Method::TopDown, "2025-04"), &BOTH).await;
    assert!(matches!(open, Err(CostError::Open(_))));
    let table = costing::kept_rates(&hospital.state, month("2025-03"), Method::TopDown);
    let table = table.await.unwrap().table;
    let late = RateBook::default().add(month("2025-03"), table);
    assert!(matches!(late, Err(IngestError::LateRates { .. })));
    // Rates that were signed for stand as they were when the month is closed again or more is closed.
    let orders = |hospital: &Hospital| {
        let (state, name) = (hospital.state.clone(), hospital.config.hospital.clone());
        async move {
            let register = node::access::officers(state.pool(), &name).await.unwrap();
            costing::orders(&state, &register).await.unwrap()
        }
    };
    let before = orders(&hospital).await;
    assert_eq!(before.len(), 1);
    // A row before the first month that is costed goes to quarantine by name.
    let bytes = file(&[
        line("P1", "S1", 1),
        line("P2", "S2", 1)
            .with("discharge_date", "2024-12-30")
            .with("admission_date", "2024-12-20"),
    ]);
    let loaded = hospital.load_as(&bytes, &mapping()).await.unwrap();
    assert_eq!((loaded.kept, loaded.rules["rates"]), (1, 1));
    // An order that was changed in the state file counts no more, and without orders nothing loads.
    sqlx::query("update cost_orders set rates = replace(rates, '900003', '100000')")
        .execute(hospital.state.pool())
        .await
        .unwrap();
    assert!(orders(&hospital).await.is_empty());
    let refused = hospital.load_as(&bytes, &mapping()).await;
    let none = matches!(refused, Err(LoadError::Ingest(IngestError::NoRates)));
    assert!(none, "{refused:?}");
}
