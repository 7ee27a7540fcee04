//! Whose credentials go over the wire, and where to: told from what a recording address was sent.

use std::collections::BTreeSet;

use bedplate::aws::{ApiCall, Clients, Target};

use crate::recorder::Recorder;
use crate::support::{Project, Run, Served};

/// All that a verb can send: files, rows, an invocation, calls of APIs and a connection that are signed here.
const SPEC: &str = "bedplate: 1
name: all
region: us-west-2
buckets:
  papers: { documents: docs/ }
tables:
  notes: { partition-key: { name: id }, seed: notes.yaml }
functions:
  greet: { code: function/, handler: app.handler, runtime: python3.13 }
  talk: { code: function/, handler: app.talk, runtime: python3.13, uses: [{ push: apis.talk }] }
apis:
  web:
    kind: rest
    routes:
      - GET /signed: { function: greet, auth: iam }
  talk:
    kind: websocket
    auth: iam
    routes:
      - $connect: { function: greet }
      - $default: { function: talk }
smoke:
  - invoke: functions.greet
  - call: GET apis.web /signed
  - chat: apis.talk
    turns: [{ say: hi, expect: { text: { contains: hello } } }]
";

const CODE: &str = r#"import os, urllib.parse, urllib.request


def handler(event, context):
    return {"statusCode": 200, "body": "hello"}


def talk(event, context):
    connection = urllib.parse.quote(event["requestContext"]["connectionId"], safe="")
    credential = f"local/20260105/{os.environ['AWS_REGION']}/execute-api/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=x"}
    url = f"{os.environ['AWS_ENDPOINT_URL']}/@connections/{connection}"
    urllib.request.urlopen(urllib.request.Request(url, data=b"hello", headers=headers, method="POST"))
    return {"statusCode": 200}
"#;

const ENVIRONMENT: &str = "AKIAFROMENVIRONMENT0";
const ONE: &str = "AKIAFROMPROFILEONE00";
const TWO: &str = "AKIAFROMPROFILETWO00";

fn project() -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "stages:\n  two: { profile: two }\n");
    project.write("stacks/all/usecase.yaml", SPEC);
    project.write("stacks/all/docs/a.txt", "a");
    project.write("stacks/all/notes.yaml", "- { id: a }\n");
    project.write("stacks/all/function/app.py", CODE);
    let keys = |id: &str| format!("aws_access_key_id = {id}\naws_secret_access_key = secret-of-{id}\n");
    project.write("aws/credentials", format!("[one]\n{}\n[two]\n{}", keys(ONE), keys(TWO)));
    project.write(
        "aws/config",
        "[profile one]\n[profile two]\nregion = eu-central-1\n[profile bare]\nregion = us-west-2\n\
         [profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = nowhere\n\
         [profile process]\ncredential_process = sh aws/process.sh\n\
         [profile elsewhere]\nendpoint_url = http://127.0.0.1:9\n",
    );
    let document = format!(r#"{{"Version": 1, "AccessKeyId": "{TWO}", "SecretAccessKey": "secret-of-{TWO}"}}"#);
    project.write("aws/process.sh", format!("echo x >> asked.log\necho '{document}'\n"));
    project
}

fn path(project: &Project, name: &str) -> String {
    project.path().join(name).to_string_lossy().into_owned()
}

/// Runs with the files of the project as AWS configuration, and keys in the environment.
fn run(project: &Project, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let (config, credentials) = (path(project, "aws/config"), path(project, "aws/credentials"));
    let files = [("AWS_CONFIG_FILE", config.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str())];
    let run = project.run_with(args, &[&files[..], variables].concat());
    let said = format!("{}{}", run.stdout, run.stderr);
    for secret in ["secret-of-", ENVIRONMENT, ONE, TWO] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    run
}

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", ENVIRONMENT), ("AWS_SECRET_ACCESS_KEY", "secret-of-environment")];

/// Every verb that connects, in an order in which each has something to do.
const VERBS: [&[&str]; 11] = [
    &["bootstrap"],
    &["plan", "all"],
    &["deploy", "all", "--yes"],
    &["plan", "all"],
    &["smoke", "all"],
    &["status", "all"],
    &["outputs", "all"],
    &["logs", "all"],
    &["list"],
    &["destroy", "all", "--yes"],
    &["bootstrap", "--remove", "--yes"],
];

