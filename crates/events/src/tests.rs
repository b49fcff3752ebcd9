//! What the table of events says, and that documents and code say the same.

use kv_schema::Id;
use kv_schema::asset::State;
use kv_schema::content::BlobId;
use serde_json::Value;

use super::*;

const DOCUMENT: &str = include_str!("../../../docs/events.md");
const ASYNC_API: &str = include_str!("../../../docs/events.asyncapi.yaml");

/// One event of each kind, with every field that it can have.
fn samples() -> Vec<Event> {
    let parent = Id::from_parts(1, 1);
    let category = Category {
        name: "Cats".to_owned(),
        slug: "cats".to_owned(),
        parent: Some(parent.clone()),
        reassigned_to: None,
    };
    let deleted = Category { reassigned_to: Some(parent.clone()), ..category.clone() };
    let asset = |state| Asset {
        state,
        category: Some(parent.clone()),
        sha256: Some("ab".repeat(32)),
        bytes: Some(1_000),
        width: Some(640),
        height: Some(480),
        format: Some("image/jpeg".to_owned()),
        failure: None,
    };
    let failure = Failure { code: "image-corrupt".to_owned(), detail: "it can't be decoded".to_owned() };
    let blob = BlobId { sha256: "ab".repeat(32), generation: 2 };
    let variant = Variant::at_ingest(&Id::from_parts(5, 5), &blob, vec!["w=320".to_owned()]);
    let all = [
        Data::CategoryCreated(category.clone()),
        Data::CategoryRenamed(category.clone()),
        Data::CategoryMoved(category),
        Data::CategoryDeleted(deleted),
        Data::AssetAccepted(Asset { state: State::Accepted, ..Asset::default_for_tests() }),
        Data::AssetStored(asset(State::Processing)),
        Data::AssetReady(asset(State::Ready)),
        Data::AssetFailed(Asset { failure: Some(failure), ..asset(State::Failed) }),
        Data::AssetUpdated(asset(State::Ready)),
        Data::AssetDeleted(asset(State::Ready)),
        Data::VariantReady(variant),
    ];
    let event = |data| Event {
        subject: Id::from_parts(7, 7).to_string(),
        sequence: 42,
        time: 1_800_000_000_123,
        trace: Trace::begin(3, 4),
        data,
    };
    all.into_iter().map(event).collect()
}

impl Asset {
    fn default_for_tests() -> Self {
        Self {
            state: State::Accepted,
            category: None,
            sha256: None,
            bytes: None,
            width: None,
            height: None,
            format: None,
            failure: None,
        }
    }
}

#[test]
fn there_is_a_sample_of_each_kind() {
    let names: Vec<&str> = samples().iter().map(Event::name).collect();
    assert_eq!(names, Data::NAMES);
}

#[test]
fn an_event_is_read_as_it_was_sent() {
    for event in samples() {
        assert_eq!(Event::parse(&event.to_json()).unwrap(), event, "{}", event.name());
    }
}

#[test]
fn an_event_is_a_cloud_event() {
    let json: Value = serde_json::from_slice(&samples()[6].to_json()).unwrap();
    for (field, expected) in [
        ("specversion", "1.0"),
        ("id", "asset.ready:00000000070000000000000007:42"),
        ("source", "/scalehoster/ingest"),
        ("type", "scalehoster.asset.ready.v1"),
        ("subject", "00000000070000000000000007"),
        ("time", "2027-01-15T08:00:00.123Z"),
        ("datacontenttype", "application/json"),
        ("sequence", "00000000000000000042"),
        ("traceparent", "00-00000000000000000000000000000003-0000000000000004-00"),
    ] {
        assert_eq!(json[field], expected, "{field}");
    }
    assert_eq!(json["data"]["state"], "ready");
}

