//! What programs we did not write say: cfn-lint and checkov on every rendered template, parliament and cloudsplaining on
//! every policy in them, boto3 and the AWS CLI against the local target, and ministack as a second deploy target.

mod answers;
mod policies;
mod templates;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Project, judges, repository};

/// A judge's own command, from the same virtual environment as its python.
fn tool(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python.with_file_name(name));
    command
        .stdin(Stdio::null())
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ENDPOINT_URL");
    command
}

fn passes(mut command: Command) -> String {
    let output = command.output().expect("the judge starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} says:\n{said}");
    said
}

#[test]
fn what_is_said_of_types_and_operations_is_known_to_cfn_lint_and_botocore() {
    let mut command = Command::new(judges());
    command.arg(repository().join("tests/judges/facts.py")).arg(repository().join("schemas"));
    passes(command);
}

#[test]
fn the_aws_cli_deploys_a_rendered_template_to_the_local_target() {
    let python = judges();
    let project = Project::with("movie-poster");
    project.write("template.yaml", project.run(&["render", "movie-poster"]).ok().stdout);
    project.write("code.zip", one_file_zip("app.py", b"def handler(event, context):\n    return event\n"));
    let served = project.serve(&[]);
    let aws = |args: &[&str]| {
        let mut command = tool(&python, "aws");
        command.args(["--endpoint-url", &served.url, "--region", "us-west-2"]).args(args).current_dir(project.path());
        passes(command)
    };
    aws(&["s3", "mb", "s3://artifacts-of-the-cli"]);
    aws(&["s3", "cp", "code.zip", "s3://artifacts-of-the-cli/code.zip"]);
    let deploy = [
        "cloudformation",
        "deploy",
        "--stack-name",
        "by-the-cli",
        "--template-file",
        "template.yaml",
        "--capabilities",
        "CAPABILITY_NAMED_IAM",
        "--no-fail-on-empty-changeset",
        "--parameter-overrides",
        "ArtifactBucket=artifacts-of-the-cli",
        "DesignCodeKey=code.zip",
        "Boto3LayerKey=code.zip",
    ];
    let said = aws(&deploy);
    assert!(said.contains("Successfully created/updated stack - by-the-cli"), "{said}");
    let again = aws(&deploy);
    assert!(again.contains("No changes to deploy"), "{again}");
    let outputs =
        aws(&["cloudformation", "describe-stacks", "--stack-name", "by-the-cli", "--query", "Stacks[0].StackStatus"]);
    assert_eq!(outputs.trim(), "\"CREATE_COMPLETE\"");
    aws(&["cloudformation", "delete-stack", "--stack-name", "by-the-cli"]);
    aws(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", "by-the-cli"]);
}

#[test]
fn ministack_takes_the_same_deploy() {
    let python = judges();
    let project = Project::with("movie-poster");
    let ministack = Ministack::start(&python, &project);
    let endpoint = ministack.url.as_str();
    let args = ["--target", "aws", "--endpoint-url", endpoint, "--region", "us-west-2", "--yes"];
    let deployed = project.run(&[&["deploy", "movie-poster", "--no-smoke"][..], &args].concat()).ok();
    println!("{}", deployed.session());
    let mut ask = tool(&python, "python");
    ask.arg(repository().join("tests/local/ministack.py")).arg(endpoint);
    println!("{}", passes(ask));
    let destroyed = project.run(&[&["destroy", "movie-poster"][..], &args].concat()).ok();
    println!("{}", destroyed.session());
}

/// A running ministack, ended when dropped.
struct Ministack {
    child: Child,
    url: String,
}

impl Ministack {
    fn start(python: &Path, project: &Project) -> Self {
        // The port is free when asked and ministack takes no listening socket from us, so a race is possible and
        // would show as a failure to start.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = tool(python, "ministack")
            .current_dir(project.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ministack starts");
        let this = Self { child, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !answers(port) {
            assert!(Instant::now() < deadline, "ministack does not answer");
            std::thread::yield_now();
        }
        this
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let asked = stream.write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 ")
}

impl Drop for Ministack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The smallest zip with one file, as any tool would make it.
fn one_file_zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
    zip.write_all(content).expect("content");
    zip.finish().expect("a zip").into_inner()
}
