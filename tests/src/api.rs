//! The steps that most tests take before their own begins.

use serde_json::{Value, json};

use crate::multipart::Form;
use crate::{Answer, App, poll};

/// States that an asset stays in.
const SETTLED: [&str; 2] = ["ready", "failed"];

impl App {
    /// Makes a category, below `parent` if there is one, and returns its id.
    #[track_caller]
    pub fn category(&self, name: &str, parent: Option<&str>) -> String {
        let body = match parent {
            Some(parent) => json!({"name": name, "parent": parent}),
            None => json!({"name": name}),
        };
        self.post("/v1/categories", &body).expect(201).id()
    }

    /// Sends a file as the body, as a type that should not be believed.
    #[track_caller]
    pub fn upload(&self, bytes: &[u8]) -> Answer {
        self.call("POST", "/v1/assets").header("content-type", "image/x-whatever").body(bytes).send()
    }

    /// Sends a file in a form, with these fields.
    #[track_caller]
    pub fn upload_with(&self, fields: &[(&str, &str)], bytes: &[u8]) -> Answer {
        let form = fields.iter().fold(Form::new(), |form, (name, value)| form.field(name, value));
        form.file("image/jpeg", bytes).into(self.call("POST", "/v1/assets")).send()
    }

    /// Asks for a download and returns the asset's id.
    #[track_caller]
    pub fn ingest(&self, url: &str) -> String {
        self.post("/v1/assets", &json!({"source_url": url})).expect(202).id()
    }

    /// The document of an asset.
    #[track_caller]
    pub fn asset(&self, id: &str) -> Value {
        self.get(&format!("/v1/assets/{id}")).expect(200).json()
    }

    /// The document of an asset that has become ready or failed.
    #[track_caller]
    pub fn settled(&self, id: &str) -> Value {
        let mut last = Value::Null;
        poll::until(&format!("asset {id} settles"), || {
            last = self.asset(id);
            SETTLED.contains(&last["state"].as_str()?).then_some(())
        });
        last
    }

    /// The document of an asset that has become ready, once its image can be seen.
    #[track_caller]
    pub fn ready(&self, id: &str) -> Value {
        let asset = self.settled(id);
        assert_eq!(asset["state"], "ready", "{asset:#}");
        poll::until(&format!("image {id} appears"), || {
            (self.get(&format!("/v1/images/{id}")).status == 200).then_some(())
        });
        asset
    }

    /// Uploads a picture, waits until it can be seen, and returns its id.
    #[track_caller]
    pub fn image(&self, bytes: &[u8]) -> String {
        let id = self.upload(bytes).expect(202).id();
        self.ready(&id);
        id
    }

    /// [`App::image`] with fields.
    #[track_caller]
    pub fn image_with(&self, fields: &[(&str, &str)], bytes: &[u8]) -> String {
        let id = self.upload_with(fields, bytes).expect(202).id();
        self.ready(&id);
        id
    }

    /// The code that an asset failed with.
    #[track_caller]
    pub fn failure(&self, id: &str) -> String {
        let asset = self.settled(id);
        assert_eq!(asset["state"], "failed", "{asset:#}");
        let error = &asset["error"];
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{asset:#}");
        error["code"].as_str().unwrap_or_else(|| panic!("no code in {asset:#}")).to_owned()
    }

    /// Checks that nothing of an asset can be seen.
    #[track_caller]
    pub fn shows_nothing_of(&self, id: &str) {
        self.get(&format!("/v1/images/{id}")).problem(404, "image-not-found");
        self.get(&format!("/i/{id}/original")).problem(404, "image-not-found");
        self.get(&format!("/i/{id}/thumb")).problem(404, "image-not-found");
    }

    /// A picture in some size.
    #[track_caller]
    pub fn delivered(&self, id: &str, transform: &str) -> Answer {
        self.get(&format!("/i/{id}/{transform}"))
    }

    /// The ids on every page of a listing of images, in order.
    #[track_caller]
    pub fn listed(&self, query: &str) -> Vec<String> {
        self.pages(&format!("/v1/images?{query}")).concat()
    }

    /// The ids of a list, page by page.
    #[track_caller]
    pub fn pages(&self, target: &str) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut next = target.to_owned();
        loop {
            let page = self.get(&next).expect(200).json();
            pages.push(ids(&page));
            let Some(cursor) = page["next_cursor"].as_str() else { return pages };
            assert!(pages.len() < 1000, "{target} never ends");
            let separator = if target.contains('?') { '&' } else { '?' };
            next = format!("{target}{separator}cursor={cursor}");
        }
    }

    /// Waits until a listing holds exactly these ids, in any order.
    #[track_caller]
    pub fn until_listed(&self, query: &str, expected: &[&str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let mut found = Vec::new();
        poll::until(&format!("{query} lists {expected:?}"), || {
            found = self.listed(query);
            found.sort_unstable();
            (found == expected).then_some(())
        });
    }

    /// A number from the statistics, by its path of names.
    #[track_caller]
    pub fn stat(&self, pointer: &str) -> u64 {
        let stats = self.get("/v1/stats").expect(200).json();
        stats.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {pointer} in {stats:#}"))
    }
}

/// The ids of a page's items.
#[track_caller]
pub fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap_or_else(|| panic!("no items in {page:#}"));
    items.iter().map(|item| item["id"].as_str().unwrap_or_else(|| panic!("no id in {item:#}")).to_owned()).collect()
}

impl Answer {
    /// The id in the document.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id in {self}")).to_owned()
    }
}
