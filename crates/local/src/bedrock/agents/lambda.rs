//! Actions carried out by functions: the event an agent sends, and the answer it takes.
//! Source: Bedrock user guide, "Lambda functions for action groups".

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::schema::{Action, ActionForm};
use crate::bedrock::Bedrock;
use crate::bedrock::text::tools::ToolParameter;
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::lambda::call::{Invocation, Invoker};
use crate::lambda::invoke::invoke;

/// For whom an action is carried out.
#[derive(Debug, Clone)]
pub(super) struct For {
    pub agent: String,
    pub arn: String,
    pub name: String,
    pub alias: String,
    pub session: String,
    pub region: String,
    /// What the user said last.
    pub said: String,
    pub attributes: Value,
    pub prompt_attributes: Value,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ActionAnswer {
    /// The body, as JSON where it is.
    pub result: Value,
    /// As it came.
    pub raw: String,
    /// The user is to be asked again.
    pub reprompt: bool,
    /// The attributes of the session from now on, where the function sets them.
    pub attributes: Option<Value>,
}

/// The parameters of an action with their values, as events and traces have them.
pub(super) fn parameters(action: &Action, input: &Map<String, Value>, of_body: bool) -> Vec<Value> {
    let body: &[String] = match &action.form {
        ActionForm::Api { body, .. } => body,
        ActionForm::Function => &[],
    };
    let wanted = |parameter: &&ToolParameter| body.contains(&parameter.name) == of_body;
    let with_value = |parameter: &ToolParameter| {
        let value = input.get(&parameter.name)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(json!({"name": parameter.name, "type": parameter.kind, "value": text}))
    };
    action.tool.parameters.iter().filter(wanted).filter_map(with_value).collect()
}

fn event(action: &Action, input: &Map<String, Value>, whom: &For) -> Value {
    let mut event = json!({
        "messageVersion": "1.0",
        "agent": {"name": whom.name, "id": whom.agent, "alias": whom.alias, "version": "DRAFT"},
        "inputText": whom.said,
        "sessionId": whom.session,
        "actionGroup": action.group,
        "sessionAttributes": whom.attributes,
        "promptSessionAttributes": whom.prompt_attributes,
        "parameters": parameters(action, input, false),
    });
    let Some(fields) = event.as_object_mut() else { return event };
    match &action.form {
        ActionForm::Function => {
            fields.insert("function".to_owned(), json!(action.tool.name));
        }
        ActionForm::Api { path, method, body, media } => {
            fields.insert("apiPath".to_owned(), json!(path));
            fields.insert("httpMethod".to_owned(), json!(method));
            if !body.is_empty() {
                let content = json!({ media: {"properties": parameters(action, input, true)} });
                fields.insert("requestBody".to_owned(), json!({ "content": content }));
            }
        }
    }
    event
}

fn dependency(message: impl Into<String>) -> ApiError {
    ApiError::sender("DependencyFailedException", message).with_status(StatusCode::FAILED_DEPENDENCY)
}

/// Calls the function of an action.
///
/// # Errors
///
/// `DependencyFailedException` when the agent may not call it, or it does not answer as it must.
pub(super) async fn carry_out(
    bedrock: &Arc<Bedrock>,
    action: &Action,
    function: &str,
    input: &Map<String, Value>,
    whom: &For,
) -> Result<ActionAnswer, ApiError> {
    let call = Invocation {
        function: function.to_owned(),
        qualifier: None,
        region: whom.region.clone(),
        payload: Bytes::from(event(action, input, whom).to_string()),
        client_context: None,
        caller: Invoker::Service {
            principal: "bedrock.amazonaws.com".to_owned(),
            source_arn: Some(whom.arn.clone()),
            source_account: Some(ACCOUNT_ID.to_owned()),
        },
    };
    let answer = invoke(&bedrock.host, &call).await.map_err(|error| match error.code.as_str() {
        "AccessDeniedException" => dependency(format!(
            "Access denied while invoking Lambda function {function}. Check the permissions on the Lambda function and retry \
             the request. ({})",
            error.message
        )),
        _ => dependency(format!("The Lambda function {function} can't be invoked: {}", error.message)),
    })?;
    let wrong = |why: &str| {
        dependency(format!(
            "The server encountered an error processing the Lambda response. Check the Lambda response and retry the \
             request. ({why})"
        ))
    };
    if answer.function_error.is_some() {
        let error: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
        let message = error.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
        return Err(wrong(&format!("the function failed: {message}")));
    }
    let payload: Value = serde_json::from_slice(&answer.payload).map_err(|_| wrong("it is not JSON"))?;
    read(action, &payload).map_err(|why| wrong(&why))
}

/// Takes a function's answer, if it is for this action and of the right form.
fn read(action: &Action, payload: &Value) -> Result<ActionAnswer, String> {
    if payload.get("messageVersion").and_then(Value::as_str) != Some("1.0") {
        return Err("messageVersion must be \"1.0\"".to_owned());
    }
    let response = payload.get("response").ok_or("it has no response")?;
    let same = |name: &str, wanted: &str| match response.get(name).and_then(Value::as_str) {
        Some(given) if given == wanted => Ok(()),
        given => Err(format!("{name} is {} and not {wanted}", given.unwrap_or("missing"))),
    };
    same("actionGroup", &action.group)?;
    let (bodies, state) = match &action.form {
        ActionForm::Function => {
            same("function", &action.tool.name)?;
            let own = response.get("functionResponse").ok_or("it has no functionResponse")?;
            (own.get("responseBody"), own.get("responseState"))
        }
        ActionForm::Api { path, method, .. } => {
            same("apiPath", path)?;
            same("httpMethod", method)?;
            if response.get("httpStatusCode").and_then(Value::as_u64).is_none() {
                return Err("httpStatusCode is missing".to_owned());
            }
            (response.get("responseBody"), response.get("responseState"))
        }
    };
    let first = bodies.and_then(Value::as_object).and_then(|bodies| bodies.values().next());
    let body = first.and_then(|body| body.get("body")).ok_or("responseBody has no body")?;
    let Some(raw) = body.as_str().map(str::to_owned) else { return Err("the body is not a text".to_owned()) };
    if state.and_then(Value::as_str) == Some("FAILURE") {
        return Err(format!("the function says FAILURE: {raw}"));
    }
    Ok(ActionAnswer {
        result: serde_json::from_str(&raw).unwrap_or_else(|_| Value::String(raw.clone())),
        raw,
        reprompt: state.and_then(Value::as_str) == Some("REPROMPT"),
        attributes: payload.get("sessionAttributes").filter(|value| value.is_object()).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::text::tools::Tool;

    fn action(form: ActionForm) -> Action {
        let schema = json!({"required": ["accountId"], "properties": {"accountId": {"type": "integer"}}});
        let tool = Tool::of_schema("getAccountStatus", "", &schema);
        Action { group: "status".to_owned(), tool, form, function: None }
    }

    fn api() -> ActionForm {
        let (path, method) = ("/accounts/{accountId}/status".to_owned(), "GET".to_owned());
        ActionForm::Api { path, method, body: Vec::new(), media: "application/json".to_owned() }
    }

    fn whom() -> For {
        let text = |text: &str| text.to_owned();
        For {
            agent: text("AGENT"),
            arn: text("arn"),
            name: text("bank"),
            alias: text("ALIAS"),
            session: text("s"),
            region: text("us-west-2"),
            said: text("7777"),
            attributes: json!({}),
            prompt_attributes: json!({}),
        }
    }

    #[test]
    fn events_have_the_form_functions_expect() {
        let Value::Object(input) = json!({"accountId": 7777}) else { panic!("an object") };
        let event = event(&action(api()), &input, &whom());
        assert_eq!(event["parameters"], json!([{"name": "accountId", "type": "integer", "value": "7777"}]));
        assert_eq!((&event["httpMethod"], &event["apiPath"]), (&json!("GET"), &json!("/accounts/{accountId}/status")));
        assert!(event.get("requestBody").is_none() && event.get("function").is_none());
        let of_function = super::event(&action(ActionForm::Function), &input, &whom());
        assert_eq!(of_function["function"], "getAccountStatus");
    }

    #[test]
    fn answers_that_are_for_something_else_are_told() {
        let answer = |path: &str| {
            json!({"messageVersion": "1.0", "response": {"actionGroup": "status", "apiPath": path,
            "httpMethod": "GET", "httpStatusCode": 200, "responseBody": {"application/json": {"body": "{\"a\": 1}"}}}})
        };
        assert_eq!(
            read(&action(api()), &answer("/accounts/{accountId}/status")).expect("right").result,
            json!({"a": 1})
        );
        assert!(read(&action(api()), &answer("/other")).is_err_and(|why| why.contains("apiPath is /other")));
        assert!(read(&action(api()), &json!({"statusCode": 200})).is_err());
        let failure = json!({"messageVersion": "1.0", "response": {"actionGroup": "status", "function": "getAccountStatus",
            "functionResponse": {"responseState": "FAILURE", "responseBody": {"TEXT": {"body": "no"}}}}});
        assert!(read(&action(ActionForm::Function), &failure).is_err_and(|why| why.contains("FAILURE")));
    }
}
