//! What the tests have in common: a running application, a client, and things to wait for.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A manifest with one route for everything, and `more` about its component.
pub fn one_component(more: &str) -> String {
    format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        version = "1.2.3"
        [[trigger.http]]
        route = "/..."
        component = "guest"
        [component.guest]
        source = "guest.wasm"
        key_value_stores = ["default"]
        {more}
        "#
    )
}

/// An application in a folder of its own.
pub struct Setup {
    folder: TempDir,
    listen: String,
    runtime_config: bool,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// With `manifest`, in which `guest.wasm` is the test guest.
    pub fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("spin.toml"), manifest).expect("the manifest is written");
        std::os::unix::fs::symlink(guest(), folder.path().join("guest.wasm")).expect("a link to the guest");
        let listen = "127.0.0.1:0".to_owned();
        Self { folder, listen, runtime_config: false, arguments: Vec::new(), environment: Vec::new() }
    }

    /// Listening on `address`, in place of any port that is free.
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = address.to_owned();
        self
    }

    /// With a runtime-config file.
    pub fn runtime_config(mut self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("runtime.toml"), text).expect("the file is written");
        self.runtime_config = true;
        self
    }

    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scalehoster-runner"));
        command.args(["--listen", &self.listen, "--cache-dir"]).arg(target_folder().join("runner-test-cache"));
        command.arg("--from").arg(self.folder.path().join("spin.toml"));
        if self.runtime_config {
            command.arg("--runtime-config-file").arg(self.folder.path().join("runtime.toml"));
        }
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it, and returns once it serves.
    pub fn start(self) -> App {
        App::start(Arc::new(self))
    }

    /// What it says when it refuses to start.
    pub fn refusal(&self) -> String {
        let output = self.command().output().expect("the runner can be started");
        assert!(!output.status.success(), "it should have refused");
        String::from_utf8(output.stderr).expect("text")
    }
}

/// A running application. It is killed when dropped.
pub struct App {
    setup: Arc<Setup>,
    child: Child,
    address: SocketAddr,
    /// What it printed on standard output before it served.
    pub greeting: String,
    log: Arc<Log>,
}

/// What the application prints on standard error.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl App {
    fn start(setup: Arc<Setup>) -> Self {
        let mut child = setup.command().spawn().expect("the runner can be started");
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        std::thread::spawn({
            let log = log.clone();
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    eprintln!("{line}");
                    let mut text = log.text.lock().expect("no panic");
                    text.push_str(&line);
                    text.push('\n');
                    log.grown.notify_all();
                }
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut greeting = String::new();
        let address = loop {
            let mut line = String::new();
            let length = stdout.read_line(&mut line).expect("text");
            assert!(length > 0, "the runner ended: {}", log.text.lock().expect("no panic"));
            if let Some(address) = line.trim().strip_prefix("Serving http://") {
                break address.parse().expect("an address");
            }
            greeting.push_str(&line);
        };
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { setup, child, address, greeting, log }
    }

    /// A file in the folder of the application's state.
    pub fn state(&self, file: &str) -> PathBuf {
        self.setup.folder().join(".spin").join(file)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, "").send()
    }

    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Response {
        self.request("POST", path, "").body(body.as_ref()).send()
    }

    /// A request with `headers`, each line of them ended.
    pub fn request(&self, method: &str, path: &str, headers: &str) -> Request {
        Request::new(self.address, method, path, headers)
    }

    /// Waits until `path` answers 200, and returns what.
    pub fn wait_for(&self, path: &str) -> Response {
        wait_for(|| Some(self.get(path)).filter(|response| response.status == 200))
    }

    /// Waits until `text` has been logged.
    pub fn wait_for_log(&self, text: &str) {
        let log = self.log.text.lock().expect("no panic");
        let (log, waited) =
            self.log.grown.wait_timeout_while(log, PATIENCE, |log| !log.contains(text)).expect("no panic");
        assert!(!waited.timed_out(), "{text:?} is not in the log: {log}");
    }

    pub fn log(&self) -> String {
        self.log.text.lock().expect("no panic").clone()
    }

    /// Sends a signal, by name.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill can be started").success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        wait_for(|| self.child.try_wait().expect("it is ours"))
    }

    /// Kills it, and starts it again on what it left.
    pub fn kill_and_restart(mut self) -> Self {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        Self::start(self.setup.clone())
    }

    /// Ends it as an operator would, and starts it again.
    pub fn restart(mut self) -> Self {
        self.signal("TERM");
        assert!(self.ended().success());
        Self::start(self.setup.clone())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request on a connection of its own.
pub struct Request {
    address: SocketAddr,
    bytes: Vec<u8>,
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, path: &str, headers: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n{headers}");
        Self { address, bytes: head.into_bytes() }
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
        self.bytes.extend(body);
        self
    }

    pub fn send(self) -> Response {
        self.open().finish()
    }

    /// Sends the request, and leaves the reading to the caller.
    pub fn open(mut self) -> Pending {
        if !self.bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            self.bytes.extend(b"\r\n");
        }
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(&self.bytes).expect("the request is sent");
        Pending(stream)
    }
}

