//! What an administrator says of a year on its page: applications begin and end, an objection is answered. The
//! same statements as `year say` takes, by the same function. Parties speak by command: the page names who has
//! still to answer or sign, and the command.

use std::collections::BTreeSet;
use std::sync::Arc;

use policies::year::{ADMINISTRATOR, Course, Objection, Published, Stage, Year};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::Role;
use schemas::year::{Matter, Says};
use web::block::{Block, Input};
use web::site::routes::{Fields, Places};

use super::super::answer::Visit;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::{key, names, read};

/// The statement that a form makes, and its word in addresses.
fn says(fields: &Fields) -> Result<(Says, &'static str), Fault> {
    let matter = || -> Result<(Matter, Digest), Fault> {
        let mut all = Matter::ALL.into_iter();
        let matter = all.find(|one| one.as_str() == fields.text("matter"));
        let result = fields.text("result").parse().map_err(|_| Fault::Form)?;
        Ok((matter.ok_or(Fault::Form)?, result))
    };
    Ok(match fields.text("word") {
        "invite" => (Says::Invite, "invite"),
        "review" => (Says::Review, "review"),
        "answer" => {
            let (matter, result) = matter()?;
            let says = Says::Answer {
                matter,
                result,
                member: fields.name("member")?,
                upheld: fields.text("upheld") == "yes",
                why: fields.text("why").to_owned(),
            };
            (says, "answer")
        }
        _ => return Err(Fault::Form),
    })
}

/// Takes a statement and leads back to the year.
pub(in crate::pages) async fn say(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
    fields: Fields,
) -> Result<String, Fault> {
    let (_, of) = read(&desk, places.year()?).await?;
    let to = format!("/years/{}", of.number);
    let (says, word) = says(&fields)?;
    let signer = match key::open((&desk, &visit), &fields).await? {
        Ok(signer) => signer,
        Err(refused) => return Ok(format!("{to}?refused={refused}")),
    };
    let now = desk.clock.now();
    let sealed = key::sealed((&desk, &of), &signer, (says, now))?;
    let about = (&desk.config.alliance, of.number);
    let taken = crate::year::take(&desk.store, about, &sealed, now).await;
    key::onward((&desk, &visit, &to), taken.map(|_| word))
}

/// What can be said now, for administrators.
pub(super) fn forms(
    desk: &Desk,
    visit: &Visit,
    (published, of): (&Published, &Year),
) -> Vec<Block> {
    let Some((_, Role::Administrator)) = &visit.visitor else {
        return Vec::new();
    };
    if matches!(of.stage, Stage::Closed | Stage::Withdrawn) {
        return Vec::new();
    }
    let is_here = key::is_here(desk, visit);
    let to = || format!("/years/{}/say", of.number);
    let mut blocks = Vec::new();
    if !is_here {
        blocks.extend(key::elsewhere(visit, of));
    }
    let word = match of.stage {
        Stage::Target => Some("invite"),
        Stage::Applications => Some("review"),
        _ => None,
    };
    if let Some(word) = word.filter(|_| is_here) {
        let fields = vec![Input::hidden("word", word)];
        let button = format!("say-do-{word}");
        blocks.push(key::form((desk, visit), (to(), &button), fields));
    }
    if matches!(of.stage, Stage::Review | Stage::Planned) {
        let propose = format!("/years/{}/propose", of.number);
        blocks.push(Block::Links(vec![(visit.say("say-propose"), propose)]));
    }
    for (matter, course) in &of.matters {
        let rules = published.rules.year.matters.get(matter);
        let Some(rules) = rules.filter(|_| !course.in_force && !course.void) else {
            continue;
        };
        let about = (*matter, course);
        for (member, one) in &course.objections {
            if one.decided.is_none() {
                let objects = objects((visit, of), about, (member, one, &rules.deciders));
                blocks.extend(objects);
                if is_here && rules.deciders.iter().any(is_administrator) {
                    blocks.push(answer((desk, visit), to(), about, member));
                }
            }
        }
        let left = rules.signers.difference(&course.signed).cloned().collect();
        blocks.extend(by_command((visit, of), "say-sign-told", about, ("", &left)));
    }
    blocks
}

fn is_administrator(name: &Slug) -> bool {
    name.as_str() == ADMINISTRATOR
}

/// An open objection, and the parties that have not answered it.
fn objects(
    (visit, of): (&Visit, &Year),
    about: (Matter, &Course),
    (member, one, deciders): (&Slug, &Objection, &BTreeSet<Slug>),
) -> Vec<Block> {
    let named = visit.say(&format!("matter-{}", about.0.as_str()));
    let told = [
        ("member", member.as_str()),
        ("matter", &named),
        ("why", &one.why),
    ];
    let mut blocks = vec![Block::Text(visit.tell("say-objects", &told))];
    let silent = deciders
        .iter()
        .filter(|by| !is_administrator(by) && !one.answers.contains_key(*by));
    let silent = (member.as_str(), &silent.cloned().collect());
    blocks.extend(by_command((visit, of), "say-answer-told", about, silent));
    blocks
}

/// Who has still to speak by command, and the command: parties keep their keys.
fn by_command(
    (visit, of): (&Visit, &Year),
    key: &str,
    (matter, course): (Matter, &Course),
    (member, left): (&str, &BTreeSet<Slug>),
) -> Vec<Block> {
    let Some(first) = left.first() else {
        return Vec::new();
    };
    let named = visit.say(&format!("matter-{}", matter.as_str()));
    let who = names(visit, left);
    let told = [("who", who.as_str()), ("matter", &named)];
    let about = format!("{} {}", matter.as_str(), course.result);
    let says = if member.is_empty() {
        format!("sign {about}")
    } else {
        format!("answer {about} {member} --why …")
    };
    vec![
        Block::Text(visit.tell(key, &told)),
        key::command(of.number, first.as_str(), &says),
    ]
}

/// The form that answers an objection.
fn answer(
    (desk, visit): (&Desk, &Visit),
    to: String,
    (matter, course): (Matter, &Course),
    member: &Slug,
) -> Block {
    let result = course.result.to_string();
    let all = [
        ("word", "answer"),
        ("matter", matter.as_str()),
        ("result", &result),
        ("member", member.as_str()),
    ];
    let mut fields = all.map(|(name, value)| Input::hidden(name, value)).to_vec();
    let words = ["no", "yes"].map(|word| (word.to_owned(), visit.say(word)));
    fields.push(Input {
        choices: words.to_vec(),
        ..key::input(visit, "upheld", "text", "no")
    });
    fields.push(key::input(visit, "why", "text", ""));
    key::form((desk, visit), (to, "say-do-answer"), fields)
}
