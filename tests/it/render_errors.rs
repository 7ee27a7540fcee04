//! How the errors of a function behind an API become statuses.

use std::sync::LazyLock;

use bedplate::render::{Partials, Rendered, render};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::render::{DEV, ROUTES, movie_poster, properties, rendered, with_function};

/// The pattern of each status as API Gateway would use it: on the whole message. Rust's regular expressions lack
/// look-ahead, so the two of the 500 pattern are taken off and tried by themselves.
fn status_of(method: &Map<String, Value>, message: &str) -> Vec<String> {
    let whole = |pattern: &str| regex::Regex::new(&format!("^(?:{pattern})$")).expect("a pattern").is_match(message);
    let starts = |pattern: &str| regex::Regex::new(&format!("^(?:{pattern})")).expect("a pattern").is_match(message);
    let responses = method["Integration"]["IntegrationResponses"].as_array().expect("responses");
    let fits = |pattern: &str| {
        let mut rest = pattern;
        while let Some(after) = rest.strip_prefix("(?!") {
            let mut depth = 1;
            let end = after.char_indices().find_map(|(at, c)| {
                depth += match c {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                (depth == 0).then_some(at)
            });
            let (not, after) = after.split_at(end.expect("a closed look-ahead"));
            if starts(not) {
                return false;
            }
            rest = &after[1..];
        }
        whole(rest)
    };
    responses
        .iter()
        .filter(|response| response["SelectionPattern"].as_str().is_some_and(fits))
        .map(|response| response["StatusCode"].as_str().expect("a status").to_owned())
        .collect()
}

#[test]
fn every_error_has_exactly_one_status() {
    let loaded = movie_poster();
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let method = properties(&rendered, "PostersApiMoviePosterDesignGet");
    for (message, status) in [
        ("[400] no prompt", "400"),
        ("[403] not yours", "403"),
        ("[404] gone\nreally", "404"),
        ("[409]", "409"),
        ("[422] the model's \"no\"", "422"),
        ("[429] Task timed out after 3 s of waiting", "429"),
        ("[500] told to the caller?", "500"),
        ("[4000] x", "500"),
        ("'NoneType' object has no attribute 'x'\nat line [400]", "500"),
        ("2026-11-22T20:00:00.000Z 3f1c Task timed out after 29.03 seconds", "504"),
        ("RequestId: 3f1c Error: Task timed out after 29.00 seconds", "504"),
        ("RequestId: 3f1c Error: Runtime exited with error: exit status 1", "500"),
        ("\n", "500"),
    ] {
        assert_eq!(status_of(method, message), [status], "{message:?}");
    }
    assert!(status_of(method, "").is_empty(), "a call that went well has no message, and is answered 200");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_error_has_two_statuses(message in "(\\[(400|404|40|5)\\]?)?( ?Task timed out after )?[\\[a\n]{0,3}( Task timed out after)?") {
        static RENDERED: LazyLock<Rendered> = LazyLock::new(|| rendered(&with_function("", ROUTES)));
        let statuses = status_of(properties(&RENDERED, "AApiItemsIdParamAny"), &message);
        prop_assert_eq!(statuses.len(), usize::from(!message.is_empty()));
    }
}

#[test]
fn error_answers_tell_no_internals_and_undo_what_json_does_not_know() {
    let rendered = render(&movie_poster(), &DEV, Partials::embedded()).expect("a template");
    let method = properties(&rendered, "PostersApiMoviePosterDesignGet");
    for response in method["Integration"]["IntegrationResponses"].as_array().expect("responses") {
        let template = response["ResponseTemplates"]["application/json"].as_str();
        match response["StatusCode"].as_str().expect("a status") {
            "200" => assert_eq!(template, None, "the function's answer is passed on as it is"),
            "500" | "504" => {
                let body: Value = serde_json::from_str(template.expect("a body")).expect("JSON");
                assert!(body["message"].is_string());
            }
            _ => assert_eq!(
                template,
                Some(
                    r#"{"message": "$util.escapeJavaScript($input.path('$.errorMessage').substring(5).trim()).replaceAll("\\'", "'")"}"#
                )
            ),
        }
    }
}
