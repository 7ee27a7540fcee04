//! The `{{variables}}` of a prompt's text.

use std::collections::BTreeSet;

/// The most variables a prompt has, by AWS::Bedrock::Prompt.
pub const MOST_PROMPT_VARIABLES: usize = 20;

/// The variables that texts hold, in order of their names.
///
/// # Errors
/// What stands between `{{` and `}}` and is no variable, or where a `{{` is never closed what follows it.
pub fn prompt_variables<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<&'a str>, &'a str> {
    let mut variables = BTreeSet::new();
    for text in texts {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { return Err(after) };
            if !is_variable(name) {
                return Err(name);
            }
            variables.insert(name);
            rest = after;
        }
    }
    Ok(variables)
}

/// Letters and digits with single `-` or `_` between and after them, at most 100 of them.
fn is_variable(name: &str) -> bool {
    let separator = |b: u8| b == b'-' || b == b'_';
    name.bytes().filter(|b| b.is_ascii_alphanumeric()).count() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || separator(b))
        && !name.as_bytes().windows(2).any(|pair| pair.iter().all(|b| separator(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_once_each() {
        let found = prompt_variables(["Hello {{name}}, {{name}}: {{the-topic}} {x}", "{{a_1}}"]).expect("variables");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a_1", "name", "the-topic"]);
        assert!(prompt_variables(["none"]).expect("no variables").is_empty());
    }

    #[test]
    fn what_is_no_variable_is_told() {
        for (text, wrong) in
            [("{{ x }}", " x "), ("{{}}", ""), ("{{a--b}}", "a--b"), ("{{x", "x"), ("{{a.b}} {{c}}", "a.b")]
        {
            assert_eq!(prompt_variables([text]), Err(wrong));
        }
    }
}
