//! Each parser as a function of bytes.

use std::error::Error;
use std::path::Path;
use std::str::FromStr;

use schemas::canonical;
use schemas::seal::{Message, Sealed};

use crate::hospital::told;

/// What a parser said.
#[derive(Debug)]
pub(super) enum Said {
    /// Taken; where it can be written again: whether that gives the same bytes.
    Taken(Option<bool>),
    /// Refused, with all that is told.
    Refused(String),
}

fn said<T, E: Error>(read: Result<T, E>) -> Said {
    match read {
        Ok(_) => Said::Taken(None),
        Err(error) => Said::Refused(told(&error)),
    }
}

/// A message, plain and sealed. Of a sealed one only the form is judged: its signature cannot be made here.
fn message<T: Message>(bytes: &[u8]) -> Said {
    let sealed = canonical::read::<Sealed<T>>(bytes);
    if let Ok(sealed) = sealed {
        drop(sealed.digest());
        let digest = schemas::digest::Digest::of(T::TAG, &[bytes]);
        return said(
            sealed
                .cited(&digest)
                .map(drop)
                .or(Ok::<(), std::fmt::Error>(())),
        );
    }
    match canonical::from_bytes::<T>(bytes) {
        Ok(value) => Said::Taken(Some(
            canonical::to_bytes(&value).is_ok_and(|again| again == bytes),
        )),
        Err(error) => Said::Refused(told(&error)),
    }
}

/// JSON of bounded size and depth, as `canonical::read` takes it.
macro_rules! json {
    ($kind:ty) => {
        |bytes: &[u8]| said(canonical::read::<$kind>(bytes))
    };
}

fn text<E: Error>(bytes: &[u8], read: impl Fn(&str) -> Result<(), E>) -> Said {
    match std::str::from_utf8(bytes) {
        Ok(text) => said(read(text)),
        Err(_) => Said::Refused(String::from("not UTF-8")),
    }
}

fn word<T: FromStr>(bytes: &[u8]) -> Said
where
    T::Err: Error,
{
    text(bytes, |text| text.parse::<T>().map(drop))
}

macro_rules! rules {
    ($($parse:path),*) => { [$(|bytes: &[u8]| text(bytes, |text| $parse(text).map(drop)) as Said),*] };
}

/// Where a parser stands, and what it is of.
pub(super) type Place = (&'static str, &'static str);

