//! Laws that hold for every template and every payload.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn text_without_dollars_and_hashes_is_itself(text in "[^$#]{0,200}") {
        let rendered = render(&text, &Input::default()).map(|it| it.text);
        prop_assert_eq!(rendered, Ok(text));
    }

    #[test]
    fn no_template_panics(text in any::<String>(), body in any::<String>()) {
        let _ = render(&text, &Input { body, ..Input::default() });
    }

    #[test]
    fn nothing_made_of_syntax_panics(
        pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "$", "#", "{", "}", "(", ")", "[", "]", "'", "\"", "\\", ".", "!", " ", "\n", "a", "set", "if", "else",
                "elseif", "end", "foreach", "in", "break", "stop", "==", "..", "+", "-", "1", "$a", "$input", "$util",
                ".path('$')", ".params()", ".json('$..*')", "#set($a = ", "#if(", "#foreach($a in ", "#end", ":", ",",
                ".add($a)", ".put('a', $a)", ".substring(", ".replaceAll(", ".entrySet()", "null", "true", "\u{1f600}",
                "9223372036854775807", "*", "/", "%", "&&", "||", "[1..", "{'a': ",
            ]),
            0..40,
        ),
    ) {
        let _ = render(&pieces.concat(), &Input { body: "{\"a\": [1, \"b\"]}".to_owned(), ..Input::default() });
    }

    #[test]
    fn no_json_path_panics(path in "[$.\\[\\]'\"*?()@=<>:,a-c0-9 -]{0,30}") {
        let _ = jsonpath::find(&serde_json::json!({ "a": [1, { "b": "c" }] }), &path);
    }

    #[test]
    fn escaped_text_is_json(text in any::<String>()) {
        let pair = ("t".to_owned(), text.clone());
        let input = Input { querystring: vec![pair], ..Input::default() };
        let template = r#""$util.escapeJavaScript($input.params('t')).replaceAll("\\'", "'")""#;
        let json = render(template, &input).expect("a template").text;
        prop_assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text));
    }
}
