//! A form body as a tree of values.
//!
//! `Tags.member.1.Key=a` becomes `{"Tags": [{"Key": "a"}]}`. All leaves are strings; the accessors read them as more.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::ground::ApiError;

/// Deeper names than any AWS API has; a limit so that a hostile name can't exhaust the stack.
const MAX_DEPTH: usize = 32;

/// The parameters of one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    tree: Map<String, Value>,
}

#[derive(Debug)]
enum ParamNode {
    Leaf(String),
    Branch(Vec<(String, ParamNode)>, BTreeMap<String, usize>),
}

impl ParamNode {
    fn branch() -> Self {
        Self::Branch(Vec::new(), BTreeMap::new())
    }

    fn insert(&mut self, name: &str, rest: &[&str], value: String) -> Result<(), ApiError> {
        let Self::Branch(children, index) = self else { return Err(conflict(name)) };
        let Some((first, rest)) = rest.split_first() else { return Err(conflict(name)) };
        let at = match index.get(*first) {
            Some(at) => *at,
            None => {
                let node = if rest.is_empty() { Self::Leaf(value.clone()) } else { Self::branch() };
                children.push(((*first).to_owned(), node));
                index.insert((*first).to_owned(), children.len() - 1);
                if rest.is_empty() {
                    return Ok(());
                }
                children.len() - 1
            }
        };
        match children.get_mut(at) {
            // An empty list is sent as an empty leaf by some clients beside its members: the members win.
            Some((_, node @ Self::Leaf(_))) if !rest.is_empty() => {
                if matches!(node, Self::Leaf(text) if text.is_empty()) {
                    *node = Self::branch();
                }
                node.insert(name, rest, value)
            }
            Some((_, node)) => node.insert(name, rest, value),
            None => Err(conflict(name)),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Leaf(text) => Value::String(text),
            Self::Branch(mut children, _) => {
                if children.len() == 1
                    && children.first().is_some_and(|(name, node)| {
                        name == "member" && matches!(node, Self::Branch(items, _) if all_numbers(items))
                    })
                    && let Some((_, Self::Branch(items, _))) = children.pop()
                {
                    let mut items: Vec<(u64, Value)> = items
                        .into_iter()
                        .filter_map(|(name, node)| Some((name.parse().ok()?, node.into_value())))
                        .collect();
                    items.sort_by_key(|(index, _)| *index);
                    return Value::Array(items.into_iter().map(|(_, value)| value).collect());
                }
                Value::Object(children.into_iter().map(|(name, node)| (name, node.into_value())).collect())
            }
        }
    }
}

fn all_numbers(items: &[(String, ParamNode)]) -> bool {
    items.iter().all(|(name, _)| name.parse::<u64>().is_ok())
}

fn conflict(name: &str) -> ApiError {
    ApiError::sender(
        "MalformedQueryString",
        format!("The parameter `{name}` is given more than once, or both as a value and as a structure"),
    )
}

impl Params {
    /// Reads a form body (or a query string).
    ///
    /// # Errors
    ///
    /// `MalformedQueryString` when a name is given twice, or nests deeper than any API does.
    pub fn parse(form: &[u8]) -> Result<Self, ApiError> {
        let mut root = ParamNode::branch();
        for (name, value) in form_urlencoded::parse(form) {
            if name.is_empty() {
                continue;
            }
            let parts: Vec<&str> = name.splitn(MAX_DEPTH + 1, '.').collect();
            if parts.len() > MAX_DEPTH {
                return Err(ApiError::sender("MalformedQueryString", "A parameter name nests too deep"));
            }
            root.insert(&name, &parts, value.into_owned())?;
        }
        match root.into_value() {
            Value::Object(tree) => Ok(Self { tree }),
            _ => Ok(Self::default()),
        }
    }

    /// The parameters under a tree that is known already.
    pub fn from_tree(tree: Map<String, Value>) -> Self {
        Self { tree }
    }

    /// The whole tree.
    pub fn tree(&self) -> &Map<String, Value> {
        &self.tree
    }

    /// Any parameter, as it came.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.tree.get(name)
    }

    /// A text; an empty one counts as given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.tree.get(name)?.as_str()
    }

    /// A text that must be there.
    ///
    /// # Errors
    ///
    /// `ValidationError` in AWS's words for a missing member.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| {
            ApiError::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                member_name(name)
            ))
        })
    }

    /// A Boolean.
    ///
    /// # Errors
    ///
    /// `MalformedInput` when it is neither `true` nor `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(ApiError::sender("MalformedInput", format!("{name}: `{text}` is not `true` or `false`"))),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// `MalformedInput` when it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::sender("MalformedInput", format!("{name}: `{text}` is not a whole number")))
            })
            .transpose()
    }

    /// A list; one that is not there, or was sent as an empty text, is empty.
    pub fn list(&self, name: &str) -> &[Value] {
        self.tree.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Value::as_str).collect()
    }

    /// Whether a parameter was given at all, if only as an empty list.
    pub fn has(&self, name: &str) -> bool {
        self.tree.contains_key(name)
    }
}

/// AWS names members in its messages with a small first letter.
fn member_name(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(form: &str) -> Params {
        Params::parse(form.as_bytes()).expect("a good form")
    }

    #[test]
    fn members_become_lists_in_the_order_of_their_numbers() {
        let params =
            parse("Action=X&Tags.member.2.Key=b&Tags.member.10.Key=c&Tags.member.1.Key=a&Tags.member.1.Value=1+2%26");
        assert_eq!(
            Value::Object(params.tree().clone()),
            json!({"Action": "X", "Tags": [{"Key": "a", "Value": "1 2&"}, {"Key": "b"}, {"Key": "c"}]})
        );
    }

    #[test]
    fn an_empty_list_is_given_and_empty() {
        let params = parse("Capabilities=");
        assert!(params.has("Capabilities"));
        assert!(params.list("Capabilities").is_empty());
        assert!(params.list("Tags").is_empty() && !params.has("Tags"));
    }

    #[test]
    fn a_name_given_twice_or_nested_without_end_is_refused() {
        for form in ["A=1&A=2", "A=1&A.b=2", "A.b=2&A=1"] {
            let error = Params::parse(form.as_bytes()).expect_err(form);
            assert_eq!(error.code, "MalformedQueryString");
        }
        let deep = format!("{}=1", "a.".repeat(100_000));
        assert_eq!(Params::parse(deep.as_bytes()).expect_err("deep").code, "MalformedQueryString");
    }

    #[test]
    fn a_missing_member_is_named_as_aws_names_it() {
        let error = parse("").required("StackName").expect_err("missing");
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains("Value null at 'stackName'"), "{}", error.message);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(form in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Params::parse(&form);
        }

        #[test]
        fn a_list_of_texts_comes_back(values in proptest::collection::vec("\\PC*", 1..20)) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (index, value) in values.iter().enumerate() {
                form.append_pair(&format!("L.member.{}", index + 1), value);
            }
            let params = Params::parse(form.finish().as_bytes()).expect("a good form");
            prop_assert_eq!(params.texts("L"), values);
        }
    }
}
