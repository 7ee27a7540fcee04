//! Whatever a project of a megabyte holds, an offline command ends: within seconds and within memory, never by a panic or a
//! signal, and without a second's work for the reader of what it says.
//!
//! The rule is 2 seconds and 300 MB for a released program; `BEDPLATE_TEST_PROGRAM` names one to hold to it. Without, an
//! unoptimised one runs, which takes some twenty times as long, so that what counts is the processor's time, up to 20 seconds
//! of it.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::support::{Project, released};

/// The most processor time in seconds, of a released program and of an unoptimised one, and the most memory in KiB.
const MOST_SECONDS: (f64, f64) = (2.0, 20.0);
const MOST_MEMORY: u64 = 300 * 1024;

const HEAD: &str = "bedplate: 1\nname: x\n";

/// What came of a run.
struct Ended {
    code: i32,
    said: String,
}

/// Runs the program on files in a folder of their own.
fn run(files: &[(&str, String)], args: &[&str]) -> Ended {
    let size: usize = files.iter().map(|(_, text)| text.len()).sum();
    assert!(size <= 2 << 20, "the input is {size} bytes");
    let project = Project::empty();
    for (name, text) in files {
        project.write(name, text);
    }
    let (out, err) = (project.path().join("out"), project.path().join("err"));
    let file = |path| Stdio::from(std::fs::File::create(path).expect("a file"));
    let mut child = project.command(args).stdout(file(&out)).stderr(file(&err)).spawn().expect("the program starts");
    let started = Instant::now();
    let most_seconds = if released().is_some() { MOST_SECONDS.0 } else { MOST_SECONDS.1 };
    let (mut seconds, mut memory) = (0.0_f64, 0_u64);
    let status = loop {
        let (used, peak) = usage(child.id());
        (seconds, memory) = (seconds.max(used), memory.max(peak));
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if seconds > most_seconds || started.elapsed() > Duration::from_secs(300) {
            child.kill().expect("it ends");
            panic!("{args:?} is not done after {seconds} s");
        }
        // Not waited for anything: how often the clock is read.
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(memory < MOST_MEMORY, "{args:?} takes {memory} KiB");
    let said = [out, err].map(|path| String::from_utf8_lossy(&std::fs::read(path).expect("what it said")).into_owned());
    let said = said.concat();
    let code = status.code().unwrap_or_else(|| panic!("{args:?} ended by {status}: {said}"));
    assert!(matches!(code, 0 | 1), "{args:?} ended with {code}: {said}");
    assert!(said.len() < 1 << 20, "{} bytes are said", said.len());
    eprintln!("{args:?} on {size} bytes: {seconds:.2} s, {} MiB", memory >> 10);
    Ended { code, said }
}

/// Seconds of processor time and the most KiB of memory that a process has taken so far.
fn usage(process: u32) -> (f64, u64) {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let stat = read("stat");
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split(' ').filter_map(|it| it.parse().ok()).collect();
    // User and system time are the 14th and 15th field, in hundredths of a second; the third is no number.
    let seconds = (fields.get(10).unwrap_or(&0.0) + fields.get(11).unwrap_or(&0.0)) / 100.0;
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    (seconds, peak.unwrap_or(0))
}

fn check(files: &[(&str, String)]) -> Ended {
    run(files, &["check", "usecase.yaml"])
}

fn spec(text: impl AsRef<str>) -> Ended {
    check(&[("usecase.yaml", format!("{HEAD}{}", text.as_ref())), ("code/app.py", String::new())])
}

/// What `check` says of a template made elsewhere.
fn template(template: &Value) -> Ended {
    check(&[("usecase.yaml", format!("{HEAD}template: t.json\n")), ("t.json", template.to_string())])
}

fn resources(count: usize, one: impl Fn(usize) -> Value) -> Value {
    json!({ "Resources": (0..count).map(|index| (format!("B{index}"), one(index))).collect::<Map<_, _>>() })
}

fn bucket(properties: Value) -> Value {
    json!({ "Type": "AWS::S3::Bucket", "Properties": properties })
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|index| line(index) + "\n").collect()
}

impl Ended {
    #[track_caller]
    fn refused(&self, code: &str) {
        assert_eq!(self.code, 1, "{}", self.said);
        assert!(
            self.said.contains(&format!("[{code}]")),
            "no {code}: {}",
            self.said.chars().take(2_000).collect::<String>()
        );
    }
}

