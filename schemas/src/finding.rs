//! What a `doctor` finds in an installation: what was looked at, how it stands, what to do next. Names,
//! counts and days only; nothing of a record, no key, no amount.

use std::io::Write;

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should.
    Sound,
    /// Works, but not for long, or not as advised.
    Soon,
    /// Does not work until something is done.
    Fault,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What, of a closed list of words.
    pub check: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// In words.
    pub told: String,
    /// What to do; nothing where it is sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Finding {
    /// As it should.
    pub fn sound(check: &'static str, told: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Sound,
            told: told.into(),
            next: None,
        }
    }

    /// Works, with what should be done soon.
    pub fn soon(check: &'static str, told: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Soon,
            next: Some(next.into()),
            ..Self::sound(check, told)
        }
    }

    /// Does not work, with what is done about it.
    pub fn fault(check: &'static str, told: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fault,
            ..Self::soon(check, told, next)
        }
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// How a certificate that ends at a moment stands: `days` before it should have been renewed by itself.
pub fn lasting(
    check: &'static str,
    (what, left): (&str, i64),
    days: i64,
    next: &'static str,
) -> Finding {
    let told = format!("{what} ends in {} days", left.div_euclid(DAY));
    if left < 0 {
        Finding::fault(check, format!("{what} has ended"), next)
    } else if left < days.saturating_mul(DAY) {
        Finding::soon(check, told, next)
    } else {
        Finding::sound(check, told)
    }
}

/// How a disk with so many free bytes stands: a state needs room for what it writes before it tidies up.
pub fn room(free: u64) -> Finding {
    const MIB: u64 = 1 << 20;
    let told = format!("{} MiB are free for the data folder", free / MIB);
    let next = "make room on its disk; a full disk stops every change, and nothing is lost by that";
    if free < 64 * MIB {
        Finding::fault("disk", told, next)
    } else if free < 1024 * MIB {
        Finding::soon("disk", told, next)
    } else {
        Finding::sound("disk", told)
    }
}

/// Shows findings to a person.
pub fn show(findings: &[Finding], out: &mut dyn Write) -> std::io::Result<()> {
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Sound => "ok",
            Verdict::Soon => "soon",
            Verdict::Fault => "FAULT",
        };
        writeln!(out, "{mark:<6}{:<13}{}", finding.check, finding.told)?;
        if let Some(next) = &finding.next {
            writeln!(out, "{:<19}→ {next}", "")?;
        }
    }
    Ok(())
}

/// Number of things that do not work.
pub fn faults(findings: &[Finding]) -> usize {
    let fault = |finding: &&Finding| finding.verdict == Verdict::Fault;
    findings.iter().filter(fault).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_disks_are_told_of_in_time() {
        let of = |days: i64| lasting("certificate", ("it", days * DAY), 7, "renew").verdict;
        assert_eq!([of(-1), of(0), of(6), of(7)], {
            use Verdict::{Fault, Soon, Sound};
            [Fault, Soon, Soon, Sound]
        });
        let of = |mib: u64| room(mib << 20).verdict;
        assert_eq!([of(63), of(64), of(1023), of(1024)], {
            use Verdict::{Fault, Soon, Sound};
            [Fault, Soon, Soon, Sound]
        });
    }

    #[test]
    fn what_to_do_stands_below_what_is_wrong() {
        let all = [
            Finding::sound("a", "b"),
            Finding::fault("keys", "lost", "find"),
        ];
        let mut out = Vec::new();
        show(&all, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let wanted = "ok    a            b\nFAULT keys         lost\n                   → find\n";
        assert_eq!(text, wanted);
        assert_eq!(faults(&all), 1);
    }
}
