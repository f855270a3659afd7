//! Values of one column, as the text that CSV would hold.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use super::ParquetRule;

/// How a column's values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Numbers, flags and texts as they are.
    Plain,
    /// Whole numbers without a sign.
    Unsigned,
    /// Whole numbers of a power of ten.
    Decimal(u32),
    /// Days since 1970.
    Date,
    /// Parts of a second since 1970, without a zone: this many in a second.
    Time(i64),
}

impl Form {
    /// The form of a column; `None` where its type is not read.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        let of = column.physical_type();
        let logical = column.logical_type_ref();
        let converted = column.converted_type();
        let fixed = of == Type::FIXED_LEN_BYTE_ARRAY;
        Some(match (logical, converted) {
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => {
                let scale = u32::try_from(column.type_scale()).ok()?;
                let whole = matches!(of, Type::INT32 | Type::INT64 | Type::BYTE_ARRAY) || fixed;
                return (scale <= 38 && whole).then_some(Self::Decimal(scale));
            }
            _ if fixed || of == Type::INT96 => return None,
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) if of == Type::INT32 => {
                Self::Date
            }
            // A moment has a date only in some zone.
            (Some(LogicalType::Timestamp(time)), _) if of == Type::INT64 => {
                if time.is_adjusted_to_u_t_c {
                    return None;
                }
                Self::Time(match time.unit {
                    TimeUnit::MILLIS => 1_000,
                    TimeUnit::MICROS => 1_000_000,
                    TimeUnit::NANOS => 1_000_000_000,
                })
            }
            (Some(LogicalType::Integer(whole)), _) => {
                if whole.is_signed {
                    Self::Plain
                } else {
                    Self::Unsigned
                }
            }
            (Some(LogicalType::String | LogicalType::Enum), _) | (None, ConvertedType::NONE) => {
                Self::Plain
            }
            (None, of) => match of {
                ConvertedType::UTF8
                | ConvertedType::ENUM
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64 => Self::Plain,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64 => Self::Unsigned,
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// A column being read.
pub(super) trait Cells: Send {
    /// Decodes the next rows; all of them must be there.
    fn fill(&mut self, rows: usize) -> Result<(), ParquetRule>;
    /// Writes the next value; nothing where it is null.
    fn write(&mut self, text: &mut Vec<u8>) -> Result<(), ParquetRule>;
}

/// Begins to read a column.
pub(super) fn cells(reader: ColumnReader, form: Form, is_optional: bool) -> Option<Box<dyn Cells>> {
    let levels = is_optional.then(Vec::new);
    Some(match reader {
        ColumnReader::BoolColumnReader(reader) => boxed(reader, levels, |value: &bool, text| {
            text.extend_from_slice(if *value { b"true" } else { b"false" });
        }),
        ColumnReader::Int32ColumnReader(reader) => {
            boxed(reader, levels, move |value: &i32, text| match form {
                Form::Unsigned => show(text, value.cast_unsigned()),
                _ => whole(i128::from(*value), form, text),
            })
        }
        ColumnReader::Int64ColumnReader(reader) => {
            boxed(reader, levels, move |value: &i64, text| match form {
                Form::Unsigned => show(text, value.cast_unsigned()),
                _ => whole(i128::from(*value), form, text),
            })
        }
        ColumnReader::FloatColumnReader(reader) => {
            boxed(reader, levels, |value, text| show(text, value))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            boxed(reader, levels, |value: &f64, text| show(text, value))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            boxed(reader, levels, move |value: &ByteArray, text| {
                bytes(value.data(), form, text);
            })
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            boxed(reader, levels, move |value: &FixedLenByteArray, text| {
                bytes(value.data(), form, text);
            })
        }
        ColumnReader::Int96ColumnReader(_) => return None,
    })
}

struct Typed<T: DataType, W> {
    reader: ColumnReaderImpl<T>,
    /// Whether each row has a value; `None` where all have.
    levels: Option<Vec<i16>>,
    values: Vec<T::T>,
    row: usize,
    value: usize,
    write: W,
}

fn boxed<T, W>(reader: ColumnReaderImpl<T>, levels: Option<Vec<i16>>, write: W) -> Box<dyn Cells>
where
    T: DataType,
    W: Fn(&T::T, &mut Vec<u8>) + Send + 'static,
{
    Box::new(Typed {
        reader,
        levels,
        values: Vec::new(),
        row: 0,
        value: 0,
        write,
    })
}

impl<T, W> Cells for Typed<T, W>
where
    T: DataType,
    W: Fn(&T::T, &mut Vec<u8>) + Send,
{
    fn fill(&mut self, rows: usize) -> Result<(), ParquetRule> {
        self.values.clear();
        (self.row, self.value) = (0, 0);
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        let (reader, levels) = (&mut self.reader, self.levels.as_mut());
        let values = &mut self.values;
        // The last line against damage that the library does not foresee: what it left is not used again.
        let read = catch_unwind(AssertUnwindSafe(|| {
            reader.read_records(rows, levels, None, values)
        }));
        let read = read.map_err(|_| ParquetRule::Damaged)?;
        match read.map_err(|error| refused(&error))? {
            (read, ..) if read == rows => Ok(()),
            _ => Err(ParquetRule::Damaged),
        }
    }

    fn write(&mut self, text: &mut Vec<u8>) -> Result<(), ParquetRule> {
        let level = match &self.levels {
            Some(levels) => *levels.get(self.row).ok_or(ParquetRule::Damaged)?,
            None => 1,
        };
        self.row += 1;
        if level > 0 {
            let value = self.values.get(self.value).ok_or(ParquetRule::Damaged)?;
            self.value += 1;
            (self.write)(value, text);
        }
        Ok(())
    }
}

/// Keeps our own rule and drops the library's words.
fn refused(error: &ParquetError) -> ParquetRule {
    match error {
        ParquetError::External(error) => error
            .downcast_ref::<ParquetRule>()
            .copied()
            .unwrap_or(ParquetRule::Damaged),
        _ => ParquetRule::Damaged,
    }
}

fn show(text: &mut Vec<u8>, value: impl std::fmt::Display) {
    let written = write!(text, "{value}");
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

fn whole(value: i128, form: Form, text: &mut Vec<u8>) {
    let shown = match form {
        Form::Decimal(scale) => return decimal(value, scale, text),
        Form::Date => i64::try_from(value).ok().and_then(date),
        Form::Time(parts) => i64::try_from(value).ok().and_then(|v| time(v, parts)),
        Form::Plain | Form::Unsigned => None,
    };
    // A day that no calendar has is written as its number: no field takes it.
    match shown {
        Some(shown) => text.extend_from_slice(shown.as_bytes()),
        None => show(text, value),
    }
}

fn bytes(value: &[u8], form: Form, text: &mut Vec<u8>) {
    let Form::Decimal(scale) = form else {
        text.extend_from_slice(value);
        return;
    };
    let negative = value.first().is_some_and(|first| first & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    let skipped = value.len().saturating_sub(16);
    let (before, last) = value.split_at_checked(skipped).unwrap_or_default();
    let fill = if negative { 0xff } else { 0 };
    if before.iter().any(|byte| *byte != fill) {
        text.push(b'?'); // Beyond 128 bits: no amount.
        return;
    }
    for (to, from) in wide.iter_mut().rev().zip(last.iter().rev()) {
        *to = *from;
    }
    decimal(i128::from_be_bytes(wide), scale, text);
}

/// A decimal with all its places, as databases write it.
fn decimal(value: i128, scale: u32, text: &mut Vec<u8>) {
    let sign = if value < 0 { "-" } else { "" };
    let Some(power) = 10_u128.checked_pow(scale) else {
        return text.push(b'?');
    };
    let (whole, part) = (value.unsigned_abs() / power, value.unsigned_abs() % power);
    if scale == 0 {
        show(text, format_args!("{sign}{whole}"));
    } else {
        let places = usize::try_from(scale).unwrap_or(0);
        show(text, format_args!("{sign}{whole}.{part:0places$}"));
    }
}

const EPOCH: civil::Date = civil::Date::constant(1970, 1, 1);

fn date(days: i64) -> Option<String> {
    let seconds = days.checked_mul(86_400)?;
    let date = EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    (date.year() > 0).then(|| date.to_string())
}

fn time(parts: i64, per_second: i64) -> Option<String> {
    let (seconds, rest) = (parts.div_euclid(per_second), parts.rem_euclid(per_second));
    let nanos = i32::try_from(rest * (1_000_000_000 / per_second)).ok()?;
    let start: DateTime = EPOCH.at(0, 0, 0, 0);
    let time = start
        .checked_add(SignedDuration::new(seconds, nanos))
        .ok()?;
    (time.year() > 0).then(|| time.to_string().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn values_are_written_as_csv_has_them() {
        for (value, scale, expected) in [
            (10_050, 2, "100.50"),
            (-5, 2, "-0.05"),
            (7, 0, "7"),
            (0, 3, "0.000"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(told(|text| decimal(value, scale, text)), expected);
        }
        for (value, form, expected) in [
            (20_178, Form::Date, "2025-03-31"),
            (-1, Form::Date, "1969-12-31"),
            (1_743_409_800_000, Form::Time(1_000), "2025-03-31 08:30:00"),
            (-1, Form::Time(1_000), "1969-12-31 23:59:59.999"),
            (i128::from(i64::MAX), Form::Date, "9223372036854775807"),
            (i128::from(i64::MIN), Form::Time(1), "-9223372036854775808"),
        ] {
            assert_eq!(told(|text| whole(value, form, text)), expected);
        }
        let form = Form::Decimal(2);
        for (value, expected) in [
            (&[0x27, 0x42][..], "100.50"),
            (&[0xff, 0xfb], "-0.05"),
            (
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                "0.01",
            ),
            (&[1; 17], "?"),
            (&[], "0.00"),
        ] {
            assert_eq!(told(|text| bytes(value, form, text)), expected);
        }
        assert_eq!(told(|text| show(text, 100.5_f64)), "100.5");
    }
}
