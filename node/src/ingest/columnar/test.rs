use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type,
};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::ingest::encoding::Encoding as Characters;
use crate::ingest::source::{Source, digest};

const SCHEMA: &str = "message stays {
    required binary no (UTF8);
    optional binary drg (UTF8);
    optional int32 out (DATE);
    required int64 seen (TIMESTAMP(MICROS, false));
    optional int64 cost (DECIMAL(12, 2));
    optional fixed_len_byte_array(5) paid (DECIMAL(10, 2));
    required boolean up;
    optional double rate;
    required int32 small (INTEGER(8, false));
    optional int64 moment (TIMESTAMP(MICROS, true));
}";

/// A file of so many rows in groups of `group`.
fn write(path: &Path, rows: u32, group: u32, properties: WriterProperties) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for first in (0..rows).step_by(group as usize) {
        let of: Vec<i64> = (first..rows.min(first + group)).map(i64::from).collect();
        let filled: Vec<i64> = of.iter().copied().filter(|n| n % 7 != 0).collect();
        let levels: Vec<i16> = of.iter().map(|n| i16::from(n % 7 != 0)).collect();
        let levels = Some(&levels[..]);
        let mut group = writer.next_row_group().unwrap();
        let mut place = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            let texts = |of: &[i64], say: &dyn Fn(i64) -> String| -> Vec<ByteArray> {
                of.iter().map(|n| say(*n).as_str().into()).collect()
            };
            match place {
                0 => column.typed::<ByteArrayType>().write_batch(
                    &texts(&of, &|n| format!("S{n}")),
                    None,
                    None,
                ),
                1 => column.typed::<ByteArrayType>().write_batch(
                    &texts(&filled, &|n| format!("FR{}", n % 3)),
                    levels,
                    None,
                ),
                2 => {
                    let days: Vec<i32> = filled
                        .iter()
                        .map(|n| i32::try_from(20_000 + *n).unwrap())
                        .collect();
                    column.typed::<Int32Type>().write_batch(&days, levels, None)
                }
                3 => {
                    let times: Vec<i64> = of.iter().map(|n| n * 1_000_000 + 5).collect();
                    column.typed::<Int64Type>().write_batch(&times, None, None)
                }
                5 => {
                    let bytes = |n: &i64| ByteArray::from(n.to_be_bytes()[3..].to_vec()).into();
                    let paid: Vec<FixedLenByteArray> = filled.iter().map(bytes).collect();
                    column
                        .typed::<FixedLenByteArrayType>()
                        .write_batch(&paid, levels, None)
                }
                6 => {
                    let flags: Vec<bool> = of.iter().map(|n| n % 2 == 0).collect();
                    column.typed::<BoolType>().write_batch(&flags, None, None)
                }
                7 => {
                    let rates: Vec<f64> = filled
                        .iter()
                        .map(|n| f64::from(i32::try_from(*n).unwrap()) / 4.0)
                        .collect();
                    column
                        .typed::<DoubleType>()
                        .write_batch(&rates, levels, None)
                }
                8 => {
                    let small: Vec<i32> = of
                        .iter()
                        .map(|n| i32::try_from(*n % 200).unwrap())
                        .collect();
                    column.typed::<Int32Type>().write_batch(&small, None, None)
                }
                // Cost and moment.
                _ => column
                    .typed::<Int64Type>()
                    .write_batch(&filled, levels, None),
            }
            .unwrap();
            column.close().unwrap();
            place += 1;
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn row_of(n: i64) -> Vec<String> {
    let when = |text: String| if n % 7 == 0 { String::new() } else { text };
    let day = jiff::civil::date(2024, 10, 4) + jiff::Span::new().days(n);
    let cents = format!("{}.{:02}", n / 100, n % 100);
    vec![
        format!("S{n}"),
        when(format!("FR{}", n % 3)),
        when(day.to_string()),
        format!(
            "1970-01-01 {:02}:{:02}:{:02}.000005",
            n / 3600,
            n / 60 % 60,
            n % 60
        ),
        when(cents.clone()),
        when(cents),
        (n % 2 == 0).to_string(),
        when((f64::from(i32::try_from(n).unwrap()) / 4.0).to_string()),
        (n % 200).to_string(),
        String::new(),
    ]
}

fn read(path: &Path) -> Result<Vec<Vec<String>>, String> {
    let mut source = Source::open(path, Characters::Utf8).map_err(|error| error.to_string())?;
    let mut row = Row::new();
    let mut rows = Vec::new();
    while source.read(&mut row).map_err(|error| error.to_string())? {
        let values = row.record.iter();
        rows.push(
            values
                .map(|v| String::from_utf8_lossy(v).into_owned())
                .collect(),
        );
    }
    assert_eq!(source.digest(), digest(path).unwrap());
    Ok(rows)
}

fn made(name: &str, rows: u32, properties: WriterProperties) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, rows, 2_000, properties);
    (folder, path)
}

