//! Parquet loads to the very column files that the same rows give as CSV, byte by byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use node::load::Summary;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::hospital::{Hospital, MAPPING, made};

/// What a column of the generator's file is in Parquet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    Date,
    Money,
    Whole,
}

fn kind(name: &str, values: &[&str]) -> As {
    let all = |fits: fn(&str) -> bool| values.iter().all(|value| fits(value));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if name.ends_with("_date") {
        As::Date
    } else if all(|v| v.split_once('.').is_some_and(|(_, part)| part.len() == 2)) {
        As::Money
    } else if values
        .iter()
        .all(|v| digits(v) && (*v == "0" || !v.starts_with('0')))
    {
        As::Whole
    } else {
        As::Text
    }
}

fn days(text: &str) -> i32 {
    let part = |at: std::ops::Range<usize>| -> i64 { text[at].parse().unwrap() };
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // Days from the civil calendar, by Hinnant's formula.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i32::try_from(era * 146_097 + of_era - 719_468).unwrap()
}

/// A CSV as Parquet: texts, dates, decimals and whole numbers in row groups of 700.
fn parquet(csv: &[u8], packing: Compression, version: WriterVersion) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let columns: Vec<Vec<&str>> = (0..header.len())
        .map(|at| rows.iter().map(|row| row.get(at).unwrap()).collect())
        .collect();
    let kinds: Vec<As> = header
        .iter()
        .zip(&columns)
        .map(|(name, values)| kind(name, values))
        .collect();
    for of in [As::Text, As::Date, As::Money] {
        assert!(kinds.contains(&of));
    }
    let fields = header.iter().zip(&kinds).map(|(name, kind)| match kind {
        As::Text => format!("optional binary {name} (UTF8);"),
        As::Date => format!("required int32 {name} (DATE);"),
        As::Money => format!("required int64 {name} (DECIMAL(14, 2));"),
        As::Whole => format!("required int64 {name};"),
    });
    let schema = format!("message stays {{ {} }}", fields.collect::<String>());
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(packing)
        .set_writer_version(version)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for first in (0..rows.len()).step_by(700) {
        let of = first..rows.len().min(first + 700);
        let mut group = writer.next_row_group().unwrap();
        for (values, kind) in columns.iter().zip(&kinds) {
            let values = &values[of.clone()];
            let mut column = group.next_column().unwrap().unwrap();
            match kind {
                As::Text => {
                    let levels: Vec<i16> =
                        values.iter().map(|v| i16::from(!v.is_empty())).collect();
                    let filled = values.iter().filter(|value| !value.is_empty());
                    let filled: Vec<ByteArray> = filled.map(|value| (*value).into()).collect();
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&filled, Some(&levels), None)
                }
                As::Date => {
                    let values: Vec<i32> = values.iter().map(|value| days(value)).collect();
                    column.typed::<Int32Type>().write_batch(&values, None, None)
                }
                As::Money | As::Whole => {
                    let whole = values.iter().map(|value| value.replace('.', "").parse());
                    let whole: Vec<i64> = whole.map(Result::unwrap).collect();
                    column.typed::<Int64Type>().write_batch(&whole, None, None)
                }
            }
            .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

/// The column files of a load by name.
fn files(hospital: &Hospital, load: &Summary) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new("columns").join(load.load.as_ref().unwrap());
    let entries = std::fs::read_dir(hospital.config.data.join(folder)).unwrap();
    let entries = entries.map(|entry| entry.unwrap());
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

#[tokio::test]
async fn parquet_loads_to_the_column_files_that_csv_gives() {
    let (rows, csv) = made();
    let one = Hospital::new("h01").await;
    let by_csv = one.load_bytes(&csv).await.unwrap();
    let expected = files(&one, &by_csv);
    assert!(expected.len() > 24, "{:?}", expected.keys());
    for (packing, version) in [
        (Compression::SNAPPY, WriterVersion::PARQUET_1_0),
        (Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0),
    ] {
        let twin = one.twin().await;
        let bytes = parquet(&csv, packing, version);
        let by_parquet = twin
            .load_file("h01.parquet", &bytes, MAPPING)
            .await
            .unwrap();
        assert_eq!((by_parquet.kept, by_parquet.refused), (u64::from(rows), 0));
        let found = files(&twin, &by_parquet);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        for (name, bytes) in &expected {
            assert!(found[name] == *bytes, "{name} differs");
        }
        // The same file again is the same load.
        let again = twin
            .load_file("h01.parquet", &bytes, MAPPING)
            .await
            .unwrap_err();
        assert!(again.to_string().contains("was loaded before"), "{again}");
    }
}

#[tokio::test]
async fn a_parquet_file_has_a_draft_and_columns_of_other_types_are_named() {
    let csv = crate::hospital::file(&[crate::hospital::Line::new("P1", "S1", 3, "ES35", 7)]);
    let hospital = Hospital::new("h01").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let bytes = parquet(&csv, Compression::SNAPPY, WriterVersion::PARQUET_1_0);
    std::fs::write(&path, &bytes).unwrap();
    let mut program = std::process::Command::new(crate::binary::binary("consilium-node"));
    program.arg("--data").arg(&hospital.config.data);
    let drafted = program.args(["map", "init"]).arg(&path).output().unwrap();
    let drafted = String::from_utf8(drafted.stdout).unwrap();
    assert!(
        drafted.contains("settlement = \"settlement_no\""),
        "{drafted}"
    );
    assert!(
        drafted.contains("format = \"YYYY-MM-DD\" # every date"),
        "{drafted}"
    );
    let loaded = hospital
        .load_file("a.parquet", &bytes, &drafted)
        .await
        .unwrap();
    assert_eq!(loaded.kept, 1);
    // A moment has a date in some zone only: a mapping that names it is refused, by the name.
    let schema = "message a { required int64 discharge_date (TIMESTAMP(MICROS, true)); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let bytes = writer.into_inner().unwrap();
    let error = hospital
        .load_file("b.parquet", &bytes, MAPPING)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("`discharge_date` are of a type"),
        "{error}"
    );
}
