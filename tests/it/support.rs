//! What the command-line tests share: a throw-away project, a cleared environment, and output that reads the same on
//! every machine and run.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The released program, where one is to be tested in place of the one Cargo builds beside the tests.
pub fn released() -> Option<PathBuf> {
    std::env::var_os("BEDPLATE_TEST_PROGRAM").map(PathBuf::from)
}

/// The program under test.
pub fn program() -> PathBuf {
    released().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_bedplate")))
}

/// The folder of this repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The python with the judges installed: what `BEDPLATE_TEST_PYTHON` names, else what `scripts/venv` has made here. A test
/// fails without its judge.
pub fn judges() -> PathBuf {
    let made = || Some(repository().join(".venv/bin/python")).filter(|python| python.is_file());
    let named = std::env::var_os("BEDPLATE_TEST_PYTHON").map(PathBuf::from);
    named
        .or_else(made)
        .expect("a Python with the judges: `scripts/venv` makes one, `scripts/test` sets BEDPLATE_TEST_PYTHON")
}

/// The Rust sources below a folder, or the one that a path names.
pub fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| sources(&path)).filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// A project in a folder of its own, removed when dropped.
pub struct Project {
    dir: TempDir,
    /// What is packaged is kept outside the project, or not at all.
    cache: TempDir,
}

impl Project {
    /// An empty project.
    pub fn empty() -> Self {
        let folder = |prefix| tempfile::Builder::new().prefix(prefix).tempdir().expect("a temporary folder");
        Self { dir: folder("bedplate-it-"), cache: folder("bedplate-cache-") }
    }

    /// A project with a copy of one of this repository's use cases.
    pub fn with(use_case: &str) -> Self {
        let project = Self::empty();
        copy_tree(&repository().join("stacks").join(use_case), &project.path().join("stacks").join(use_case));
        project
    }

    /// A project with a copy of all of this repository's use cases: some take files of others.
    pub fn with_all() -> Self {
        let project = Self::empty();
        copy_tree(&repository().join("stacks"), &project.path().join("stacks"));
        project
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The folder above the caches of projects.
    pub fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// Writes a file of the project, making its folders.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }

    /// Reads a file of the project.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("a file")
    }

    /// The program with arguments, in the project, with an environment that is the same on every machine; pip and TLS
    /// settings pass, since a layer is made by the machine's own pip.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(program());
        command.args(args).current_dir(self.path()).env_clear().stdin(Stdio::null());
        for (name, value) in std::env::vars_os() {
            let known = name.to_string_lossy();
            if known == "PATH" || known.starts_with("PIP_") || known.starts_with("SSL_CERT") {
                command.env(&name, value);
            }
        }
        command.env("HOME", self.path().join("home")).env("XDG_CACHE_HOME", self.cache.path());
        command.env("COLUMNS", "100").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command
    }

    /// Runs the program to its end.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        self.run_with(args, &[])
    }

    /// The same with variables of the environment set.
    pub fn run_with<S: AsRef<OsStr>>(&self, args: &[S], variables: &[(&str, &str)]) -> Run {
        let output = self.command(args).envs(variables.iter().copied()).output().expect("the program starts");
        Run::of(self, &output)
    }

    /// Starts `bedplate local serve` on a free port and waits for the address it prints.
    pub fn serve(&self, args: &[&str]) -> Served {
        self.serve_with(args, &[])
    }

    /// The same with variables of the environment set.
    pub fn serve_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Served {
        use std::io::BufRead as _;
        let args: Vec<&str> = ["local", "serve", "--port", "0"].iter().chain(args).copied().collect();
        let mut command = self.command(&args);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("serve starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut url = String::new();
        std::io::BufReader::new(stdout).read_line(&mut url).expect("the address");
        Served { child, url: url.trim().to_owned() }
    }
}

/// A running `bedplate local serve`, ended when dropped.
pub struct Served {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Served {
    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// A page of the endpoint's own, or any other that is answered 200, as any HTTP client could get it.
    pub fn get(&self, path: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).expect("the endpoint listens");
        // HTTP/1.0: the body comes in one piece.
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{answer}");
        body.to_owned()
    }
}

