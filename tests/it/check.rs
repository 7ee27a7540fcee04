//! Behaviour of the `check` side, as a user could see it.

use std::path::Path;

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::{Finding, Severity};
use bedplate::render::{Partials, RenderOptions, render};
use bedplate::spec::{self, LoadedSpec};

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn checked_with(loaded: &LoadedSpec, partials: &Partials, today: &str) -> Vec<Finding> {
    let options = RenderOptions { stage: "dev", region: None };
    let rendered = render(loaded, &options, partials).expect("a template");
    check(loaded, &rendered, &CheckOptions { today: day(today), region: None })
}

fn checked(text: &str) -> Vec<Finding> {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    checked_with(&loaded, Partials::embedded(), "2026-11-22")
}

/// A spec of one function that uses what is given, with a smoke test so that only what a test is about is said.
fn one_function(sections: &str, function: &str) -> String {
    format!(
        "bedplate: 1\nname: x\nregion: us-west-2\nsmoke: [{{ invoke: functions.f }}]\n{sections}\nfunctions:\n  f:\n    code: function/\n    handler: app.handler\n{function}\n"
    )
}

fn with_model(id: &str, more: &str) -> Vec<Finding> {
    checked(&one_function(
        &format!("models:\n  m:\n    id: {id}\n{more}"),
        "    runtime: python3.13\n    uses: [{ invoke: models.m }]",
    ))
}

fn codes(findings: &[Finding]) -> Vec<(&'static str, Severity, usize)> {
    findings.iter().map(|it| (it.code.as_str(), it.severity, it.place.as_ref().map_or(0, |place| place.line))).collect()
}

#[test]
fn movie_poster_has_only_a_note_about_its_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/movie-poster/usecase.yaml");
    let loaded = spec::load(&path, "stacks/movie-poster/usecase.yaml").expect("a spec");
    let findings = checked_with(&loaded, Partials::embedded(), "2026-11-22");
    assert_eq!(codes(&findings), [("B009", Severity::Note, 7)]);
}

#[test]
fn models_are_held_against_the_facts() {
    use Severity::{Error, Note, Warning};
    for (id, more, expected) in [
        ("amazon.nova-lite-v1:0", "", vec![]),
        ("us.amazon.nova-micro-v1:0", "", vec![]),
        ("amazon.nova-micro-v1:0", "", vec![("B007", Error, 7)]),
        ("eu.amazon.nova-micro-v1:0", "", vec![("B008", Error, 7)]),
        ("au.amazon.nova-micro-v1:0", "", vec![("B008", Error, 7)]),
        ("mistral.mistral-7b-instruct-v0:2", "", vec![]),
        ("us.anthropic.claude-haiku-5-5", "", vec![("B009", Note, 7)]),
        ("anthropic.claude-mythos-5-1", "", vec![("B009", Note, 7)]),
        ("us.amazon.nova-2-lite-v1:0", "    output: text", vec![]),
        ("stability.stable-image-cor-v1:1", "", vec![("B001", Warning, 7)]),
        ("stability.stable-diffusion-xl-v1", "", vec![("B002", Error, 7)]),
        ("amazon.nova-canvas-v1:0", "", vec![("B002", Error, 7)]),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "", vec![("B003", Error, 7), ("B007", Error, 7)]),
        ("stability.stable-image-core-v1:1", "    output: text", vec![("B006", Error, 8), ("B009", Note, 7)]),
        ("amazon.titan-embed-text-v2:0", "    output: text", vec![("B006", Error, 8)]),
        ("amazon.nova-2-lite-v1:0", "", vec![("B007", Error, 7)]),
    ] {
        assert_eq!(codes(&with_model(id, more)), expected, "{id}");
    }
}