#[test]
fn a_template_with_fifty_thousand_unknown_properties() {
    let many = |_| bucket((0..100).map(|index| (format!("Foo{index}"), json!(1))).collect::<Map<_, _>>().into());
    let ended = template(&resources(500, many));
    ended.refused("T202");
    assert!(ended.said.contains("and 9"), "how many more there are is told: {}", ended.said);
    assert_eq!(ended.said.matches("error[T202]").count(), 100, "a hundred are shown");
}

#[test]
fn a_template_with_one_resource_of_fifteen_thousand_unknown_properties() {
    let many: Map<String, Value> = (0..15_000).map(|index| (format!("Foo{index}"), json!(1))).collect();
    let ended = template(&resources(1, |_| bucket(many.clone().into())));
    ended.refused("T202");
    assert!(ended.said.contains("and 902 more"), "{}", ended.said);
}

#[test]
fn a_template_that_refers_to_what_is_not_there() {
    let text: String = (0..80_000).fold(String::new(), |mut text, index| {
        let _ = write!(text, "${{N{index}}}");
        text
    });
    template(&resources(1, |_| bucket(json!({ "BucketName": { "Fn::Sub": text } })))).refused("T101");
    let long = |index: usize| bucket(json!({ "BucketName": { "Ref": format!("C{index}{}", "x".repeat(240)) } }));
    template(&resources(500, long)).refused("T101");
    let longer = |index: usize| bucket(json!({ "BucketName": { "Ref": format!("C{index}{}", "x".repeat(30_000)) } }));
    template(&resources(15, longer)).refused("T101");
}

#[test]
fn a_template_of_types_that_do_not_exist() {
    template(&resources(500, |index| json!({ "Type": format!("AWS::S3::Nope{index}") }))).refused("T200");
    let long = |index| json!({ "Type": format!("AWS::S3::Nope{index}{}", "x".repeat(1_500)) });
    template(&resources(500, long)).refused("T200");
}

#[test]
fn a_template_beyond_the_limits_of_cloudformation_gets_one_finding() {
    let ended = template(&resources(20_000, |_| json!({ "Type": "AWS::S3::Nope" })));
    ended.refused("L001");
    assert!(!ended.said.contains("[T200]"), "{}", ended.said);
    let section = |name: &str, entry: Value| {
        let mut whole = resources(1, |_| bucket(json!({})));
        whole[name] = (0..12_000).map(|index| (format!("N{index}"), entry.clone())).collect::<Map<_, _>>().into();
        template(&whole)
    };
    section("Parameters", json!({ "Type": "Nope" })).refused("L002");
    section("Outputs", json!({ "Value": { "Ref": "Nope" } })).refused("L003");
    section("Mappings", json!({ "a": { "b": "c" } })).refused("L004");
}

#[test]
fn a_template_with_sections_and_attributes_of_its_own() {
    let mut whole = resources(1, |_| bucket(json!({})));
    for index in 0..40_000 {
        whole[format!("S{index}")] = json!(1);
    }
    template(&whole).refused("T003");
    let mut one = bucket(json!({}));
    for index in 0..25_000 {
        one[format!("S{index}")] = json!(1);
    }
    template(&resources(1, |_| one.clone())).refused("T007");
}

#[test]
fn conditions_in_long_chains_and_circles() {
    let conditions = |count: usize, next: &dyn Fn(usize) -> Value| {
        let mut whole = resources(1, |_| json!({ "Type": "AWS::S3::Bucket", "Condition": "C0" }));
        whole["Conditions"] = (0..count).map(|index| (format!("C{index}"), next(index))).collect::<Map<_, _>>().into();
        template(&whole)
    };
    let not = |index: usize| json!({ "Fn::Not": [{ "Condition": format!("C{index}") }] });
    conditions(5_000, &|index| if index == 4_999 { json!({ "Fn::Equals": ["a", "b"] }) } else { not(index + 1) });
    conditions(5_000, &|index| not((index + 1) % 5_000)).refused("T103");
    let ended = conditions(400, &|index| json!({ "Fn::Or": [not(index), not((index + 7) % 400)] }));
    ended.refused("T103");
}

