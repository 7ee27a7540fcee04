//! A JSON value as an awsQuery response.
//!
//! Objects become elements in their order, arrays `<member>` elements, nulls nothing.

use serde_json::Value;

use crate::protocol::xml;

/// The whole response document of an action.
pub fn document(action: &str, namespace: &str, result: &Value, request_id: &str) -> String {
    let mut out = String::with_capacity(512);
    out.push('<');
    out.push_str(action);
    out.push_str("Response xmlns=\"");
    xml::escape_into(&mut out, namespace);
    out.push_str("\">");
    if !result.is_null() {
        let name = format!("{action}Result");
        write_element(&mut out, &name, result);
    }
    out.push_str("<ResponseMetadata>");
    xml::element(&mut out, "RequestId", request_id);
    out.push_str("</ResponseMetadata></");
    out.push_str(action);
    out.push_str("Response>");
    out
}

fn write_element(out: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    xml::open(out, name);
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => xml::escape_into(out, text),
        Value::Array(items) => {
            for item in items {
                write_element(out, "member", item);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                write_element(out, name, value);
            }
        }
    }
    xml::close(out, name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_is_written_in_its_order_with_members_and_without_nulls() {
        let result = json!({"Z": "a&b", "A": [1, {"K": true}], "None": null, "Empty": []});
        assert_eq!(
            document("DoIt", "http://x/", &result, "r"),
            "<DoItResponse xmlns=\"http://x/\"><DoItResult><Z>a&amp;b</Z><A><member>1</member><member><K>true</K></member></A>\
             <Empty></Empty></DoItResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DoItResponse>"
        );
    }

    #[test]
    fn an_action_without_output_has_no_result_element() {
        assert!(!document("DeleteStack", "n", &Value::Null, "r").contains("DeleteStackResult"));
    }
}