#[test]
fn a_finding_about_a_model_names_the_next_step() {
    let help = |id: &str| with_model(id, "").remove(0).help.unwrap_or_default();
    assert!(help("stability.stable-image-cor-v1:1").contains("did you mean `stability.stable-image-core-v1:1`"));
    assert_eq!(help("stability.stable-diffusion-xl-v1"), "use `stability.stable-image-core-v1:1`");
    assert_eq!(
        help("amazon.nova-2-lite-v1:0"),
        "write `id: us.amazon.nova-2-lite-v1:0`, or `id: global.amazon.nova-2-lite-v1:0`"
    );
    assert_eq!(help("amazon.nova-micro-v1:0"), "write `id: us.amazon.nova-micro-v1:0`");
    assert_eq!(help("eu.amazon.nova-lite-v1:0"), "write `id: amazon.nova-lite-v1:0`");
    assert_eq!(help("eu.stability.stable-image-core-v1:1"), "write `id: stability.stable-image-core-v1:1`");
}

#[test]
fn a_model_must_be_offered_where_the_stack_is() {
    let text = one_function(
        "models: { m: { id: 'stability.stable-image-core-v1:1' } }",
        "    runtime: python3.13\n    uses: [{ invoke: models.m }]",
    );
    assert_eq!(codes(&checked(&text)), [("B009", Severity::Note, 5)]);
    let findings = checked(&text.replace("us-west-2", "eu-west-1"));
    assert_eq!(codes(&findings), [("B005", Severity::Error, 5), ("B009", Severity::Note, 5)]);
    assert!(findings[0].help.as_deref().unwrap_or_default().contains("us-west-2"));
}

#[test]
fn an_agreement_is_told_once_for_a_model() {
    let two = "models: { m: { id: 'us.cohere.embed-v4:0' }, n: { id: 'global.cohere.embed-v4:0' } }";
    let text = one_function(two, "    runtime: python3.13\n    uses: [{ invoke: models.m }, { invoke: models.n }]");
    assert_eq!(codes(&checked(&text)), [("B009", Severity::Note, 5)]);
}

#[test]
fn ends_come_nearer_with_the_days() {
    let text = one_function(
        "models: { m: { id: 'us.anthropic.claude-opus-4-1-20250805-v1:0' } }",
        "    runtime: python3.10\n    uses: [{ invoke: models.m }]",
    );
    let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
    let on = |today: &str| -> Vec<&'static str> {
        checked_with(&loaded, Partials::embedded(), today).iter().map(|it| it.code.as_str()).collect()
    };
    assert_eq!(on("2026-04-01"), ["B003"]);
    assert_eq!(on("2026-11-29"), ["B003", "L111"]);
    assert_eq!(on("2027-01-08"), ["B002", "L111"]);
    assert_eq!(on("2027-02-01"), ["B002", "L110"]);
}

#[test]
fn what_hangs_in_the_air_is_told() {
    let findings = checked(
        "bedplate: 1
name: x
models:
  a: { id: amazon.nova-lite-v1:0 }
  ab: { id: amazon.nova-pro-v1:0 }
layers:
  used: { requirements: [boto3], runtimes: [python3.13] }
  idle: { requirements: [boto3], runtimes: [python3.13] }
functions:
  f:
    code: function/
    handler: app.handler
    runtime: python3.13
    layers: [used]
    environment: { MODEL: '${models.ab.arn}' }
",
    );
    use Severity::{Note, Warning};
    assert_eq!(codes(&findings), [("R100", Warning, 4), ("R100", Warning, 8), ("R102", Note, 2)]);
}

#[test]
fn a_function_slower_than_its_api_is_told() {
    let api = "apis:\n  a:\n    kind: rest\n    routes: [{ GET /: { function: f } }]";
    let with = |timeout: &str| {
        codes(&checked(&one_function(api, &format!("    runtime: python3.13\n    timeout: {timeout}"))))
    };
    assert_eq!(with("29s"), []);
    assert_eq!(with("60s"), [("L101", Severity::Warning, 14)]);
    let alone = one_function("", "    runtime: python3.13\n    timeout: 60s");
    assert_eq!(codes(&checked(&alone)), []);
}

