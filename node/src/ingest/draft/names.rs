//! What columns are called in exports that were seen: the dictionary's own names go before these.

/// Names of columns by what they hold.
pub(super) const NAMES: [(&str, &[&str]); 21] = [
    (
        "patient",
        &[
            "patient_id",
            "medcasno",
            "mrn",
            "病案号",
            "患者编号",
            "Encounter.subject",
        ],
    ),
    (
        "settlement",
        &[
            "settlement_no",
            "setl_id",
            "结算编号",
            "结算流水号",
            "住院流水号",
            "Encounter.id",
        ],
    ),
    (
        "discharge",
        &[
            "discharge_date",
            "dscg_time",
            "出院日期",
            "出院时间",
            "Encounter.period.end",
        ],
    ),
    (
        "admission",
        &[
            "admission_date",
            "adm_time",
            "入院日期",
            "入院时间",
            "Encounter.period.start",
        ],
    ),
    (
        "case_group",
        &[
            "drg",
            "drg_code",
            "DRG编码",
            "病组编码",
            "病组",
            "dip_code",
            "apr_drg",
            "ms_drg",
        ],
    ),
    (
        "birth_date",
        &["birth_date", "brdy", "dob", "出生日期", "Patient.birthDate"],
    ),
    ("age", &["age", "age_years", "年龄"]),
    ("sex", &["gender", "gend", "性别", "Patient.gender"]),
    (
        "department",
        &[
            "dept",
            "dscg_caty",
            "出院科别",
            "出院科室",
            "科室",
            "Encounter.serviceType",
        ],
    ),
    (
        "insurance",
        &["payer", "payer1", "hi_type", "医保类型", "险种", "参保类型"],
    ),
    ("district", &["insuplc", "地区", "参保地", "行政区划"]),
    (
        "disposition",
        &["dscg_way", "离院方式", "Encounter.dischargeDisposition"],
    ),
    (
        "diagnosis",
        &[
            "diagnosis_code",
            "主要诊断编码",
            "主诊断编码",
            "diseinfo.main",
            "Condition.main",
        ],
    ),
    ("severity", &["apr_soi", "严重程度"]),
    ("cost", &["total_cost", "total_costs", "总成本"]),
    (
        "charges",
        &[
            "total_charges",
            "medfee_sumamt",
            "总费用",
            "医疗总费用",
            "iteminfo.all",
            "Claim.total",
        ],
    ),
    (
        "los",
        &["length_of_stay", "act_ipt_days", "住院天数", "住院日"],
    ),
    (
        "fund_paid",
        &[
            "fund_pay_sumamt",
            "基金支付",
            "统筹支付",
            "payinfo.all",
            "ExplanationOfBenefit.payment.rounded",
        ],
    ),
    ("self_paid", &["psn_pay", "个人支付", "自付金额"]),
    ("cost_staff", &["人员经费"]),
    ("cost_drugs", &["药品费"]),
];

/// Values of a sex column that are known: male, female.
pub(super) const SEXES: [[&str; 2]; 5] = [
    ["1", "2"],
    ["男", "女"],
    ["M", "F"],
    ["male", "female"],
    ["Male", "Female"],
];
/// Keys that a dictionary has for them.
pub(super) const SEX_KEYS: [[&str; 2]; 2] = [["m", "f"], ["male", "female"]];

/// Units in a column's name, which are no part of what it holds.
const UNITS: [&str; 6] = ["fen", "yuan", "cent", "dollar", "元", "分"];

/// Whether a column's name is this one, whatever its case, marks and unit.
pub(super) fn is(column: &str, name: &str) -> bool {
    let plain = |text: &str| -> String {
        let parts = text.to_lowercase();
        let parts = parts.split(|c: char| !c.is_alphanumeric());
        parts.filter(|part| !UNITS.contains(part)).collect()
    };
    plain(column) == plain(name)
}

/// Whether a word stands in a column's name by itself.
pub(super) fn is_part(column: &str, word: &str) -> bool {
    let mut parts = column.split(|c: char| !c.is_alphanumeric());
    parts.any(|part| part.eq_ignore_ascii_case(word))
}
