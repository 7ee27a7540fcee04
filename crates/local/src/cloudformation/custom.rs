//! Custom resources: what their functions are asked, and what they answer.
//!
//! A request is a row until its stack goes, so that an answer is never lost and whoever takes an operation up knows what
//! was asked. The answer comes as a `PUT` to the request's own address, which nobody else knows. Source: CloudFormation
//! template reference, "CloudFormation template custom resource request and response reference".

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::model::StackTarget;
use super::tables::Sql;
use crate::ground::scalar::{scalar, text};
use crate::ground::{ApiError, Host};

/// The table of requests, and the values that answers asked not to be shown.
pub const SCHEMA: &str = "
CREATE TABLE cfn_custom_request (
    token TEXT PRIMARY KEY, stack_id TEXT NOT NULL, logical_id TEXT NOT NULL, step TEXT NOT NULL,
    request TEXT NOT NULL, due INTEGER NOT NULL, answer TEXT) STRICT;
CREATE INDEX cfn_custom_request_step ON cfn_custom_request (stack_id, logical_id, step);
CREATE TABLE cfn_custom_hidden (
    stack_id TEXT NOT NULL, logical_id TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (stack_id, logical_id, value)) STRICT, WITHOUT ROWID;
";

/// What stands in place of a logical id for values of parameters.
const PARAMETERS: &str = "";

/// Where answers are sent, before the token.
pub const PATH: &str = "/_aws/cloudformation-custom-resource-response/";

/// The longest answer, in bytes.
const LONGEST: usize = 4096;
/// The longest physical id, in bytes.
const LONGEST_ID: usize = 1024;
/// Seconds that an answer is waited for, unless the resource says.
const TIMEOUT: i64 = 3600;

/// A request to the function of a custom resource.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomRequest {
    /// What only its function knows.
    pub token: String,
    /// The event the function gets.
    pub event: Value,
    /// When it has failed, if no answer came: milliseconds since 1970.
    pub due: i64,
    /// The answer, once it came.
    pub answer: Option<String>,
}

impl CustomRequest {
    /// A text of the event.
    pub fn text(&self, name: &str) -> &str {
        self.event.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn request(row: &Row<'_>) -> Sql<CustomRequest> {
    let event: String = row.get(1)?;
    let event = serde_json::from_str(&event)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into()))?;
    Ok(CustomRequest { token: row.get(0)?, event, due: row.get(2)?, answer: row.get(3)? })
}

const COLUMNS: &str = "token, request, due, answer";

/// The request of a step, if one was made.
pub fn find(db: &Connection, stack_id: &str, logical_id: &str, step: &str) -> Sql<Option<CustomRequest>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cfn_custom_request WHERE stack_id = ?1 AND logical_id = ?2 AND step = ?3"
    ))?
    .query_row([stack_id, logical_id, step], request)
    .optional()
}

/// What was asked last of a resource while it was deployed, by whichever operation.
pub fn last_deployed(db: &Connection, stack_id: &str, logical_id: &str) -> Sql<Option<CustomRequest>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cfn_custom_request WHERE stack_id = ?1 AND logical_id = ?2 AND step LIKE '%/deploy'
         ORDER BY rowid DESC LIMIT 1"
    ))?
    .query_row([stack_id, logical_id], request)
    .optional()
}

/// A request by its token.
pub fn by_token(db: &Connection, token: &str) -> Sql<Option<CustomRequest>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM cfn_custom_request WHERE token = ?1"))?
        .query_row([token], request)
        .optional()
}

/// What is asked of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Question<'a> {
    /// `Create`, `Update` or `Delete`.
    pub kind: &'static str,
    /// The stack's ARN.
    pub stack_id: &'a str,
    /// The resource.
    pub logical_id: &'a str,
    /// Its type.
    pub resource_type: &'a str,
    /// The id it has; none while it is made.
    pub physical_id: Option<&'a str>,
    /// Its properties.
    pub properties: &'a Value,
    /// Those from before an update.
    pub old: Option<&'a Value>,
}

