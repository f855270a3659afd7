//! What an administrator says of a year on its page: applications begin and end, an objection is answered, a
//! result is signed. The same statements as `year say` takes, by the same function.

use std::collections::BTreeSet;
use std::sync::Arc;

use policies::year::{Course, Published, Stage, Year};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::Role;
use schemas::year::{Matter, Says};
use web::block::{Block, Input};
use web::site::routes::{Fields, Places};

use super::super::answer::Visit;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::{key, read};

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
        "sign" => {
            let (matter, result) = matter()?;
            (Says::Sign { matter, result }, "sign")
        }
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
    let signer = match key::open((&desk, &visit, &of), &fields).await? {
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
    let Some((name, Role::Administrator)) = &visit.visitor else {
        return Vec::new();
    };
    if matches!(of.stage, Stage::Closed | Stage::Withdrawn) {
        return Vec::new();
    }
    let here = key::speakers(desk, visit, of);
    let to = || format!("/years/{}/say", of.number);
    let mut blocks = Vec::new();
    if !here.contains(name) {
        let year = of.number.to_string();
        let told = [("name", name.as_str()), ("year", &year)];
        blocks.push(Block::Text(visit.tell("say-key-elsewhere", &told)));
    }
    let own: Vec<Slug> = here.iter().filter(|one| *one == name).cloned().collect();
    let word = match of.stage {
        Stage::Target => Some("invite"),
        Stage::Applications => Some("review"),
        _ => None,
    };
    if let Some(word) = word.filter(|_| !own.is_empty()) {
        let fields = vec![Input::hidden("word", word)];
        let button = format!("say-do-{word}");
        blocks.push(key::form((desk, visit), (to(), &button), &own, fields));
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
        let decides = deciding(&here, name, &rules.deciders);
        let about = (*matter, course);
        blocks.extend(answers((desk, visit, &to()), about, &decides));
        let left: BTreeSet<&Slug> = rules.signers.difference(&course.signed).collect();
        let sign = here.iter().filter(|one| left.contains(one));
        let sign: Vec<Slug> = sign.cloned().collect();
        if !sign.is_empty() {
            let named = visit.say(&format!("matter-{}", matter.as_str()));
            let result = course.result.short();
            let told = [("matter", named.as_str()), ("result", &result)];
            blocks.push(Block::Text(visit.tell("say-sign-told", &told)));
            let button = (to(), "say-do-sign");
            blocks.push(key::form(
                (desk, visit),
                button,
                &sign,
                fixed(about, "sign"),
            ));
        }
    }
    blocks
}

/// What a form about a result always says.
fn fixed((matter, course): (Matter, &Course), word: &str) -> Vec<Input> {
    let result = course.result.to_string();
    let all = [
        ("word", word),
        ("matter", matter.as_str()),
        ("result", &result),
    ];
    all.map(|(name, value)| Input::hidden(name, value)).to_vec()
}

/// Open objections, each with the form that answers it.
fn answers(
    (desk, visit, to): (&Desk, &Visit, &str),
    about: (Matter, &Course),
    decides: &[Slug],
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let named = visit.say(&format!("matter-{}", about.0.as_str()));
    let open = about.1.objections.iter();
    for (member, one) in open.filter(|(_, one)| one.decided.is_none() && !decides.is_empty()) {
        let told = [
            ("member", member.as_str()),
            ("matter", &named),
            ("why", &one.why),
        ];
        blocks.push(Block::Text(visit.tell("say-objects", &told)));
        let mut fields = fixed(about, "answer");
        fields.push(Input::hidden("member", member.as_str()));
        let words = ["no", "yes"].map(|word| (word.to_owned(), visit.say(word)));
        fields.push(Input {
            choices: words.to_vec(),
            ..key::input(visit, "upheld", "text", "no")
        });
        fields.push(key::input(visit, "why", "text", ""));
        let button = (to.to_owned(), "say-do-answer");
        blocks.push(key::form((desk, visit), button, decides, fields));
    }
    blocks
}

/// Who of those whose keys lie here may answer: parties that the rules name, and who is signed in where they
/// name administrators.
fn deciding(here: &[Slug], own: &Slug, deciders: &BTreeSet<Slug>) -> Vec<Slug> {
    let administrators = deciders.iter().any(|one| one.as_str() == "administrator");
    let may = |one: &&Slug| deciders.contains(*one) || (administrators && *one == own);
    here.iter().filter(may).cloned().collect()
}