#[test]
fn resources_that_all_wait_for_one_another() {
    let waits = |index: usize| {
        let others: Vec<String> = (0..index).map(|other| format!("B{other}")).collect();
        json!({ "Type": "AWS::S3::Bucket", "DependsOn": others })
    };
    template(&resources(250, waits));
    let circle = |index: usize| json!({ "Type": "AWS::S3::Bucket", "DependsOn": format!("B{}", (index + 1) % 500) });
    template(&resources(500, circle)).refused("T150");
}

#[test]
fn functions_within_functions() {
    let mut deep = json!("x");
    for _ in 0..40 {
        deep = json!({ "Fn::If": ["C", deep, "y"] });
    }
    let mut wide = json!({ "Key": "a", "Value": "b" });
    for _ in 0..10 {
        wide = json!({ "Fn::If": ["C", wide, wide] });
    }
    let mut whole = resources(1, |_| bucket(json!({ "BucketName": deep, "Tags": [wide] })));
    whole["Conditions"] = json!({ "C": { "Fn::Equals": ["a", "b"] } });
    template(&whole);
    let nested = "[".repeat(80) + &"]".repeat(80);
    let text = format!(r#"{{"Resources":{{"B":{{"Type":"AWS::S3::Bucket","Properties":{{"Tags":{nested}}}}}}}}}"#);
    check(&[("usecase.yaml", format!("{HEAD}template: t.json\n")), ("t.json", text)]);
    let nested = "[".repeat(400_000);
    check(&[("usecase.yaml", format!("{HEAD}template: t.json\n")), ("t.json", nested)]).refused("R143");
}

#[test]
fn loops_that_multiply() {
    let cells: Vec<String> = (0..1_000).map(|index| index.to_string()).collect();
    let bomb = |body: Value| {
        let mut looped = body;
        for (index, variable) in ["A", "C", "D", "E"].iter().enumerate() {
            looped = json!({ format!("Fn::ForEach::L{index}"): [variable, cells, looped] });
        }
        json!({
            "Transform": "AWS::LanguageExtensions",
            "Resources": { "B": bucket(json!({ "Tags": looped })) },
        })
    };
    template(&bomb(json!({ "X${A}x${C}x${D}x${E}": 1 }))).refused("L008");
    template(&bomb(json!({}))).refused("L008");
    let text = json!({
        "Transform": "AWS::LanguageExtensions",
        "Resources": { "B": bucket(json!({ "Tags": {
            "Fn::ForEach::L": ["A", cells, { "X${A}": "y".repeat(500_000) }],
        } })) },
    });
    template(&text).refused("L008");
}

#[test]
fn lists_that_must_hold_nothing_twice_and_alternatives() {
    let groups: Vec<String> = (0..30_000).map(|index| format!("sg-{index}")).collect();
    template(&resources(1, |_| {
        json!({ "Type": "AWS::Lambda::Function", "Properties": {
            "Code": { "ZipFile": "x" }, "Role": "arn:aws:iam::123456789012:role/x",
            "VpcConfig": { "SecurityGroupIds": groups, "SubnetIds": ["subnet-1"] },
        } })
    }));
    let rule = |index: usize| {
        let statements = vec![json!({ "Foo": 1 }); 10];
        json!({ "Name": format!("r{index}"), "Priority": index, "Foo": 1,
                "Statement": { "AndStatement": { "Statements": statements } } })
    };
    let rules: Vec<Value> = (0..700).map(rule).collect();
    template(&resources(1, |_| {
        json!({ "Type": "AWS::WAFv2::WebACL", "Properties": {
            "DefaultAction": { "Allow": {} }, "Scope": "REGIONAL", "Rules": rules,
            "VisibilityConfig": {
                "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "x",
            },
        } })
    }));
}

#[test]
fn mappings_and_parameters_with_thousands_of_values() {
    let tags: Vec<Value> = (0..2_500)
        .map(|index| {
            json!({ "Key": format!("k{index}"), "Value": { "Fn::FindInMap": ["M", { "Ref": "AWS::Region" }, "no"] } })
        })
        .collect();
    let mut whole = resources(1, |_| bucket(json!({ "Tags": tags })));
    let rows = (0..8_000).map(|index| (format!("a{index}"), json!({ "b": "c" }))).collect::<Map<_, _>>();
    whole["Mappings"] = json!({ "M": rows });
    template(&whole).refused("T104");

    let tags: Vec<Value> = (0..3_000).map(|_| json!({ "Key": { "Ref": "P" }, "Value": { "Ref": "P" } })).collect();
    let mut whole = resources(1, |_| bucket(json!({ "Tags": tags })));
    let allowed: Vec<String> = (0..20_000).map(|index| format!("z{index}")).collect();
    whole["Parameters"] = json!({ "P": { "Type": "String", "AllowedValues": allowed } });
    template(&whole).refused("T231");

    let mut whole = resources(1, |_| bucket(json!({})));
    let allowed: Vec<String> = (0..50_000).map(|index| format!("z{index}")).collect();
    let listed = allowed.iter().take(600).cloned().collect::<Vec<_>>().join(",");
    whole["Parameters"] = json!({ "P": { "Type": "CommaDelimitedList", "Default": listed, "AllowedValues": allowed } });
    template(&whole);
}

#[test]
fn patterns_that_explode() {
    let pattern = |index: usize| {
        json!({ "Type": "String", "Default": "a".repeat(3_000) + "!",
                "AllowedPattern": format!("(x+x+)+y|a{{1,90}}(?:b|c{index}|\\w{{20,300}}){{20}}|(a|aa)+$") })
    };
    let mut whole = resources(1, |_| bucket(json!({})));
    whole["Parameters"] = (0..200).map(|index| (format!("P{index}"), pattern(index))).collect::<Map<_, _>>().into();
    template(&whole);
    let smoke = lines(400, |index| {
        format!(
            "  - invoke: functions.f\n    expect: {{ body: {{ matches: '((a{{1,50}}){{1,50}}){{1,50}}{index}' }} }}"
        )
    });
    spec(format!("{FUNCTION}smoke:\n{smoke}")).refused("S037");
    let brackets = "(".repeat(200_000) + &")".repeat(200_000);
    let one = format!("smoke:\n  - invoke: functions.f\n    expect: {{ body: {{ matches: '{brackets}' }} }}\n");
    spec(format!("{FUNCTION}{one}")).refused("S037");
}

const FUNCTION: &str = "functions:\n  f: { code: code/, handler: app.handler, runtime: python3.13 }\n";

#[test]
fn json_paths_within_json_paths() {
    for path in
        ["$[?".to_owned() + &"(".repeat(400) + "@.a" + &")".repeat(400) + "]", "$".to_owned() + &"[".repeat(900)]
    {
        let smoke = format!("smoke:\n  - invoke: functions.f\n    expect: {{ json: {{ '{path}': x }} }}\n");
        spec(format!("{FUNCTION}{smoke}")).refused("S051");
    }
}

#[test]
fn specs_with_too_many_of_everything() {
    for section in ["buckets", "tables", "functions", "needs", "models", "resources", "tags", "alarms"] {
        let ended = spec(format!("{section}:\n{}", lines(30_000, |index| format!("  n{index}: {{}}"))));
        assert_eq!(ended.code, 1, "{section}: {}", ended.said);
    }
    spec(lines(60_000, |index| format!("key{index}: {index}"))).refused("S010");
    spec(lines(10, |index| format!("{}{index}: 1", "k".repeat(90_000)))).refused("S001");
    spec(format!("buckets:\n{}", lines(30_000, |index| format!("  b{index}: {{}}")))).refused("S032");
    spec(format!("outputs:\n{}", lines(25_000, |index| format!("  o{index}: '${{buckets.x{index}}}'"))))
        .refused("S032");
    spec(format!("resources: {{{}}}", lines(40_000, |index| format!("  a{index}: [],")))).refused("S012");
}

#[test]
fn components_with_too_many_of_something() {
    let of = |key: &str, entry: &dyn Fn(usize) -> String, count: usize| {
        let body = lines(count, |index| format!("      {}", entry(index)));
        let function = "  f:\n    code: code/\n    handler: app.handler\n    runtime: python3.13\n";
        format!("buckets: {{ b: {{}} }}\nfunctions:\n{function}    {key}:\n{body}")
    };
    spec(of("uses", &|index| format!("- read: buckets.b/p{index}/"), 20_000)).refused("S234");
    spec(of("layers", &|index| format!("- l{index}"), 60_000)).refused("S234");
    spec(of("environment", &|index| format!("V{index}: x"), 30_000)).refused("S234");
    spec(format!("network:\n  endpoints:\n{}", lines(40_000, |index| format!("    e{index}: {{}}")))).refused("S234");
    spec(format!("network:\n  endpoints:\n{}", lines(190, |index| format!("    e{index}: {{}}")))).refused("R141");
    let routes = lines(15_000, |index| format!("      - GET /p{index}: {{ function: f }}"));
    spec(format!("{FUNCTION}apis:\n  a:\n    kind: rest\n    routes:\n{routes}")).refused("S032");
}

#[test]
fn texts_full_of_references() {
    spec(format!("buckets: {{ b: {{}} }}\noutputs:\n  o: '{}'\n", "${buckets.b}".repeat(70_000)));
    spec(format!("outputs:\n  o: '{}'\n", "${".repeat(400_000))).refused("S020");
    let circle = |index: usize| {
        let others: Vec<String> = (0..120).map(|other| format!("A{other}: '${{functions.f{other}.arn}}'")).collect();
        let all = others.join(", ");
        format!("  f{index}: {{ code: code/, handler: app.handler, runtime: python3.13, environment: {{ {all} }} }}")
    };
    spec(format!("functions:\n{}", lines(120, circle))).refused("S027");
}

#[test]
fn documents_that_nest_and_aliases_that_multiply() {
    spec(format!("resources: {}", "[".repeat(300_000))).refused("S005");
    spec((0..1_200).map(|depth| " ".repeat(depth) + "a:\n").collect::<String>()).refused("S005");
    let mut bomb = "tags:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for index in 1..12 {
        let _ = writeln!(bomb, "  a{index}: &a{index} [{}]", vec![format!("*a{}", index - 1); 10].join(","));
    }
    spec(bomb).refused("S005");
}