/// Runs every verb, and gives who signed what each sent.
fn every_verb(how: &[&str], variables: &[(&str, &str)], key: &str, said: &str) {
    let (project, home) = (project(), Project::empty());
    let served: Served = home.serve(&[]);
    let recorder = Recorder::before(&served.url);
    for verb in VERBS {
        let where_to = ["--target", "aws", "--endpoint-url", &recorder.url, "--account", "123456789012"];
        let region: &[&str] = if verb[0] == "bootstrap" { &["--region", "us-west-2"] } else { &[] };
        let run = run(&project, &[verb, how, &where_to, region].concat(), variables).ok();
        let signers = recorder.signers();
        let keys: BTreeSet<&str> = signers.iter().map(|signer| signer.key.as_str()).collect();
        assert_eq!(keys, BTreeSet::from([key]), "{verb:?}: {signers:?}\n{}", run.session());
        assert!(signers.iter().all(|signer| signer.region == "us-west-2"), "{verb:?}: {signers:?}");
        let first = run.stderr.lines().next().unwrap_or_default();
        assert!(first.ends_with(&format!("account 123456789012, us-west-2, {said}")), "{verb:?}: {first}");
        let services: BTreeSet<&str> = signers.iter().map(|signer| signer.service.as_str()).collect();
        let wanted: &[&str] = match verb[0] {
            "deploy" => &["sts", "cloudformation", "s3", "dynamodb", "lambda", "execute-api"],
            "smoke" => &["sts", "cloudformation", "lambda", "execute-api"],
            "logs" => &["sts", "cloudformation", "logs"],
            _ => &["sts", "cloudformation"],
        };
        assert!(wanted.iter().all(|service| services.contains(service)), "{verb:?}: {services:?}");
    }
}

#[test]
fn a_profile_that_is_named_signs_everything_whatever_keys_the_environment_has() {
    every_verb(&["--profile", "one"], &KEYS, ONE, "profile `one`");
}

#[test]
fn a_stages_profile_signs_everything_whatever_keys_the_environment_has() {
    every_verb(&["--stage", "two"], &[&KEYS[..], &[("AWS_PROFILE", "one")]].concat(), TWO, "profile `two`");
}

#[test]
fn keys_of_the_environment_come_before_a_profile_that_the_environment_names() {
    // As in the AWS CLI: only a profile that is named for the command comes before them.
    let project = project();
    let recorder = Recorder::knowing_only_who_asks();
    let list = ["list", "--target", "aws", "--endpoint-url", &recorder.url];
    for (args, variables, key, said) in [
        (&[][..], &[("AWS_PROFILE", "one")][..], ENVIRONMENT, "keys of the environment"),
        (&["--profile", "two"], &[("AWS_PROFILE", "one")], TWO, "profile `two`"),
    ] {
        let run = run(&project, &[&list[..], args].concat(), &[&KEYS[..], variables].concat());
        assert!(run.stderr.lines().any(|line| line.ends_with(said)), "{}", run.session());
        let keys: BTreeSet<String> = recorder.signers().into_iter().map(|signer| signer.key).collect();
        assert_eq!(keys, BTreeSet::from([key.to_owned()]));
    }
    for (variable, key, said) in [("AWS_PROFILE", ONE, "profile `one`"), ("AWS_DEFAULT_PROFILE", ONE, "profile `one`")]
    {
        let run = run(&project, &list, &[(variable, "one")]);
        assert!(run.stderr.lines().any(|line| line.ends_with(said)), "{}", run.session());
        let keys: BTreeSet<String> = recorder.signers().into_iter().map(|signer| signer.key).collect();
        assert_eq!(keys, BTreeSet::from([key.to_owned()]), "{variable}");
    }
}

#[test]
fn a_profile_without_credentials_is_an_error_and_nothing_is_sent() {
    let project = project();
    let recorder = Recorder::knowing_only_who_asks();
    for (args, variables, code, said) in [
        (&["--profile", "nosuch"][..], &[][..], "C002", "the profile `nosuch` is not defined"),
        (&["--profile", "bare"], &[], "C001", "the profile `bare` has no AWS credentials"),
        (&["--profile", "role"], &[], "C002", "`nowhere` was not defined"),
        (&[], &[("AWS_PROFILE", "nosuch")], "C002", "the profile `nosuch` is not defined (`AWS_PROFILE` names it)"),
    ] {
        let asked = ["list", "--target", "aws", "--region", "us-west-2", "--endpoint-url", &recorder.url];
        let run = run(&project, &[&asked[..], args].concat(), &[&KEYS[..], variables].concat());
        assert_eq!(run.code, 1, "{}", run.session());
        assert!(run.stderr.contains(code) && run.stderr.contains(said), "{args:?}: {}", run.session());
        assert_eq!(recorder.take().concat(), "", "{args:?}");
    }
}

#[test]
fn a_credential_process_of_the_named_profile_is_asked_once() {
    let (project, home) = (project(), Project::empty());
    let served = home.serve(&[]);
    let recorder = Recorder::before(&served.url);
    let how = ["--yes", "--target", "aws", "--endpoint-url", &recorder.url, "--account", "123456789012"];
    let _ = run(&project, &[&["deploy", "all", "--profile", "process"][..], &how].concat(), &KEYS).ok();
    assert!(recorder.signers().iter().all(|signer| signer.key == TWO));
    assert_eq!(project.read("asked.log"), "x\n", "signing a call asks no process again");
}

