//! Behaviour of the `spec` side, as a user could see it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bedplate::finding::{Finding, Severity};
use bedplate::spec::{self, Days, Grant, Project, Seconds, StageTarget};
use proptest::prelude::*;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn show(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let place =
            finding.place.as_ref().map_or("nowhere".to_owned(), |place| format!("{}:{}", place.line, place.column));
        let _ = writeln!(text, "{place} {finding}");
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "    {help}");
        }
    }
    text
}

#[test]
fn the_movie_poster_loads() {
    let loaded = spec::load(&fixture("movie-poster/usecase.yaml"), "usecase.yaml").map_err(|f| show(&f)).unwrap();
    let spec = &loaded.spec;
    assert_eq!(spec.name, "movie-poster");
    assert_eq!(spec.buckets["posters"].expire_after, Some(Days(7)));
    let design = &spec.functions["design"];
    assert_eq!(design.timeout, Some(Seconds(60)));
    assert_eq!(
        design.uses,
        [Grant::Invoke("models.artist".to_owned()), Grant::ReadWrite("buckets.posters".to_owned())]
    );
    assert_eq!(show(&loaded.warnings), "");
    let place = loaded.place("/functions/design/code").unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("usecase.yaml", 17, 11));
}

/// Every malformed spec: coded, placed, quick, and in words that read well.
#[test]
fn malformed_specs_are_told_what_is_wrong() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(fixture("malformed")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 20);
    let mut all = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let started = Instant::now();
        let findings = spec::load(&path, &name).map(|_| ()).unwrap_err();
        let took = started.elapsed();
        assert!(took < limit(), "{name} took {took:?}");
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
            assert!(finding.code.as_str().starts_with('S'), "{name}: {finding}");
            let place = finding.place.as_ref().unwrap_or_else(|| panic!("{name}: {finding} has no place"));
            assert_eq!(place.file, name);
            assert!(place.line >= 1 && place.column >= 1);
        }
        let _ = write!(all, "== {name}\n{}", show(&findings));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_committed_schema_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/usecase.schema.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == spec::json_schema_text(),
        "schemas/usecase.schema.json is stale; refresh it: bedplate schema > schemas/usecase.schema.json"
    );
}

/// Calls `visit` with every schema in a schema.
fn schemas(schema: &Value, pointer: &str, visit: &mut dyn FnMut(&str, &serde_json::Map<String, Value>)) {
    let Some(object) = schema.as_object() else { return };
    visit(pointer, object);
    for (key, value) in object {
        match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(inner)) => {
                inner.iter().for_each(|(name, schema)| schemas(schema, &format!("{pointer}/{key}/{name}"), visit));
            }
            ("items" | "additionalProperties", schema) => schemas(schema, &format!("{pointer}/{key}"), visit),
            ("oneOf", Value::Array(options)) => {
                options.iter().for_each(|schema| schemas(schema, &format!("{pointer}/{key}"), visit));
            }
            _ => {}
        }
    }
}

#[test]
fn the_schema_describes_every_key_and_allows_no_other() {
    let schema = spec::json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let (mut keys, mut bare) = (0, Vec::new());
    schemas(&schema, "", &mut |pointer, object| {
        for (key, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            keys += 1;
            let described = property.get("description").or_else(|| {
                let reference = property["$ref"].as_str()?.strip_prefix('#')?;
                schema.pointer(reference)?.get("description")
            });
            // The keys of a grant are described with the grant they make.
            let described = described.or_else(|| object.get("description"));
            assert!(described.is_some_and(|text| text != ""), "{pointer}/properties/{key} has no description");
            if !speaks_for_itself(&schema, property) {
                bare.push(format!("{pointer}/properties/{key}"));
            }
        }
        if object.get("type") == Some(&Value::from("object")) {
            let free = object.contains_key("x-free") || object.contains_key("x-deep-text");
            let closed = free
                || object
                    .get("additionalProperties")
                    .is_some_and(|rest| rest == &Value::Bool(false) || rest.is_object());
            assert!(closed, "{pointer} takes any key");
        }
        assert!(object.get("type").is_none_or(Value::is_string), "{pointer} takes null");
    });
    assert!(keys > 60, "{keys}");
    assert!(bare.is_empty(), "without an example: {bare:#?}");
}

