//! What is sent on to whatever is behind a method.

use serde_json::{Map, Value};

/// What is sent on, once templates and mappings are carried out.
#[derive(Debug, Default)]
pub(super) struct IntegrationRequest {
    /// The body.
    pub body: Vec<u8>,
    /// Its media type, where it was not mapped.
    pub media: Option<String>,
    /// Headers that mappings set.
    pub headers: Vec<(String, String)>,
    /// Query parameters that mappings set.
    pub query: Vec<(String, String)>,
    /// Variables of the address.
    pub path: Map<String, Value>,
}

impl IntegrationRequest {
    /// Sets a header, a query parameter or a variable of the address.
    pub fn set(&mut self, place: &str, name: &str, value: String) {
        match place {
            "header" => {
                self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                self.headers.push((name.to_owned(), value));
            }
            "querystring" => {
                self.query.retain(|(known, _)| known != name);
                self.query.push((name.to_owned(), value));
            }
            "path" => {
                self.path.insert(name.to_owned(), Value::String(value));
            }
            _ => {}
        }
    }

    /// A header that mappings set.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
