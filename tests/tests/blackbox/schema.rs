//! The version of the key space: a store of a later one is refused by name.

use blackbox::app::Options;
use blackbox::{App, fixtures, poll};

#[test]
fn a_store_of_a_later_version_is_refused_by_name() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let id = app.image(&fixtures::png(&fixtures::photo(20, 10)));
    let mut connection = app.redis().connection();
    let mut write = |value: &str| {
        redis::cmd("SET").arg("schema").arg(value).exec(&mut connection).expect("the server answers");
    };
    let current: String =
        redis::cmd("GET").arg("schema").query(&mut app.redis().connection()).expect("it was written at the first use");
    write(r#"{"version":9,"value":{"version":99}}"#);
    // Whatever starts now sees it before it does anything else; instances are replaced after some requests.
    let refused = poll::until("an instance starts", || {
        let answer = app.get(&format!("/v1/images/{id}"));
        (answer.status == 503).then_some(answer)
    });
    let problem = refused.problem(503, "schema-newer");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("99") && detail.contains('2'), "{detail}");
    write(&current);
    poll::until("it serves again", || (app.get(&format!("/v1/images/{id}")).status == 200).then_some(()));
}
