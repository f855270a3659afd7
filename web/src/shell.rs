//! The page around its parts: head, way through the site, who is signed in, language, footer.

use askama::Template;

use crate::block::{Block, Section};
use crate::language::Language;
use crate::script;
use crate::style;

/// A page as a whole.
#[derive(Debug)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Where it stands: words and address of the pages above it.
    pub above: Vec<(String, String)>,
    /// One sentence below the title; nothing where it needs none.
    pub lead: String,
    /// Its parts.
    pub sections: Vec<Section>,
    /// What its figures were computed from, for the footer of the page and of downloads.
    pub sources: Vec<(String, String)>,
    /// Where its progress is told, from the site's root; nothing where it does not change by itself.
    pub live: String,
    /// Whether it is asked for again by itself after two seconds, until what it tells of has ended.
    pub again: bool,
}

/// What stands around every page.
#[derive(Debug)]
pub struct Frame {
    /// The language.
    pub language: Language,
    /// Whose site it is.
    pub site: String,
    /// The pages that lead everywhere: words, address, whether this page is below it.
    pub ways: Vec<(String, String, bool)>,
    /// Who is signed in and as what; nothing before.
    pub visitor: Option<String>,
    /// For the form that signs out.
    pub token: String,
    /// The page's own address with what was asked for, but the language: ends in `?` or `&`.
    pub here: String,
    /// When it was made.
    pub made: String,
    /// Name and version of the program.
    pub program: String,
    /// What is exact on its pages and what is not, for the footer.
    pub foot: String,
}

#[derive(Template)]
#[template(path = "shell.html")]
struct Shell<'a> {
    page: &'a Page,
    frame: &'a Frame,
    style: &'static str,
    charts: &'static str,
    helps: &'static str,
}

/// The page could not be rendered.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be rendered")]
pub struct NotRendered;

impl Page {
    /// A page without parts.
    pub fn new(title: String, lead: String) -> Self {
        Self {
            title,
            above: Vec::new(),
            lead,
            sections: Vec::new(),
            sources: Vec::new(),
            live: String::new(),
            again: false,
        }
    }

    /// Adds parts under a heading.
    pub fn add(&mut self, title: String, blocks: Vec<Block>) {
        self.sections.push(Section { title, blocks });
    }

    /// The page as HTML.
    pub fn html(&self, frame: &Frame) -> Result<String, NotRendered> {
        let shell = Shell {
            page: self,
            frame,
            style: style::address(),
            charts: script::charts().filter(|_| self.has_chart()).unwrap_or(""),
            helps: script::helps(),
        };
        shell.render().map_err(|_| NotRendered)
    }

    /// Whether a chart is on it.
    pub fn has_chart(&self) -> bool {
        let mut blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.any(|block| matches!(block, Block::Chart { .. }))
    }

    /// A table of the page by its name in addresses.
    pub fn table(&self, id: &str) -> Option<&crate::block::Table> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let mut tables = blocks.filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        });
        tables.find(|table| table.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Cell, Form, Input, Level, Step, Table, Tile};

    const EVIL: &str = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>";

    fn frame() -> Frame {
        Frame {
            language: Language::English,
            site: EVIL.to_owned(),
            ways: vec![(EVIL.to_owned(), "/a".to_owned(), true)],
            visitor: Some(EVIL.to_owned()),
            token: EVIL.to_owned(),
            here: EVIL.to_owned(),
            made: EVIL.to_owned(),
            program: EVIL.to_owned(),
            foot: EVIL.to_owned(),
        }
    }

    /// A hostile text in every place of every part stays text.
    #[test]
    fn nothing_that_is_shown_is_markup() {
        let evil = || EVIL.to_owned();
        let mut page = Page::new(evil(), evil());
        page.above = vec![(evil(), evil())];
        page.sources = vec![(evil(), evil())];
        let mut table = Table::new("t", evil(), &[evil(), format!("#{EVIL}|{EVIL}")], evil());
        table.rows = vec![
            vec![
                Cell::Text(evil()),
                Cell::Link {
                    text: evil(),
                    to: evil(),
                },
            ],
            vec![Cell::Missing(evil()), Cell::Mark(Level::Alarm, evil())],
            vec![Cell::Code(evil()), Cell::Number(evil())],
        ];
        let input = Input {
            name: "n",
            label: evil(),
            kind: "text",
            value: evil(),
            autocomplete: "off",
            choices: vec![(evil(), evil())],
        };
        let form = Form {
            method: "get",
            to: evil(),
            inputs: vec![input],
            button: evil(),
            token: evil(),
        };
        let tile = Tile {
            label: evil(),
            value: evil(),
            note: evil(),
            level: Level::Good,
            to: evil(),
        };
        page.add(
            evil(),
            vec![
                Block::Text(evil()),
                Block::Note(Level::Warning, evil()),
                Block::Tiles(vec![tile]),
                Block::Steps(vec![Step {
                    label: evil(),
                    done: true,
                    now: false,
                }]),
                Block::Table(Table {
                    rows: Vec::new(),
                    ..table.clone()
                }),
                Block::Table(table),
                Block::Chart {
                    svg: crate::chart::bars(EVIL, &[]),
                    caption: evil(),
                },
                Block::Form(form),
                Block::Links(vec![(evil(), evil())]),
                Block::List(vec![evil()]),
            ],
        );
        let html = page.html(&frame()).unwrap();
        // The page's own scripts, of this site and nothing in them.
        let own = [script::charts(), Some(script::helps())];
        let html = own.into_iter().flatten().fold(html, |html, address| {
            let tag = format!(r#"<script src="{address}" defer></script>"#);
            assert_eq!(html.matches(&tag).count(), 1, "{tag}");
            html.replace(&tag, "")
        });
        for bad in ["<img", "<script", "alert(1)>", "\"'>", "'><"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("&#60;img") || html.contains("&lt;img"));
        assert!(page.table("t").is_some() && page.table("u").is_none());
    }
}
