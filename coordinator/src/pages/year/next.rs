//! What a year waits for, in the reader's language.

use policies::year::Awaited;
use schemas::id::Slug;
use schemas::year::Matter;
use web::number;

use super::super::answer::Visit;
use super::named;

/// Who: members by their names, parties by what they are.
fn who(visit: &Visit, names: &[Slug]) -> String {
    let names: Vec<String> = names.iter().map(|one| named(visit, one)).collect();
    names.join(&visit.say("comma"))
}

fn matter(visit: &Visit, of: Matter) -> String {
    visit.say(&format!("matter-{}", of.as_str()))
}

/// With a word on it where it is late.
fn late(visit: &Visit, text: String, is_late: bool) -> String {
    if is_late {
        visit.tell("next-late", &[("what", &text)])
    } else {
        text
    }
}

/// One of what it waits for.
pub(super) fn told(visit: &Visit, of: &Awaited) -> String {
    let about = |key: &str, of: Matter, names: &[Slug]| {
        let told = [
            ("matter", &matter(visit, of)[..]),
            ("who", &who(visit, names)),
        ];
        visit.tell(key, &told)
    };
    match of {
        Awaited::Invite => visit.say("next-invite"),
        Awaited::Applications(names) => {
            visit.tell("next-applications", &[("who", &who(visit, names))])
        }
        Awaited::Review => visit.say("next-review"),
        Awaited::Plan => visit.say("next-plan"),
        Awaited::Change(from, target) => {
            let from = from.to_string();
            let target = target.map_or_else(|| "–".to_owned(), number::money);
            visit.tell("next-change", &[("from", &from), ("target", &target)])
        }
        Awaited::Void(of) => about("next-void", *of, &[]),
        Awaited::Upheld(of, member) => about("next-upheld", *of, &[member.clone()]),
        Awaited::Differ(of, member) => about("next-differ", *of, &[member.clone()]),
        Awaited::Answer {
            matter: of,
            by,
            member,
            until,
            late: is_late,
        } => {
            let told = [
                ("matter", &matter(visit, *of)[..]),
                ("who", &who(visit, by)),
                ("member", member.as_str()),
                ("until", &number::moment(*until)),
            ];
            late(visit, visit.tell("next-answer", &told), *is_late)
        }
        Awaited::Heard(of, names, until) => {
            let told = [
                ("matter", &matter(visit, *of)[..]),
                ("who", &who(visit, names)),
                ("until", &number::moment(*until)),
            ];
            visit.tell("next-heard", &told)
        }
        Awaited::Sign(of, names) => about("next-sign", *of, names),
        Awaited::PayOut => visit.say("next-pay-out"),
        Awaited::Unpaid(months) => visit.tell("next-unpaid", &[("months", months)]),
        Awaited::Report(member, task, is_late) => {
            let told = [("member", member.as_str()), ("task", task.as_str())];
            late(visit, visit.tell("next-report", &told), *is_late)
        }
        Awaited::Judge(task, is_late) => {
            let text = visit.tell("next-judge", &[("task", task.as_str())]);
            late(visit, text, *is_late)
        }
        Awaited::Unproposed(matters) => {
            let names: Vec<String> = matters.iter().map(|one| matter(visit, *one)).collect();
            let names = names.join(&visit.say("comma"));
            visit.tell("next-unproposed", &[("matters", &names)])
        }
        Awaited::Close => visit.say("next-close"),
    }
}
