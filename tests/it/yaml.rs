//! Behaviour of the `yaml` side, as a user could see it.

use bedplate::yaml::{self, YamlErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn places_are_those_an_editor_shows() {
    let text = "name: one\nfunctions:\n  design:\n    code: function/\n    uses:\n      - invoke: models.artist\n      - é: {x: 1, \"y/z\": 2}\n";
    let document = yaml::parse(text).unwrap();
    let at = |pointer: &str| document.positions.at(pointer).unwrap();
    assert_eq!(at("/name"), (1, 7));
    assert_eq!(at("/functions/design/code"), (4, 11));
    assert_eq!(at("/functions/design/uses/0/invoke"), (6, 17));
    assert_eq!(at("/functions/design/uses/1/é/y~1z"), (7, 26));
    assert_eq!(document.positions.key_at("/functions/design/uses"), Some((5, 5)));
    assert_eq!(document.positions.key_at("/functions/design/uses/1"), Some((7, 9)));
    assert_eq!(at("/functions/design/handler"), at("/functions/design"), "an unknown pointer is its nearest ancestor");
}

#[test]
fn short_forms_become_long_forms() {
    let text = "A: !Ref X\nB: !GetAtt Db.Endpoint.Address\nC: !GetAtt [X, Arn]\nD: !Sub\n  - a ${b}\n  - b: !ImportValue q\nE: !If [c, !Ref AWS::NoValue, !Condition d]\nF: !GetAZs\nVersion: 2012-10-17\n123456789012: {1.10: !Base64 x}\n";
    let document = yaml::parse_cloudformation(text).unwrap();
    assert_eq!(
        document.value,
        json!({
            "A": {"Ref": "X"},
            "B": {"Fn::GetAtt": ["Db", "Endpoint.Address"]},
            "C": {"Fn::GetAtt": ["X", "Arn"]},
            "D": {"Fn::Sub": ["a ${b}", {"b": {"Fn::ImportValue": "q"}}]},
            "E": {"Fn::If": ["c", {"Ref": "AWS::NoValue"}, {"Condition": "d"}]},
            "F": {"Fn::GetAZs": ""},
            "Version": "2012-10-17",
            "123456789012": {"1.10": {"Fn::Base64": "x"}},
        })
    );
    assert_eq!(document.positions.at("/123456789012/1.10"), Some((10, 22)));
}

#[test]
fn json_templates_have_places_too() {
    let document = yaml::parse_cloudformation("{\n\t\"Resources\": {\n\t\t\"A\": {\"Type\": \"X\"}\n\t}\n}\n").unwrap();
    assert_eq!(document.value, json!({"Resources": {"A": {"Type": "X"}}}));
    assert_eq!(document.positions.at("/Resources/A/Type"), Some((3, 17)));
}

fn kind_of(text: &str) -> YamlErrorKind {
    yaml::parse(text).unwrap_err().kind
}

#[test]
fn what_a_spec_cannot_hold_is_refused_at_its_place() {
    use YamlErrorKind::*;
    let cases: [(&str, YamlErrorKind, (usize, usize)); 18] = [
        ("a: 1\nb: 2\na: 3\n", DuplicateKey, (3, 1)),
        ("a: 1\n8080: 2\n", Unsupported, (2, 1)),
        ("a:\n  true: 2\n", Unsupported, (2, 3)),
        ("a: 1\n---\nb: 2\n", Unsupported, (2, 1)),
        ("a: !Ref x\n", Unsupported, (1, 4)),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", Unsupported, (3, 3)),
        ("a: .nan\n", Unsupported, (1, 4)),
        ("a: [1, -.inf]\n", Unsupported, (1, 8)),
        ("a: 340282366920938463463374607431768211455\n", Unsupported, (1, 4)),
        ("[a, b]: 1\n", Unsupported, (1, 1)),
        ("a: b\0c\n", NotText, (1, 5)),
        ("a:\n\tb: 1\n", Syntax, (2, 1)),
        ("a: [1, 2\nb: 1\n", Syntax, (2, 2)),
        ("a: \"never closed\n", Syntax, (1, 4)),
        ("a: b: c\n", Syntax, (1, 5)),
        ("a: &x [*x]\n", TooDeep, (1, 8)),
        ("a: *nowhere\n", Syntax, (1, 4)),
        ("- *x\n", Syntax, (1, 3)),
    ];
    for (text, kind, place) in cases {
        let error = yaml::parse(text).unwrap_err();
        assert_eq!((error.kind, (error.line, error.column)), (kind, place), "{text:?}: {error}");
    }
    assert_eq!(yaml::parse_bytes(b"a: \xff\xfe\n").unwrap_err().kind, NotText);
    assert_eq!(kind_of(&"a".repeat(yaml::MAX_BYTES + 1)), TooLarge);
}

/// A value with nasty texts at every place.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~\n\t]{0,40}",
        "[a-z: #\n-]{0,20}",
        prop::sample::select(vec![
            "yes",
            "No",
            "on",
            "y",
            "~",
            "null",
            "=",
            "<<",
            "012",
            "0x1f",
            "0o7",
            "0b1",
            "1e3",
            "1_000",
            "12:30:45",
            "2012-10-17",
            "2001-12-14t21:59:43.10-05:00",
            ".inf",
            "-.INF",
            ".nan",
            "NaN",
            "inf",
            "+1",
            "-",
            "- a",
            "---",
            "...",
            "? a",
            ": b",
            "a: b",
            "a #b",
            "#",
            "&a",
            "*a",
            "!x",
            "!!str",
            "%TAG",
            "@a",
            "`a`",
            "{",
            "[a",
            "|",
            ">",
            "'",
            "\"",
            "\\",
            "${a}",
            " a",
            "a ",
            "a:",
            "",
            "\n",
            "\n\n",
            "a\n",
            "a\nb",
            "a\nb\n\n",
            " a\nb",
            "a\n b\n",
            "a\n\n\nb\n",
            "a\r\nb",
            "\u{85}a\nb",
            "\u{2028}\n",
            "\u{feff}x\ny",
            "a\n---\nb",
            "a\n...\nb",
            "\ta\nb",
            "a\n\tb",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| f.is_finite().then(|| Value::from(f))),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_emitted_reads_back_the_same(value in value()) {
        let text = yaml::emit(&value);
        let back = yaml::parse(&text);
        prop_assert_eq!(back.map(|d| d.value), Ok(value.clone()), "{}", text);
        let back = yaml::parse_cloudformation(&text);
        prop_assert_eq!(back.map(|d| d.value), Ok(value), "{}", text);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "[-a-z:?#&*!|>'\"%@`{}\\[\\], \n\t\\\\~<=.0-9]{0,200}") {
        let _ = yaml::parse(&text);
        let _ = yaml::parse_cloudformation(&text);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = yaml::parse_bytes(&bytes);
    }
}

/// An anchor hands a whole file to the second reader.
fn by_both_readers(text: &str) {
    let second = format!("{text}\nlast: &anchor 1\n");
    for parse in [yaml::parse, yaml::parse_cloudformation] {
        let without_last = |mut value: Value| {
            value.as_object_mut().map(|members| members.shift_remove("last"));
            value
        };
        let one = parse(&format!("{text}\nlast: 1\n")).map(|document| without_last(document.value));
        let other = parse(&second).map(|document| without_last(document.value));
        assert_eq!(one, other, "{text:?}");
    }
}

#[test]
fn both_readers_give_what_the_use_cases_say() {
    for file in std::fs::read_dir(crate::support::repository().join("stacks")).unwrap() {
        by_both_readers(&std::fs::read_to_string(file.unwrap().path().join("usecase.yaml")).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_readers_give_the_same(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b c", ": ", ":", "x: ", "y:\n", "- ", "  ", " ", "\n", "\n  ", "\n    ", "\n- ", "\"", "'", "\"q\"", "'s'",
                "\\n", "\\x41", "|", ">-", "|\n  t\n  u\n", ">\n  t\n  u\n\n  v\n", "[", "]", "{", "}", ", ", "#", " # c", "!Ref ",
                "!GetAtt a.b", "!GetAZs", "1", "-5", "0.5", "0x1f", "1e3", "2012-10-17", "007", "~", "null", "true", "./x", "*", "&",
                "@", "%", "é", "{a: 1, b: [2]}", "[1, \"x\", {c: d}]", "{\"a\":1}", "\u{2028}", "\t", "\r\n", "---\n", "<<", "? ", "?",
            ]),
            0..14,
        ),
    ) {
        by_both_readers(&format!("first:\n  z: {}", parts.concat()));
    }
}

/// PyYAML reads YAML 1.1, where `yes`, `012` and `12:30:45` are no texts.
#[test]
fn python_reads_what_is_emitted_as_the_same_values() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let python = crate::support::judges();
    let mut runner = TestRunner::deterministic();
    let values: Vec<Value> = (0..400).map(|_| value().new_tree(&mut runner).unwrap().current()).collect();
    let pairs: Vec<Value> = values.iter().map(|value| json!([value, yaml::emit(value)])).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pairs.json");
    std::fs::write(&path, Value::from(pairs).to_string()).unwrap();
    let script = "import json, sys, yaml\n\
                  pairs = json.load(open(sys.argv[1]))\n\
                  for value, text in pairs:\n    \
                  back = yaml.safe_load(text)\n    \
                  assert back == value and repr(back) == repr(value), (text, back, value)\n\
                  print(len(pairs))\n";
    let output = std::process::Command::new(python).arg("-c").arg(script).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "400");
}
