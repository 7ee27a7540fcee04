//! What API Gateway looks at before it makes a method or a stage: response parameters, and the role that logs are written by.

use serde_json::Value;

use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, ResourceWork};

/// What an integration response sets, its method response must declare. Words: deployments in public reports, seen 2026-11.
pub(super) fn check_responses(properties: &Value) -> Result<(), Failure> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let declared = list(properties.get("MethodResponses"));
    for response in list(properties.pointer("/Integration/IntegrationResponses")) {
        let Some(set) = response.get("ResponseParameters").and_then(Value::as_object).filter(|set| !set.is_empty())
        else {
            continue;
        };
        let status = text(&response, "StatusCode");
        let errors = match declared.iter().find(|other| text(other, "StatusCode") == status) {
            None => vec!["No method response exists for method.".to_owned()],
            Some(method) => set
                .keys()
                .filter(|name| method.get("ResponseParameters").and_then(|declared| declared.get(*name)).is_none())
                .map(|name| format!("Invalid mapping expression parameter specified: {name}"))
                .collect(),
        };
        if !errors.is_empty() {
            let errors = errors.join(", ");
            let message =
                format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]");
            return Err(Failure::handler(
                "InvalidRequest",
                format!("{message} (Service: ApiGateway, Status Code: 400)"),
            ));
        }
    }
    Ok(())
}

/// Whether a stage, or what a deployment says of its stage, writes to CloudWatch Logs.
fn stage_logs(properties: &Value) -> bool {
    let logs = |setting: &Value| {
        matches!(text(setting, "LoggingLevel").as_deref(), Some("INFO" | "ERROR"))
            || text(setting, "DataTraceEnabled").as_deref() == Some("true")
    };
    let settings = properties.get("MethodSettings").and_then(Value::as_array).into_iter().flatten();
    let settings = settings.chain(properties.get("DefaultRouteSettings"));
    let access = properties.get("AccessLogSetting").or_else(|| properties.get("AccessLogSettings"));
    settings.chain([properties]).any(logs) || access.is_some_and(|log| text(log, "DestinationArn").is_some())
}

/// REST and WebSocket APIs log with the one role of the account and region, which some stack must have set. Words: stacks
/// in public reports, seen 2026-11.
pub(super) fn check_logging(work: &ResourceWork<'_>, properties: &Value, service: &str) -> Result<(), Failure> {
    if !stage_logs(properties) {
        return Ok(());
    }
    let accounts = resource_table::of_type(work.db, "AWS::ApiGateway::Account", Some(&work.site.region))?;
    if accounts.iter().any(|account| text(&account.properties, "CloudWatchRoleArn").is_some()) {
        return Ok(());
    }
    let message = "CloudWatch Logs role ARN must be set in account settings to enable logging";
    Err(Failure::handler("InvalidRequest", format!("{message} (Service: {service}, Status Code: 400)")))
}
