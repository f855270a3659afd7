//! The two languages, and the words of pages in them: files of the same keys for each.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A language that pages are written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Language {
    /// zh-CN.
    Chinese,
    /// en.
    English,
}

/// The words of all sites, of a hospital's and of an insurer's.
const CHINESE: [&str; 3] = [
    include_str!("../messages/zh-CN.toml"),
    include_str!("../messages/node.zh-CN.toml"),
    include_str!("../messages/insurer.zh-CN.toml"),
];
const ENGLISH: [&str; 3] = [
    include_str!("../messages/en.toml"),
    include_str!("../messages/node.en.toml"),
    include_str!("../messages/insurer.en.toml"),
];

type Words = BTreeMap<String, String>;

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// As HTML, cookies and addresses name it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The language of a tag, if it is one of these two.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.tag() == tag)
    }

    /// The first of a browser's `Accept-Language` that there is; Chinese where there is none.
    pub fn accepted(header: &str) -> Self {
        let tags = header.split(',').map(|one| {
            let tag = one.split(';').next().unwrap_or_default();
            tag.trim().to_ascii_lowercase()
        });
        let mut known = tags.filter_map(|tag| match tag.split('-').next() {
            Some("zh") => Some(Self::Chinese),
            Some("en") => Some(Self::English),
            _ => None,
        });
        known.next().unwrap_or(Self::Chinese)
    }

    /// One of two texts.
    pub fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    fn words(self) -> &'static Words {
        static READ: OnceLock<[Words; 2]> = OnceLock::new();
        // Both files are read by the tests: a broken one is empty here and shows its keys.
        let [chinese, english] = READ.get_or_init(|| {
            [CHINESE, ENGLISH].map(|files| toml::from_str(&files.concat()).unwrap_or_default())
        });
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The words of a key. A key that nobody wrote shows itself in ⟦ ⟧, which the browser test finds.
    pub fn say(self, key: &str) -> String {
        match self.words().get(key) {
            Some(text) => text.clone(),
            None => format!("⟦{key}⟧"),
        }
    }

    /// The words of a key, `{name}` replaced by each given text.
    pub fn tell(self, key: &str, named: &[(&str, &str)]) -> String {
        let text = self.say(key);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        // One pass: what stands in a given text is never replaced itself.
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            let found = named.iter().find(|(known, _)| *known == name);
            out.push_str(found.map_or("", |(_, value)| value));
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Whether there are words for a key.
    pub fn knows(self, key: &str) -> bool {
        self.words().contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|part| part.split_once('}').map(|(name, _)| name))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        let read = |files: [&str; 3]| toml::from_str::<Words>(&files.concat()).unwrap();
        let (chinese, english) = (read(CHINESE), read(ENGLISH));
        let keys = |words: &Words| words.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&chinese), keys(&english));
        assert!(chinese.len() > 100, "{}", chinese.len());
        for (key, text) in &chinese {
            let other = &english[key];
            assert_eq!(places(text), places(other), "{key}");
            assert!(!text.trim().is_empty() && !other.trim().is_empty(), "{key}");
            // Chinese words in the Chinese file, none in the other; names of figures like CMI are both.
            assert!(
                key == "tongue" || !other.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)),
                "{key}"
            );
        }
    }

    #[test]
    fn what_is_given_is_never_replaced_itself() {
        let told = Language::English.tell("log-sound", &[("entries", "{head}"), ("head", "x")]);
        assert!(told.contains("{head}"), "{told}");
        assert_eq!(Language::English.say("no-such-key"), "⟦no-such-key⟧");
    }

    #[test]
    fn browsers_say_what_they_like_to_read() {
        for (header, language) in [
            ("en-GB,en;q=0.9,zh;q=0.2", Language::English),
            ("zh-TW", Language::Chinese),
            ("fr, en;q=0.1", Language::English),
            ("", Language::Chinese),
            ("de", Language::Chinese),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
