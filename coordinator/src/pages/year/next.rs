//! What a year waits for, in the reader's language.

use policies::year::Awaited;
use schemas::id::Slug;
use schemas::year::Matter;
use web::number;

use super::super::answer::Visit;
use super::names;

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
    let about = |key: &str, of: Matter, all: &[Slug]| {
        let named = matter(visit, of);
        let told = [("matter", named.as_str()), ("who", &names(visit, all))];
        visit.tell(key, &told)
    };
    match of {
        Awaited::Invite => visit.say("next-invite"),
        Awaited::Applications(all) => {
            visit.tell("next-applications", &[("who", &names(visit, all))])
        }
        Awaited::Review => visit.say("next-review"),
        Awaited::Plan => visit.say("next-plan"),
        Awaited::Change(from, target) => {
            let from = from.to_string();
            let target = target.map_or_else(|| "–".to_owned(), number::money);
            visit.tell("next-change", &[("from", &from), ("target", &target)])
        }
        Awaited::Void(of) => about("next-void", *of, &[]),
        Awaited::Upheld(of, member) => about("next-upheld", *of, std::slice::from_ref(member)),
        Awaited::Differ(of, member) => about("next-differ", *of, std::slice::from_ref(member)),
        Awaited::Answer {
            matter: of,
            by,
            member,
            until,
            late: is_late,
        } => {
            let named = matter(visit, *of);
            let told = [
                ("matter", named.as_str()),
                ("who", &names(visit, by)),
                ("member", member.as_str()),
                ("until", &number::moment(*until)),
            ];
            late(visit, visit.tell("next-answer", &told), *is_late)
        }
        Awaited::Heard(of, all, until) => {
            let named = matter(visit, *of);
            let told = [
                ("matter", named.as_str()),
                ("who", &names(visit, all)),
                ("until", &number::moment(*until)),
            ];
            visit.tell("next-heard", &told)
        }
        Awaited::Sign(of, all) => about("next-sign", *of, all),
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

#[cfg(test)]
mod test {
    use std::collections::BTreeMap;

    use policies::year::Awaited;
    use schemas::money::Fen;
    use schemas::time::Timestamp;
    use schemas::year::Matter;
    use web::language::Language;

    use super::super::super::answer::Visit;
    use super::told;

    #[test]
    fn all_that_a_year_waits_for_has_words_in_both_languages() {
        let (h1, task) = ("h1".parse().unwrap(), "beds".parse().unwrap());
        let plan = Matter::Plan;
        let answer = Awaited::Answer {
            matter: plan,
            by: vec!["administrator".parse().unwrap()],
            member: h1,
            until: Timestamp(0),
            late: true,
        };
        let h1: schemas::id::Slug = "h1".parse().unwrap();
        let all = [
            Awaited::Invite,
            Awaited::Applications(vec![h1.clone()]),
            Awaited::Review,
            Awaited::Plan,
            Awaited::Change("2026-07".parse().unwrap(), Some(Fen(1_200))),
            Awaited::Void(plan),
            Awaited::Upheld(plan, h1.clone()),
            Awaited::Differ(plan, h1.clone()),
            answer,
            Awaited::Heard(plan, vec![h1.clone()], Timestamp(0)),
            Awaited::Sign(plan, vec!["insurer".parse().unwrap()]),
            Awaited::PayOut,
            Awaited::Unpaid("h1: 2026-01".to_owned()),
            Awaited::Report(h1, task, true),
            Awaited::Judge("beds".parse().unwrap(), false),
            Awaited::Unproposed(Matter::ALL.to_vec()),
            Awaited::Close,
        ];
        for language in [Language::English, Language::Chinese] {
            let visit = Visit {
                visitor: None,
                cookie: String::new(),
                language,
                path: String::new(),
                asked: BTreeMap::new(),
            };
            for one in &all {
                let text = told(&visit, one);
                let han = text
                    .chars()
                    .any(|of| ('\u{4e00}'..='\u{9fff}').contains(&of));
                assert_eq!(han, language == Language::Chinese, "{text}");
                assert!(!text.contains(['⟦', '{', '}']), "{text}");
            }
        }
    }
}