/// Records a question for a step of an operation. A deployment forgets what earlier operations asked; a rollback needs it.
pub fn ask(db: &Connection, host: &Host, step: &str, question: &Question<'_>) -> Sql<CustomRequest> {
    let Question { kind, stack_id, logical_id, resource_type, physical_id, properties, old } = question;
    if step.ends_with("/deploy") {
        db.prepare_cached("DELETE FROM cfn_custom_request WHERE stack_id = ?1 AND logical_id = ?2")?
            .execute([stack_id, logical_id])?;
    }
    let token = format!("{}{}", host.ids.uuid().simple(), uuid::Uuid::new_v4().simple());
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
    set("RequestType", json!(kind));
    set("ServiceToken", json!(text(properties, "ServiceToken")));
    set("ResponseURL", json!(format!("{}{PATH}{token}", host.url)));
    set("StackId", json!(stack_id));
    set("RequestId", json!(host.ids.uuid().to_string()));
    set("LogicalResourceId", json!(logical_id));
    if let Some(id) = physical_id {
        set("PhysicalResourceId", json!(id));
    }
    set("ResourceType", json!(resource_type));
    set("ResourceProperties", as_texts(properties));
    if let Some(old) = old {
        set("OldResourceProperties", as_texts(old));
    }
    let seconds = text(properties, "ServiceTimeout").and_then(|seconds| seconds.parse::<i64>().ok());
    let seconds = seconds.unwrap_or(TIMEOUT).clamp(1, TIMEOUT);
    let due = host.clock.now().as_millisecond().saturating_add(seconds.saturating_mul(1000));
    let made = CustomRequest { token, event: Value::Object(event), due, answer: None };
    db.prepare_cached(
        "INSERT INTO cfn_custom_request (token, stack_id, logical_id, step, request, due) VALUES (?1,?2,?3,?4,?5,?6)",
    )?
    .execute(params![made.token, stack_id, logical_id, step, made.event.to_string(), made.due])?;
    Ok(made)
}

/// The address of a request for the process that sends it: one that took it over listens elsewhere.
pub fn addressed(request: &CustomRequest, host: &Host) -> Value {
    let mut event = request.event.clone();
    if let Some(event) = event.as_object_mut() {
        event.insert("ResponseURL".to_owned(), json!(format!("{}{PATH}{}", host.url, request.token)));
    }
    event
}

/// Forgets all that was asked for a stack.
pub fn forget(db: &Connection, stack_id: &str) -> Sql<()> {
    db.execute("DELETE FROM cfn_custom_request WHERE stack_id = ?1", [stack_id])?;
    db.execute("DELETE FROM cfn_custom_hidden WHERE stack_id = ?1", [stack_id])?;
    Ok(())
}

/// Properties as functions get them: every scalar is a text.
pub fn as_texts(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(as_texts).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), as_texts(member))).collect())
        }
        other => scalar(other).map_or(Value::Null, Value::String),
    }
}

/// Takes an answer in; the first one counts.
///
/// # Errors
///
/// A token that no request has: as S3 refuses an address whose time is over.
pub async fn take(host: &Host, token: &str, body: Vec<u8>) -> Result<(), ApiError> {
    let (token, body) = (token.to_owned(), String::from_utf8_lossy(&body).into_owned());
    host.store
        .write(move |tx| {
            if by_token(tx, &token)?.is_none() {
                return Err(
                    ApiError::sender("AccessDenied", "Request has expired").with_status(http::StatusCode::FORBIDDEN)
                );
            }
            tx.execute(
                "UPDATE cfn_custom_request SET answer = ?2 WHERE token = ?1 AND answer IS NULL",
                params![token, body],
            )?;
            Ok(())
        })
        .await
}

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The physical id it gives.
    pub id: Option<String>,
    /// What `Fn::GetAtt` gives.
    pub data: Map<String, Value>,
    /// Whether the data are not to be shown.
    pub no_echo: bool,
}

/// A bad answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAnswer {
    /// The physical id it gives all the same.
    pub id: Option<String>,
    /// What the resource's event says.
    pub reason: String,
}

/// Reads an answer.
///
/// # Errors
///
/// `FAILED`, and what is no answer.
pub fn hear(request: &CustomRequest, answer: &str) -> Result<Heard, BadAnswer> {
    let broken = |reason: &str| BadAnswer { id: None, reason: reason.to_owned() };
    if answer.len() > LONGEST {
        return Err(broken("Response object is too long."));
    }
    let Ok(Value::Object(answer)) = serde_json::from_str(answer) else {
        return Err(broken("The response of the custom resource is not a JSON object."));
    };
    let told = |name: &str| answer.get(name).and_then(scalar);
    let id = told("PhysicalResourceId").filter(|id| !id.is_empty());
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        if told(name).as_deref() != Some(request.text(name)) {
            return Err(broken(&format!(
                "The response of the custom resource has another {name} than the request, or none."
            )));
        }
    }
    match told("Status").as_deref() {
        Some("SUCCESS") => {}
        Some("FAILED") => {
            let reason = told("Reason").unwrap_or_default();
            let request_id = request.text("RequestId");
            return Err(BadAnswer {
                id,
                reason: format!(
                    "Received response status [FAILED] from custom resource. Message returned: {reason} (RequestId: {request_id})"
                ),
            });
        }
        _ => return Err(BadAnswer { id, reason: "Invalid Status: it must be SUCCESS or FAILED.".to_owned() }),
    }
    let deleting = request.text("RequestType") == "Delete";
    if !deleting && id.as_ref().is_none_or(|id| id.len() > LONGEST_ID) {
        return Err(broken("Invalid PhysicalResourceId"));
    }
    let data = match answer.get("Data") {
        Some(Value::Object(data)) => data.clone(),
        _ => Map::new(),
    };
    Ok(Heard { id, data, no_echo: told("NoEcho").as_deref() == Some("true") })
}

