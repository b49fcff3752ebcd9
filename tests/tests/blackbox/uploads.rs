//! Uploads: a file as the body, or in a form with what is to be said about it.

use blackbox::multipart::{BOUNDARY, Form};
use blackbox::{App, Source, fixtures, fresh};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_body_becomes_an_image() {
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(64, 48));
    let answer = app.upload(&bytes).expect(202);
    let id = answer.id();
    assert!(answer.must_have("location").ends_with(&format!("/v1/assets/{id}")), "{answer}");
    let asset = app.ready(&id);
    assert_eq!(asset["sha256"], sha256(&bytes), "{asset:#}");
    assert_eq!(asset["bytes"], bytes.len(), "{asset:#}");
    assert_eq!(asset["format"], "jpeg", "{asset:#}");
    assert_eq!((&asset["width"], &asset["height"]), (&json!(64), &json!(48)), "{asset:#}");
    assert_eq!(asset["error"], Value::Null, "{asset:#}");
}

#[test]
fn a_chunked_body_becomes_an_image() {
    let app = App::shared();
    let bytes = fixtures::png(&fixtures::photo(300, 200));
    let call = app.call("POST", "/v1/assets").header("content-type", "image/png").chunked(bytes.clone());
    let asset = app.ready(&call.send().expect(202).id());
    assert_eq!(asset["sha256"], sha256(&bytes), "{asset:#}");
}

#[test]
fn a_form_becomes_an_image_with_all_that_was_said() {
    let app = App::shared();
    let category = app.category(&fresh("form"), None);
    let bytes = fixtures::png(&fixtures::photo(40, 30));
    let tag = fresh("tag");
    let form = Form::new()
        .field("title", "Größe \"42\"")
        .field("alt", "a line\r\n--and another")
        .field("category", &category)
        .field("tags", &format!("{tag}, birds"))
        .field("metadata", &json!({"camera": "old"}).to_string())
        .field("visibility", "public")
        .file("image/jpeg", &bytes);
    let id = form.into(app.call("POST", "/v1/assets")).send().expect(202).id();
    let asset = app.ready(&id);
    assert_eq!(asset["title"], "Größe \"42\"", "{asset:#}");
    assert_eq!(asset["alt"], "a line\r\n--and another", "{asset:#}");
    assert_eq!(asset["format"], "png", "the content counts: {asset:#}");
    assert_eq!(asset["metadata"]["camera"], "old", "{asset:#}");
    assert!(asset["tags"].to_string().contains(&tag), "{asset:#}");
    assert_eq!(asset["sha256"], sha256(&bytes), "{asset:#}");
    app.until_listed(&format!("category={category}"), &[&id]);
}

#[test]
fn a_form_may_name_its_fields_after_the_file_and_hold_what_looks_like_its_boundary() {
    let app = App::shared();
    let mut bytes = fixtures::jpeg(&fixtures::photo(30, 30));
    // After the end of a JPEG anything may follow.
    bytes.extend(format!("\r\n--{}", &BOUNDARY[..BOUNDARY.len() - 1]).as_bytes());
    let form = Form::new().file("image/jpeg", &bytes).field("title", "after");
    let call = form.into(app.call("POST", "/v1/assets"));
    let asset = app.ready(&call.send().expect(202).id());
    assert_eq!(asset["title"], "after", "{asset:#}");
    assert_eq!(asset["sha256"], sha256(&bytes), "{asset:#}");
}

#[test]
fn the_declared_type_is_not_believed() {
    let app = App::shared();
    let photo = fixtures::photo(20, 20);
    for (declared, bytes, format) in [
        ("image/jpeg", fixtures::png(&photo), "png"),
        ("image/svg+xml", fixtures::jpeg(&photo), "jpeg"),
        ("image/gif", fixtures::webp(&photo), "webp"),
        ("image/webp", fixtures::gif(&photo), "gif"),
    ] {
        let call = app.call("POST", "/v1/assets").header("content-type", declared).body(bytes);
        assert_eq!(app.ready(&call.send().expect(202).id())["format"], format);
    }
}

#[test]
fn other_types_of_body_are_refused() {
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    for media_type in ["text/plain", "application/octet-stream", "video/mp4", "image", "nonsense", "multipart/mixed"] {
        let call = app.call("POST", "/v1/assets").header("content-type", media_type).body(bytes.clone());
        call.send().problem(415, "content-type-unsupported");
    }
    // What says nothing of itself is taken for JSON, which a picture is not.
    app.call("POST", "/v1/assets").body(bytes).send().problem(400, "json-invalid");
}

