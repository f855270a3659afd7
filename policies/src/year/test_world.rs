use schemas::seal::Signer;

use super::*;

pub(super) const DAY: i64 = 86_400;
pub(super) const MEMBERS: [&str; 3] = ["h1", "h2", "h3"];
/// A hospital that is no member at the opening.
pub(super) const NEWCOMER: &str = "h4";
pub(super) const ADMINISTRATORS: [&str; 2] = ["wang-fang", "chen-jie"];
pub(super) const PARTIES: [&str; 6] = [
    "committee",
    "grassroots",
    "insurer",
    "lead-hospital",
    "members",
    "patients",
];

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(super) struct World {
    pub(super) keys: BTreeMap<Slug, Signer>,
    pub(super) rules: Rules,
}

impl World {
    pub(super) fn new() -> Self {
        let names = MEMBERS
            .iter()
            .chain(&PARTIES)
            .chain(&ADMINISTRATORS)
            .chain([&NEWCOMER]);
        let seeds = names.enumerate().map(|(n, name)| {
            let seed = [u8::try_from(n).unwrap() + 1; 32];
            (slug(name), Signer::from_seed(&seed).unwrap())
        });
        Self {
            keys: seeds.collect(),
            rules: Rules::read(|_| None).unwrap(),
        }
    }

    pub(super) fn of(&self, names: &[&str]) -> BTreeMap<Slug, PublicKey> {
        let names = names.iter().map(|name| slug(name));
        names
            .map(|name| {
                let key = self.keys[&name].public();
                (name, key)
            })
            .collect()
    }

    pub(super) fn sealed(&self, by: &str, at: i64, says: Says) -> Sealed<Statement> {
        let statement = Statement {
            alliance: slug("river"),
            year: 2026,
            by: slug(by),
            at: Timestamp(at),
            says,
        };
        Sealed::seal(&self.keys[&slug(by)], &statement).unwrap()
    }

    pub(super) fn says_open(&self) -> Says {
        Says::Open {
            target: Fen(1_000),
            rules: self.rules.digest().unwrap(),
            members: self.of(&MEMBERS),
            parties: self.of(&PARTIES),
        }
    }

    pub(super) fn open(&self) -> Year {
        let sealed = self.sealed("wang-fang", 0, self.says_open());
        open(
            &slug("river"),
            &self.rules,
            &self.of(&ADMINISTRATORS),
            &sealed,
            Timestamp(0),
        )
        .unwrap()
    }

    pub(super) fn take(&self, year: &Year, by: &str, at: i64, says: Says) -> Result<Year, Refused> {
        let sealed = self.sealed(by, at, says);
        let administrators = self.of(&ADMINISTRATORS);
        year.take(
            &slug("river"),
            &self.rules,
            &administrators,
            &sealed,
            Timestamp(at),
        )
    }

    /// What all of these say, one after the other.
    pub(super) fn all(&self, year: &Year, at: i64, said: &[(&str, Says)]) -> Year {
        said.iter().fold(year.clone(), |year, (by, says)| {
            self.take(&year, by, at, says.clone()).unwrap()
        })
    }

    pub(super) fn planned(&self) -> Year {
        let propose = propose(Matter::Plan, 1);
        self.all(
            &self.open(),
            1,
            &[
                ("wang-fang", Says::Invite),
                ("h1", apply(500)),
                ("wang-fang", Says::Review),
                ("wang-fang", propose),
            ],
        )
    }

    pub(super) fn in_force(&self) -> Year {
        let mut said: Vec<(&str, Says)> = MEMBERS
            .iter()
            .map(|member| (*member, accept(Matter::Plan, 1)))
            .collect();
        said.extend(
            signers(Matter::Plan)
                .into_iter()
                .map(|party| (party, sign(Matter::Plan, 1))),
        );
        let year = self.all(&self.planned(), 2, &said);
        assert_eq!(year.stage, Stage::InForce);
        year
    }
}

pub(super) fn signers(matter: Matter) -> Vec<&'static str> {
    match matter {
        Matter::Plan => vec![
            "insurer",
            "lead-hospital",
            "members",
            "grassroots",
            "patients",
        ],
        Matter::Settlement => vec!["insurer", "committee"],
        Matter::Bonus => vec!["insurer", "members"],
        Matter::Appraisal => vec!["insurer", "patients"],
    }
}

pub(super) fn result(n: u8) -> Digest {
    Digest::of("result", &[&[n]])
}

pub(super) fn apply(fen: i64) -> Says {
    Says::Apply {
        amount: Fen(fen),
        purpose: "clinic".into(),
        expected: "fewer stays".into(),
    }
}

pub(super) fn propose(matter: Matter, n: u8) -> Says {
    Says::Propose {
        matter,
        result: result(n),
        why: "as computed".into(),
    }
}

pub(super) fn accept(matter: Matter, n: u8) -> Says {
    Says::Accept {
        matter,
        result: result(n),
    }
}

pub(super) fn sign(matter: Matter, n: u8) -> Says {
    Says::Sign {
        matter,
        result: result(n),
    }
}

pub(super) fn object(matter: Matter, n: u8) -> Says {
    Says::Object {
        matter,
        result: result(n),
        why: "too little".into(),
    }
}

pub(super) fn answer(matter: Matter, n: u8, member: &str, upheld: bool) -> Says {
    Says::Answer {
        matter,
        result: result(n),
        member: slug(member),
        upheld,
        why: "looked at".into(),
    }
}

pub(super) fn paid(member: &str, month: &str, restates: bool) -> Says {
    Says::Paid {
        member: slug(member),
        month: month.parse().unwrap(),
        amount: Fen(7),
        restates,
    }
}

fn month(number: u8) -> Month {
    Month::new(2026, number).unwrap()
}

impl World {
    pub(super) fn joins(&self, member: &str, from: u8) -> Says {
        Says::Join {
            member: slug(member),
            key: self.keys[&slug(member)].public(),
            from: month(from),
            why: "merged".into(),
        }
    }
}

pub(super) fn leaves(member: &str, from: u8) -> Says {
    Says::Leave {
        member: slug(member),
        from: month(from),
        why: "moves".into(),
    }
}

pub(super) fn stays(member: &str) -> Says {
    Says::Stay {
        member: slug(member),
        why: "it does not".into(),
    }
}

pub(super) fn replans(from: u8, target: Option<i64>) -> Says {
    Says::Replan {
        from: month(from),
        target: target.map(Fen),
        why: "a factor was mistaken".into(),
    }
}

pub(super) fn stands_after_all() -> Says {
    Says::Stand {
        why: "it was right".into(),
    }
}

pub(super) fn task(name: &str, member: &str) -> Says {
    Says::Task {
        task: slug(name),
        member: slug(member),
        goal: "shorter waits".into(),
        measures: "a bed office".into(),
        owner: "head of nursing".into(),
        days: 60,
    }
}