impl Served {
    /// Sends a request as it is written, after a request line; gives the status, the head and the body of what comes back.
    pub fn send(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, String) {
        use std::io::{Read as _, Write as _};
        let address = self.url.trim_start_matches("http://");
        let mut request = format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.push_str(&format!("host: {address}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = std::net::TcpStream::connect(address).expect("the endpoint listens");
        stream.write_all(request.as_bytes()).and_then(|()| stream.write_all(b"\r\n")).expect("a request");
        // Who is refused by the head need not be heard out.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {answer}")), head.to_owned(), body.to_owned())
    }

    /// Asks a service of the JSON protocol as the administrator; the answer's body as JSON.
    pub fn ask(&self, region: &str, service: &str, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let signature = administrator(region, service);
        let headers = [
            ("authorization", signature.as_str()),
            ("x-amz-target", target),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let (status, _, answer) = self.send("POST /", &headers, body.to_string().as_bytes());
        assert_eq!(status, 200, "{target}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Sends an action to a service of forms as the administrator, who is answered.
    pub fn act(&self, region: &str, service: &str, form: &str) -> String {
        let signature = administrator(region, service);
        let headers = [
            ("authorization", signature.as_str()),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ];
        let (status, _, answer) = self.send("POST /", &headers, form.as_bytes());
        assert_eq!(status, 200, "{form}: {answer}");
        answer
    }
}

/// A signature in a header as the administrator's, which nobody verifies.
pub fn administrator(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=local/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a run ended, with what differs from run to run written as placeholders.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// How a run of the program in a project ended.
    pub fn of(project: &Project, output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: redact(project, &String::from_utf8_lossy(&output.stdout)),
            stderr: redact(project, &String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// The whole session as a person would see it, but for what depends on how fast the machine is: files that were
    /// written only just before are packaged again, to be on the safe side.
    pub fn session(&self) -> String {
        let mut text = String::new();
        let again = |line: &str| line.starts_with("  <elapsed>  packaging ");
        let stderr: String = self.stderr.split_inclusive('\n').filter(|line| !again(line)).collect();
        for (stream, content) in [("stdout", &self.stdout), ("stderr", &stderr)] {
            if !content.is_empty() {
                let _ = writeln!(text, "-- {stream}\n{}", content.trim_end_matches('\n'));
            }
        }
        let _ = write!(text, "-- exit {}", self.code);
        text
    }

    /// The same run, which must have ended well.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.session());
        self
    }
}

/// Addresses, times, random suffixes and this machine's folders, each as a placeholder.
pub fn redact(project: &Project, text: &str) -> String {
    let folder = regex::escape(&project.path().to_string_lossy());
    let rules = [
        (folder.as_str(), "<project>"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b[0-9a-f]{64}\b", "<sha256>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\b[0-9a-z]{10}\.execute-api", "<api>.execute-api"),
        (r"/execute-api/[0-9a-z]{10}\b", "/execute-api/<api>"),
        // What a resource is called in the account, in the list of what goes.
        (r"(?m)^(  [-=] \S+ +AWS::\S+ +)[^\s/]\S*", "$1<name>"),
        (r"(?m)^(      )\S+(  (is|may be) (deleted|replaced))", "$1<name>$2"),
        // How long it took or how old it is, told from a duration in a spec by where it stands.
        (r"(?m)^ +(\d+\.\ds|\d+s|\d+m\d\ds)  ", "  <elapsed>  "),
        (r"(?m) +(\d+\.\ds|\d+s|\d+m\d\ds|\d+ ms)( old)?$", " <elapsed>$2"),
        (r"(in |\()(\d+\.\ds|\d+s|\d+m\d\ds|\d+ ms)\b", "$1<elapsed>"),
        (r"\b\d+(\.\d+)? (KiB|MiB|B)\b", "<size>"),
    ];
    let text = rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *with).into_owned()
    });
    settle(&text)
}

/// Resources that do not wait for one another end in any order: each run of lines about them, in order of their names.
fn settle(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        if line.starts_with("  <elapsed>  ") && line.contains("_COMPLETE ") && line.contains(" AWS::") {
            run.push(line);
        } else {
            run.sort_unstable();
            out.append(&mut run);
            out.push(line);
        }
    }
    out.append(&mut run);
    out.join("\n")
}

/// Copies what a folder holds into another, made if need be; without what Python has compiled.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            if entry.file_name() != "__pycache__" {
                copy_tree(&entry.path(), &target);
            }
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