fn seed(name: &str, text: String) -> Ended {
    let table = format!("{HEAD}tables:\n  t:\n    partition-key: {{ name: id }}\n    seed: {name}\n");
    check(&[("usecase.yaml", table), (name, text)])
}

#[test]
fn seeds_with_many_rows() {
    assert_eq!(seed("s.yaml", lines(70_000, |index| format!("- id: a{index}"))).code, 0);
    assert_eq!(
        seed("s.json", format!("[{}{{\"id\":\"z\"}}]", lines(60_000, |index| format!("{{\"id\":\"{index}\"}},")))).code,
        0
    );
    assert_eq!(seed("s.csv", format!("id\n{}", lines(90_000, |index| index.to_string()))).code, 0);
    seed("s.csv", format!("id\n{}", lines(120_000, |index| index.to_string()))).refused("S233");
    seed("s.csv", format!("id\n{}", "1\n".repeat(90_000))).refused("S072");
    seed("s.yaml", lines(70_000, |index| format!("- x: a{index}"))).refused("S071");
}

#[test]
fn seeds_with_many_columns() {
    let columns = |count: usize| {
        format!(
            "id,{}\n1,{}\n",
            lines(count, |index| format!("c{index}")).trim_end().replace('\n', ","),
            vec!["x"; count].join(",")
        )
    };
    seed("s.csv", columns(60_000)).refused("S233");
    seed("s.csv", columns(9_000));
}

