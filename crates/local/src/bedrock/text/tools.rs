//! Tools: which one a conversation asks for, and what of its input the conversation holds.

use serde_json::{Map, Value, json};

use super::passages::fit;
use super::words::{common, stem, words};

/// A tool a model may ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::bedrock) struct Tool {
    /// As the caller names it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its input.
    pub parameters: Vec<ToolParameter>,
}

/// One value a tool takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::bedrock) struct ToolParameter {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// `string`, `integer`, `number`, `boolean`, `array` or `object`.
    pub kind: String,
    /// Whether the tool can't do without it.
    pub required: bool,
    /// The values there are, when they are listed.
    pub choices: Vec<String>,
    /// A regular expression for it.
    pub pattern: Option<String>,
}

impl Tool {
    /// From a name, a description and a JSON schema of the input.
    pub fn of_schema(name: &str, description: &str, schema: &Value) -> Self {
        let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let parameters = properties.into_iter().flatten().map(|(name, property)| ToolParameter {
            name: name.clone(),
            description: property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            kind: property.get("type").and_then(Value::as_str).unwrap_or("string").to_owned(),
            required: required.contains(&name.as_str()),
            choices: list(property, "enum").filter_map(Value::as_str).map(str::to_owned).collect(),
            pattern: property.get("pattern").and_then(Value::as_str).map(str::to_owned),
        });
        Self { name: name.to_owned(), description: description.to_owned(), parameters: parameters.collect() }
    }

    /// The JSON schema of its input.
    pub fn schema(&self) -> Value {
        let mut properties = Map::new();
        for parameter in &self.parameters {
            let mut property = json!({"type": parameter.kind, "description": parameter.description});
            if let (false, Some(property)) = (parameter.choices.is_empty(), property.as_object_mut()) {
                property.insert("enum".to_owned(), json!(parameter.choices));
            }
            properties.insert(parameter.name.clone(), property);
        }
        let required: Vec<&str> =
            self.parameters.iter().filter(|one| one.required).map(|one| one.name.as_str()).collect();
        json!({"type": "object", "properties": properties, "required": required})
    }

    /// Everything that tells what it is for.
    fn about(&self) -> String {
        let mut about = format!("{} {}", spelt(&self.name), self.description);
        for parameter in &self.parameters {
            about.push_str(&format!(" {} {}", spelt(&parameter.name), parameter.description));
        }
        about
    }
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The words of a name: `getAccountStatus` is `get account status`.
pub(in crate::bedrock) fn spelt(name: &str) -> String {
    let mut out = String::new();
    let mut before_small = false;
    for c in name.chars() {
        if c.is_uppercase() && before_small {
            out.push(' ');
        }
        before_small = c.is_lowercase() || c.is_ascii_digit();
        if c.is_alphanumeric() { out.extend(c.to_lowercase()) } else { out.push(' ') }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a conversation comes to for a tool.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct Fit<'a> {
    /// The tool.
    pub tool: &'a Tool,
    /// What was found of its input.
    pub input: Map<String, Value>,
    /// Required, and not found.
    pub missing: Vec<&'a ToolParameter>,
    /// How well the last message fits, from 0 to 1.
    pub score: f64,
    /// Whether a required value is in the last message itself.
    pub fresh: bool,
}

/// How the tools fit what the user said, the newest message last; the best first.
pub(in crate::bedrock) fn fits<'a>(tools: &'a [Tool], said: &[&str]) -> Vec<Fit<'a>> {
    let last = said.last().copied().unwrap_or_default();
    let mut fits: Vec<Fit<'a>> = tools
        .iter()
        .map(|tool| {
            let mut input = Map::new();
            let mut missing = Vec::new();
            let mut fresh = false;
            for parameter in &tool.parameters {
                let newest_first = said.iter().rev().enumerate();
                let found = newest_first.filter_map(|(age, text)| Some((age, value(parameter, text)?))).next();
                match found {
                    Some((age, value)) => {
                        fresh |= age == 0 && parameter.required;
                        input.insert(parameter.name.clone(), value);
                    }
                    None if parameter.required => missing.push(parameter),
                    None => {}
                }
            }
            Fit { tool, input, missing, score: fit(last, &tool.about()), fresh }
        })
        .collect();
    fits.sort_by(|a, b| (b.score + bonus(b)).total_cmp(&(a.score + bonus(a))));
    fits
}

