//! What a caller may say of an asset: read, checked, normalised.

use std::collections::BTreeMap;

use http::StatusCode;
use kv_schema::asset::Details;
use kv_schema::{Id, category};
use serde::Deserialize;
use store::{Store, document};
use web::Problem;
use web::json::nullable;

/// Characters in a title.
const MOST_TITLE: usize = 200;
/// Characters in an alternative text.
const MOST_ALT: usize = 2_000;
/// Tags on an image.
const MOST_TAGS: usize = 50;
/// Bytes in a tag: in a key each of them may take three.
const MOST_TAG_BYTES: usize = 64;
/// Entries in the metadata.
const MOST_METADATA: usize = 50;
/// Characters in a metadata value.
const MOST_METADATA_VALUE: usize = 1_000;

/// The fields that may come with a new asset or a change. Absent leaves as it is; null clears.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailsInput {
    #[serde(default, deserialize_with = "nullable")]
    pub category: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub title: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub alt: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub tags: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "nullable")]
    pub visibility: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: Option<Option<BTreeMap<String, String>>>,
}

/// Fields that were checked, to be put over what is there.
#[derive(Debug, Default)]
pub struct Changes {
    category: Option<Option<Id>>,
    title: Option<Option<String>>,
    alt: Option<Option<String>>,
    tags: Option<Vec<String>>,
    metadata: Option<BTreeMap<String, String>>,
}

impl DetailsInput {
    /// Checks each field that was given.
    ///
    /// # Errors
    /// `422 field-invalid` with a pointer; `422 category-unknown`; `501 visibility-unsupported`.
    pub async fn check(self, store: &impl Store) -> Result<Changes, Problem> {
        match self.visibility.flatten().as_deref() {
            None | Some("public") => {}
            Some("private") => {
                let detail = "private images are not there yet; only public ones are";
                return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "visibility-unsupported", detail));
            }
            Some(_) => return Err(Problem::field("/visibility", "public or private is expected")),
        }
        let category = match self.category {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) => Some(Some(known_category(store, &text).await?)),
        };
        let read_title = |title: Option<String>| title.map(|text| line("/title", &text, MOST_TITLE)).transpose();
        let read_alt = |alt: Option<String>| alt.map(|text| prose("/alt", &text, MOST_ALT)).transpose();
        Ok(Changes {
            category,
            title: self.title.map(read_title).transpose()?,
            alt: self.alt.map(read_alt).transpose()?,
            tags: self.tags.map(|tags| read_tags(tags.unwrap_or_default())).transpose()?,
            metadata: self.metadata.map(|entries| checked_metadata(entries.unwrap_or_default())).transpose()?,
        })
    }
}

impl Changes {
    /// Puts what was given over what was there.
    pub fn over(&self, mut details: Details) -> Details {
        if let Some(category) = &self.category {
            details.category.clone_from(category);
        }
        if let Some(title) = &self.title {
            details.title.clone_from(title);
        }
        if let Some(alt) = &self.alt {
            details.alt.clone_from(alt);
        }
        if let Some(tags) = &self.tags {
            details.tags.clone_from(tags);
        }
        if let Some(metadata) = &self.metadata {
            details.metadata.clone_from(metadata);
        }
        details
    }
}

async fn known_category(store: &impl Store, text: &str) -> Result<Id, Problem> {
    let unknown = || {
        let mut problem = Problem::field("/category", "no such category");
        problem.code = "category-unknown";
        problem
    };
    let id = Id::parse(text).map_err(|_| unknown())?;
    let found = document::get(store, &category::document(&id)).await?;
    match found {
        Some(found) if found.value.deleted.is_none() => Ok(id),
        _ => Err(unknown()),
    }
}

/// One line of text, trimmed, without control characters.
fn line(pointer: &str, text: &str, most: usize) -> Result<String, Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::field(pointer, "control characters are not taken"));
    }
    prose(pointer, text, most)
}

