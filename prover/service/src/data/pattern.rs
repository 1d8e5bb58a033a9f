//! Paths of the list: `*` stands for one part of a path, whatever it is, `**` at the end for any rest of one or more parts.
use std::str::FromStr;

use thiserror::Error;

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    parts: Vec<Part>,
    rest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    This(String),
    Any,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a path of parts, of which some are * and the last may be **")]
pub struct BadPattern(String);

impl FromStr for PathPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern(text.into());
        let mut parts: Vec<&str> = text.strip_prefix('/').ok_or_else(bad)?.split('/').collect();
        let rest = parts.last() == Some(&"**");
        if rest {
            parts.pop();
        }
        let part = |part: &str| match part {
            "*" => Ok(Part::Any),
            part if part.contains(['*', '?', '#', '\\']) => Err(bad()),
            part => Ok(Part::This(part.into())),
        };
        Ok(Self { parts: parts.into_iter().map(part).collect::<Result<_, _>>()?, rest })
    }
}

impl PathPattern {
    /// Whether a path is of this pattern. No part that stands for another may be empty.
    pub fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else { return false };
        let mut parts = path.split('/');
        let fits = |part: &Part, found: &str| match part {
            Part::This(text) => text == found,
            Part::Any => !found.is_empty(),
        };
        if !self.parts.iter().all(|part| parts.next().is_some_and(|found| fits(part, found))) {
            return false;
        }
        match (self.rest, parts.next()) {
            (false, next) => next.is_none(),
            (true, next) => next.is_some_and(|first| !first.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<PathPattern>().unwrap().matches(path)
    }

    #[test]
    fn a_part_is_one_part() {
        assert!(matches("/", "/") && matches("/a/b", "/a/b") && matches("/a/*", "/a/b") && matches("/*/b", "/a/b"));
        assert!(matches("/a/**", "/a/b") && matches("/a/**", "/a/b/c") && matches("/**", "/a"));
        for (pattern, path) in [
            ("/", "/a"),
            ("/a", "/a/"),
            ("/a", "/A"),
            ("/a", "/ab"),
            ("/a/*", "/a"),
            ("/a/*", "/a/"),
            ("/a/*", "/a/b/c"),
            ("/a/**", "/a"),
            ("/a/**", "/a/"),
            ("/**", "/"),
            ("/a", "a"),
            ("/a", ""),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        for bad in ["", "a", "/a*", "/**/a", "/a?b", "/***", "/a\\b"] {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_of_texts_is_that_path_alone(path in "(/[a-z]{0,3}){1,4}", other in "(/[a-z]{0,3}){1,4}") {
            prop_assert!(matches(&path, &path));
            prop_assert_eq!(matches(&path, &other), path == other);
        }

        #[test]
        fn any_part_stands_for_what_is_there(parts in proptest::collection::vec("[a-z]{1,3}", 1..5), at in 0usize..5) {
            let at = at % parts.len();
            let path: String = parts.iter().map(|part| format!("/{part}")).collect();
            let pattern: String = parts.iter().enumerate().map(|(i, part)| if i == at { "/*".into() } else { format!("/{part}") }).collect();
            prop_assert!(matches(&pattern, &path));
            let other: String = parts.iter().enumerate().map(|(i, part)| if i == at { "/zzzz".into() } else { format!("/{part}") }).collect();
            prop_assert!(matches(&pattern, &other));
            let longer = format!("{path}/more");
            prop_assert!(!matches(&pattern, &longer));
        }

        #[test]
        fn any_text_is_a_pattern_or_none(text in "\\PC{0,20}", path in "\\PC{0,20}") {
            if let Ok(pattern) = text.parse::<PathPattern>() {
                pattern.matches(&path);
            }
        }
    }
}
