//! `$input` and `$util`: what API Gateway adds to Velocity.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::evaluate::{self, Evaluator};
use super::input::{MAX_OUTPUT, VelocityError};
use super::value::Value;
use super::{escape, jsonpath};

impl Evaluator<'_> {
    /// `$input.body`: an empty payload is an empty object.
    pub(super) fn whole_body(&self) -> Value {
        Value::Text(if self.input.body.is_empty() { "{}".to_owned() } else { self.input.body.clone() })
    }

    /// The payload as JSON.
    fn parsed_body(&mut self, line: usize) -> Result<&Json, VelocityError> {
        let parsed = match self.body.take() {
            Some(parsed) => parsed,
            None if self.input.body.trim().is_empty() => Json::Object(serde_json::Map::new()),
            None => serde_json::from_str(&self.input.body).map_err(|error| VelocityError {
                bad_body: true,
                ..VelocityError::new(line, format!("Could not parse request body into json: {error}"))
            })?,
        };
        Ok(self.body.insert(parsed))
    }

    /// What a path finds in the payload.
    fn find(&mut self, path: &str, line: usize) -> Result<Option<Json>, VelocityError> {
        // Every step of a path may look at all that the one before it found.
        let steps = path.matches(['.', '[']).count().saturating_add(1);
        self.labour(self.input.body.len().saturating_mul(steps).saturating_add(path.len()), line)?;
        let found = jsonpath::find(self.parsed_body(line)?, path).map_err(|error| VelocityError::new(line, error))?;
        self.charge(self.input.body.len(), line)?;
        Ok(found)
    }

    pub(super) fn input_method(
        &mut self,
        name: &str,
        arguments: &[Value],
        line: usize,
    ) -> Result<Value, VelocityError> {
        let argument = match arguments {
            [one] => Some(self.print(one, line)?),
            _ => None,
        };
        if name == "getBody" {
            self.labour(self.input.body.len(), line)?;
        }
        match (name, argument) {
            ("params", None) if arguments.is_empty() => {
                let mut all = Vec::new();
                for (name, parameters) in [
                    ("path", &self.input.path),
                    ("querystring", &self.input.querystring),
                    ("header", &self.input.header),
                ] {
                    let bytes: usize = parameters.iter().map(|(name, value)| name.len() + value.len()).sum();
                    self.charge(bytes, line)?;
                    let mut entries: Vec<(String, Value)> = Vec::new();
                    for (name, value) in parameters {
                        match entries.iter_mut().find(|(known, _)| known == name) {
                            // Of several values a mapping template sees the last.
                            Some((_, old)) => *old = Value::Text(value.clone()),
                            None => entries.push((name.clone(), Value::Text(value.clone()))),
                        }
                    }
                    all.push((name.to_owned(), self.heap.map(entries)));
                }
                Ok(self.heap.map(all))
            }
            // The path comes first, then the query, then the headers, whose names have no case.
            ("params", Some(name)) => {
                let input = self.input;
                self.labour((input.path.len() + input.querystring.len() + input.header.len()) * 16, line)?;
                let exact = input.path.iter().rev().find(|(known, _)| *known == name);
                let value = exact
                    .or_else(|| input.querystring.iter().rev().find(|(known, _)| *known == name))
                    .or_else(|| input.header.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(&name)))
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default();
                self.charge(value.len(), line)?;
                Ok(Value::Text(value))
            }
            ("path", Some(path)) => {
                let found = self.find(&path, line)?;
                let value = found.map(|json| self.heap.take(&json));
                Ok(evaluate::found(value.as_ref()))
            }
            ("json", Some(path)) => {
                let found = self.find(&path, line)?;
                // What is not there is an empty text, which keeps the JSON around it whole.
                Ok(Value::Text(found.map_or_else(|| "\"\"".to_owned(), |json| json.to_string())))
            }
            ("getBody", None) if arguments.is_empty() => Ok(self.whole_body()),
            _ => Err(VelocityError::new(line, format!("`$input` has no method `{name}` with these arguments"))),
        }
    }

    pub(super) fn util_method(&mut self, name: &str, arguments: &[Value], line: usize) -> Result<Value, VelocityError> {
        let [argument] = arguments else {
            return Err(VelocityError::new(line, format!("`$util` has no method `{name}` with these arguments")));
        };
        // Nothing stays nothing, whatever is done to it.
        if matches!(argument, Value::Null | Value::Nothing) {
            return Ok(argument.clone());
        }
        let text = self.print(argument, line)?;
        let made = match name {
            "escapeJavaScript" => escape::java_script(&text),
            "urlEncode" => escape::url_encode(&text),
            "urlDecode" => escape::url_decode(&text),
            "base64Encode" => STANDARD.encode(&text),
            "base64Decode" => {
                let bytes = STANDARD
                    .decode(text.trim())
                    .map_err(|error| VelocityError::new(line, format!("`$util.base64Decode`: {error}")))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            "parseJson" => {
                let json: Json = serde_json::from_str(&text)
                    .map_err(|error| VelocityError::new(line, format!("`$util.parseJson`: {error}")))?;
                return Ok(self.heap.take(&json));
            }
            _ => return Err(VelocityError::new(line, format!("`$util` has no method `{name}`"))),
        };
        if made.len() > MAX_OUTPUT {
            return Err(VelocityError::new(line, "a text grows too large"));
        }
        self.charge(made.len(), line)?;
        Ok(Value::Text(made))
    }
}
