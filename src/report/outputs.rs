//! What a stack gives back, as verbs show it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::findings::on_one_line;
use super::reporter::{Look, VerbReport};
use super::style::{Styles, paint};
use crate::aws::Output;

/// The outputs of a stack.
#[derive(Debug)]
pub struct OutputsReport {
    /// In order of their names.
    pub outputs: Vec<Output>,
}

impl VerbReport for OutputsReport {
    fn json(&self) -> Option<Value> {
        let pair = |output: &Output| (output.key.clone(), Value::from(output.value.clone()));
        Some(Value::Object(self.outputs.iter().map(pair).collect::<Map<_, _>>()))
    }

    fn text(&self, look: &Look) -> String {
        text(&self.outputs, &look.styles)
    }
}

/// `Key = value`, a line each.
pub(super) fn text(outputs: &[Output], styles: &Styles) -> String {
    outputs.iter().fold(String::new(), |mut text, output| {
        let key = paint(styles.strong, on_one_line(&output.key));
        let _ = writeln!(text, "{key} = {}", on_one_line(&output.value));
        text
    })
}

/// Where the APIs and gateways of a stack on the local target answer: AWS's addresses lead nowhere for them.
#[derive(Debug)]
pub struct LocalAddresses {
    /// Something serves there now.
    pub served: bool,
    /// The name of an output, and the address.
    pub addresses: Vec<(String, String)>,
}

impl VerbReport for LocalAddresses {
    fn aside(&self, _: &Look) -> String {
        if self.addresses.is_empty() {
            return String::new();
        }
        let why = if self.served {
            "Its APIs answer here:"
        } else {
            "Once `bedplate local serve` runs, its APIs answer here:"
        };
        self.addresses.iter().fold(why.to_owned(), |mut text, (key, url)| {
            let _ = write!(text, "\n  {}: {}", on_one_line(key), on_one_line(url));
            text
        })
    }
}