#[test]
fn a_file_named_again_and_again() {
    let tables = lines(400, |index| format!("  t{index}: {{ partition-key: {{ name: id }}, seed: s.csv }}"));
    let rows = format!("id\n{}", lines(90_000, |index| index.to_string()));
    check(&[("usecase.yaml", format!("{HEAD}tables:\n{tables}")), ("s.csv", rows)]).refused("S231");
}

fn openapi(text: String) -> Ended {
    let agent = "models: { m: { id: 'amazon.nova-lite-v1:0', output: text } }\nagents:\n  a:\n    model: m\n    \
                 instruction: You are a helpful assistant who answers questions at length.\n    tools:\n      \
                 t: { function: f, description: d, openapi: o.yaml }\n";
    let text = format!("openapi: 3.0.0\ninfo: {{ title: x, version: '1' }}\npaths:\n{text}");
    check(&[("usecase.yaml", format!("{HEAD}{FUNCTION}{agent}")), ("o.yaml", text), ("code/app.py", String::new())])
}

fn operation(index: usize, more: &str) -> String {
    format!(
        "  /p{index}:\n    get:\n      operationId: op{index}\n      description: d\n      responses: {{ '200': {{ description: ok }} }}\n{more}"
    )
}

#[test]
fn references_of_an_api_that_chain_and_multiply() {
    let first = "      parameters:\n        - $ref: '#/components/parameters/p0'\n";
    let chain = lines(9_000, |index| format!("    p{index}: {{ $ref: '#/components/parameters/p{}' }}", index + 1));
    openapi(format!("{}components:\n  parameters:\n{chain}", operation(0, first))).refused("S194");

    let body = "      requestBody:\n        content:\n          application/json:\n            schema: { $ref: '#/components/schemas/s0' }\n";
    let refers = |to: usize, count: usize| {
        lines(count, |index| format!("a{index}: {{ $ref: '#/components/schemas/s{to}' }},")).replace('\n', " ")
    };
    let bomb =
        lines(20, |index| format!("    s{index}: {{ type: object, properties: {{ {} }} }}", refers(index + 1, 10)));
    openapi(format!("{}components:\n  schemas:\n{bomb}    s20: {{ type: string }}\n", operation(0, body)))
        .refused("S194");

    let plain = lines(6_000, |index| format!("a{index}: {{ type: string }},")).replace('\n', " ");
    let wide = format!(
        "    s0: {{ type: object, properties: {{ {} }} }}\n    s1: {{ type: object, properties: {{ {plain} }} }}\n",
        refers(1, 6_000)
    );
    openapi(format!("{}components:\n  schemas:\n{wide}", operation(0, body))).refused("S194");

    let long = format!("    s1: {{ type: string, description: {} }}\n", "x".repeat(300_000));
    let wide = format!("    s0: {{ type: object, properties: {{ {} }} }}\n{long}", refers(1, 6_000));
    openapi(format!("{}components:\n  schemas:\n{wide}", operation(0, body))).refused("S194");
}