#[test]
fn what_is_no_event_is_refused() {
    let good: Value = serde_json::from_slice(&samples()[0].to_json()).unwrap();
    for (field, bad) in [
        ("specversion", "2.0"),
        ("type", "scalehoster.category.created.v2"),
        ("type", "scalehoster.category.painted.v1"),
        ("time", "yesterday"),
        ("sequence", "first"),
        ("traceparent", "00-0-0-0"),
        ("data", "Cats"),
    ] {
        let mut json = good.clone();
        json[field] = bad.into();
        assert!(Event::parse(json.to_string().as_bytes()).is_err(), "{field} {bad}");
    }
    for bytes in [&b""[..], b"ding", b"{}", b"\xff", b"[1]"] {
        assert!(Event::parse(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn fields_that_are_not_known_are_left_aside() {
    let mut json: Value = serde_json::from_slice(&samples()[0].to_json()).unwrap();
    json["dataschema"] = "https://example.com/".into();
    json["data"]["color"] = "red".into();
    assert_eq!(Event::parse(json.to_string().as_bytes()).unwrap(), samples()[0]);
}

#[test]
fn each_event_wakes_those_who_have_work_of_it() {
    use Context::{Ingest, Resize, Retrieve};
    for event in samples() {
        let expected: &[Context] = match event.name() {
            "asset.accepted" => &[Ingest],
            "asset.stored" => &[Resize],
            "asset.updated" | "variant.ready" | "category.moved" | "category.deleted" => &[Retrieve],
            "asset.deleted" => &[Retrieve, Ingest],
            _ => &[],
        };
        assert_eq!(event.gives_work_to(), expected, "{}", event.name());
    }
    let blob = BlobId { sha256: "ab".repeat(32), generation: 0 };
    let asked_for = Variant::on_request(&blob, "w=1".to_owned());
    let event = Event { subject: asked_for.subject(), data: Data::VariantReady(asked_for), ..samples().remove(0) };
    assert_eq!(event.gives_work_to(), []);
}

#[test]
fn both_documents_have_every_event_channel_and_field() {
    let fields = |event: &Event| {
        let json: Value = serde_json::from_slice(&event.to_json()).unwrap();
        let of = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        [of(&json), of(&json["data"])].concat()
    };
    for event in samples() {
        let type_name = event.type_name();
        assert!(DOCUMENT.contains(&format!("`{type_name}`")), "{type_name} is not in events.md");
        assert!(ASYNC_API.contains(&format!("const: {type_name}\n")), "{type_name} is not in events.asyncapi.yaml");
        for field in fields(&event) {
            assert!(DOCUMENT.contains(&format!("`{field}`")), "{type_name}: {field} is not in events.md");
            assert!(ASYNC_API.contains(&format!("{field}:\n")), "{type_name}: {field} is not in events.asyncapi.yaml");
        }
        for channel in [event.channel()].into_iter().chain(event.gives_work_to().iter().map(|context| context.bell())) {
            assert!(DOCUMENT.contains(&format!("`{channel}`")), "{channel} is not in events.md");
            assert!(ASYNC_API.contains(&format!("address: {channel}\n")), "{channel} is not in events.asyncapi.yaml");
        }
    }
}

#[test]
fn a_sample_has_the_fields_that_the_document_requires() {
    for event in samples() {
        let json: Value = serde_json::from_slice(&event.to_json()).unwrap();
        let schema = match event.data.aggregate() {
            Aggregate::Category => "CategoryData",
            Aggregate::Asset => "AssetData",
            Aggregate::Variant => "VariantData",
        };
        for (schema, value) in [("Envelope", &json), (schema, &json["data"])] {
            for field in required(schema) {
                assert!(value.get(&field).is_some(), "{}: {schema} requires {field}", event.name());
            }
        }
    }
}

/// What a schema of the document requires. Schemas write it on one line: `required: [a, b]`.
fn required(schema: &str) -> Vec<String> {
    let (_, after) = ASYNC_API.split_once(&format!("    {schema}:\n")).expect("the schema is there");
    let (_, after) = after.split_once("required: [").expect("it requires something");
    let (list, _) = after.split_once(']').expect("the list ends");
    list.split(',').map(|field| field.trim().to_owned()).collect()
}
