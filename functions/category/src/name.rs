//! Names of categories, and the slugs made of them.

use web::Problem;

/// Characters in a name.
const MOST_NAME: usize = 100;

/// Characters in a description.
const MOST_DESCRIPTION: usize = 2_000;

/// Bytes in a slug: in a key each may take three.
const MOST_SLUG_BYTES: usize = 64;

/// A name that was checked, and its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryName {
    /// As its author wrote it, trimmed.
    pub name: String,
    /// Lower-case letters and digits, what is between them become hyphens.
    pub slug: String,
}

impl CategoryName {
    /// Reads a name.
    ///
    /// # Errors
    /// `422 field-invalid`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 || length > MOST_NAME {
            let detail = format!("1 to {MOST_NAME} characters are expected, {length} were given");
            return Err(Problem::field("/name", detail));
        }
        if name.chars().any(char::is_control) {
            return Err(Problem::field("/name", "control characters are not taken"));
        }
        let slug = slug(name);
        if slug.is_empty() {
            return Err(Problem::field("/name", "a letter or a digit is expected"));
        }
        Ok(Self { name: name.to_owned(), slug })
    }
}

fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            if slug.len() + character.len_utf8() > MOST_SLUG_BYTES {
                break;
            }
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Reads a description.
///
/// # Errors
/// `422 field-invalid`.
pub fn description(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if length > MOST_DESCRIPTION {
        let detail = format!("at most {MOST_DESCRIPTION} characters are expected, {length} were given");
        return Err(Problem::field("/description", detail));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Problem::field("/description", "control characters are not taken"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_slugs() {
        let long = "é".repeat(100);
        let cases = [
            ("Shoes & Boots", "shoes-boots"),
            ("  --Über  uns!-- ", "über-uns"),
            ("日本", "日本"),
            ("A/B?c#d", "a-b-c-d"),
            (long.as_str(), &"é".repeat(32)),
        ];
        for (name, expected) in cases {
            assert_eq!(CategoryName::parse(name).unwrap().slug, expected, "{name}");
        }
    }

    #[test]
    fn refuses_names_that_are_none() {
        for name in ["", "   ", "!!!", "a\u{0}b", "a\nb", &"x".repeat(10_000)] {
            assert_eq!(CategoryName::parse(name).unwrap_err().code, "field-invalid", "{name:?}");
        }
    }
}