#[test]
fn raw_statements_are_looked_at() {
    let with = |actions: &str, resources: &str| {
        codes(&checked(&one_function(
            "",
            &format!(
                "    runtime: python3.13\n    uses:\n      - statement:\n          actions: [{actions}]\n          resources: ['{resources}']\n          reason: it must"
            ),
        )))
        .iter()
        .map(|it| it.0)
        .collect::<Vec<_>>()
    };
    assert_eq!(with("'translate:TranslateText'", "arn:aws:translate:us-west-2:123456789012:x"), [] as [&str; 0]);
    assert_eq!(with("'translate:TranslateText'", "*"), ["I003"]);
    assert_eq!(with("'bedrock:RetrieveAndGenerate'", "*"), [] as [&str; 0]);
    assert_eq!(with("'bedrock:RetrieveAndGenerate', 'bedrock:Retrieve'", "*"), ["I003"]);
    assert_eq!(with("'bedrock:Retrieve*'", "*"), ["I003"]);
    assert_eq!(with("'iam:PassRole'", "*"), ["I004"]);
    assert_eq!(with("'iam:Pass*'", "*"), ["I004"]);
}

/// Findings over movie-poster with one partial changed.
fn with_partial(name: &str, from: &str, to: &str) -> Vec<Finding> {
    let dir = tempfile::tempdir().expect("a folder");
    let text = Partials::embedded().source(name).expect("a partial");
    assert!(text.contains(from), "{from}");
    std::fs::write(dir.path().join(format!("{name}.yaml.hbs")), text.replace(from, to)).expect("a file");
    let partials =
        Partials::with_overrides(&bedplate::files::Root::new(dir.path()).expect("a folder"), dir.path(), dir.path())
            .expect("a sound partial");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/movie-poster/usecase.yaml");
    let loaded = spec::load(&path, "usecase.yaml").expect("a spec");
    checked_with(&loaded, &partials, "2026-11-22")
}

#[test]
fn what_a_project_s_own_partial_grants_is_looked_at() {
    let managed = "      Policies:\n";
    let full = "      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonBedrockFullAccess']\n      Policies:\n";
    assert_eq!(with_partial("function", managed, full)[0].code, "I005");
    let allow = with_partial("bucket", "Effect: Deny", "Effect: Allow");
    assert!(allow.iter().any(|it| it.code == "I002"), "{allow:?}");
    let open = with_partial("rest-route", "      SourceArn: {{json source_arn}}\n", "");
    assert_eq!(open.iter().map(|it| it.code).collect::<Vec<_>>(), ["I008", "B009"]);
    assert_eq!(open[0].template_path.as_deref(), Some("Resources/PostersApiMoviePosterDesignGetPermission/Properties"));
    assert!(open[0].place.is_some());
}

#[test]
fn what_the_schemas_refuse_is_told_at_the_line_of_the_spec() {
    let findings = with_partial("function", "      Timeout: {{json timeout}}", "      Timeout: soon");
    assert_eq!(findings.iter().filter(|it| it.severity == Severity::Error).count(), 1, "{findings:?}");
    assert_eq!(findings[0].place.as_ref().map(|it| it.line), Some(22), "the line of `timeout`: {findings:?}");
    let findings = with_partial("bucket", "      OwnershipControls:", "      OwnershipControl:");
    assert_eq!(findings[0].place.as_ref().map(|it| it.line), Some(10), "the line of the bucket: {findings:?}");
}

#[test]
fn a_name_that_stands_in_the_way_of_a_replacement_is_told() {
    let named = "      BucketName: my-bucket\n      ObjectLockEnabled: true\n      BucketEncryption:";
    let findings = with_partial("bucket", "      BucketEncryption:", named);
    assert!(findings.iter().any(|it| it.code == "R101" && it.severity == Severity::Warning), "{findings:?}");
}

#[test]
fn a_text_that_cloudformation_fills_in_is_told() {
    let text = "    runtime: python3.13\n    environment: { KEY: '{{resolve:secretsmanager:key}}', NOT: '{{json x}}' }";
    assert_eq!(codes(&checked(&one_function("", text))), [("R103", Severity::Warning, 11)], "the line of the variable");
}