#[test]
fn broken_forms_are_refused() {
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    let post = |media_type: &str, body: Vec<u8>| {
        app.direct("POST", "/v1/assets").header("content-type", media_type).body(body).send()
    };
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let check = |name: &str, media_type: &str, body: Vec<u8>| {
        let answer = post(media_type, body);
        assert!((400..=422).contains(&answer.status), "{name}: {answer}");
        answer.problem(answer.status, answer.json()["code"].as_str().unwrap_or_default());
    };
    check("no boundary", "multipart/form-data", Form::new().file("image/jpeg", &bytes).bytes());
    check("empty boundary", "multipart/form-data; boundary=", Form::new().file("image/jpeg", &bytes).bytes());
    let overlong = format!("multipart/form-data; boundary={}", "b".repeat(5000));
    check("overlong boundary", &overlong, Form::new().file("image/jpeg", &bytes).bytes());
    check("other boundary", "multipart/form-data; boundary=other", Form::new().file("image/jpeg", &bytes).bytes());
    check("empty body", &media_type, Vec::new());
    check("no parts", &media_type, Form::new().bytes());
    check("no file", &media_type, Form::new().field("title", "x").bytes());
    check("unclosed", &media_type, Form::new().file("image/jpeg", &bytes).unclosed());
    check("nameless part", &media_type, Form::new().part("content-disposition: form-data", b"x").bytes());
    check("part without a head", &media_type, Form::new().part("", b"x").bytes());
    let endless_head = format!("x-long: {}", "y".repeat(200_000));
    check("endless head", &media_type, Form::new().part(&endless_head, b"x").bytes());
    check("two files", &media_type, Form::new().file("image/jpeg", &bytes).file("image/png", &bytes).bytes());
    check(
        "title twice",
        &media_type,
        Form::new().field("title", "a").field("title", "b").file("image/png", &bytes).bytes(),
    );
    check(
        "a megabyte of title",
        &media_type,
        Form::new().field("title", &"t".repeat(1 << 20)).file("image/png", &bytes).bytes(),
    );
    let many = (0..5000).fold(Form::new(), |form, n| form.field(&format!("f{n}"), "v"));
    check("thousands of parts", &media_type, many.file("image/png", &bytes).bytes());
    let latin1 =
        Form::new().part("content-disposition: form-data; name=\"title\"", b"\xE4\xFF").file("image/png", &bytes);
    check("title that is not UTF-8", &media_type, latin1.bytes());
}

#[test]
fn fields_of_a_form_obey_the_same_rules() {
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    let with = |name: &str, value: &str| app.upload_with(&[(name, value)], &bytes);
    with("colour", "red").field("field-unknown", "/colour");
    with("title", &"t".repeat(10 * 1024)).field("field-invalid", "/title");
    with("title", "a\u{0}b").field("field-invalid", "/title");
    with("category", "01h00000000000000000000000").problem(422, "category-unknown");
    with("visibility", "private").problem(501, "visibility-unsupported");
    with("visibility", "secret").field("field-invalid", "/visibility");
    with("metadata", "{").problem(422, "field-invalid");
    let both = Form::new().field("source_url", "http://example.org/a.jpg").file("image/jpeg", &bytes);
    let answer = both.into(app.call("POST", "/v1/assets")).send();
    assert_eq!(answer.status, 422, "{answer}");
}

#[test]
fn an_upload_over_the_limit_is_refused_with_and_without_its_length() {
    let app = App::small();
    let bytes = [fixtures::jpeg(&fixtures::photo(20, 20)), vec![0; 200_000]].concat();
    let call = || app.direct("POST", "/v1/assets").header("content-type", "image/jpeg");
    call().body(bytes.clone()).send().over_limit(413, "body-too-large", 200_000, Some(bytes.len() as u64));
    call().chunked(bytes.clone()).send().over_limit(413, "body-too-large", 200_000, None);
    call().declared(90_000_000_000, bytes.clone()).send().problem(413, "body-too-large");
    let form = Form::new().file("image/jpeg", &bytes);
    form.into(app.direct("POST", "/v1/assets")).send().over_limit(413, "body-too-large", 200_000, None);
}

#[test]
fn an_upload_at_the_limit_is_taken() {
    let app = App::small();
    let mut bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    bytes.resize(200_000, 0);
    let call = app.call("POST", "/v1/assets").header("content-type", "image/jpeg").chunked(bytes);
    app.ready(&call.send().expect(202).id());
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    use std::io::Write;
    let app = App::shared();
    let category = app.category(&fresh("broken off"), None);
    let body = Form::new().field("category", &category).file("image/jpeg", &[7; 50_000]).bytes();
    let mut connection = std::net::TcpStream::connect(app.address()).expect("the app listens");
    let head = format!(
        "POST /v1/assets HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).expect("the app reads");
    connection.write_all(&body[..body.len() / 2]).expect("the app reads");
    drop(connection);
    // Whatever the app made of it would be in the category by the time that a later image is.
    let later = app.image_with(&[("category", &category)], &fixtures::jpeg(&fixtures::photo(20, 20)));
    app.until_listed(&format!("category={category}"), &[&later]);
    app.get("/healthz").expect(200);
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked() {
    use std::io::{BufRead, BufReader, Write};
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    let mut connection = std::net::TcpStream::connect(app.address()).expect("the app listens");
    let mut reader = BufReader::new(connection.try_clone().expect("a socket can be shared"));
    let head = format!(
        "POST /v1/assets HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: image/jpeg\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        bytes.len()
    );
    connection.write_all(head.as_bytes()).expect("the app reads");
    let mut line = String::new();
    reader.read_line(&mut line).expect("the app answers");
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    reader.read_line(&mut String::new()).expect("the app answers");
    connection.write_all(&bytes).expect("the app reads");
    line.clear();
    reader.read_line(&mut line).expect("the app answers");
    assert!(line.starts_with("HTTP/1.1 202"), "{line}");
}

#[test]
fn large_uploads_are_taken_whole() {
    let app = App::shared();
    let bytes = fixtures::png(&noise(1500, 1200));
    assert!(bytes.len() > 5_000_000, "{}", bytes.len());
    let asset = app.ready(&app.upload(&bytes).expect(202).id());
    assert_eq!(asset["sha256"], sha256(&bytes), "{asset:#}");
    // And so are large downloads.
    let other = fixtures::png(&noise(1400, 1200));
    let asset = app.ready(&app.ingest(&Source::here().serve(other.clone()).url));
    assert_eq!(asset["sha256"], sha256(&other), "{asset:#}");
}

/// Pixels that do not compress.
fn noise(width: u32, height: u32) -> image::RgbImage {
    let mut state = u64::from(width) << 32 | u64::from(height);
    image::RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [.., r, g, b] = state.to_be_bytes().map(|byte| byte ^ (state >> 41) as u8);
        image::Rgb([r, g, b])
    })
}