#[test]
fn an_api_of_thousands_of_operations() {
    openapi(lines(7_000, |index| operation(index, ""))).refused("S194");
    openapi(lines(7_000, |index| operation(index, "").replace(&format!("op{index}"), "same"))).refused("S191");
}

fn loops(text: &str) -> Ended {
    let environment = lines(100, |index| format!("      A{index}: b"));
    let function = format!(
        "{HEAD}functions:\n  f:\n    code: code/\n    handler: app.handler\n    runtime: python3.13\n    environment:\n{environment}"
    );
    check(&[
        ("bedplate.yaml", "{}\n".to_owned()),
        ("usecase.yaml", function),
        ("code/app.py", String::new()),
        ("templates/function.yaml.hbs", text.to_owned()),
    ])
}

#[test]
fn partials_with_loops_in_loops() {
    let mut empty = String::new();
    let mut up = String::new();
    for _ in 0..8 {
        let _ = write!(empty, "{{{{#each {up}environment}}}}");
        up.push_str("../");
    }
    empty += &"{{/each}}".repeat(8);
    let ended = loops(&empty);
    ended.refused("R003");
    assert!(ended.said.contains("loops in loops multiply"), "{}", ended.said);
    let text = "x".repeat(50_000);
    let ended =
        loops(&format!("{{{{#each environment}}}}{{{{#each ../environment}}}}{text}{{{{/each}}}}{{{{/each}}}}"));
    ended.refused("R003");
    assert!(ended.said.contains("renders to more than"), "{}", ended.said);
}

#[test]
fn partials_that_take_long_to_compile() {
    loops(&"#".repeat(70_000)).refused("R007");
    loops(&"a: {{json id}}\n".repeat(4_000)).refused("R160");
    loops(&("{{#if id}}".repeat(3_000) + &"{{/if}}".repeat(3_000))).refused("R160");
    loops(&("{{#if id}}".to_owned() + &"{{else if id}}".repeat(400) + "{{/if}}")).refused("R160");
    for bracket in ["(a ", "[", "{\"a\":"] {
        loops(&("{{json ".to_owned() + &bracket.repeat(12_000))).refused("R002");
        loops(&("{{json \"}}\" ".to_owned() + &bracket.repeat(12_000))).refused("R002");
        loops(&("{{json [' ].x ".to_owned() + &bracket.repeat(12_000))).refused("R002");
    }
    loops(&"{{".repeat(30_000)).refused("R002");
    loops(&("{{!-- }} {{/if}} --}}".repeat(200) + &"{{#if id}}".repeat(200))).refused("R002");
}