/// Text, trimmed; line breaks and tabs may be in it.
fn prose(pointer: &str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most {
        return Err(Problem::field(pointer, format!("1 to {most} characters are expected, {length} were given")));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Problem::field(pointer, "control characters are not taken"));
    }
    Ok(text.to_owned())
}

fn read_tags(tags: Vec<String>) -> Result<Vec<String>, Problem> {
    if tags.len() > MOST_TAGS {
        return Err(Problem::field("/tags", format!("at most {MOST_TAGS} tags are taken, {} were given", tags.len())));
    }
    let mut read = Vec::with_capacity(tags.len());
    for (tag_idx, tag) in tags.iter().enumerate() {
        let pointer = format!("/tags/{tag_idx}");
        let tag = line(&pointer, tag, MOST_TAG_BYTES)?.to_lowercase();
        if tag.len() > MOST_TAG_BYTES {
            return Err(Problem::field(&pointer, format!("at most {MOST_TAG_BYTES} bytes are taken")));
        }
        read.push(tag);
    }
    read.sort_unstable();
    read.dedup();
    Ok(read)
}

fn checked_metadata(metadata: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Problem> {
    if metadata.len() > MOST_METADATA {
        return Err(Problem::field("/metadata", format!("at most {MOST_METADATA} entries are taken")));
    }
    for (name, value) in &metadata {
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if !is_name {
            return Err(Problem::field("/metadata", "a name has 1 to 64 letters, digits, dots, dashes or underscores"));
        }
        if value.chars().count() > MOST_METADATA_VALUE || value.chars().any(char::is_control) {
            let detail = format!("at most {MOST_METADATA_VALUE} characters without control characters are taken");
            return Err(Problem::field(&format!("/metadata/{name}"), detail));
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use store::memory::MemoryStore;

    use super::*;

    fn apply(body: &str) -> Result<Details, Problem> {
        let input: DetailsInput = web::json::parse(body.as_bytes())?;
        let changes = block_on(input.check(&MemoryStore::default()))?;
        Ok(changes.over(Details { title: Some("old".to_owned()), ..Details::default() }))
    }

    #[test]
    fn absent_keeps_and_null_clears() {
        assert_eq!(apply("{}").unwrap().title.as_deref(), Some("old"));
        assert_eq!(apply(r#"{"title":null}"#).unwrap().title, None);
        assert_eq!(apply(r#"{"title":" new "}"#).unwrap().title.as_deref(), Some("new"));
    }

    #[test]
    fn normalises_tags() {
        assert_eq!(apply(r#"{"tags":["Red","blue ","red"]}"#).unwrap().tags, ["blue", "red"]);
    }

    #[test]
    fn refuses_with_a_pointer() {
        let long = "x".repeat(10_000);
        let cases = [
            (r#"{"title":""}"#.to_owned(), "field-invalid", "/title"),
            (r#"{"title":"a\u0000b"}"#.to_owned(), "field-invalid", "/title"),
            (format!(r#"{{"title":"{long}"}}"#), "field-invalid", "/title"),
            (r#"{"alt":"a\u0007"}"#.to_owned(), "field-invalid", "/alt"),
            (r#"{"tags":["ok",""]}"#.to_owned(), "field-invalid", "/tags/1"),
            (r#"{"tags":"red"}"#.to_owned(), "field-invalid", "/tags"),
            (r#"{"metadata":{"a b":"c"}}"#.to_owned(), "field-invalid", "/metadata"),
            (r#"{"metadata":{"a":1}}"#.to_owned(), "field-invalid", "/metadata/a"),
            (r#"{"visibility":"secret"}"#.to_owned(), "field-invalid", "/visibility"),
            (r#"{"category":"nope"}"#.to_owned(), "category-unknown", "/category"),
            (r#"{"colour":"red"}"#.to_owned(), "field-unknown", "/colour"),
        ];
        for (body, code, pointer) in cases {
            let problem = apply(&body).unwrap_err();
            assert_eq!((problem.code, problem.errors[0].pointer.as_str()), (code, pointer), "{body}");
        }
        assert_eq!(apply(r#"{"visibility":"private"}"#).unwrap_err().code, "visibility-unsupported");
    }
}
