//! What a page consists of: tiles, tables, charts, notes and forms, as values. How they look is the
//! shell's.

use schemas::money::Fen;

pub use crate::form::{Form, Input};
use crate::number;

/// How pressing something is. Colour never says it alone: a word stands beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Nothing to notice.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// To be noticed (blue).
    Notice,
    /// To be looked into (yellow).
    Warning,
    /// To be acted upon (red).
    Alarm,
}

impl Level {
    /// Its class in the style sheet.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }

    /// A mark that says it without colour.
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "✓",
            Self::Notice => "●",
            Self::Warning => "▲",
            Self::Alarm => "■",
        }
    }
}

/// One cell of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// Words that lead to another page of the same site.
    Link {
        /// The words.
        text: String,
        /// Where to, from the site's root.
        to: String,
    },
    /// A decimal text.
    Number(String),
    /// A share of one, shown as a percentage.
    Share(String),
    /// An amount.
    Money(Fen),
    /// A figure with the ends of its 95 % noise interval; no upper end is ∞.
    Ranged {
        /// The figure.
        value: String,
        /// Lower end.
        low: String,
        /// Upper end.
        high: Option<String>,
        /// Whether they are shares of one.
        share: bool,
    },
    /// Why there is no figure, in words.
    Missing(String),
    /// A word with a level.
    Mark(Level, String),
    /// A digest or the like.
    Code(String),
}

impl Cell {
    /// Words.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "texts, numbers and references alike are given"
    )]
    pub fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// A whole number.
    pub fn count(count: usize) -> Self {
        Self::Number(count.to_string())
    }

    /// As a page shows it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Link { text, .. } | Self::Missing(text) | Self::Code(text) => {
                text.clone()
            }
            Self::Number(text) => number::grouped(text),
            Self::Share(text) => number::percent(text),
            Self::Money(amount) => number::money(*amount),
            Self::Ranged { value, share, .. } => dress(value, *share),
            Self::Mark(_, text) => text.clone(),
        }
    }

    /// The interval below the figure; nothing where there is none.
    pub fn range(&self) -> String {
        match self {
            Self::Ranged {
                low, high, share, ..
            } if *share => {
                let high = high
                    .as_deref()
                    .map_or_else(|| "∞".to_owned(), number::percent);
                format!("{}\u{a0}–\u{a0}{high}", number::percent(low))
            }
            Self::Ranged { low, high, .. } => number::interval(low, high.as_deref()),
            _ => String::new(),
        }
    }

    /// Where it leads; nothing for all but links.
    pub fn to(&self) -> &str {
        match self {
            Self::Link { to, .. } => to,
            _ => "",
        }
    }

    /// Its class in the style sheet.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Share(_) | Self::Money(_) | Self::Ranged { .. } => "n",
            Self::Missing(_) => "gone",
            Self::Code(_) => "code",
            Self::Text(_) | Self::Link { .. } | Self::Mark(..) => "",
        }
    }

    /// Its level.
    pub fn level(&self) -> Level {
        match self {
            Self::Mark(level, _) => *level,
            _ => Level::Plain,
        }
    }

    /// Whether it is words alone, without a link.
    pub fn is_mark(&self) -> bool {
        matches!(self, Self::Mark(..))
    }
}

fn dress(value: &str, share: bool) -> String {
    if share {
        number::percent(value)
    } else {
        number::grouped(value)
    }
}

/// A column's head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub title: String,
    /// Its unit, where the name does not say it.
    pub unit: String,
    /// Whether numbers stand in it.
    pub numeric: bool,
}

/// A table that can be downloaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name in addresses, unique on the page.
    pub id: &'static str,
    /// What it shows.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there is no row.
    pub empty: String,
    /// How many rows the page shows, from which one; a download has them all.
    pub window: Option<Window>,
    /// Whether it stays on the page: there is no download of it.
    pub closed: bool,
}

/// The part of a long table that a page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// First row shown, from 0.
    pub from: usize,
    /// Most rows shown.
    pub most: usize,
    /// Where the rows before are, and their words.
    pub before: Option<(String, String)>,
    /// Where the rows behind are, and their words.
    pub behind: Option<(String, String)>,
    /// Which rows of how many, in words.
    pub told: String,
}

impl Table {
    /// An empty table; names of columns that begin with `#` hold numbers.
    pub fn new(id: &'static str, title: String, columns: &[String], empty: String) -> Self {
        let columns = columns.iter().map(|name| {
            let bare = name.strip_prefix('#');
            let (title, unit) = match bare.unwrap_or(name).split_once('|') {
                Some((title, unit)) => (title.to_owned(), unit.to_owned()),
                None => (bare.unwrap_or(name).to_owned(), String::new()),
            };
            Column {
                title,
                unit,
                numeric: bare.is_some(),
            }
        });
        Self {
            id,
            title,
            columns: columns.collect(),
            rows: Vec::new(),
            empty,
            window: None,
            closed: false,
        }
    }

    /// Whether numbers stand in a column.
    pub fn is_numeric(&self, place: &usize) -> bool {
        self.columns
            .get(*place)
            .is_some_and(|column| column.numeric)
    }

    /// The rows that the page shows.
    pub fn shown(&self) -> &[Vec<Cell>] {
        let (from, most) = self
            .window
            .as_ref()
            .map_or((0, usize::MAX), |one| (one.from, one.most));
        let to = from.saturating_add(most).min(self.rows.len());
        self.rows.get(from..to).unwrap_or_default()
    }
}

/// A number that is seen first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The number or word.
    pub value: String,
    /// More about it.
    pub note: String,
    /// How pressing it is.
    pub level: Level,
    /// Where it leads; nothing where nowhere.
    pub to: String,
}

/// A step of a course.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its name.
    pub label: String,
    /// Whether it is past.
    pub done: bool,
    /// Whether it is the one now.
    pub now: bool,
}

/// A number that is chosen by sliding; without script it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slider {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub label: String,
    /// Least.
    pub least: String,
    /// Most.
    pub most: String,
    /// From one to the next.
    pub step: &'static str,
    /// Where it stands.
    pub value: String,
    /// Where it stood before, in words.
    pub note: String,
}

/// Sliders of one form that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sliders {
    /// Where it is sent, from the site's root.
    pub to: String,
    /// The sliders, in groups with their headings.
    pub groups: Vec<(String, Vec<Slider>)>,
    /// The words on its button.
    pub button: String,
    /// The words of the link that puts all back.
    pub back: String,
}

/// A part of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// Sliders.
    Sliders(Sliders),
    /// A paragraph.
    Text(String),
    /// A paragraph that is to be noticed.
    Note(Level, String),
    /// Tiles in a row.
    Tiles(Vec<Tile>),
    /// A course.
    Steps(Vec<Step>),
    /// A table.
    Table(Table),
    /// A chart as SVG, made by [`crate::chart`], and what it shows.
    Chart {
        /// The picture.
        svg: String,
        /// What it shows and how to read it.
        caption: String,
    },
    /// A form.
    Form(Form),
    /// Links to other pages of the site: words, address.
    Links(Vec<(String, String)>),
    /// Sentences below each other.
    List(Vec<String>),
    /// A command line, to be copied.
    Command(String),
}

/// Parts under a heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The heading; nothing for the first part of a page.
    pub title: String,
    /// Its parts.
    pub blocks: Vec<Block>,
}