/// Every target.
pub(super) const TARGETS: &[(Place, fn(&[u8]) -> Said)] = &[
    (
        ("schemas/src/seal.rs", "Dictionary"),
        message::<schemas::dictionary::Dictionary>,
    ),
    (
        ("schemas/src/answer.rs", "Answer"),
        message::<schemas::answer::Answer>,
    ),
    (
        ("schemas/src/round.rs", "Round"),
        message::<schemas::round::Round>,
    ),
    (
        ("schemas/src/round.rs", "Reply"),
        message::<schemas::round::Reply>,
    ),
    (
        ("schemas/src/request.rs", "Request"),
        message::<schemas::request::Request>,
    ),
    (
        ("schemas/src/request.rs", "Receipt"),
        message::<schemas::request::Receipt>,
    ),
    (
        ("schemas/src/officer.rs", "Officer"),
        message::<schemas::officer::Officer>,
    ),
    (
        ("schemas/src/officer.rs", "Departure"),
        message::<schemas::officer::Departure>,
    ),
    (
        ("schemas/src/officer.rs", "PolicyApproval"),
        message::<schemas::officer::PolicyApproval>,
    ),
    (
        ("schemas/src/officer.rs", "QuestionApproval"),
        message::<schemas::officer::QuestionApproval>,
    ),
    (
        ("schemas/src/officer.rs", "MemberApproval"),
        message::<schemas::officer::MemberApproval>,
    ),
    (
        ("schemas/src/officer.rs", "OpeningApproval"),
        message::<schemas::officer::OpeningApproval>,
    ),
    (
        ("schemas/src/officer.rs", "StandingApproval"),
        message::<schemas::officer::StandingApproval>,
    ),
    (
        ("schemas/src/officer.rs", "Role"),
        word::<schemas::officer::Role>,
    ),
    (
        ("schemas/src/year.rs", "Statement"),
        message::<schemas::year::Statement>,
    ),
    (
        ("schemas/src/digest.rs", "Digest"),
        word::<schemas::digest::Digest>,
    ),
    (("schemas/src/id.rs", "Slug"), word::<schemas::id::Slug>),
    (
        ("schemas/src/enrolment.rs", "JoinCode"),
        word::<schemas::enrolment::JoinCode>,
    ),
    (
        ("schemas/src/enrolment.rs", "Fingerprint"),
        word::<schemas::enrolment::Fingerprint>,
    ),
    (("schemas/src/loss.rs", "Rho"), word::<schemas::loss::Rho>),
    (("schemas/src/money.rs", "Fen"), word::<schemas::money::Fen>),
    (
        ("schemas/src/time.rs", "Month"),
        word::<schemas::time::Month>,
    ),
    (
        ("schemas/src/time.rs", "Period"),
        word::<schemas::time::Period>,
    ),
    (
        ("catalogue", "join-request"),
        json!(schemas::enrolment::JoinRequest),
    ),
    (
        ("catalogue", "join-reply"),
        json!(schemas::enrolment::JoinReply),
    ),
    (
        ("catalogue", "renew-request"),
        json!(schemas::enrolment::RenewRequest),
    ),
    (
        ("catalogue", "renew-reply"),
        json!(schemas::enrolment::RenewReply),
    ),
    (("catalogue", "exchange"), json!(schemas::witness::Exchange)),
    (
        ("catalogue", "exchanged"),
        json!(schemas::witness::Exchanged),
    ),
    (("catalogue", "problem"), json!(schemas::problem::Problem)),
    (
        ("catalogue", "question"),
        json!(schemas::question::Question),
    ),
    (("catalogue", "entry"), json!(schemas::entry::Entry)),
    (("policies/src/year/published.rs", "Published"), |bytes| {
        text(bytes, |text| {
            policies::year::Published::read(text).map(drop)
        })
    }),
    (
        ("catalogue", "rules of a year"),
        json!(policies::year::Rules),
    ),
    (
        ("schemas/proofs/src/exchange.rs", "Request"),
        message::<proofs::exchange::Request>,
    ),
    (
        ("schemas/proofs/src/exchange.rs", "Reply"),
        message::<proofs::exchange::Reply>,
    ),
    (
        ("schemas/proofs/src/note/key.rs", "Key"),
        word::<proofs::note::Key>,
    ),
    (("schemas/proofs/src/note/mod.rs", "Note"), |bytes| {
        said(proofs::note::Note::parse(bytes))
    }),
    (
        ("schemas/proofs/src/checkpoint/mod.rs", "Checkpoint"),
        |bytes| {
            text(bytes, |text| {
                proofs::checkpoint::Checkpoint::parse(text).map(drop)
            })
        },
    ),
    (("schemas/proofs/src/witness/mod.rs", "Request"), |bytes| {
        said(proofs::witness::Request::parse(bytes))
    }),
    (("schemas/proofs/src/history/chain.rs", "Chain"), |bytes| {
        said(proofs::history::Chain::read(bytes))
    }),
    (("schemas/proofs/src/history/keys.rs", "Keys"), |bytes| {
        text(bytes, |text| proofs::history::Keys::parse(text).map(drop))
    }),
    (("schemas/proofs/src/leaf/header.rs", "Header"), |bytes| {
        said(proofs::leaf::Header::from_bytes(bytes))
    }),
    (("schemas/proofs/src/leaf/mod.rs", "Leaf"), |bytes| {
        said(proofs::leaf::Leaf::from_bytes(0, bytes))
    }),
    (("schemas/proofs/src/book.rs", "Book"), |bytes| {
        said(proofs::book::Book::from_bytes(bytes))
    }),
    (("schemas/proofs/src/book.rs", "Leaves"), |bytes| {
        said(proofs::book::read_leaves(bytes))
    }),
    (("schemas/proofs/src/oprf/mod.rs", "Blinded"), |bytes| {
        said(proofs::oprf::Blinded::from_bytes(bytes))
    }),
    (("schemas/pooled/src/inspect.rs", "Proposal"), |bytes| {
        said(pooled::inspect::Proposal::parse(bytes))
    }),
    (
        ("schemas/pooled/src/key_list/committee.rs", "SeatKey"),
        message::<pooled::key_list::SeatKey>,
    ),
    (
        ("schemas/pooled/src/key_list/mod.rs", "Member"),
        message::<pooled::key_list::Member>,
    ),
    (
        ("schemas/pooled/src/key_list/mod.rs", "KeyList"),
        message::<pooled::key_list::KeyList>,
    ),
    (
        ("schemas/pooled/src/key_list/pinned.rs", "Countersignature"),
        message::<pooled::key_list::Countersignature>,
    ),
    (
        ("schemas/pooled/src/key_list/pinned.rs", "SignedList"),
        |bytes| said(pooled::key_list::SignedList::parse(bytes)),
    ),
    (
        ("schemas/pooled/src/manifest/mod.rs", "Manifest"),
        message::<pooled::manifest::Manifest>,
    ),
    (
        ("schemas/pooled/src/manifest/mod.rs", "Manifest, sealed"),
        |bytes| said(pooled::manifest::Manifest::parse(bytes)),
    ),
    (("schemas/pooled/src/offer.rs", "Offer"), |bytes| {
        said(pooled::offer::Offer::parse(bytes))
    }),
    (
        ("schemas/pooled/src/receipt/ask.rs", "Asked"),
        message::<pooled::receipt::Asked>,
    ),
    (
        ("schemas/pooled/src/receipt/ask.rs", "Asked, sealed"),
        |bytes| said(pooled::receipt::Asked::parse(bytes)),
    ),
    (
        ("schemas/pooled/src/receipt/mod.rs", "Receipt"),
        message::<pooled::receipt::Receipt>,
    ),
    (("schemas/pooled/src/receipt/mod.rs", "Told"), |bytes| {
        said(pooled::receipt::Told::parse(bytes))
    }),
    (
        ("schemas/pooled/src/sums.rs", "Sum"),
        message::<pooled::sums::Sum>,
    ),
    (
        ("schemas/pooled/src/survivors.rs", "Survivors"),
        message::<pooled::survivors::Survivors>,
    ),
    (
        ("schemas/pooled/src/survivors.rs", "Certificate"),
        |bytes| said(pooled::survivors::Certificate::parse(bytes)),
    ),
    (
        ("schemas/pooled/src/survivors.rs", "VoidCertificate"),
        |bytes| said(pooled::survivors::VoidCertificate::parse(bytes)),
    ),
    (
        ("schemas/pooled/src/upload/mod.rs", "Parts"),
        message::<pooled::upload::Parts>,
    ),
    (
        ("schemas/pooled/src/vote.rs", "Certify"),
        message::<pooled::vote::Certify>,
    ),
    (
        ("schemas/pooled/src/vote.rs", "Void"),
        message::<pooled::vote::Void>,
    ),
    (
        ("schemas/pooled/src/vote.rs", "Complaint"),
        message::<pooled::vote::Complaint>,
    ),
    (("schemas/pooled/src/work.rs", "Work"), |bytes| {
        said(pooled::work::Work::parse(bytes))
    }),
    (("schemas/pooled/src/work.rs", "SeatWord"), |bytes| {
        said(pooled::work::SeatWord::parse(bytes))
    }),
    (("policies/src/rules.rs", "Privacy"), RULES[0]),
    (("policies/src/template/mod.rs", "Template"), RULES[1]),
    (("policies/src/year/rules.rs", "YearRules"), RULES[2]),
    (("policies/src/figures/alerts.rs", "AlertRules"), RULES[3]),
    (
        ("policies/src/figures/appraisal/rules.rs", "AppraisalRules"),
        RULES[4],
    ),
    (
        ("policies/src/figures/overspend/rules.rs", "OverspendRules"),
        RULES[5],
    ),
    (
        ("policies/src/figures/budget/rules.rs", "BudgetRules"),
        RULES[6],
    ),
    (
        ("policies/src/figures/bonus/rules.rs", "BonusRules"),
        RULES[7],
    ),
    (("policies/src/quality/rules.rs", "QualityRules"), RULES[8]),
    (("policies/src/costing/ledger.rs", "CostRules"), RULES[9]),
    (("policies/src/early/rules.rs", "EarlyRules"), RULES[10]),
    (("node/src/ingest/mapping.rs", "Mapping"), RULES[11]),
    (
        ("node/src/ingest/settlements.rs", "SettlementMapping"),
        RULES[12],
    ),
    (("node/src/config/mod.rs", "Config"), RULES[13]),
    (("coordinator/src/dictionary/plan.rs", "Plan"), RULES[14]),
    (
        ("policies/src/figures/exact.rs", "Exact"),
        word::<policies::figures::Exact>,
    ),
    (
        ("policies/src/costing/rates.rs", "Method"),
        |bytes| match std::str::from_utf8(bytes).map(str::parse::<policies::costing::Method>) {
            Ok(Ok(_)) => Said::Taken(None),
            Ok(Err(told)) => Said::Refused(told),
            Err(_) => Said::Refused(String::new()),
        },
    ),
    (
        ("node/src/costing/orders.rs", "RatesOrder"),
        message::<node::costing::RatesOrder>,
    ),
    (
        ("node/src/crosswalks/mod.rs", "Approval"),
        message::<node::crosswalks::Approval>,
    ),
    (
        ("node/src/quality/finance.rs", "SignedOff"),
        message::<node::quality::SignedOff>,
    ),
    (("node/src/ingest/amount.rs", "amount"), |bytes| {
        use node::ingest::amount::{SourceUnit, parse};
        let units = [SourceUnit::Yuan, SourceUnit::Fen];
        let taken = units.into_iter().any(|unit| parse(bytes, unit).is_ok());
        if taken {
            Said::Taken(None)
        } else {
            Said::Refused(String::new())
        }
    }),
    (("node/src/ingest/date.rs", "Date"), |bytes| {
        use node::ingest::date::{Date, DateFormat};
        let all = [DateFormat::Dashes, DateFormat::Slashes, DateFormat::Digits];
        let found = all
            .into_iter()
            .find_map(|format| Date::parse(bytes, format));
        found.map_or(Said::Refused(String::new()), |_| Said::Taken(None))
    }),
    (("coordinator/src/config.rs", "Config"), |bytes| {
        text(bytes, |text| {
            coordinator::config::Config::parse(text, Path::new("x")).map(drop)
        })
    }),
    (("coordinator/src/dictionary/listed.rs", "list"), |bytes| {
        said(coordinator::dictionary::read_listed(bytes, b','))
    }),
];

const RULES: [fn(&[u8]) -> Said; 15] = rules![
    policies::rules::Privacy::parse,
    policies::template::Template::parse,
    policies::year::YearRules::parse,
    policies::figures::alerts::AlertRules::parse,
    policies::figures::appraisal::AppraisalRules::parse,
    policies::figures::overspend::OverspendRules::parse,
    policies::figures::budget::BudgetRules::parse,
    policies::figures::bonus::BonusRules::parse,
    policies::quality::QualityRules::parse,
    policies::costing::CostRules::parse,
    policies::early::EarlyRules::parse,
    node::ingest::mapping::Mapping::parse,
    node::ingest::settlements::SettlementMapping::parse,
    node::config::Config::parse,
    coordinator::dictionary::Plan::parse
];
