//! Settlement lists (医保结算清单) as they are uploaded by the national interface 4101: one list a line
//! (NDJSON), bare or inside its request. A list becomes one row: what stands in `setlinfo`, the main
//! diagnosis and procedure, and sums of charges and fund payments. Names, addresses, telephone numbers and
//! free text are not in the header, so no mapping can read them.

use std::collections::BTreeMap;

use csv::ByteRecord;
use schemas::money::Fen;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Categories of charges (医疗收费项目) by code, as interface 4101 has them.
const CHARGES: [(&str, &str); 14] = [
    ("01", "床位费"),
    ("02", "诊察费"),
    ("03", "检查费"),
    ("04", "化验费"),
    ("05", "治疗费"),
    ("06", "手术费"),
    ("07", "护理费"),
    ("08", "卫生材料费"),
    ("09", "西药费"),
    ("10", "中药饮片费"),
    ("11", "中成药费"),
    ("12", "一般诊疗费"),
    ("13", "挂号费"),
    ("14", "其他费"),
];
/// Of these, drugs.
const DRUGS: [&str; 3] = ["09", "10", "11"];
/// Columns that are computed; the fourteen categories follow as `iteminfo.床位费` and so on.
const COMPUTED: [&str; 8] = [
    "diseinfo.main",
    "diseinfo.count",
    "oprninfo.main",
    "oprninfo.count",
    "iteminfo.all",
    "iteminfo.药品费",
    "payinfo.all",
    "self_paid",
];
/// Ends of field names that say who somebody is, where, or how to call: never read.
const PERSONAL: [&str; 5] = ["_name", "_addr", "_tel", "dr_code", "addr"];

/// What cannot be read in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unread;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    input: Option<Input<'a>>,
}

type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    setlinfo: Fields<'a>,
    /// Left out, nothing is known of who paid; empty, no fund did.
    #[serde(borrow, default)]
    payinfo: Option<Vec<Fields<'a>>>,
    #[serde(borrow, default)]
    diseinfo: Vec<Fields<'a>>,
    #[serde(borrow, default)]
    oprninfo: Vec<Fields<'a>>,
    #[serde(borrow, default)]
    iteminfo: Vec<Fields<'a>>,
}

fn list(line: &[u8]) -> Result<Input<'_>, Unread> {
    let request: Option<Request<'_>> = serde_json::from_slice(line).ok();
    if let Some(input) = request.and_then(|request| request.input) {
        return Ok(input);
    }
    serde_json::from_slice(line).map_err(|_| Unread)
}

/// The columns, by the fields of the file's first list.
pub(super) fn header(line: &[u8]) -> Result<Vec<String>, Unread> {
    let list = list(line)?;
    let personal = |name: &str| PERSONAL.iter().any(|end| name.ends_with(end));
    let own = list.setlinfo.keys().filter(|name| !personal(name));
    let mut header: Vec<String> = own.map(|name| (*name).to_owned()).collect();
    header.extend(COMPUTED.map(str::to_owned));
    header.extend(CHARGES.map(|(_, name)| format!("iteminfo.{name}")));
    Ok(header)
}

/// One list as a row of these columns. A field that is missing is empty; so is a sum of which a part
/// cannot be read, which the rules of its field then refuse.
pub(super) fn flatten(
    line: &[u8],
    header: &[String],
    record: &mut ByteRecord,
) -> Result<(), Unread> {
    let list = list(line)?;
    record.clear();
    let charges = Charges::of(&list.iteminfo);
    for name in header {
        let value = match name.as_str() {
            "diseinfo.main" => main(&list.diseinfo, "maindiag_flag", "diag_code"),
            "diseinfo.count" => list.diseinfo.len().to_string(),
            "oprninfo.main" => main(&list.oprninfo, "oprn_oprt_type", "oprn_oprt_code"),
            "oprninfo.count" => list.oprninfo.len().to_string(),
            "iteminfo.all" => amount(charges.all),
            "iteminfo.药品费" => amount(charges.drugs),
            "payinfo.all" => amount(paid(list.payinfo.as_deref())),
            "self_paid" => amount(less(charges.all, paid(list.payinfo.as_deref()))),
            name => match name.strip_prefix("iteminfo.") {
                Some(category) => {
                    let place = CHARGES.iter().position(|(_, name)| *name == category);
                    amount(place.and_then(|place| charges.by.get(place).copied().flatten()))
                }
                None => text(list.setlinfo.get(name).copied()),
            },
        };
        record.push_field(value.as_bytes());
    }
    Ok(())
}

/// A field as text: numbers as they stand, so that no amount passes a float.
fn text(raw: Option<&RawValue>) -> String {
    let raw = raw.map_or("", RawValue::get);
    match raw.bytes().next() {
        Some(b'"') => serde_json::from_str(raw).unwrap_or_default(),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => raw.to_owned(),
        _ => String::new(),
    }
}

fn field(of: &Fields<'_>, name: &str) -> String {
    text(of.get(name).copied())
}

