//! The keys of the dimensions that generated files fill, for the alliance's dictionary.

/// The committed table, header `dimension,code,name_zh,name_en`: sex, insurance, district (first
/// four digits), severity, disposition, readmission, department, `age_band`. Each ends in `other`.
pub fn keys_csv() -> &'static str {
    include_str!("keys.csv")
}
