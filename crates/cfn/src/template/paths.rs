//! Paths into a template, as findings and change sets write them.

use serde_json::Value;

use super::Template;

impl Template {
    /// A path such as `Resources/Design/Properties/Timeout`, or with another separator, as a JSON pointer. Keys that hold
    /// the separator themselves are found in the template; what is not there is taken segment by segment.
    pub fn pointer(&self, path: &str, separator: char) -> String {
        let segments: Vec<&str> = path.trim_matches(separator).split(separator).collect();
        let (mut pointer, mut value, mut at) = (String::new(), Some(self.value()), 0);
        while let Some(rest) = segments.get(at..).filter(|rest| !rest.is_empty()) {
            let joined = |count: usize| rest.get(..count).unwrap_or_default().join(&separator.to_string());
            let (key, count) = match value {
                Some(Value::Object(members)) => {
                    let mut keys = (1..=rest.len()).map(|count| (joined(count), count));
                    keys.find(|(key, _)| members.contains_key(key)).unwrap_or_else(|| (joined(1), 1))
                }
                _ => (joined(1), 1),
            };
            value = match value {
                Some(Value::Object(members)) => members.get(&key),
                Some(Value::Array(items)) => key.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            pointer.push('/');
            pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            at += count;
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_holds_the_separator_is_found() {
        let properties = json!({ "Settings": { "GET /items": { "Limit": 1 } }, "Variables": { "a.b": ["x"] } });
        let resource = json!({ "Type": "AWS::SQS::Queue", "Properties": properties });
        let template = Template::from_value(json!({ "Resources": { "A": resource } })).expect("a template");
        let pointer = |path: &str, separator| template.pointer(path, separator);
        let slashed = pointer("Resources/A/Properties/Settings/GET /items/Limit", '/');
        assert_eq!(slashed, "/Resources/A/Properties/Settings/GET ~1items/Limit");
        let dotted = pointer("Resources.A.Properties.Variables.a.b.0", '.');
        assert_eq!(dotted, "/Resources/A/Properties/Variables/a.b/0");
        assert_eq!(pointer("Resources/B/Properties/C", '/'), "/Resources/B/Properties/C");
    }
}
