//! The files of an alliance on disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use schemas::question::Dataset;
use serde::Serialize;

use super::calendar::{Source, Stay};
use super::chance::Chance;
use super::dates::Dates;
use super::defect::Defect;
use super::groups::{groups, groups_csv};
use super::hospital::{Hospital, mix};
use super::row::{self, HEADER, Line};
use super::spread::Spread;
use super::{Error, Settings, beside};

/// Rows a hospital whose identifiers are listed for searching.
const LISTED: u32 = 50;
/// Rows a hospital with an identifier in the wrong column.
const MISPLACED: u32 = 6;

/// What was written for a hospital.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// The hospital.
    #[serde(flatten)]
    pub hospital: Hospital,
    /// Name of its file.
    pub file: String,
    /// Lines below the header.
    pub rows: u64,
    /// Lines with a defect; a doubled line counts once.
    pub defects: u64,
}

/// What stands beside the hospitals' files.
struct Beside {
    defects: BufWriter<File>,
    planted: BufWriter<File>,
}

/// Writes every hospital's file and what stands beside them.
pub(super) fn write(
    folder: &Path,
    settings: &Settings,
    hospitals: &[Hospital],
) -> Result<Vec<Written>, Error> {
    if settings.defects_ppm > 1_000_000 {
        return Err(Error::Setting("the share of defects is from 0 to 1"));
    }
    if hospitals.iter().any(|hospital| hospital.stays > 50_000_000) {
        return Err(Error::Setting("a hospital has at most 50 million stays"));
    }
    let dates = Dates::new(settings.year)?;
    let groups = groups()?;
    let spread = Spread::new();
    std::fs::create_dir_all(folder).map_err(|source| cannot(folder, source))?;
    save(folder, "groups.csv", groups_csv(&groups).as_bytes())?;
    let mut beside = Beside {
        defects: create(folder, "defects.csv", "hospital,settlement_no,kind,column")?,
        planted: create(folder, "planted.txt", "hospital\tkind\tcolumn\tvalue")?,
    };
    let mut all = Vec::new();
    for hospital in hospitals {
        let source = Source {
            seed: settings.seed,
            hospital,
            groups: &groups,
            mix: mix(settings.seed, hospital, &groups),
            dates: &dates,
            spread: &spread,
        };
        all.push(write_one(folder, settings, &source, &mut beside)?);
    }
    finish(folder, "defects.csv", beside.defects)?;
    finish(folder, "planted.txt", beside.planted)?;
    let mut summary = serde_json::to_vec_pretty(&all).unwrap_or_default();
    summary.push(b'\n');
    save(folder, "alliance.json", &summary)?;
    Ok(all)
}

/// Writes a hospital's rows of another dataset than stays.
pub(super) fn write_beside(
    folder: &Path,
    settings: &Settings,
    hospital: &Hospital,
    (dataset, count): (Dataset, u32),
) -> Result<String, Error> {
    if count > 50_000_000 {
        return Err(Error::Setting("a hospital has at most 50 million rows"));
    }
    let kind = beside::kind(dataset).ok_or(Error::Setting("stays have files of their own"))?;
    let (dates, groups, spread) = (Dates::new(settings.year)?, groups()?, Spread::new());
    let source = Source {
        seed: settings.seed,
        hospital,
        groups: &groups,
        mix: mix(settings.seed, hospital, &groups),
        dates: &dates,
        spread: &spread,
    };
    let name = format!("{}-{}.csv", hospital.id, dataset.as_str());
    let path = folder.join(&name);
    let write = || {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        beside::write(&kind, &source, count, &mut file)?;
        file.flush()
    };
    write().map_err(|source| cannot(&path, source))?;
    Ok(name)
}

fn write_one(
    folder: &Path,
    settings: &Settings,
    source: &Source<'_>,
    beside: &mut Beside,
) -> Result<Written, Error> {
    let hospital = source.hospital;
    let name = format!("{}.csv", hospital.id);
    let mut file = create(folder, &name, &HEADER.join(","))?;
    let failed = |source| cannot(&folder.join(&name), source);
    let mut line = Line::default();
    let (mut rows, mut defects) = (0, 0);
    for (index, stay) in (1_u32..).zip(source.stays()) {
        row::write(&mut line, source, &stay, index)?;
        rows += 1;
        if let Some(kind) = mark(settings, source, &stay, index, &mut line, beside)? {
            defects += 1;
            if kind == Defect::Duplicate {
                rows += 1;
                put(&mut file, &line).map_err(failed)?;
            }
        }
        put(&mut file, &line).map_err(failed)?;
    }
    finish(folder, &name, file)?;
    Ok(Written {
        hospital: hospital.clone(),
        file: name,
        rows,
        defects,
    })
}

/// Lists, misplaces and spoils, where it is the row's turn.
fn mark(
    settings: &Settings,
    source: &Source<'_>,
    stay: &Stay,
    index: u32,
    line: &mut Line,
    beside: &mut Beside,
) -> Result<Option<Defect>, Error> {
    let hospital = source.hospital;
    let failed = |name: &'static str| move |source| cannot(Path::new(name), source);
    if turn(index, hospital.stays, LISTED).is_some() {
        for kind in ["patient_id", "name", "resident_id", "phone", "address"] {
            let value = line.get(kind);
            writeln!(beside.planted, "{}\t{kind}\t{kind}\t{value}", hospital.id)
                .map_err(failed("planted.txt"))?;
        }
    }
    if let Some(nth) = turn(index, hospital.stays, MISPLACED).filter(|_| settings.planted) {
        let (kind, column) = match nth % 4 {
            0 => ("resident_id", "department"),
            1 => ("phone", "diagnosis"),
            2 => ("name", "insurance"),
            _ => ("patient_id", "district"),
        };
        let value = line.get(kind);
        line.set(column, &value);
        writeln!(beside.planted, "{}\t{kind}\t{column}\t{value}", hospital.id)
            .map_err(failed("planted.txt"))?;
        // One thing wrong at a time.
        return Ok(None);
    }
    let place = [
        source.seed,
        hospital.number.into(),
        4,
        stay.patient.into(),
        stay.nth.into(),
    ];
    let mut chance = Chance::of(&place);
    if !chance.happens(settings.defects_ppm) {
        return Ok(None);
    }
    let kind = Defect::draw(&mut chance);
    let number = line.get("settlement_no");
    let column = kind.spoil(line, &mut chance);
    writeln!(
        beside.defects,
        "{},{number},{},{column}",
        hospital.id,
        kind.word()
    )
    .map_err(failed("defects.csv"))?;
    Ok(Some(kind))
}

/// Which of `wanted` evenly spaced rows this one is, from 0.
fn turn(index: u32, rows: u32, wanted: u32) -> Option<u32> {
    let step = (rows / wanted).max(1);
    (index % step == step / 2).then_some(index / step)
}

fn put(file: &mut BufWriter<File>, line: &Line) -> std::io::Result<()> {
    file.write_all(line.bytes())?;
    file.write_all(b"\n")
}

fn create(folder: &Path, name: &str, header: &str) -> Result<BufWriter<File>, Error> {
    let path = folder.join(name);
    let start = || {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        writeln!(file, "{header}")?;
        Ok(file)
    };
    start().map_err(|source| cannot(&path, source))
}

fn finish(folder: &Path, name: &str, mut file: BufWriter<File>) -> Result<(), Error> {
    file.flush()
        .map_err(|source| cannot(&folder.join(name), source))
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|source| cannot(&path, source))
}

fn cannot(path: &Path, source: std::io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}