/// Twenty renderings that each stay within the bounds of one.
#[test]
fn partials_of_many_components_share_what_they_may_do() {
    let functions = lines(200, |index| {
        format!("  f{index}: {{ code: code/, handler: app.handler, runtime: python3.13, environment: {{ AB: c }} }}")
    });
    let ended = check(&[
        ("bedplate.yaml", "{}\n".to_owned()),
        ("usecase.yaml", format!("{HEAD}functions:\n{functions}")),
        ("code/app.py", String::new()),
        ("templates/function.yaml.hbs", format!("# {}\n", "x".repeat(60_000))),
    ]);
    ended.refused("R003");
}

/// What `plan` says of going from one template to another.
fn plan(old: &Value, new: &Value) -> Ended {
    plan_as(old, new, "text")
}

fn plan_as(old: &Value, new: &Value, format: &str) -> Ended {
    run(
        &[
            ("usecase.yaml", format!("{HEAD}template: t.json\n")),
            ("t.json", new.to_string()),
            ("old.json", old.to_string()),
        ],
        &["plan", "--offline", "usecase.yaml", "--against", "old.json", "--region", "us-east-1", "--format", format],
    )
}

#[test]
fn values_that_double_themselves() {
    let empty = resources(1, |_| json!({ "Type": "AWS::S3::Bucket" }));
    let grown = |value: Value| {
        let mut whole = resources(1, |_| bucket(json!({ "BucketName": value })));
        whole["Transform"] = json!("AWS::LanguageExtensions");
        plan(&empty, &whole)
    };
    let repeated = |count: usize, mut value: Value, wrap: &dyn Fn(Value) -> Value| {
        for _ in 0..count {
            value = wrap(value);
        }
        value
    };
    grown(repeated(25, json!({ "a": "\"\\".repeat(100) }), &|it| json!({ "Fn::ToJsonString": { "a": it } })))
        .refused("L008");
    grown(repeated(40, json!("x".repeat(400_000)), &|it| json!({ "Fn::Base64": it }))).refused("L008");
    let doubled = |it: Value| json!({ "Fn::Sub": ["${a}${a}${a}${a}", { "a": it }] });
    grown(repeated(12, json!("x".repeat(1_000)), &doubled)).refused("L008");
    // Each a little, and many of them.
    let some = repeated(5, json!("x".repeat(1_000)), &doubled);
    let numbered = |number: usize| json!({ "Fn::Join": ["-", [number.to_string(), some]] });
    plan(&empty, &resources(400, |number| bucket(json!({ "BucketName": numbered(number) })))).refused("L008");
    let split = json!({ "Fn::Select": ["1", { "Fn::Split": ["a", "a".repeat(300_000)] }] });
    let joined = |number: usize| json!({ "Fn::Join": ["-", [number.to_string(), split]] });
    assert_eq!(plan(&empty, &resources(3, |number| bucket(json!({ "BucketName": joined(number) })))).code, 0);
}

