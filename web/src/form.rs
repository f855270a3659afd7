//! Forms and their fields, as values.

/// A field of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub label: String,
    /// `text` and `password` of up to 200 characters, `search`, `file`, `lines` of up to 4000 characters, or
    /// `hidden` for what is sent along unseen.
    pub kind: &'static str,
    /// What stands in it.
    pub value: String,
    /// For the browser's keeper of passwords.
    pub autocomplete: &'static str,
    /// What may be chosen: values with their words; none for a field that is written in.
    pub choices: Vec<(String, String)>,
}

impl Input {
    /// Something that is sent along unseen.
    pub fn hidden(name: &'static str, value: &str) -> Self {
        Self {
            name,
            label: String::new(),
            kind: "hidden",
            value: value.to_owned(),
            autocomplete: "off",
            choices: Vec::new(),
        }
    }
}

/// A form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    /// `get` or `post`.
    pub method: &'static str,
    /// Where it is sent, from the site's root.
    pub to: String,
    /// Its fields.
    pub inputs: Vec<Input>,
    /// The words on its button.
    pub button: String,
    /// Against forged requests; empty in forms that change nothing.
    pub token: String,
}

impl Form {
    /// Whether it sends files.
    pub fn has_file(&self) -> bool {
        self.inputs.iter().any(|input| input.kind == "file")
    }
}
