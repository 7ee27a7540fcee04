//! What an agent can do: the actions of its groups, from OpenAPI or function schemas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bedrock::answer::invalid;
use crate::bedrock::text::tools::{Tool, ToolParameter};
use crate::ground::ApiError;

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Action {
    /// The name of its group.
    pub group: String,
    pub tool: Tool,
    pub form: ActionForm,
    /// The function's ARN; nothing when control goes back to the caller.
    pub function: Option<String>,
}

/// How an action is called.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ActionForm {
    /// By an OpenAPI operation; the parameters that are in the body, by name.
    Api { path: String, method: String, body: Vec<String>, media: String },
    /// By a function of its own name.
    Function,
}

/// The bucket and the key of an object.
pub(super) type ObjectLocation = (String, String);

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn object_of(schema: &Value) -> Option<ObjectLocation> {
    let part = |name: &str| schema.pointer(&format!("/S3/{name}")).and_then(Value::as_str).map(str::to_owned);
    part("S3BucketName").zip(part("S3ObjectKey"))
}

/// The objects that hold schemas of action groups.
pub(super) fn objects(properties: &Value) -> Vec<ObjectLocation> {
    list(properties, "ActionGroups").filter_map(|group| object_of(group.get("ApiSchema")?)).collect()
}

/// The actions of an agent's properties, with the schemas that are objects.
///
/// # Errors
///
/// When a schema can't be read, or is of a kind that is not simulated.
pub(super) fn actions(properties: &Value, schemas: &BTreeMap<ObjectLocation, String>) -> Result<Vec<Action>, ApiError> {
    let mut actions = Vec::new();
    for group in list(properties, "ActionGroups") {
        let text = |name: &str| group.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("ActionGroupState") == "DISABLED" {
            continue;
        }
        match text("ParentActionGroupSignature") {
            // The loop asks for what is missing in any case.
            "" | "AMAZON.UserInput" => {}
            other => {
                return Err(ApiError::not_implemented("bedrock-agent-runtime", &format!("InvokeAgent with {other}")));
            }
        }
        let name = text("ActionGroupName").to_owned();
        let function = group.pointer("/ActionGroupExecutor/Lambda").and_then(Value::as_str).map(str::to_owned);
        if let Some(functions) = group.pointer("/FunctionSchema/Functions").and_then(Value::as_array) {
            actions.extend(functions.iter().map(|one| of_function(&name, function.as_ref(), one)));
        } else if let Some(schema) = group.get("ApiSchema") {
            let own = schema.get("Payload").and_then(Value::as_str);
            let text = own.or_else(|| object_of(schema).and_then(|object| schemas.get(&object)).map(String::as_str));
            let text = text.ok_or_else(|| invalid(format!("The action group {name} has no schema")))?;
            actions.extend(of_openapi(&name, function.as_ref(), text)?);
        }
    }
    Ok(actions)
}

fn of_function(group: &str, function: Option<&String>, one: &Value) -> Action {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let parameters = one.get("Parameters").and_then(Value::as_object).into_iter().flatten().map(|(name, parameter)| {
        let required = parameter.get("Required");
        ToolParameter {
            name: name.clone(),
            description: text(parameter, "Description"),
            kind: text(parameter, "Type"),
            required: required.is_some_and(|flag| flag == &json!(true) || flag == "true"),
            ..ToolParameter::default()
        }
    });
    let tool =
        Tool { name: text(one, "Name"), description: text(one, "Description"), parameters: parameters.collect() };
    Action { group: group.to_owned(), tool, form: ActionForm::Function, function: function.cloned() }
}

const METHODS: &[&str] = &["get", "put", "post", "delete", "patch", "head", "options"];

fn of_openapi(group: &str, function: Option<&String>, text: &str) -> Result<Vec<Action>, ApiError> {
    let document =
        bedplate_cfn::yaml::parse(text).map_err(|error| invalid(format!("The OpenAPI schema of {group}: {error}")))?;
    let document = document.value;
    let mut actions = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(*method) else { continue };
            let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
            let mut by_name: BTreeMap<String, ToolParameter> = BTreeMap::new();
            let listed =
                |holder: &Value| holder.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
            for parameter in listed(item).iter().chain(&listed(operation)) {
                let parameter = resolved(&document, parameter);
                let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
                let schema = resolved(&document, parameter.get("schema").unwrap_or(&Value::Null));
                let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
                let description = parameter.get("description").and_then(Value::as_str);
                by_name.insert(name.to_owned(), of_schema(name, description, schema, required));
            }
            let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
            let media = content.and_then(|content| content.iter().next());
            let mut body = Vec::new();
            if let Some(schema) =
                media.and_then(|(_, media)| media.get("schema")).map(|schema| resolved(&document, schema))
            {
                let tool = Tool::of_schema("", "", schema);
                for parameter in tool.parameters {
                    body.push(parameter.name.clone());
                    by_name.insert(parameter.name.clone(), parameter);
                }
            }
            let name =
                if text("operationId").is_empty() { format!("{method}{path}") } else { text("operationId").to_owned() };
            let description = format!("{} {}", text("summary"), text("description")).trim().to_owned();
            actions.push(Action {
                group: group.to_owned(),
                tool: Tool { name, description, parameters: by_name.into_values().collect() },
                form: ActionForm::Api {
                    path: path.clone(),
                    method: method.to_uppercase(),
                    body,
                    media: media.map_or_else(|| "application/json".to_owned(), |(name, _)| name.clone()),
                },
                function: function.cloned(),
            });
        }
    }
    Ok(actions)
}

fn of_schema(name: &str, description: Option<&str>, schema: &Value, required: bool) -> ToolParameter {
    let whole = json!({"properties": {name: schema}, "required": if required { vec![name] } else { Vec::new() }});
    let mut parameter = Tool::of_schema("", "", &whole).parameters.into_iter().next().unwrap_or_default();
    if let Some(description) = description {
        description.clone_into(&mut parameter.description);
    }
    parameter
}

/// What a reference within the document leads to.
fn resolved<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
    let reference = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = include_str!("../../../../../stacks/banking-agent/openapi/account-status.yaml");

    #[test]
    fn an_openapi_operation_becomes_an_action() {
        let actions = of_openapi("status", None, ACCOUNTS).expect("a schema");
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].tool.name, "getAccountStatus");
        let parameter = &actions[0].tool.parameters[0];
        assert_eq!(
            (parameter.name.as_str(), parameter.kind.as_str(), parameter.required),
            ("accountId", "integer", true)
        );
        let ActionForm::Api { path, method, .. } = &actions[0].form else { panic!("an API") };
        assert_eq!((path.as_str(), method.as_str()), ("/accounts/{accountId}/status", "GET"));
    }

    #[test]
    fn a_body_and_references_are_followed() {
        let schema = r##"{"paths": {"/orders": {"post": {"operationId": "order", "requestBody": {"content": {"application/json":
            {"schema": {"$ref": "#/components/schemas/Order"}}}}}}},
            "components": {"schemas": {"Order": {"required": ["size"], "properties": {"size": {"type": "string"}}}}}}"##;
        let actions = of_openapi("orders", None, schema).expect("a schema");
        let ActionForm::Api { body, media, .. } = &actions[0].form else { panic!("an API") };
        assert_eq!((body.as_slice(), media.as_str()), (&["size".to_owned()][..], "application/json"));
        assert!(actions[0].tool.parameters[0].required);
    }
}