/// A tool whose input is all there is preferred to one that fits the words a little better.
fn bonus(fit: &Fit<'_>) -> f64 {
    f64::from(u8::from(fit.missing.is_empty())) * 0.25 + f64::from(u8::from(fit.fresh)) * 0.5
}

/// The value of a parameter in a message, when it is there.
fn value(parameter: &ToolParameter, text: &str) -> Option<Value> {
    if !parameter.choices.is_empty() {
        let lower = text.to_lowercase();
        let found = parameter.choices.iter().find(|choice| contains_word(&lower, &choice.to_lowercase()))?;
        return Some(json!(found));
    }
    if let Some(pattern) = parameter.pattern.as_deref().and_then(|pattern| regex::Regex::new(pattern).ok())
        && parameter.kind == "string"
    {
        return tokens(text).into_iter().find(|token| pattern.is_match(token)).map(|token| json!(token));
    }
    match parameter.kind.as_str() {
        "integer" => {
            let number = tokens(text).into_iter().find_map(|token| token.parse::<i64>().ok())?;
            Some(json!(number))
        }
        "number" => tokens(text).into_iter().find_map(|token| token.parse::<f64>().ok()).map(|number| json!(number)),
        "boolean" => {
            let mut words = words(text);
            words.find_map(|word| match word.as_str() {
                "yes" | "true" => Some(json!(true)),
                "no" | "false" => Some(json!(false)),
                _ => None,
            })
        }
        "array" | "object" => None,
        _ => text_value(parameter, text),
    }
}

/// A text: what follows the parameter's own words, what is in quotation marks, what looks like an identifier where one is
/// asked for, or a name with a capital letter.
fn text_value(parameter: &ToolParameter, text: &str) -> Option<Value> {
    if let Some(quoted) = quoted(text) {
        return Some(json!(quoted));
    }
    let about = format!("{} {}", spelt(&parameter.name), parameter.description).to_lowercase();
    let is_id =
        words(&about).any(|word| ["id", "number", "code", "key", "identifier", "date"].contains(&word.as_str()));
    if is_id {
        return super::words::identifiers(text).into_iter().next().map(|found| json!(found));
    }
    if words(&about).any(|word| ["query", "question", "prompt", "search"].contains(&word.as_str())) && text.len() > 2 {
        return Some(json!(text.trim()));
    }
    if words(&about).any(|word| ["email", "mail"].contains(&word.as_str())) {
        return text
            .split_whitespace()
            .find(|word| word.contains('@'))
            .map(|word| json!(word.trim_matches(['.', ',', '<', '>'])));
    }
    // A name is words with capital letters that do not begin the sentence.
    let mut name: Vec<&str> = Vec::new();
    for (at, word) in text.split_whitespace().enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let capital = bare.chars().next().is_some_and(char::is_uppercase) && bare != "I";
        if capital && (at > 0 || !common(&bare.to_lowercase())) && !question_word(bare) {
            name.push(bare);
        } else if !name.is_empty() {
            break;
        }
    }
    (!name.is_empty()).then(|| json!(name.join(" ")))
}

fn question_word(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["hi", "hello", "hey", "thanks", "thank", "good", "find", "show", "check", "look", "status"]
        .contains(&lower.as_str())
}

fn quoted(text: &str) -> Option<&str> {
    for (open, close) in [('"', '"'), ('“', '”'), ('‘', '’')] {
        if let Some((_, rest)) = text.split_once(open)
            && let Some((inside, _)) = rest.split_once(close)
            && !inside.trim().is_empty()
        {
            return Some(inside.trim());
        }
    }
    None
}

fn tokens(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .map(|token| token.trim_matches(|c: char| !(c.is_alphanumeric() || c == '-')).trim_end_matches('-'))
        .filter(|token| !token.is_empty())
        .collect()
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// A polite question for what is missing.
pub(in crate::bedrock) fn ask_for(missing: &[&ToolParameter], purpose: &str) -> String {
    let names: Vec<String> = missing.iter().map(|parameter| format!("the {}", spelt(&parameter.name))).collect();
    let what = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "some more detail".to_owned(),
    };
    if purpose.is_empty() {
        format!("Could you please give me {what}?")
    } else {
        format!("I can help with {purpose}. Could you please give me {what}?")
    }
}