#[test]
fn the_first_line_tells_where_it_really_goes() {
    let project = project();
    let recorder = Recorder::knowing_only_who_asks();
    let url = recorder.url.as_str();
    let config = format!(
        "[profile one]\nendpoint_url = {url}\n[profile own]\nservices = x\n[services x]\nsts =\n  endpoint_url = {url}\n"
    );
    project.write("aws/config", config);
    let keys = format!(
        "[one]\naws_access_key_id = {ONE}\naws_secret_access_key = s\n[own]\naws_access_key_id = {ONE}\naws_secret_access_key = s\n"
    );
    project.write("aws/credentials", keys);
    let list = ["list", "--target", "aws", "--region", "us-west-2"];
    let shown = "→ http://127.0.0.1:<port>, account 111122223333";
    // From the profile, from the environment, and with the environment for one service.
    for (args, variables) in [
        (&["--profile", "one"][..], vec![]),
        (&[], vec![("AWS_ENDPOINT_URL", url)]),
        (
            &["--endpoint-url", url],
            vec![("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")],
        ),
        (&["--endpoint-url", url], vec![("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]),
    ] {
        let run = run(&project, &[&list[..], args].concat(), &[&KEYS[..], &variables].concat());
        assert!(run.stderr.contains(shown), "{args:?} {variables:?}: {}", run.session());
        assert!(!recorder.take().concat().is_empty());
    }
    // Half here and half at AWS: refused, and nothing sent.
    for (args, variables) in [
        (&[][..], vec![("AWS_ENDPOINT_URL_CLOUDFORMATION", url)]),
        (&["--profile", "own"], vec![]),
        (&[], vec![("AWS_ENDPOINT_URL", url), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")]),
    ] {
        let run = run(&project, &[&list[..], args].concat(), &[&KEYS[..], &variables].concat());
        assert!(run.code == 1 && run.stderr.contains("C020"), "{args:?} {variables:?}: {}", run.session());
        assert_eq!(recorder.take().concat(), "");
    }
    // The same without any keys, where an endpoint on this machine gets stand-in credentials.
    let mixed = run(&project, &list, &[("AWS_ENDPOINT_URL", url), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")]);
    assert!(mixed.stderr.contains("C020") && recorder.take().concat().is_empty(), "{}", mixed.session());
    let stand_in = run(&project, &list, &[("AWS_ENDPOINT_URL", url)]);
    assert!(stand_in.stderr.contains("us-west-2, stand-in credentials"), "{}", stand_in.session());
    assert!(recorder.signers().iter().all(|signer| signer.key == "local"));
}

#[test]
fn verbose_says_who_it_is() {
    let recorder = Recorder::knowing_only_who_asks();
    let run =
        run(&project(), &["list", "-v", "--target", "aws", "--endpoint-url", &recorder.url, "--profile", "one"], &[]);
    assert!(run.stderr.contains("  as arn:aws:iam::111122223333:user/ann\n"), "{}", run.session());
}

#[tokio::test]
async fn a_signature_goes_to_api_gateway_and_nowhere_else() {
    // The address of an API is an output of the stack, and a template may say anything there.
    let target = Target { region: Some("us-west-2".to_owned()), ..Target::aws() };
    let clients = Clients::connect(&target).await.expect("a region is set");
    for url in [
        "https://evil.example/x",
        "https://a1.execute-api.us-west-2.amazonaws.com.evil.example/x",
        "https://a1.execute-api.us-west-2.amazonaws.com:443@evil.example/x",
        "https://evil.example/a1.execute-api.us-west-2.amazonaws.com",
        "http://a1.execute-api.us-west-2.amazonaws.com/x",
        "http://127.0.0.1:9/x",
    ] {
        let call = |url: String| ApiCall { method: "GET".into(), url, headers: Vec::new(), body: None, signed: true };
        let refused = clients.call_api(call(url.to_owned())).await.expect_err(url);
        assert!(refused.contains("no signature is sent there"), "{url}: {refused}");
        let url = url.replace("https://", "wss://").replace("http://", "ws://");
        let refused = clients.open_socket(call(url.clone())).await.expect_err("refused");
        assert!(refused.contains("no signature is sent there"), "{url}: {refused}");
    }
    // Nor is an address fetched that only this machine can ask.
    let refused = clients.fetch("http://169.254.169.254/latest/meta-data/").await.expect_err("refused");
    assert!(refused.contains("it is not fetched"), "{refused}");
}