/// The code of the entry that is marked as the main one, else of the first.
fn main(entries: &[Fields<'_>], mark: &str, code: &str) -> String {
    let marked = entries.iter().find(|entry| field(entry, mark) == "1");
    let entry = marked.or_else(|| entries.first());
    entry.map_or_else(String::new, |entry| field(entry, code))
}

fn fen(of: &Fields<'_>, name: &str) -> Option<Fen> {
    field(of, name).parse().ok()
}

fn amount(fen: Option<Fen>) -> String {
    fen.map_or_else(String::new, |fen| fen.to_string())
}

fn plus(one: Option<Fen>, other: Option<Fen>) -> Option<Fen> {
    one?.checked_add(other?).ok()
}

fn less(one: Option<Fen>, other: Option<Fen>) -> Option<Fen> {
    plus(one, other.and_then(|fen| fen.0.checked_neg()).map(Fen))
}

fn paid(entries: Option<&[Fields<'_>]>) -> Option<Fen> {
    let mut parts = entries?.iter().map(|entry| fen(entry, "fund_payamt"));
    parts.try_fold(Fen(0), |sum, part| plus(Some(sum), part))
}

struct Charges {
    all: Option<Fen>,
    drugs: Option<Fen>,
    by: [Option<Fen>; CHARGES.len()],
}

impl Charges {
    /// Without any entry nothing is known: no stay is for nothing.
    fn of(entries: &[Fields<'_>]) -> Self {
        let none = (!entries.is_empty()).then_some(Fen(0));
        let mut charges = Self {
            all: none,
            drugs: none,
            by: [none; CHARGES.len()],
        };
        for entry in entries {
            let (kind, amount) = (field(entry, "med_chrgitm"), fen(entry, "amt"));
            charges.all = plus(charges.all, amount);
            let known = CHARGES
                .iter()
                .position(|(code, name)| kind == *code || kind == *name);
            let Some(place) = known else { continue };
            if let Some(slot) = charges.by.get_mut(place) {
                *slot = plus(*slot, amount);
            }
            if CHARGES
                .get(place)
                .is_some_and(|(code, _)| DRUGS.contains(code))
            {
                charges.drugs = plus(charges.drugs, amount);
            }
        }
        charges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"setlinfo":{"setl_id":"S1","medcasno":"P7","psn_name":"李四","curr_addr":"河边路9号",
        "coner_tel":"13800138000","gend":"1","brdy":"1950-02-03","adm_time":"2025-01-02 08:00:00",
        "dscg_time":"2025-01-09 10:00:00","act_ipt_days":7,"drg":"ES35"},
        "payinfo":[{"fund_pay_type":"310100","fund_payamt":1000.10},{"fund_payamt":"99.90"}],
        "diseinfo":[{"maindiag_flag":"0","diag_code":"I10.x00x002"},{"maindiag_flag":"1","diag_code":"J15.900"}],
        "oprninfo":[{"oprn_oprt_type":"2","oprn_oprt_code":"96.7100"}],
        "iteminfo":[{"med_chrgitm":"01","amt":700.00},{"med_chrgitm":"西药费","amt":1234.56},
                    {"med_chrgitm":"11","amt":"0.44"},{"med_chrgitm":"99","amt":65}]}"#;

    fn row(line: &str) -> Option<BTreeMap<String, String>> {
        let header = header(LIST.replace('\n', " ").as_bytes()).unwrap();
        let mut record = ByteRecord::new();
        flatten(line.as_bytes(), &header, &mut record).ok()?;
        let values = record
            .iter()
            .map(|value| String::from_utf8(value.to_vec()).unwrap());
        Some(header.into_iter().zip(values).collect())
    }

    #[test]
    fn a_list_is_one_row_and_nobodys_name_is_in_it() {
        let found = row(LIST).unwrap();
        for (column, value) in [
            ("setl_id", "S1"),
            ("act_ipt_days", "7"),
            ("diseinfo.main", "J15.900"),
            ("diseinfo.count", "2"),
            ("oprninfo.main", "96.7100"),
            ("iteminfo.all", "2000.00"),
            ("iteminfo.药品费", "1235.00"),
            ("iteminfo.床位费", "700.00"),
            ("iteminfo.手术费", "0.00"),
            ("payinfo.all", "1100.00"),
            ("self_paid", "900.00"),
        ] {
            assert_eq!(found[column], value, "{column}");
        }
        for name in ["psn_name", "curr_addr", "coner_tel"] {
            assert!(!found.contains_key(name), "{name}");
        }
        assert!(
            found
                .values()
                .all(|value| !value.contains("李四") && !value.contains("13800138000"))
        );
        let request = format!(r#"{{"infno":"4101","input":{LIST}}}"#);
        assert_eq!(row(&request).unwrap(), found);
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_no_list_is_refused() {
        let bare = row(r#"{"setlinfo":{"setl_id":null,"medcasno":{"a":1}}}"#).unwrap();
        assert_eq!(
            (bare["setl_id"].as_str(), bare["medcasno"].as_str()),
            ("", "")
        );
        assert_eq!(
            (
                bare["iteminfo.all"].as_str(),
                bare["diseinfo.main"].as_str()
            ),
            ("", "")
        );
        for missing in ["payinfo", "iteminfo.all", "iteminfo.床位费", "self_paid"] {
            let known = bare.get(missing).is_some_and(|value| !value.is_empty());
            assert!(!known, "{missing}");
        }
        let unpaid = LIST.replacen("\"payinfo\":", "\"other\":", 1);
        let unpaid = row(&unpaid).unwrap();
        assert_eq!(unpaid["iteminfo.all"], "2000.00");
        assert!(unpaid["payinfo.all"].is_empty() && unpaid["self_paid"].is_empty());
        // An amount that cannot be read leaves no sum that looks whole.
        let odd = row(&LIST.replacen("1234.56", "1234.567", 1)).unwrap();
        assert_eq!(
            (odd["iteminfo.all"].as_str(), odd["self_paid"].as_str()),
            ("", "")
        );
        for bad in [
            "",
            "[]",
            "7",
            "{",
            r#"{"setlinfo":7}"#,
            r#"{"input":{}}"#,
            "\u{0}",
        ] {
            assert!(row(bad).is_none(), "{bad}");
        }
        let deep = format!(
            "{{\"setlinfo\":{{\"a\":{}1{}}}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        // Nesting is passed over, not followed.
        assert_eq!(row(&deep).unwrap()["setl_id"], "");
    }
}
