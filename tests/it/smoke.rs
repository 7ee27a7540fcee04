//! Smoke tests: after a deploy and on their own, passing and failing, as text, as events and as JUnit XML.

use serde_json::Value;

use crate::support::Project;

const SPEC: &str = "bedplate: 1
name: greet
functions:
  greet:
    code: function/
    handler: app.handler
    runtime: python3.13
apis:
  web:
    kind: rest
    routes:
      - GET /greet: { function: greet, require: { query: [name] }, request: { name: \"${query.name}\" } }
      - POST /signed: { function: greet, request: { name: \"${body}\" }, auth: iam }
  plain:
    kind: http
    routes:
      - GET /hello/{name}: { function: greet }
smoke:
  - call: GET apis.web /greet?name=Ada and the \"dogs\" + 1
    expect: { status: 200, within: 60s, body: { matches: 'Hello, Ada and the .*dogs', contains: '+ 1!' } }
  - call: GET apis.web /greet
    expect: { status: 400 }
  - call: POST apis.web /signed
    payload: { any: thing }
    expect: { status: 200 }
  - call: POST apis.web /signed
    expect: { status: 403 }
  - call: GET apis.plain /hello/Ada Lovelace
    expect: { body: { contains: 'Hello, ' } }
  - invoke: functions.greet
    payload: { name: Grace }
    expect: { body: { contains: Hello } }
";

fn project(answer: &str) -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/greet/usecase.yaml", SPEC);
    project.write("stacks/greet/function/app.py", code(answer));
    project
}

fn code(answer: &str) -> String {
    format!("def handler(event, context):\n    return {answer}\n")
}

const HELLO: &str = "f\"Hello, {event.get('name')}!\"";

#[test]
fn a_deploy_tries_what_it_has_made_and_does_so_once() {
    let project = project(HELLO);
    let run = project.run(&["deploy", "greet", "--yes"]).ok();
    assert_eq!(run.stderr.matches("  ok     ").count(), 6, "{}", run.session());
    assert!(run.stderr.contains("6 of 6 smoke tests passed"), "{}", run.session());
    let again = project.run(&["deploy", "greet", "--yes"]).ok();
    assert!(again.stderr.contains("not tried again") && !again.stderr.contains("  ok     "), "{}", again.session());
    let alone = project.run(&["smoke"]).ok();
    assert_eq!(alone.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 6, "{}", alone.session());
}

#[test]
fn a_smoke_test_that_fails_gives_13_its_reason_and_its_place_and_the_stack_stays() {
    let project = project("1 / 0");
    let run = project.run(&["deploy", "greet", "--yes", "--junit", "smoke.xml"]);
    assert_eq!(run.code, 13, "{}", run.session());
    let line = SPEC.lines().position(|line| line.contains("invoke: functions.greet")).expect("the test") + 1;
    for said in ["D060", "the function failed", "division by zero", "FAILED functions.greet"] {
        assert!(run.stderr.contains(said), "{said}: {}", run.session());
    }
    assert!(run.stderr.contains(&format!("--> stacks/greet/usecase.yaml:{line}:")), "{}", run.session());
    assert!(run.stdout.contains("WebApiUrl = "), "{}", run.session());
    let junit = project.read("smoke.xml");
    assert!(junit.contains("name=\"greet-dev\" tests=\"6\" failures=\"") && junit.contains("<failure message="));

    // What was right before a failure is right after it: the refusals.
    let alone = project.run(&["smoke", "greet", "--format", "json"]);
    assert_eq!(alone.code, 13, "{}", alone.session());
    let events: Vec<Value> = alone.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let results: Vec<&Value> = events.iter().filter(|event| event["kind"] == "smoke-tested").collect();
    let passed: Vec<bool> = results.iter().map(|result| result["ok"].as_bool().expect("a word")).collect();
    assert_eq!(passed, [false, true, false, true, false, false], "{}", alone.session());
    let last = events.last().expect("an end");
    assert_eq!((&last["outcome"], &last["exit_code"]), (&"smoke-failed".into(), &13.into()), "{last}");

    project.write("stacks/greet/function/app.py", code(HELLO));
    let right = project.run(&["deploy", "greet", "--yes"]).ok();
    assert!(right.stderr.contains("6 of 6 smoke tests passed"), "{}", right.session());
}

#[test]
fn no_smoke_is_no_smoke() {
    let project = project("1 / 0");
    let run = project.run(&["deploy", "greet", "--yes", "--no-smoke"]).ok();
    assert!(!run.stderr.contains("smoke") && !run.stderr.contains("FAILED"), "{}", run.session());
}

#[test]
fn nothing_deployed_and_nothing_to_try_are_told() {
    let project = project(HELLO);
    let absent = project.run(&["smoke", "greet"]);
    assert_eq!(absent.code, 1, "{}", absent.session());
    assert!(absent.stderr.contains("P028"), "{}", absent.session());
    project.write("stacks/bare/usecase.yaml", "bedplate: 1\nname: bare\nbuckets:\n  files: {}\n");
    let bare = project.run(&["smoke", "bare"]).ok();
    assert!(bare.stderr.contains("D065"), "{}", bare.session());
}

#[test]
fn a_poster_is_drawn_and_a_missing_prompt_refused_by_the_deploy_itself() {
    let project = Project::with("movie-poster");
    let run = project.run(&["deploy", "movie-poster", "--yes"]).ok();
    let tried: Vec<&str> = run.stderr.lines().filter(|line| line.contains("apis.posters")).collect();
    assert_eq!(tried.len(), 3, "{}", run.session());
    assert!(
        tried.iter().all(|line| line.contains("  ok     GET apis.posters /moviePosterDesign")),
        "{}",
        run.session()
    );
    assert!(run.stderr.contains("3 of 3 smoke tests passed"), "{}", run.session());
}

/// A line of smoke tests, each of which fails by one expectation: that stands on the line after the test.
const FAILING: &str = "bedplate: 1
name: failing
region: us-east-1
models:
  words: { id: \"amazon.nova-lite-v1:0\" }
  vectors: { id: \"amazon.titan-embed-text-v2:0\", output: embedding, dimensions: 1024 }
buckets:
  texts: { documents: documents/ }
knowledge-bases:
  texts: { description: The rules, embedding: vectors, sources: { rules: { bucket: texts } } }
agents:
  clerk:
    model: words
    instruction: You are the friendly clerk who tells people what the rules of the house say
    tools: { status: { function: say, operations: { getStatus: { description: The status of an account, parameters: { accountId: { type: integer, description: The number of the account } } } } } }
functions:
  say: { code: function/, handler: app.handler, runtime: python3.13 }
apis:
  web:
    kind: http
    routes:
      - GET /say: { function: say }
  keyed:
    kind: rest
    usage-plans: { all: { keys: [first] } }
    routes:
      - GET /say: { function: say, api-key: true }
smoke:
  - call: GET apis.web /say?body=gone&status=404
    expect:
      status: 200
  - call: GET apis.web /say?body=hello
    expect:
      body: { contains: [hello, world] }
  - call: GET apis.web /say?body=hello
    expect:
      body: { matches: ^world }
  - call: GET apis.web /say?body=hello
    expect:
      body: { not-contains: hello }
  - call: 'GET apis.web /say?body={\"days\": 30}'
    expect:
      json: { $.days: 60 }
  - call: 'GET apis.web /say?body={\"days\": 30}'
    expect:
      json: { $.weeks: 4 }
  - call: GET apis.web /say?body=hello
    expect:
      headers: { x-by: { contains: somebody } }
  - call: GET apis.web /say?body=hello
    expect:
      image: png
  - call: GET apis.keyed /say?body=KEY
    api-key: first
    expect:
      body: { contains: your key }
  - retrieve: knowledge-bases.texts
    query: When is it quiet?
    expect:
      sources: [holidays.md]
  - retrieve: knowledge-bases.texts
    query: When is it quiet?
    expect:
      passages: 50
  - chat: agents.clerk
    turns:
      - say: Hi
      - say: \"7777\"
        expect:
          text: { contains: Closed }
  - chat: agents.clerk
    turns:
      - say: Hi
        expect:
          tools: [status]
";

/// What fails of each test, in its order: a word of the reason, and what the line of its place holds.
const REASONS: [(&str, &str); 13] = [
    ("answered 404, expected 200: gone", "status: 200"),
    ("`world` is not in the answer: hello", "contains: [hello, world]"),
    ("the answer does not match `^world`", "matches: ^world"),
    ("`hello` is in the answer", "not-contains: hello"),
    ("`$.days` is 30, expected 60", "$.days: 60"),
    ("nothing is at `$.weeks`", "$.weeks: 4"),
    ("`somebody` is not in the header `x-by`: nobody", "contains: somebody"),
    ("the body is not a picture and has no address of one", "image: png"),
    ("`your key` is not in the answer: key …", "contains: your key"),
    ("what was found comes from `rules.md`, not `holidays.md`", "sources: [holidays.md]"),
    ("expected 50 at least", "passages: 50"),
    ("to `7777`: `Closed` is not in the answer", "contains: Closed"),
    ("to `Hi`: the tool `status` was not used, but nothing", "tools: [status]"),
];

#[test]
fn one_expectation_of_each_kind_that_fails_gives_13_its_place_and_its_reason() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/failing/usecase.yaml", FAILING);
    project.write("stacks/failing/documents/rules.md", "# Rules\n\nIt is quiet in the house from 22:00 on.\n");
    project.write(
        "stacks/failing/function/app.py",
        "import json\n\n\ndef handler(event, context):\n    query = event.get('queryStringParameters') or {}\n    \
         body = query.get('body', 'Pending')\n    if body == 'KEY':\n        body = 'key ' + event['requestContext']['identity']['apiKey']\n    \
         status = int(query.get('status', 200))\n    return {'statusCode': status, 'headers': {'x-by': 'nobody'}, 'body': body}\n",
    );
    let run = project.run(&["deploy", "failing", "--yes", "--junit", "smoke.xml"]);
    assert_eq!(run.code, 13, "{}", run.session());
    let alone = project.run(&["smoke", "failing", "--format", "json"]);
    assert_eq!(alone.code, 13, "{}", alone.session());
    let events: Vec<Value> = alone.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let results: Vec<&Value> = events.iter().filter(|event| event["kind"] == "smoke-tested").collect();
    assert_eq!(results.len(), REASONS.len(), "{}", alone.session());
    let lines: Vec<&str> = FAILING.lines().collect();
    for (result, (reason, at)) in results.iter().zip(REASONS) {
        let told = result["reason"].as_str().unwrap_or_default();
        let line = result["place"]["line"].as_u64().expect("a place");
        let line = lines[usize::try_from(line).expect("a line") - 1];
        assert!(told.contains(reason) && line.contains(at), "{reason} at {line}: {result}");
    }
    let junit = project.read("smoke.xml");
    assert!(junit.contains("tests=\"13\" failures=\"13\"") && junit.contains("expected 50 at least"), "{junit}");
}

#[test]
fn a_poster_that_is_no_picture_and_one_of_another_type_are_told() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write(
        "stacks/draw/usecase.yaml",
        "bedplate: 1\nname: draw\nbuckets:\n  all: {}\nfunctions:\n  draw:\n    code: function/\n    handler: app.handler\n    \
         runtime: python3.13\n    environment: { BUCKET: \"${buckets.all}\" }\n    uses:\n      - read-write: buckets.all\nsmoke:\n  \
         - invoke: functions.draw\n    payload: { type: image/png, body: PNG }\n    expect: { image: png }\n  \
         - invoke: functions.draw\n    payload: { type: image/png, body: text }\n    expect: { image: png }\n  \
         - invoke: functions.draw\n    payload: { type: text/plain, body: PNG }\n    expect: { image: png }\n  \
         - invoke: functions.draw\n    payload: { type: image/png, body: PNG }\n    expect: { image: jpeg }\n",
    );
    project.write(
        "stacks/draw/function/app.py",
        "import os\n\nimport boto3\n\n\ndef handler(event, context):\n    s3 = boto3.client('s3')\n    body = event['body'].encode()\n    \
         if body == b'PNG':\n        body = b'\\x89PNG\\r\\n\\x1a\\n'\n    what = {'Bucket': os.environ['BUCKET'], 'Key': 'one'}\n    \
         s3.put_object(**what, Body=body, ContentType=event['type'])\n    return {'at': {'url': s3.generate_presigned_url('get_object', Params=what)}}\n",
    );
    let run = project.run(&["deploy", "draw", "--yes", "--format", "json"]);
    assert_eq!(run.code, 13, "{}", run.session());
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let reasons: Vec<&str> = events
        .iter()
        .filter(|event| event["kind"] == "smoke-tested")
        .map(|event| event["reason"].as_str().unwrap_or("ok"))
        .collect();
    assert_eq!(reasons[0], "ok", "{}", run.session());
    for (reason, wanted) in
        reasons[1..].iter().zip(["is not a PNG picture", "is sent as `text/plain`", "expected JPEG"])
    {
        assert!(reason.contains(wanted) && !reason.contains("Signature="), "{reason}");
    }
}

#[test]
fn junit_is_written_even_when_a_later_use_case_cannot_be_deployed() {
    let project = project(HELLO);
    // It needs a stack that is not there.
    project.write(
        "stacks/zeta/usecase.yaml",
        "bedplate: 1\nname: zeta\nneeds:\n  other: { use-case: nowhere }\nbuckets:\n  files: {}\noutputs:\n  \
         x: \"${needs.other.Url}\"\n",
    );
    let run = project.run(&["deploy", "greet", "zeta", "--yes", "--junit", "smoke.xml"]);
    assert_eq!(run.code, 1, "{}", run.session());
    let junit = project.read("smoke.xml");
    assert!(junit.contains("name=\"greet-dev\" tests=\"6\" failures=\"0\""), "{junit}");
}

#[test]
fn a_resource_of_a_template_that_is_no_function_is_refused_by_the_check() {
    let project = Project::with("codegen-demo");
    let spec = project.read("stacks/codegen-demo/usecase.yaml");
    project.write("stacks/codegen-demo/usecase.yaml", spec.replace("Upload51C4D210", "Uploads4F6EB0FD"));
    let run = project.run(&["check", "codegen-demo"]);
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.session().contains("R104") && run.session().contains("Upload51C4D210"), "{}", run.session());
}

#[test]
fn a_secret_in_a_header_arrives_and_is_repeated_nowhere() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write(
        "stacks/sealed/usecase.yaml",
        "bedplate: 1\nname: sealed\nsecrets:\n  plain: { generate: 40 }\n  keyed: { generate: 30, key: word, with: { user: ann } }\n\
         functions:\n  tell: { code: function/, handler: app.handler, runtime: python3.13 }\napis:\n  web:\n    kind: http\n    \
         routes:\n      - GET /: { function: tell }\nsmoke:\n  - call: GET apis.web /\n    \
         headers: { authorization: \"Bearer ${secrets.plain}\", x-word: \"${secrets.keyed}\" }\n    \
         expect: { json: { $.plain: 47, $.keyed: 30 } }\n  - call: GET apis.web /\n    \
         headers: { authorization: \"Bearer ${secrets.plain}\", x-word: \"${secrets.keyed}\" }\n    \
         expect: { body: { contains: nothing of it } }\n",
    );
    project.write(
        "stacks/sealed/function/app.py",
        "import json\n\n\ndef handler(event, context):\n    one, two = event['headers']['authorization'], event['headers']['x-word']\n    \
         return {'statusCode': 200, 'body': json.dumps({'plain': len(one), 'keyed': len(two), 'told': [one, two]})}\n",
    );
    let run = project.run(&["deploy", "sealed", "--yes", "--junit", "smoke.xml"]);
    assert_eq!(run.code, 13, "{}", run.session());
    assert!(run.stderr.contains("1 of 2 smoke tests passed"), "{}", run.session());
    assert!(run.stderr.contains(r#""told": ["Bearer …", "…"]"#), "{}", run.session());
    let junit = project.read("smoke.xml");
    assert!(junit.contains("Bearer …"), "{junit}");
}

const CHAT: &str = "bedplate: 1
name: chat
secrets:
  token: { generate: 40 }
functions:
  talk:
    code: function/
    handler: app.talk
    runtime: python3.13
    uses: [{ push: apis.chat }, { push: apis.own }]
  gate: { code: function/, handler: app.gate, runtime: python3.13 }
apis:
  chat:
    kind: websocket
    auth: bearer
    authorizers: { bearer: { function: gate } }
    routes: [{ $connect: { function: talk } }, { $default: { function: talk } }]
  own:
    kind: websocket
    auth: iam
    routes: [{ $connect: { function: talk } }, { $default: { function: talk } }]
smoke:
";

/// Lets in whoever has a token as long as the secret's, echoes what is said, and fails at `fail`.
const TALK: &str = r#"import json, os, urllib.parse, urllib.request


def gate(event, context):
    scheme, _, token = event["headers"].get("authorization", event["headers"].get("Authorization", "")).partition(" ")
    effect = "Allow" if len(token) == 40 else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def talk(event, context):
    request = event["requestContext"]
    if request["routeKey"] == "$connect":
        return {"statusCode": 200}
    if event["body"] == "fail":
        raise Exception("failed")
    connection = urllib.parse.quote(request["connectionId"], safe="")
    # The owner's own credentials, whose signature nobody checks on this machine.
    credential = f"local/20260105/{os.environ['AWS_REGION']}/execute-api/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=x"}
    url = f"{os.environ['AWS_ENDPOINT_URL']}/@connections/{connection}"
    echo = json.dumps({"echo": event["body"]}).encode()
    urllib.request.urlopen(urllib.request.Request(url, data=echo, headers=headers, method="POST"))
    return {"statusCode": 200}
"#;

fn chat(smoke: &str) -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/chat/usecase.yaml", format!("{CHAT}{smoke}"));
    project.write("stacks/chat/function/app.py", TALK);
    project
}

#[test]
fn a_websocket_is_talked_over_with_a_token_and_refused_without_one() {
    let project = chat(
        "  - chat: apis.chat
    headers: { authorization: \"Bearer ${secrets.token}\" }
    turns:
      - say: Hi
        expect: { text: { contains: '\"Hi\"' }, within: 60s }
      - say: two
        expect: { json: { $.echo: two } }
  - chat: apis.chat
    expect: { status: 401 }
  - chat: apis.chat
    headers: { authorization: Bearer nobody }
    expect: { status: 403 }
  - chat: apis.own
    turns: [{ say: signed, expect: { text: { contains: signed } } }]
  - chat: apis.own
    expect: { status: 403 }
",
    );
    let run = project.run(&["deploy", "chat", "--yes"]).ok();
    assert!(run.stderr.contains("5 of 5 smoke tests passed"), "{}", run.session());
}

#[test]
fn what_a_websocket_says_wrong_and_a_connection_it_should_not_open_or_refuse_are_told() {
    let project = chat(
        "  - chat: apis.chat
    headers: { authorization: \"Bearer ${secrets.token}\" }
    turns:
      - say: Hi
        expect: { text: { contains: Ho } }
  - chat: apis.chat
    headers: { authorization: \"Bearer ${secrets.token}\" }
    turns:
      - say: fail
  - chat: apis.chat
    turns: [{ say: Hi }]
  - chat: apis.chat
    headers: { authorization: Bearer nobody }
    expect: { status: 401 }
  - chat: apis.chat
    headers: { authorization: \"Bearer ${secrets.token}\" }
    expect: { status: 401 }
",
    );
    let run = project.run(&["deploy", "chat", "--yes"]);
    assert_eq!(run.code, 13, "{}", run.session());
    for said in [
        "to `Hi`: `Ho` is not in the answer: {\"echo\": \"Hi\"}",
        "to `fail`: API Gateway answered: {\"message\":",
        "the connection was refused with 401: ",
        "the connection was refused with 403, expected 401: ",
        "the connection was opened, expected that it is refused with 401",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.session());
    }
    let first = CHAT.lines().count() + 1;
    for line in [first + 4, first + 8, first + 9, first + 13, first + 16] {
        assert!(run.stderr.contains(&format!("stacks/chat/usecase.yaml:{line}:")), "{line}: {}", run.session());
    }
}