#[test]
fn every_packing_and_version_gives_the_same_texts() {
    let expected: Vec<_> = (0..5_000).map(row_of).collect();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for packing in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            for dictionary in [true, false] {
                let properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_compression(packing)
                    .set_dictionary_enabled(dictionary)
                    .set_data_page_size_limit(4_000);
                let properties = if dictionary {
                    properties
                } else {
                    properties.set_encoding(Encoding::PLAIN)
                };
                let (_folder, path) = made("a.parquet", 5_000, properties.build());
                assert!(
                    read(&path).unwrap() == expected,
                    "{version:?} {packing} {dictionary}"
                );
                let source = Source::open(&path, Characters::Utf8).unwrap();
                assert_eq!(source.unread(), ["moment"]);
            }
        }
    }
}

fn small() -> (tempfile::TempDir, PathBuf) {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    made("a.parquet", 100, properties.build())
}

#[test]
fn a_file_that_is_cut_short_is_refused_wherever_it_ends() {
    let (_folder, path) = small();
    let whole = std::fs::read(&path).unwrap();
    for end in (0..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..end]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.contains("damaged"), "{end}: {error}");
    }
    // Its end is there, its middle is not.
    for cut in (4..whole.len() - 8).step_by(11) {
        let bytes = [&whole[..cut], &whole[cut + 1..]].concat();
        std::fs::write(&path, bytes).unwrap();
        let _outcome = read(&path);
    }
}

/// A panic inside the library is caught, but none should come about: it is counted here.
fn panics_in(run: impl FnOnce()) -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PANICS: AtomicU32 = AtomicU32::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(about);
    }));
    run();
    drop(std::panic::take_hook());
    PANICS.load(Ordering::Relaxed)
}

#[test]
fn a_flipped_bit_is_no_panic_wherever_it_is() {
    let (_folder, path) = small();
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    let panics = panics_in(|| {
        for bit in (0..whole.len() * 8).step_by(23) {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bytes).unwrap();
            refused += u32::from(read(&path).is_err());
        }
    });
    assert!(refused > 100, "{refused}");
    assert_eq!(panics, 0);
}

/// A file of these bytes as footer.
fn footer(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    std::fs::write(&path, [b"PAR1", bytes, &length, b"PAR1"].concat()).unwrap();
    read(&path)
}

#[test]
fn footers_that_ask_for_much_get_nothing() {
    // A schema that is nested two million deep; lists that promise 2^31 elements.
    let mut deep = vec![0x15, 2, 0x19, 0xfc, 0x80, 0x89, 0x7a];
    for _ in 0..2_000_000 {
        deep.extend([0x48, 1, b'a', 0x15, 2, 0]);
    }
    assert!(footer(&deep).is_err());
    assert!(footer(&[0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7]).is_err());
    assert!(footer(&[]).is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for bytes in [
        &b"PAR1\xff\xff\xff\xffPAR1"[..],
        b"PAR1",
        b"",
        b"PAR1\x01\0\0\0PARE",
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).is_err());
    }
}

#[test]
fn what_is_nested_or_encoded_otherwise_is_refused_by_rule() {
    let (_folder, path) = made(
        "a.parquet",
        50,
        WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_dictionary_enabled(false)
            .build(),
    );
    let error = read(&path).unwrap_err();
    assert!(error.contains("version 1.0"), "{error}");
    let schema = "message a { required group g { required int32 a; } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default());
    writer.unwrap().close().unwrap();
    assert!(read(&path).unwrap_err().contains("flat columns"));
}