/// Whether an author who sees a key's schema knows what to write: by an example, or because all there is to write has a
/// name or keys with examples of their own.
fn speaks_for_itself(schema: &Value, property: &Value) -> bool {
    let target = property["$ref"].as_str().and_then(|it| schema.pointer(it.trim_start_matches('#')));
    let all = [Some(property), target];
    let has = |key: &str| all.iter().flatten().any(|schema| schema.get(key).is_some());
    let nested = |schema: &Value| {
        schema.get("properties").is_some()
            || schema["additionalProperties"].get("$ref").is_some()
            || schema["items"].get("$ref").is_some()
            || schema["type"] == "boolean"
    };
    has("examples") || has("const") || has("oneOf") || all.iter().flatten().any(|schema| nested(schema))
}

#[test]
fn the_movie_poster_passes_the_json_schema() {
    let mut python = std::process::Command::new(crate::support::judges());
    let loaded = spec::load(&fixture("movie-poster/usecase.yaml"), "usecase.yaml").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let script = "import json, sys, jsonschema\n\
                  schema, good, bad = (json.load(open(p)) for p in sys.argv[1:])\n\
                  jsonschema.Draft202012Validator.check_schema(schema)\n\
                  v = jsonschema.Draft202012Validator(schema)\n\
                  assert not list(v.iter_errors(good)), list(v.iter_errors(good))\n\
                  assert list(v.iter_errors(bad))\n";
    let mut bad = loaded.document.clone();
    bad["functions"]["design"]["tiemout"] = Value::from("60s");
    let write = |name: &str, value: &Value| {
        let path = dir.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    };
    let files = [write("schema", &spec::json_schema()), write("good", &loaded.document), write("bad", &bad)];
    let output = python.arg("-c").arg(script).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a user waits for at most; a debug build on a busy machine is given more.
fn limit() -> Duration {
    if cfg!(debug_assertions) { Duration::from_secs(15) } else { Duration::from_secs(1) }
}

const FIRST_LINES: &str = "bedplate: 1\nname: x\n";

fn codes(text: &str) -> Vec<&'static str> {
    match spec::load_str(text, "spec") {
        Ok(loaded) => loaded.warnings.iter().map(|finding| finding.code.as_str()).collect(),
        Err(findings) => findings.iter().map(|finding| finding.code.as_str()).collect(),
    }
}

/// Files no author writes: each answered in well under a second.
#[test]
fn hostile_specs_are_refused_quickly() {
    let repeat = |head: &str, text: &str, times: usize| format!("{FIRST_LINES}{head}{}", text.repeat(times));
    let laughs = (1..12).fold("tags:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("{text}  a{level}: &a{level} [{aliases}]\n")
    });
    let wide = format!("tags:\n  a: &a [{}]\n  b: [{}]\n", "x, ".repeat(40_000), "*a, ".repeat(40_000));
    let long = format!("tags:\n  a: &a \"{}\"\n  b: [{}]\n", "x".repeat(500_000), "*a, ".repeat(50_000));
    let cases: [(&str, String, &str); 19] = [
        ("laughs", format!("{FIRST_LINES}{laughs}"), "S005"),
        ("wide aliases", format!("{FIRST_LINES}{wide}"), "S005"),
        ("long aliases", format!("{FIRST_LINES}{long}"), "S005"),
        ("deep lists in a line", repeat("tags: ", "[", 900_000), "S005"),
        ("deep mappings in a line", repeat("tags: ", "{a: ", 200_000), "S005"),
        ("deep lists by dashes", repeat("tags:\n  ", "- ", 400_000), "S005"),
        (
            "deep mappings by indentation",
            (0..1300).fold(FIRST_LINES.to_owned(), |t, i| format!("{t}{}a:\n", " ".repeat(i))),
            "S005",
        ),
        ("deep explicit keys", repeat("tags:\n  ", "? ", 400_000), "S006"),
        ("many keys", (0..60_000).fold(FIRST_LINES.to_owned(), |t, i| format!("{t}key{i}: 1\n")), "S010"),
        (
            "many buckets",
            (0..40_000).fold(format!("{FIRST_LINES}buckets:\n"), |t, i| format!("{t}  b{i}: 1\n")),
            "S012",
        ),
        ("one long key", repeat("", "k", 900_000), "S001"),
        ("one long text", repeat("tags: ", "word ", 200_000), "S012"),
        ("one long quoted text", repeat("tags: \"", "\\u00e9", 150_000), "S001"),
        (
            "many anchors",
            (0..40_000).fold(format!("{FIRST_LINES}tags:\n"), |t, i| format!("{t}  k{i}: &a{i} 1\n")),
            "S012",
        ),
        ("many tags", repeat("tags: ", "!a ", 300_000), "S006"),
        ("many comments", repeat("tags: 1\n", "# comment\n", 100_000), "S012"),
        ("many documents", repeat("", "---\na: 1\n", 100_000), "S006"),
        ("many references", format!("{FIRST_LINES}outputs:\n  a: \"{}\"\n", "${a.b}".repeat(100_000)), "S021"),
        ("unclosed references", format!("{FIRST_LINES}outputs:\n  a: \"{}\"\n", "${".repeat(400_000)), "S020"),
    ];
    for (what, text, code) in cases {
        let started = Instant::now();
        let codes = codes(&text);
        let took = started.elapsed();
        eprintln!("{what}: {took:?} {:?}", codes.first());
        assert!(codes.contains(&code), "{what}: {:?}", codes.first());
        assert!(took < limit(), "{what} took {took:?}");
    }
}