/// What a tool is for, as part of a sentence.
pub(in crate::bedrock) fn purpose(tool: &Tool) -> String {
    let name = spelt(tool.name.rsplit("___").next().unwrap_or(&tool.name));
    let rest: Vec<&str> = name
        .split(' ')
        .skip_while(|word| {
            ["get", "fetch", "find", "list", "read", "lookup", "look", "check", "query", "describe", "retrieve"]
                .contains(word)
        })
        .collect();
    if rest.is_empty() || stem(rest.concat().as_str()).is_empty() {
        String::new()
    } else {
        format!("the {}", rest.join(" "))
    }
}

/// An answer of a tool in a sentence.
pub(in crate::bedrock) fn told(tool: &str, result: &Value) -> String {
    let subject = spelt(tool.rsplit("___").next().unwrap_or(tool));
    let fields = match result {
        Value::Object(fields) => fields,
        Value::String(text) => {
            return match serde_json::from_str::<Value>(text) {
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => told(tool, &inner),
                _ if text.trim().is_empty() => format!("{} gave no answer.", capital(&subject)),
                _ => text.trim().to_owned(),
            };
        }
        Value::Null => return format!("{} gave no answer.", capital(&subject)),
        Value::Array(entries) if entries.is_empty() => return "Nothing was found.".to_owned(),
        Value::Array(entries) => {
            return entries.iter().map(|entry| told(tool, entry)).collect::<Vec<_>>().join("\n");
        }
        other => return format!("The {subject} is {other}."),
    };
    if let Some(error) = fields.get("error").filter(|error| !error.is_null()) {
        let message = fields.get("message").and_then(Value::as_str).or(error.as_str()).unwrap_or("it failed");
        return format!("I am sorry: {}.", message.trim_end_matches('.'));
    }
    if fields.len() == 1
        && let Some(Value::String(text)) = fields.values().next()
    {
        return told(tool, &Value::String(text.clone()));
    }
    let scalar = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut identified = String::new();
    let mut parts = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let name = spelt(name);
        if identified.is_empty() && name.split(' ').any(|word| ["id", "number"].contains(&word)) {
            identified = format!("For {} {}, ", name, scalar(value));
        } else {
            parts.push(format!("the {name} is {}", scalar(value)));
        }
    }
    let sentence = match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{identified}{} and {last}.", rest.join(", ")),
        Some((last, _)) => format!("{identified}{last}."),
        None => format!("{identified}there is nothing more to tell."),
    };
    capital(&sentence)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Tool {
        Tool::of_schema(
            "getAccountStatus",
            "Looks up how the opening of a customer's new account stands",
            &json!({"required": ["accountId"], "properties": {"accountId": {"type": "integer", "description": "The number of the account"}}}),
        )
    }

    #[test]
    fn a_number_is_found_wherever_it_was_said() {
        let tools = [account()];
        let fits = fits(&tools, &["Hi", "My account is 7777.", "and the status?"]);
        assert_eq!(fits[0].input["accountId"], 7777);
        assert!(fits[0].missing.is_empty() && !fits[0].fresh);
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let tools = [account()];
        let fits = fits(&tools, &["Hi"]);
        assert_eq!(
            ask_for(&fits[0].missing, &purpose(&tools[0])),
            "I can help with the account status. Could you please give me the account id?"
        );
    }

    #[test]
    fn an_answer_is_told_in_a_sentence() {
        let found = json!({"accountId": 7777, "accountStatus": "Pending", "reason": "InvalidAddressProof"});
        assert_eq!(
            told("accounts___getAccountStatus", &found),
            "For account id 7777, the account status is Pending and the reason is InvalidAddressProof."
        );
        let missing = json!({"error": "not found", "message": "There is no account 1"});
        assert_eq!(told("t", &missing), "I am sorry: There is no account 1.");
    }

    #[test]
    fn choices_and_patterns_decide_texts() {
        let tool = Tool::of_schema(
            "order",
            "",
            &json!({"required": ["size", "code"], "properties": {
            "size": {"type": "string", "enum": ["small", "large"]}, "code": {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}}}),
        );
        let tools = [tool];
        let fits = fits(&tools, &["A Large one with code AB-12, please"]);
        assert_eq!(Value::Object(fits[0].input.clone()), json!({"size": "large", "code": "AB-12"}));
    }
}