/// A request that was sent, and whose response was not read yet.
pub struct Pending(TcpStream);

impl Pending {
    /// Reads until `text` has come.
    pub fn read_until(&mut self, text: &str) -> String {
        let mut read = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&read).contains(text) {
            self.0.read_exact(&mut byte).expect("more comes");
            read.extend(byte);
        }
        String::from_utf8(read).expect("text")
    }

    /// Reads the response to its end.
    pub fn finish(mut self) -> Response {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).expect("the response is read");
        Response::parse(&bytes)
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).expect("text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
        let mut response = Self {
            status: status.parse().expect("a number"),
            headers: headers.collect(),
            body: bytes[end + 4..].into(),
        };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = unchunked(&response.body);
        }
        response
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The text of a response that must be a success.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert_eq!(self.status, 200, "{}", self.text());
        self.text()
    }

    /// Checks the body of a response that must be a success.
    #[track_caller]
    pub fn ok_bytes(&self, body: &[u8]) {
        assert_eq!(self.status, 200);
        assert!(self.body == body, "{} bytes are not the {} that were expected", self.body.len(), body.len());
    }

    /// What the guest says of an error that it met.
    #[track_caller]
    pub fn error(&self) -> &str {
        assert_eq!(self.status, 502, "{}", self.text());
        self.text()
    }

    /// Which instance answered.
    pub fn instance(&self) -> &str {
        self.header("instance").expect("the guest says which instance it is")
    }
}

fn unchunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|end| end == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).expect("text");
        let length = usize::from_str_radix(length, 16).expect("a length");
        body.extend(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 4 + length..];
    }
    body
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "it did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A server that treats every connection as `talk` does. Its address is returned.
pub fn serve(talk: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let talk = Arc::new(talk);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let talk = talk.clone();
            std::thread::spawn(move || talk(stream));
        }
    });
    address
}

/// Reads the head of a request.
pub fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A server that always answers with `response`, head and body.
pub fn serve_always(response: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        read_head(&mut stream);
        // A client that went away has seen enough.
        let _ = stream.write_all(response.as_bytes());
    })
}

/// Where cargo puts what it builds.
fn target_folder() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_scalehoster-runner"));
    binary.ancestors().nth(2).expect("target/profile/binary").to_owned()
}

/// A component of the project, built first if it is missing or older than its source.
pub fn component(part: &'static Part) -> PathBuf {
    part.built
        .get_or_init(|| {
            let file = format!("wasm32-wasip2/release/{}.wasm", part.package.replace('-', "_"));
            let wasm = target_folder().join(file);
            let built = wasm.metadata().and_then(|metadata| metadata.modified()).ok();
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(part.folder);
            let files = std::fs::read_dir(source.join("src")).expect("its source").map(|file| file.unwrap().path());
            let changed = files
                .chain([source.join("Cargo.toml")])
                .map(|file| file.metadata().and_then(|metadata| metadata.modified()).expect("a time"))
                .max();
            if built < changed {
                build(part.package);
            }
            wasm
        })
        .clone()
}

/// A component, by its package.
pub struct Part {
    package: &'static str,
    folder: &'static str,
    built: OnceLock<PathBuf>,
}

impl Part {
    /// The package whose source is in `folder`, as seen from the runner's.
    pub const fn new(package: &'static str, folder: &'static str) -> Self {
        Self { package, folder, built: OnceLock::new() }
    }
}

fn guest() -> PathBuf {
    static GUEST: Part = Part::new("runner-guest", "guest");
    component(&GUEST)
}

/// What stands in for the guest's variables.
pub fn dependency() -> PathBuf {
    static DEPENDENCY: Part = Part::new("runner-dependency", "dependency");
    component(&DEPENDENCY)
}

fn build(package: &str) {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_owned());
    let status = Command::new(cargo)
        .args(["build", "--release", "--target", "wasm32-wasip2", "--package", package, "--target-dir"])
        .arg(target_folder())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.expect("cargo can be started").success(), "{package} cannot be built: see above");
}