#[test]
fn projects_and_use_cases_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("bedplate.yaml", "stages:\n  prod: { target: aws, region: us-west-2, account: \"123456789012\" }\n");
    write("stacks/one/usecase.yaml", "bedplate: 1\nname: one\n");
    write("stacks/two/usecase.yaml", "bedplate: 1\nname: movie-poster\n");
    write("stacks/notes.txt", "no use case");
    write("elsewhere/usecase.yaml", "bedplate: 1\nname: other\n");

    let project = Project::find(&root.join("stacks/two")).unwrap();
    assert_eq!(project.root, root);
    assert_eq!(project.stage("prod").target, Some(StageTarget::Aws));
    assert_eq!(project.stage("dev").target, None);
    let project = Project::find(&root).unwrap();
    let names: Vec<String> = project.use_cases().unwrap().into_iter().map(|use_case| use_case.name).collect();
    assert_eq!(names, ["movie-poster", "one"]);

    let shown = |argument: &str| project.resolve(argument).map(|use_case| (use_case.name, use_case.shown));
    let two = ("movie-poster".to_owned(), "stacks/two/usecase.yaml".to_owned());
    for argument in ["movie-poster", "two", "stacks/two", "./stacks/two/", "stacks/two/usecase.yaml"] {
        let (name, file) = shown(argument).unwrap();
        assert_eq!((name, file.replace("./", "").replace("//", "/")), two, "{argument}");
    }
    assert_eq!(shown("elsewhere").unwrap().0, "other");
    assert_eq!(project.resolve("two").unwrap().load().unwrap().spec.name, "movie-poster");

    let wrong = |argument: &str| show(&project.resolve(argument).unwrap_err());
    let mut all = wrong("movie-postr") + &wrong("stacks");

    write("stacks/three/usecase.yaml", "{bedplate: 1, name: one}");
    all += &show(&project.use_cases().unwrap_err());
    insta::assert_snapshot!(all);
}

#[test]
fn a_project_file_is_told_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = String::new();
    let text = "stakcs: stacks\nstages:\n  dev:\n    target: awz\n    account: 123456789012\n    tags: [a]\n  prod:\n";
    std::fs::write(dir.path().join("bedplate.yaml"), text).unwrap();
    all += &show(&Project::find(dir.path()).unwrap_err());
    let text = "stacks: ../x\nstages:\n  a b: {}\n  dev: { account: \"12\", endpoint-url: localhost }\n";
    std::fs::write(dir.path().join("bedplate.yaml"), text).unwrap();
    all += &show(&Project::find(dir.path()).unwrap_err());
    std::fs::write(dir.path().join("bedplate.yaml"), "stacks: [").unwrap();
    all += &show(&Project::find(dir.path()).unwrap_err());
    insta::assert_snapshot!(all);
    std::fs::write(dir.path().join("bedplate.yaml"), "# nothing yet\n").unwrap();
    assert!(Project::find(dir.path()).is_ok());
}

