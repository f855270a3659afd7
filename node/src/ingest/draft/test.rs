use super::*;
use crate::ingest::mapping::Mapping;
use crate::load::fixture::dictionary;

fn drafted(bytes: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, bytes).unwrap();
    draft(&dictionary(), &path.into()).unwrap()
}

#[test]
fn names_dates_and_units_are_guessed_and_no_value_is_shown() {
    let text = drafted(
        "病案号,setl_id,出院日期,adm_time,DRG编码,性别,brdy,总成本,Total Charges (fen),姓名,odd\n\
         P0077,S1,2025/03/09,2025/03/02,FR19,1,1950/02/03,8120.40,812040,李四,zebra\n\
         P0078,S2,2025/03/10,2025/03/02,GD15,2,1961/02/03,99,9900,张三,\n",
    );
    Mapping::parse(&text).unwrap();
    for line in [
        "patient = { column = \"病案号\" }",
        "settlement = \"setl_id\"",
        "format = \"YYYY/MM/DD\" # every date",
        "discharge = \"出院日期\"",
        "columns = [\"DRG编码\"]",
        "sex = { column = \"性别\", values = { \"1\" = \"male\", \"2\" = \"female\" } }",
        "age_band = { birth_date = \"brdy\" }",
        "cost = { column = \"总成本\", unit = \"yuan\" } # the rows have decimals",
        "charges = { column = \"Total Charges (fen)\", unit = \"fen\" } # the column's name says so",
        "los = { from_dates = true }",
        "#   姓名\n#   odd\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for value in ["P0077", "李四", "zebra", "8120", "1950", "2025"] {
        assert!(!text.contains(value), "{value}\n{text}");
    }
}

#[test]
fn a_file_in_gbk_is_drafted_in_its_own_names() {
    // The columns 病案号 and 性别; then a file whose header alone is ASCII.
    let named = drafted(b"\xb2\xa1\xb0\xb8\xba\xc5,\xd0\xd4\xb1\xf0\nP1,1\n");
    assert!(named.contains("encoding = \"gb18030\"") && named.contains("\"病案号\""));
    let valued = drafted(b"sex,ward\n1,\xc4\xda\xbf\xc6\n");
    Mapping::parse(&valued).unwrap();
    assert!(valued.contains("encoding = \"gb18030\""));
    assert!(!drafted("sex,ward\n1,内科\n").contains("encoding"));
}

#[test]
fn what_is_not_found_loads_nothing() {
    let text = drafted("a,\"b\"\"\u{1b}\"\n1,2\n");
    let mapping = Mapping::parse(&text).unwrap();
    assert!(
        text.contains("columns = [\"?\"]") && text.contains("not sure"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    let header = ["a".to_owned()];
    let bound = crate::ingest::bound::Bound::new(&mapping, &[], &dictionary(), &header);
    assert!(bound.unwrap_err().to_string().contains("lacks `?`"));
    // Whole amounts may be hundredths: the draft says so.
    let whole = drafted("cost\n100\n");
    assert!(
        whole.contains("unit = \"yuan\" } # not sure: the rows have no decimals"),
        "{whole}"
    );
}
