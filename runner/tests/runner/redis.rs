//! The Redis trigger, and connections that components make. Against a real server.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use ::redis::{Client, Commands as _};
use tempfile::TempDir;

use crate::support::{App, Setup, one_component, wait_for};

/// A Redis server on a port of its own, which keeps nothing.
pub struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        Self::start_on(port)
    }

    fn start_on(port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server cannot be started: install the Debian package `redis-server`");
        let server = Self { child, port, _folder: folder };
        wait_for(|| server.client().get_connection().ok());
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> Client {
        Client::open(self.url()).expect("an address")
    }

    fn connection(&self) -> ::redis::Connection {
        self.client().get_connection().expect("it runs")
    }

    /// The runtime-config file with this server as the default store.
    pub fn as_default_store(&self) -> String {
        format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"", self.url())
    }

    /// Waits until so many connections listen.
    fn wait_for_listeners(&self, count: usize) {
        let mut connection = self.connection();
        wait_for(|| {
            let query = ::redis::cmd("PUBSUB").arg("NUMSUB").arg("bell").query(&mut connection);
            let (_channel, listeners): (String, usize) = query.expect("it is answered");
            (listeners == count).then_some(())
        });
    }

    /// Publishes `message` once somebody listens.
    fn publish(&self, message: &str) {
        let mut connection = self.connection();
        wait_for(|| {
            let receivers: usize = connection.publish("bell", message).expect("it is published");
            (receivers > 0).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A component with both triggers, under two ids, and `more` about the one behind HTTP.
fn both_triggers(more: &str) -> String {
    format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        [application.trigger.redis]
        address = "{{{{ redis }}}}"
        [variables]
        redis = {{ required = true }}
        [[trigger.http]]
        route = "/..."
        component = "guest"
        [[trigger.redis]]
        channel = "bell"
        component = "listener"
        [component.guest]
        source = "guest.wasm"
        key_value_stores = ["default"]
        {more}
        [component.listener]
        source = "guest.wasm"
        key_value_stores = ["default"]
        "#
    )
}

fn start(server: &Server, more: &str) -> App {
    Setup::new(&both_triggers(more)).argument(format!("--variable=redis={}", server.url())).start()
}

#[test]
fn a_message_reaches_the_component() {
    let server = Server::start();
    let app = start(&server, "");
    server.publish("ding");
    assert_eq!(app.wait_for("/kv/get?key=message").ok(), "ding");
    wait_for(|| (app.get("/kv/increment?key=messages&delta=0").ok() == "1").then_some(()));
}

#[test]
fn every_component_on_a_channel_gets_the_message() {
    let server = Server::start();
    let second = "[[trigger.redis]]\nchannel = \"bell\"\ncomponent = \"second\"
        [component.second]\nsource = \"guest.wasm\"\nkey_value_stores = [\"default\"]";
    let app = start(&server, second);
    server.publish("ding");
    wait_for(|| (app.get("/kv/increment?key=messages&delta=0").ok() == "2").then_some(()));
}

#[test]
fn a_task_ends_with_the_handler() {
    let server = Server::start();
    let app = start(&server, "");
    server.publish("later spawned");
    server.publish("ding");
    app.wait_for("/kv/get?key=message");
    // The task would set its key 50 ms after the handler.
    app.get("/pause?started=pause&ms=200").ok();
    assert_eq!(app.get("/kv/get?key=spawned").status, 404);
}

#[test]
fn messages_of_one_address_come_one_after_the_other_and_those_of_another_spelling_beside_them() {
    let server = Server::start();
    let second = "[[trigger.redis]]\nchannel = \"bell\"\naddress = \"{{ redis }}?listener=second\"
        component = \"second\"
        [component.second]\nsource = \"guest.wasm\"\nkey_value_stores = [\"default\"]";
    let app = start(&server, second);
    server.wait_for_listeners(2);
    // Each handler of the first message lasts until `go` is set, and both have begun.
    server.publish("wait go");
    wait_for(|| (app.get("/kv/increment?key=waiting&delta=0").ok() == "2").then_some(()));
    server.publish("ding");
    app.get("/pause?started=pause&ms=100").ok();
    assert_eq!(app.get("/kv/increment?key=messages&delta=0").ok(), "0");
    app.post("/kv/set?key=go", "now").ok();
    wait_for(|| (app.get("/kv/increment?key=messages&delta=0").ok() == "2").then_some(()));
}

#[test]
fn a_trap_is_logged_and_the_next_message_is_handled() {
    let server = Server::start();
    let app = start(&server, "");
    server.publish("trap");
    app.wait_for_log("component listener failed on a message");
    server.publish("ding");
    assert_eq!(app.wait_for("/kv/get?key=message").ok(), "ding");
}

#[test]
fn a_component_publishes_where_it_may() {
    let server = Server::start();
    let app = start(&server, &format!("allowed_outbound_hosts = [\"{}\"]", server.url()));
    let publish = format!("/publish?address={}&channel=bell&message=from-inside", server.url());
    wait_for(|| {
        app.get(&publish).ok();
        (app.get("/kv/get?key=message").status == 200).then_some(())
    });
    assert_eq!(app.get("/kv/get?key=message").ok(), "from-inside");

    let app = start(&server, "");
    assert_eq!(app.get(&publish).error(), "Error::InvalidAddress");
    app.wait_for_log("component guest may not connect to redis://127.0.0.1");
}

#[test]
fn blocked_networks_count_for_redis_too() {
    let server = Server::start();
    let app = Setup::new(&both_triggers("allowed_outbound_hosts = [\"redis://*:*\"]"))
        .argument(format!("--variable=redis={}", server.url()))
        .runtime_config("[outbound_networking]\nblock_networks = [\"private\"]")
        .start();
    let response = app.get(&format!("/publish?address={}&channel=bell&message=x", server.url()));
    assert!(response.error().contains("blocked"), "{}", response.text());
}

#[test]
fn numbers_on_redis_are_text() {
    let server = Server::start();
    let app = Setup::new(&both_triggers(""))
        .argument(format!("--variable=redis={}", server.url()))
        .runtime_config(&server.as_default_store())
        .start();
    assert_eq!(app.get("/kv/increment?key=n&delta=258").ok(), "258");
    let text: String = server.connection().get("n").expect("it is there");
    assert_eq!(text, "258");
}

#[test]
fn a_store_on_redis_fails_while_its_server_is_gone_and_works_again_when_it_is_back() {
    let server = Server::start();
    let app = Setup::new(&one_component("")).runtime_config(&server.as_default_store()).start();
    app.post("/kv/set?key=k", "before").ok();
    let port = server.port;
    drop(server);
    // Each call ends, though nobody is there to answer it.
    for _ in 0..2 {
        assert!(app.get("/kv/get?key=k").error().contains("Error::"));
    }
    let _server = Server::start_on(port);
    wait_for(|| (app.post("/kv/set?key=k", "after").status == 200).then_some(()));
    assert_eq!(app.get("/kv/get?key=k").ok(), "after");
}

#[test]
fn the_end_of_the_connection_is_the_end_of_the_runner() {
    let server = Server::start();
    let mut app = start(&server, "");
    server.publish("ding");
    app.wait_for("/kv/get?key=message");
    drop(server);
    assert!(!app.ended().success());
    app.wait_for_log("the connection to the Redis server");
}

#[test]
fn refuses_to_start_without_the_server() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let setup = Setup::new(&both_triggers("")).argument(format!("--variable=redis=redis://127.0.0.1:{port}"));
    assert!(setup.refusal().contains("cannot connect to the Redis server"));
}

#[test]
fn refuses_chaining_from_behind_a_redis_trigger() {
    let manifest = both_triggers("").replace(
        "[component.listener]",
        "[component.listener]\nallowed_outbound_hosts = [\"http://guest.spin.internal\"]",
    );
    let refusal = Setup::new(&manifest).argument("--variable=redis=redis://127.0.0.1").refusal();
    assert!(refusal.contains("component listener has a Redis trigger"), "{refusal}");
}