/// Remembers which values of a resource's answer are not to be shown.
pub fn hide(db: &Connection, stack_id: &str, logical_id: &str, heard: &Heard) -> Sql<()> {
    db.execute("DELETE FROM cfn_custom_hidden WHERE stack_id = ?1 AND logical_id = ?2", [stack_id, logical_id])?;
    if heard.no_echo {
        for value in heard.data.values().filter_map(scalar).filter(|value| !value.is_empty()) {
            db.prepare_cached("INSERT OR IGNORE INTO cfn_custom_hidden VALUES (?1, ?2, ?3)")?
                .execute([stack_id, logical_id, &value])?;
        }
    }
    Ok(())
}

/// Remembers which values a target's parameters have that are not to be shown, beside those of earlier targets, which
/// resources may still have.
pub fn hide_parameters(db: &Connection, stack_id: &str, target: &StackTarget) -> Sql<()> {
    for parameter in target.parameters.iter().filter(|parameter| parameter.no_echo) {
        for value in [Some(&parameter.value), parameter.resolved.as_ref()].into_iter().flatten() {
            if !value.is_empty() {
                db.prepare_cached("INSERT OR IGNORE INTO cfn_custom_hidden VALUES (?1, ?2, ?3)")?
                    .execute([stack_id, PARAMETERS, value])?;
            }
        }
    }
    Ok(())
}

/// Forgets the values of earlier targets' parameters, once nothing has them any more.
pub fn hide_only_parameters(db: &Connection, stack_id: &str, target: &StackTarget) -> Sql<()> {
    db.prepare_cached("DELETE FROM cfn_custom_hidden WHERE stack_id = ?1 AND logical_id = ?2")?
        .execute([stack_id, PARAMETERS])?;
    hide_parameters(db, stack_id, target)
}

/// The values that are not to be shown of a stack: of its parameters, of its custom resources' answers, and those of the
/// stacks around it, which may have been handed down.
pub fn hidden(db: &Connection, stack_id: &str) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "WITH RECURSIVE line (id) AS (
            SELECT ?1 UNION SELECT cfn_stack.parent FROM cfn_stack JOIN line ON cfn_stack.id = line.id
            WHERE cfn_stack.parent IS NOT NULL LIMIT 32
         )
         SELECT DISTINCT value FROM cfn_custom_hidden WHERE stack_id IN line",
    )?;
    statement.query_map([stack_id], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str) -> CustomRequest {
        let event = json!({ "RequestType": kind, "StackId": "s", "RequestId": "r", "LogicalResourceId": "L" });
        CustomRequest { token: "t".to_owned(), event, due: 0, answer: None }
    }

    fn answer(more: Value) -> String {
        let mut answer = json!({ "StackId": "s", "RequestId": "r", "LogicalResourceId": "L", "Status": "SUCCESS" });
        for (name, value) in more.as_object().expect("an object") {
            answer[name] = value.clone();
        }
        answer.to_string()
    }

    #[test]
    fn functions_get_every_scalar_as_a_text() {
        let properties = json!({ "On": true, "Count": 3, "List": [1, { "Deep": false }], "Text": "as it is" });
        let expected = json!({ "On": "true", "Count": "3", "List": ["1", { "Deep": "false" }], "Text": "as it is" });
        assert_eq!(as_texts(&properties), expected);
    }

    #[test]
    fn an_answer_is_held_against_its_request() {
        let good = answer(json!({ "PhysicalResourceId": "id", "Data": { "A": "b" }, "NoEcho": true }));
        let heard = hear(&request("Create"), &good).expect("good");
        assert_eq!((heard.id.as_deref(), heard.no_echo), (Some("id"), true));
        assert_eq!(heard.data.get("A"), Some(&json!("b")));
        assert!(hear(&request("Delete"), &answer(json!({}))).is_ok(), "what is gone needs no id");
        for (bad, words) in [
            ("[]".to_owned(), "not a JSON object"),
            (answer(json!({})), "Invalid PhysicalResourceId"),
            (answer(json!({ "PhysicalResourceId": "x".repeat(1025) })), "Invalid PhysicalResourceId"),
            (answer(json!({ "RequestId": "other" })), "another RequestId"),
            (answer(json!({ "Status": "GOOD" })), "Invalid Status"),
            (answer(json!({ "Data": { "A": "b".repeat(4096) } })), "too long"),
            (
                answer(json!({ "Status": "FAILED", "Reason": "no luck" })),
                "Received response status [FAILED] from custom resource. Message returned: no luck (RequestId: r)",
            ),
        ] {
            let refused = hear(&request("Create"), &bad).expect_err("bad");
            assert!(refused.reason.contains(words), "{}", refused.reason);
        }
    }
}
