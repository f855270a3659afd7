//! The warnings as one page in the node's folder: no script, nothing fetched, written whole or not at all. It
//! names no case: what the node keeps is all that it shows.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use policies::early::Kind;
use policies::figures::alerts::Deviation;

use super::EarlyError;
use super::store::{Told, list};
use crate::config::WARNINGS_PAGE;
use crate::store::state::State;

/// Most warnings on the page, the newest first.
const MOST: usize = 500;

const HEAD: &str = "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
<meta http-equiv=\"refresh\" content=\"60\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
<title>费用预警 · Early warning</title>\n<style>\n\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1a1a1a;background:#fff}\n\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}\n\
td.n{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:left;padding:.5rem 0}\n\
</style></head><body>\n";

/// Writes the page anew and gives where it is.
pub async fn write_page(state: &State, data: &Path) -> Result<PathBuf, EarlyError> {
    let told = list(state).await?;
    let path = data.join(WARNINGS_PAGE);
    let page = page(&told);
    let written = || -> std::io::Result<()> {
        // A reader sees the page before or the page after, and other accounts none.
        let mut file = tempfile::NamedTempFile::new_in(data)?;
        file.write_all(page.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    written().map_err(EarlyError::Page)?;
    Ok(path)
}

fn page(told: &[Told]) -> String {
    let (shown, all) = (told.len().min(MOST), told.len());
    let heads = [
        ("告知时间", "Told"),
        ("月份", "Month"),
        ("级别", "Level"),
        ("内容", "What"),
        ("病组", "Case group"),
        ("科室", "Department"),
        ("病例", "Case"),
        ("实际（元）", "Found, yuan"),
        ("标准（元）", "Against, yuan"),
        ("差异项目", "Differs in"),
    ];
    let heads = heads
        .map(|(zh, en)| format!("<th scope=\"col\">{zh}<br><span lang=\"en\">{en}</span></th>"));
    let rows: Vec<String> = told.iter().rev().take(MOST).map(row).collect();
    [
        HEAD,
        "<h1>费用预警 <span lang=\"en\">Early warning</span></h1>\n<table>\n",
        &format!(
            "<caption>{shown} / {all} · 最新在前 <span lang=\"en\">newest first</span></caption>\n"
        ),
        "<thead><tr>",
        &heads.concat(),
        "</tr></thead>\n<tbody>\n",
        &rows.concat(),
        "</tbody></table>\n</body></html>\n",
    ]
    .concat()
}

fn row(one: &Told) -> String {
    let alert = &one.alert;
    let level = alert.level.map(|level| format!("{level:?}").to_lowercase());
    let hints = alert.hints.iter();
    let hints: Vec<String> = hints
        .map(|hint| format!("{} {}", hint.category, hint.more))
        .collect();
    let cells = [
        one.at.to_string(),
        alert.month.to_string(),
        level.unwrap_or_default(),
        what(alert.kind, alert.side),
        alert.group.clone(),
        alert.department.clone(),
        one.subject.chars().take(12).collect(),
    ];
    let cells = cells.map(|cell| format!("<td>{}</td>", escaped(&cell)));
    format!(
        "<tr>{}<td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
        cells.concat(),
        alert.found,
        alert.against,
        escaped(&hints.join("; "))
    )
}

fn what(kind: Kind, side: Option<Deviation>) -> String {
    let (zh, en) = match kind {
        Kind::Incurred => ("已发生费用", "cost so far"),
        Kind::Projected => ("预计出院费用", "cost at discharge"),
        Kind::Benchmark => ("远超联盟均值", "far above the alliance's mean"),
        Kind::Day => ("单日偏离", "a day away from the past"),
        Kind::Days => ("连续多日偏离", "days in a row away from the past"),
        Kind::Month => ("月度偏离", "a month away from the past"),
        Kind::Anomaly => ("月度异常偏高", "a month far above the past"),
    };
    let side = match side {
        Some(Deviation::High) => " (高 high)",
        Some(Deviation::Low) => " (低 low)",
        _ => "",
    };
    format!("{zh} {en}{side}")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if other.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use policies::early::{Alert, Hint};
    use schemas::money::Fen;
    use schemas::time::Timestamp;

    use super::*;

    fn told(group: &str) -> Told {
        Told {
            subject: "0123456789abcdef".to_owned(),
            alert: Alert {
                kind: Kind::Incurred,
                level: None,
                side: None,
                month: "2026-01".parse().unwrap(),
                date: None,
                department: "a&b\"'".to_owned(),
                group: group.to_owned(),
                case: None,
                day_of_stay: Some(3),
                found: Fen(123_456),
                against: Fen(100_000),
                hints: vec![Hint {
                    category: "drugs".parse().unwrap(),
                    more: Fen(5),
                }],
                longer: None,
            },
            at: Timestamp(1),
        }
    }

    #[test]
    fn the_page_is_whole_without_script_and_escapes_what_it_shows() {
        let many: Vec<Told> = (0..600)
            .map(|n| told(&format!("<script>{n}</script>")))
            .collect();
        let page = page(&many);
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
        assert!(
            page.contains("&lt;script&gt;599&lt;/script&gt;")
                && page.contains("a&amp;b&quot;&#39;")
        );
        assert!(page.contains("1234.56"));
        assert_eq!(page.matches("<tr>").count(), 501);
        assert!(!page.contains("&lt;script&gt;99&lt;") && page.contains("500 / 600"));
        assert!(page.contains("0123456789ab") && !page.contains("0123456789abc"));
    }

    #[tokio::test]
    async fn the_page_is_written_anew_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        for _ in 0..2 {
            let path = write_page(&state, folder.path()).await.unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert!(std::fs::read_to_string(&path).unwrap().contains("0 / 0"));
        }
    }
}
