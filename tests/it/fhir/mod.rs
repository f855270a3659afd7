//! FHIR R4 folders as a source, by the real program: the made sample, what is refused and how it is
//! told, and real-shaped data where they are there.

mod refused;
mod sample;
mod search;
mod synthea;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use node::store::columns::MonthColumns;
use node::store::loads;
use serde_json::Value;

use crate::binary::binary;
use crate::hospital::Hospital;

const MAPPING: &str = include_str!("../../../deploy/mappings/fhir-r4.toml");

/// What a command said on both of its outputs, and whether it succeeded.
struct Said {
    ok: bool,
    out: String,
    err: String,
}

impl Said {
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    fn number(&self, name: &str) -> u64 {
        let summary: Value = serde_json::from_str(&self.out).unwrap();
        summary[name].as_u64().unwrap()
    }
}

/// Runs a reading command (`load`, `check`, `map test`) at a hospital's node.
fn run(hospital: &Hospital, command: &str, source: &Path, mapping: &str, only: &str) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mapping.toml");
    std::fs::write(&file, mapping).unwrap();
    let mut program = Command::new(binary("consilium-node"));
    program.arg("--data").arg(&hospital.config.data);
    program.args(command.split(' ')).arg(source);
    program
        .arg("--mapping")
        .arg(file)
        .args(["--history", "--json"]);
    if !only.is_empty() {
        let filter = format!("Encounter.serviceProvider={only}");
        program.arg("--only").arg(filter);
    }
    let output = program.env("RUST_LOG", "trace").output().unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Stays that a node holds, and the sum of each of these fields.
async fn held<const N: usize>(hospital: &Hospital, fields: [&str; N]) -> (usize, [u64; N]) {
    let (mut stays, mut sums) = (0, [0; N]);
    for month in loads::months(hospital.state.pool()).await.unwrap() {
        let folder = hospital.config.data.join(&month.folder);
        let columns = MonthColumns::open(&folder, month.month).unwrap();
        stays += columns.rows();
        for batch in columns.batches() {
            for (sum, field) in sums.iter_mut().zip(fields) {
                let amounts = batch.amounts(field).unwrap();
                *sum += amounts.iter().map(|amount| u64::from(*amount)).sum::<u64>();
            }
        }
    }
    (stays, sums)
}

/// The resources of a file, plain or packed.
fn resources(folder: &Path, kind: &str) -> Vec<Value> {
    let plain = folder.join(format!("{kind}.ndjson"));
    let text = std::fs::read_to_string(&plain)
        .unwrap_or_else(|_| unpacked(&folder.join(format!("{kind}.ndjson.gz"))));
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    let mut decoder = flate2::read::GzDecoder::new(file);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    text
}

pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples/fhir")
}

/// The sample in a folder of its own, with some lines replaced.
fn spoilt(changes: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(sample()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for (name, from, to) in changes {
        let path = folder.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    folder
}

/// An amount's digits as hundredths, rounded half up: another way than the node's.
fn hundredths(value: &Value) -> u64 {
    let text = value.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let scaled: u128 = format!("{whole}{decimals:0<24}").parse().unwrap();
    let unit = 10_u128.pow(22);
    u64::try_from((scaled + unit / 2) / unit).unwrap()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("")
}

/// The id at the end of a reference.
fn id<'a>(value: &'a Value, path: &str) -> &'a str {
    let reference = text(value, path);
    reference.rsplit(['/', ':']).next().unwrap()
}

/// What the files say themselves, by plain lookups: charges and payments by inpatient encounter.
fn expected(folder: &Path) -> Vec<(Value, u64, u64)> {
    let mut charges: BTreeMap<String, u64> = BTreeMap::new();
    let mut of_claim: BTreeMap<String, String> = BTreeMap::new();
    for claim in resources(folder, "Claim") {
        let encounter = id(&claim, "/item/0/encounter/0/reference").to_owned();
        *charges.entry(encounter.clone()).or_default() += hundredths(&claim["total"]["value"]);
        of_claim.insert(text(&claim, "/id").to_owned(), encounter);
    }
    let mut paid: BTreeMap<String, u64> = BTreeMap::new();
    for benefit in resources(folder, "ExplanationOfBenefit") {
        let encounter = of_claim[id(&benefit, "/claim/reference")].clone();
        *paid.entry(encounter).or_default() += hundredths(&benefit["payment"]["amount"]["value"]);
    }
    let encounters = resources(folder, "Encounter").into_iter();
    let inpatient = encounters.filter(|of| {
        ["IMP", "ACUTE", "NONAC"].contains(&text(of, "/class/code")) && of["status"] == "finished"
    });
    let with = inpatient.map(|of| {
        let own = text(&of, "/id").to_owned();
        let (charged, paid) = (charges[&own], paid.get(&own).copied().unwrap_or(0));
        (of, charged, paid)
    });
    with.collect()
}
