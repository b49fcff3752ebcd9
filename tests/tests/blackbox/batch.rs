//! Many assets in one request: a line each, and each line's fate its own.

use blackbox::{Answer, App, Source, fixtures, fresh};
use serde_json::{Value, json};

fn post(body: impl Into<Vec<u8>>) -> Answer {
    App::shared().direct("POST", "/v1/assets/batch").header("content-type", "application/x-ndjson").body(body).send()
}

fn line(value: Value) -> String {
    value.to_string() + "\n"
}

/// The id in a line of the answer, wherever it stands.
fn id(line: &Value) -> Option<&str> {
    line["id"].as_str().or_else(|| line["asset"]["id"].as_str())
}

/// The code in a line of the answer, wherever it stands.
fn code(line: &Value) -> Option<&str> {
    line["code"].as_str().or_else(|| line["error"]["code"].as_str()).or_else(|| line["problem"]["code"].as_str())
}

#[test]
fn every_line_has_its_own_fate() {
    let app = App::shared();
    let tag = fresh("batch");
    let good = |title: &str| {
        let url = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20))).url;
        line(json!({"source_url": url, "title": title, "tags": [tag]}))
    };
    let lines = [
        (good("first"), None),
        ("{\"source_url\":\n".to_owned(), Some("json-invalid")),
        (line(json!({"source_url": "http://127.0.0.1/x.jpg", "colour": 1})), Some("field-unknown")),
        (line(json!({"title": "no source"})), Some("field-invalid")),
        (good("second"), None),
        (line(json!({"source_url": "http://u:p@127.0.0.1/x"})), Some("source-forbidden")),
        (
            line(json!({"source_url": "http://127.0.0.1/x", "category": "01h00000000000000000000000"})),
            Some("category-unknown"),
        ),
        (line(json!([1])), Some("field-invalid")),
        ("nonsense\n".to_owned(), Some("json-invalid")),
        // The last line may end without a break.
        (good("third").trim_end().to_owned(), None),
    ];
    let body: String = lines.iter().map(|(line, _)| line.as_str()).collect();
    let answer = post(body).expect(200);
    assert!(answer.must_have("content-type").starts_with("application/x-ndjson"), "{answer}");
    let answers = answer.json_lines();
    assert_eq!(answers.len(), lines.len(), "{answer}");
    let mut ids = Vec::new();
    for ((sent, expected), found) in lines.iter().zip(&answers) {
        match expected {
            Some(expected) => assert_eq!(code(found), Some(*expected), "{found} for {sent}"),
            None => ids.push(id(found).unwrap_or_else(|| panic!("no id in {found} for {sent}"))),
        }
    }
    ids.iter().for_each(|id| drop(app.ready(id)));
    app.until_listed(&format!("tag={tag}"), &ids);
}

#[test]
fn a_line_is_answered_before_the_next_is_sent() {
    use std::io::{BufRead, BufReader, Write};
    let app = App::shared();
    let mut connection = std::net::TcpStream::connect(app.address()).expect("the app listens");
    let mut reader = BufReader::new(connection.try_clone().expect("a socket can be shared"));
    let head = "POST /v1/assets/batch HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut send = |text: &str| connection.write_all(text.as_bytes()).expect("the app reads");
    let mut result = || {
        let mut line = String::new();
        while !line.starts_with('{') {
            line.clear();
            assert!(reader.read_line(&mut line).expect("the app answers") > 0, "the answer ended early");
        }
        serde_json::from_str::<Value>(&line).expect("JSON")
    };
    send(head);
    for number in 1..=3 {
        send("2\r\nx\n\r\n");
        assert_eq!(result()["line"], number);
    }
    send("0\r\n\r\n");
}

#[test]
fn lines_are_numbered() {
    let answers = post("x\n{}\n".to_owned()).expect(200).json_lines();
    let numbers: Vec<_> = answers.iter().map(|line| line["line"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2)], "{answers:?}");
}

#[test]
fn empty_lines_are_no_assets() {
    assert_eq!(post("").expect(200).json_lines(), Vec::<Value>::new());
    assert_eq!(post("\n\n\n").expect(200).json_lines(), Vec::<Value>::new());
}

#[test]
fn a_thousand_lines_in_chunks_are_answered_line_by_line() {
    let app = App::shared();
    let body: String = (0..1000).map(|n| line(json!({"source_url": "nonsense", "title": n.to_string()}))).collect();
    let call = app.call("POST", "/v1/assets/batch").header("content-type", "application/x-ndjson");
    assert_eq!(call.chunked(body).send().expect(200).json_lines().len(), 1000);
}

#[test]
fn more_than_ten_thousand_lines_are_refused() {
    let answer = post("{}\n".repeat(10_001));
    if answer.status == 200 {
        // By then the head may have been sent; the surplus has to be refused in its place.
        let lines = answer.json_lines();
        assert!(lines.len() <= 10_001, "{}", lines.len());
        let last = lines.last().expect("a last line");
        assert_eq!((code(last), lines.len()), (Some("batch-too-long"), 10_001), "{last}");
    } else {
        answer.over_limit(413, "batch-too-long", 10_000, None);
    }
}

#[test]
fn a_line_over_the_limit_is_refused() {
    let long = line(json!({"source_url": "x".repeat(3_000_000)}));
    let answer = post(long + "{}\n");
    if answer.status == 200 {
        assert_eq!(code(&answer.json_lines()[0]), Some("body-too-large"), "{answer}");
    } else {
        answer.problem(413, "body-too-large");
    }
}

#[test]
fn other_types_of_body_are_refused() {
    let call = App::shared().call("POST", "/v1/assets/batch").header("content-type", "text/csv").body("a,b\n");
    call.send().problem(415, "content-type-unsupported");
}