#[test]
fn files_that_are_no_specs_are_refused_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usecase.yaml");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let findings = spec::load(&path, "usecase.yaml").map(|_| ()).unwrap_err();
        let place = findings[0].place.clone().unwrap();
        (findings[0].code.as_str(), place.line, place.column)
    };
    assert_eq!(refused(b"bedplate: 1\nname: \xff\xfe\n"), ("S004", 2, 7));
    assert_eq!(refused(b"\x7fELF\x02\x01\x01\0\0\0"), ("S004", 1, 1));
    assert_eq!(refused(&[0; 4096]), ("S004", 1, 1));
    assert_eq!(
        refused("bedplate: 1".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()),
        ("S004", 1, 2)
    );

    // 50 MB, refused by its size and not read.
    std::fs::File::create(&path).unwrap().set_len(50_000_000).unwrap();
    let started = Instant::now();
    let findings = spec::load(&path, "usecase.yaml").map(|_| ()).unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(500));
    assert_eq!(findings[0].code, "S003");
    assert!(findings[0].message.contains("47.7 MiB"), "{}", findings[0].message);

    let code = |path: &Path| spec::load(path, "x").map(|_| ()).unwrap_err()[0].code;
    assert_eq!(code(dir.path()), "S007");
    assert_eq!(code(&dir.path().join("absent.yaml")), "S007");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_change_to_a_spec_makes_loading_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[-a-z:${}\\[\\],.&*!|\"'0-9 \n\t]{0,4}"), 1..6)
    ) {
        let mut text = std::fs::read_to_string(fixture("movie-poster/usecase.yaml")).unwrap();
        for (at, remove, insert) in changes {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let start = *at.get(&boundaries);
            let end = text[start..].char_indices().nth(remove).map_or(text.len(), |(length, _)| start + length);
            text.replace_range(start..end, &insert);
        }
        if let Err(findings) = spec::load_str(&text, "spec") {
            prop_assert!(!findings.is_empty());
            for finding in findings {
                prop_assert!(finding.place.is_some(), "{} has no place", finding);
            }
        }
    }

    #[test]
    fn no_bytes_make_loading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = spec::load_str(&String::from_utf8_lossy(&bytes), "spec");
    }
}

/// Every whole example in the description of the language is one that works.
#[test]
fn the_examples_of_the_documentation_load() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    let specs: Vec<&&str> = blocks.iter().filter(|block| block.starts_with("bedplate: 1")).collect();
    assert_eq!(specs.len(), 1);
    let loaded = spec::load_str(specs[0], "docs/language.md").map_err(|findings| show(&findings)).unwrap();
    assert_eq!(show(&loaded.warnings), "");
    for section in ["parameters", "models", "buckets", "layers", "functions", "apis", "outputs", "smoke", "tags"] {
        assert!(loaded.document.get(section).is_some(), "the example has no {section}");
    }

    let project = blocks.iter().find(|block| block.starts_with("stacks:")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bedplate.yaml"), project).unwrap();
    assert!(Project::find(dir.path()).map_err(|findings| show(&findings)).unwrap().stage("prod").account.is_some());
}

const PROGRAM: &str = "functions: { f: { code: f/, handler: app.handler, runtime: python3.13";

/// Codes of what a spec is refused or warned for.
fn told(text: &str) -> Vec<&'static str> {
    match spec::load_str(&format!("bedplate: 1\nname: x\n{text}"), "spec") {
        Ok(loaded) => loaded.warnings.iter().map(|finding| finding.code.as_str()).collect(),
        Err(findings) => findings.iter().map(|finding| finding.code.as_str()).collect(),
    }
}

#[test]
fn secrets_are_kept_out_of_what_others_read() {
    let secret = "parameters: { key: { secret: true }, open: {} }\n";
    assert_eq!(told(&format!("{secret}outputs: {{ o: \"x ${{parameters.key}}\" }}")), ["S045"]);
    assert_eq!(told(&format!("{secret}{PROGRAM}, environment: {{ KEY: \"${{parameters.key}}\" }} }} }}")), ["S046"]);
    assert!(told(&format!("{secret}outputs: {{ o: \"${{parameters.open}}\" }}")).is_empty());
}

#[test]
fn a_model_id_stands_for_one_model() {
    assert_eq!(told("models: { m: { id: \"*\" } }"), ["S047"]);
    assert_eq!(told("models: { m: { id: \"\" } }"), ["S047"]);
    assert_eq!(told("models: { m: { id: \"arn:aws:bedrock:us-west-2::foundation-model/*\" } }"), ["S047"]);
    assert!(told("models: { m: { id: \"us.amazon.nova-2-lite-v1:0\" } }").is_empty());
}

#[test]
fn one_mistake_is_told_once() {
    for (route, code) in [("get /posters", "S034"), ("GET posters", "S034")] {
        let text = format!(
            "{PROGRAM} }} }}\napis: {{ a: {{ kind: rest, routes: [{{ {route}: {{ function: f }} }}] }} }}\n\
             smoke: [{{ call: GET apis.a /posters }}]\n"
        );
        assert_eq!(told(&text), [code], "{route}");
    }
    for buckets in ["[posters]", ""] {
        let text = format!("buckets: {buckets}\n{PROGRAM}, uses: [{{ read: buckets.posters }}] }} }}\n");
        let codes = told(&text);
        assert_eq!(codes, ["S012"], "{buckets}");
    }
    let part = spec::load_str("bedplate: 1\nname: x\noutputs: { o: \"${query.a.b}\" }", "spec").expect_err("an error");
    assert!(part.iter().all(|finding| finding.message.contains("has a part too many")), "{part:?}");
}
