//! `columns.csv`: what each column of each CSV file means, and its unit.

use policies::figures::Benchmark;
use policies::figures::benchmark::Asked;

use super::ReportError;
use super::columns::column;
use super::sheet::{self, About, Part};

/// Name, meaning in both languages and unit of a column that is not a figure.
type Plain = (&'static str, &'static str, &'static str, &'static str);

/// The first columns of `hospitals.csv`.
pub(super) const FACTS: [Plain; 8] = [
    (
        "hospital",
        "医院；联盟合计为 (alliance)",
        "The hospital; (alliance) for all together",
        "",
    ),
    ("reply", "答复情况", "What became of its answer", ""),
    (
        "grade",
        "所用月份的最低数据等级",
        "Worst grade of its months",
        "A to D",
    ),
    (
        "counted",
        "按什么计为一人：patient 患者，stay 每次住院（来源无患者标识）",
        "Whose stays count as one person's: patient, or stay where the source has no key of the patient",
        "",
    ),
    (
        "newest",
        "数据最新月份；来源只有年份时为年份",
        "Newest month; the year where the source knows only that",
        "YYYY-MM or YYYY",
    ),
    (
        "missing_months",
        "期内缺少的月份数",
        "Months of the period that are missing",
        "months",
    ),
    (
        "rank_first",
        "区间允许的最好名次（费用消耗指数，1 最低）",
        "Best place by cost index that the intervals allow, 1 the lowest",
        "place",
    ),
    (
        "rank_last",
        "区间允许的最后名次",
        "Last place that the intervals allow",
        "place",
    ),
];

/// The columns of a split beside its code, which is named after the dimension.
pub(super) const KEYS: [Plain; 3] = [
    FACTS[0],
    ("name_zh", "中文名称", "Name in Chinese", ""),
    ("name_en", "英文名称", "Name in English", ""),
];

/// What a part says of its figure.
fn part(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Status => (
            "状态：value 有数，suppressed 病例过少或无可靠值，not_usable 占比的噪声区间为 0–100 %，no_data 来源无此字段，其余为医院未答复的原因",
            "status: value; suppressed, too few or no reliable value; not_usable, a share whose noise interval is 0 to 100 %; no_data, the source lacks the field; else why the hospital did not answer",
        ),
        Part::Value => ("数值", "value"),
        Part::Noisy => (
            "加噪后的原值（调整为合计 100 % 之前）",
            "as it came out of the noise, before shares were made to add to 1",
        ),
        Part::Above => (
            "yes：真值高于所列数值（在最高的开口分箱内）",
            "yes: it lies above the value given, in the open top bin",
        ),
        Part::NoiseLow => ("95 % 噪声区间下限", "95 % noise interval, lower end"),
        Part::NoiseHigh => (
            "95 % 噪声区间上限；空：高于最高分箱",
            "95 % noise interval, upper end; empty: above the last bin",
        ),
        Part::SamplingLow => ("95 % 抽样区间下限", "95 % sampling interval, lower end"),
        Part::SamplingHigh => ("95 % 抽样区间上限", "95 % sampling interval, upper end"),
        Part::Improved => (
            "改进值：由同一批加噪数据算出、误差更小的第二个值，方法见 improved_by；空：无可参照的同类，只有原值",
            "improved: a second value of less error from the same noised numbers, by the method in improved_by; empty: nothing to improve it by, the raw value stands alone",
        ),
        Part::ImprovedLow => (
            "改进值的 95 % 区间下限（empirical_bayes：对所有单元平均而言达到 95 % 及以上，不是对每个单元）",
            "95 % interval of the improved value, lower end (empirical_bayes: 95 % and more on average over the cells of the table, not for each)",
        ),
        Part::ImprovedHigh => (
            "改进值的 95 % 区间上限",
            "95 % interval of the improved value, upper end",
        ),
        Part::ImprovedBy => (
            "改进方法：least_squares 加权最小二乘，empirical_bayes 经验贝叶斯收缩（正态–正态，Morris 1983），anchored_cumulative 以病例数锚定的保序累计计数",
            "method: least_squares, weighted least squares of totals and cells; empirical_bayes, normal-normal shrinkage toward peers (Morris 1983); anchored_cumulative, isotonic cumulative counts anchored at the number of stays",
        ),
        Part::Obtained => (
            "取得方式：attributed 各医院分别作答；pooled 只知各医院合并之和（医院行为空）",
            "how it was obtained: attributed, from each hospital's own answer; pooled, from the noised sum over hospitals alone (empty in rows of a hospital)",
        ),
        Part::Hospitals => (
            "该数为多少家医院之和（医院行为空）",
            "how many hospitals the figure sums (empty in rows of a hospital)",
        ),
    }
}

/// One row a column, file by file.
pub(super) fn guide(benchmark: &Benchmark) -> Result<Vec<u8>, ReportError> {
    let head = ["file", "column", "meaning_zh", "meaning_en", "unit"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let plain = |file: &str, column: &str, of: Plain| {
        [file, column, of.1, of.2, of.3].map(str::to_owned).to_vec()
    };
    let file = if benchmark.hospitals.is_empty() {
        "alliance.csv"
    } else {
        let facts = FACTS.iter();
        rows.extend(facts.map(|fact| plain("hospitals.csv", fact.0, *fact)));
        "hospitals.csv"
    };
    figures(benchmark, file, &benchmark.asked, false, &mut rows);
    for split in &benchmark.splits {
        let file = format!("by-{}.csv", split.dimension);
        let [hospital, names @ ..] = KEYS;
        let code = ("", "编码", "Code", "");
        rows.push(plain(&file, hospital.0, hospital));
        rows.push(plain(&file, split.dimension.as_str(), code));
        rows.extend(names.iter().map(|name| plain(&file, name.0, *name)));
        figures(benchmark, &file, &split.asked, split.in_money, &mut rows);
    }
    sheet::bytes(&rows)
}

fn figures(
    benchmark: &Benchmark,
    file: &str,
    asked: &[Asked],
    in_money: bool,
    rows: &mut Vec<Vec<String>>,
) {
    for (name, about, beside) in sheet::names(benchmark, asked, in_money) {
        let (zh, en) = part(beside);
        let (subject_zh, subject_en, mut unit) = match about {
            About::Figure(column) => (
                column.zh.to_owned(),
                column.en.to_owned(),
                column.unit_in_words(&benchmark.currency, in_money),
            ),
            About::Item(place) => {
                let column = column(policies::figures::benchmark::Kind::Structure);
                let label = benchmark.items.get(place).map(|item| &item.label);
                let of = |label: Option<&String>| label.cloned().unwrap_or_default();
                (
                    format!("{}·{}", column.zh, of(label.map(|label| &label.zh))),
                    format!("{}, {}", column.en, of(label.map(|label| &label.en))),
                    column.unit_in_words(&benchmark.currency, in_money),
                )
            }
        };
        if matches!(
            beside,
            Part::Status | Part::Above | Part::ImprovedBy | Part::Obtained | Part::Hospitals
        ) {
            unit.clear();
        }
        rows.push(vec![
            file.to_owned(),
            name,
            format!("{subject_zh}：{zh}"),
            format!("{subject_en}: {en}"),
            unit,
        ]);
    }
}