#[test]
fn policies_of_thousands_of_statements() {
    let policy = |word: &str| {
        let statement = |index: usize| {
            json!({ "Effect": "Allow", "Action": [format!("s3:Get*a*{index}{word}*")],
                    "Resource": [format!("arn:aws:s3:::b{index}*{word}/*a*a*a")] })
        };
        let statements: Vec<Value> = (0..4_500).map(statement).collect();
        resources(1, |_| {
            json!({ "Type": "AWS::IAM::Policy", "Properties": { "PolicyName": "x", "Roles": ["r"],
                    "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } } })
        })
    };
    assert_eq!(plan(&policy("a"), &policy("b")).code, 0);
    let puzzle = |length: usize, end: &str| {
        let statement =
            json!({ "Effect": "Allow", "Action": format!("s3:{}{end}", "*a".repeat(length)), "Resource": "*" });
        resources(1, |_| {
            json!({ "Type": "AWS::IAM::Policy", "Properties": { "PolicyName": "x", "Roles": ["r"],
                    "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } } })
        })
    };
    assert_eq!(plan(&puzzle(100_000, "b"), &puzzle(150_000, "")).code, 0);
}

/// Permissions are the product of actions and resources; what is worked out and what is said of them is not.
#[test]
fn one_statement_of_thousands_of_actions_and_resources() {
    let policy = |count: usize, word: &str, more: Value| {
        let list = |what: &str| (0..count).map(|index| format!("{what}{word}{index}")).collect::<Vec<_>>();
        let mut statement = json!({ "Effect": "Allow", "Action": list("s3:Get"), "Resource": list("arn:aws:s3:::b") });
        for (key, value) in more.as_object().into_iter().flatten() {
            statement[key] = value.clone();
        }
        resources(1, |_| {
            json!({ "Type": "AWS::IAM::Policy", "Properties": { "PolicyName": "x", "Roles": ["r"],
                    "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } } })
        })
    };
    let empty = json!({ "Resources": { "Other": { "Type": "AWS::S3::Bucket" } } });
    for format in ["text", "json"] {
        for (old, new) in [
            (empty.clone(), policy(2_000, "a", json!({}))),
            (policy(2_000, "a", json!({})), policy(2_000, "b", json!({}))),
            (policy(2_000, "a", json!({})), policy(2_001, "a", json!({}))),
            (policy(9_000, "a", json!({})), policy(9_000, "b", json!({}))),
            (policy(9_000, "a", json!({})), empty.clone()),
            (policy(9_000, "a", json!({ "Effect": "Deny" })), policy(9_000, "b", json!({ "Effect": "Deny" }))),
            (empty.clone(), policy(9_000, "a", json!({ "Principal": "*" }))),
        ] {
            let Ended { code, said } = plan_as(&old, &new, format);
            // What lets everybody in is refused by the check, as soon.
            let refused = new.to_string().contains("Principal");
            assert_eq!(code, i32::from(refused), "{said}");
            assert!(said.len() < 50_000, "{} bytes", said.len());
        }
    }
}

#[test]
fn ignore_files_of_thousands_of_patterns() {
    let documents = |patterns: usize| {
        check(&[
            ("usecase.yaml", format!("{HEAD}buckets: {{ b: {{ documents: d/ }} }}\n")),
            ("d/.gitignore", lines(patterns, |index| format!("*a*b{index}*c*?d"))),
            ("d/text.txt", String::new()),
        ])
    };
    assert_eq!(documents(3_000).code, 0);
    documents(10_000).refused("S232");
}

#[test]
fn a_project_file_with_thousands_of_stages() {
    let stages = |line: &str| {
        run(
            &[
                ("bedplate.yaml", format!("stages:\n{}", lines(20_000, |index| format!("  s{index}: {line}")))),
                ("usecase.yaml", HEAD.to_owned()),
            ],
            &["check", "usecase.yaml"],
        )
    };
    stages("{ account: 'x' }").refused("P006");
    stages("{ regio: us-east-1 }").refused("P002");
}

/// Specs, templates and partials that somebody's fingers, or a broken disk, have been at: no panic, no signal.
#[test]
fn no_mangled_project_makes_it_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most.max(1) as u64).unwrap_or(0)
    };
    const PIECES: [&str; 24] = [
        "{{",
        "}}",
        "{{#each ",
        "{{/each}}",
        "${",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "'",
        "\"",
        "&a ",
        "*a",
        "!Ref ",
        "null",
        "0",
        "-1",
        "\u{1b}[2J",
        "\u{202e}",
        "Fn::If",
        "AWS::NoValue",
    ];
    let read = |path: &str| std::fs::read_to_string(crate::support::repository().join(path)).expect("a file");
    let originals = [
        ("usecase.yaml", read("tests/fixtures/movie-poster/usecase.yaml")),
        ("t.json", read("stacks/codegen-demo/template.json")),
        ("templates/bucket.yaml.hbs", read("templates/bucket.yaml.hbs")),
        ("bedplate.yaml", "stages:\n  dev: { region: us-east-1, tags: { a: b } }\n".to_owned()),
    ];
    for round in 0..60 {
        let project = Project::empty();
        let broken = next(originals.len());
        for (index, (name, text)) in originals.iter().enumerate() {
            let mut text = text.clone();
            for _ in 0..if index == broken { 1 + next(6) } else { 0 } {
                let mut at = next(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let end =
                    text.char_indices().map(|(end, _)| end).find(|end| *end >= at + next(12)).unwrap_or(text.len());
                text.replace_range(at..end.max(at), PIECES[next(PIECES.len())]);
            }
            project.write(name, text);
        }
        project.write("function/app.py", "");
        let spec = if round % 2 == 0 { "usecase.yaml" } else { "other/usecase.yaml" };
        project.write("other/usecase.yaml", format!("{HEAD}template: ../t.json\nbuckets: {{ b: {{}} }}\n"));
        let output = project.command(&["check", spec]).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(matches!(output.status.code(), Some(0 | 1)), "round {round}: {}: {said}", output.status);
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "round {round}: {said:?}");
    }
}
