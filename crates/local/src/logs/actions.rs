//! CloudWatch Logs. The ARN of a group ends in `:log-stream:` where a stream could follow, so that a policy on
//! `…:log-group:NAME:*` speaks about the group, too.

use rusqlite::Transaction;

use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::protocol::api_request::ApiRequest;

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    _: &Transaction<'_>,
    asked: &ApiRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let text = |name: &str| asked.text(name);
    let prefix = format!("arn:aws:logs:{}:{ACCOUNT_ID}:log-group:", asked.region);
    let group = text("logGroupName")
        .or_else(|| text("logGroupIdentifier").map(|name| name.strip_prefix(&prefix).unwrap_or(name)))
        .map(|name| name.trim_end_matches(":*"));
    let stream = match asked.operation.as_str() {
        "CreateLogStream" | "PutLogEvents" | "GetLogEvents" | "DeleteLogStream" => text("logStreamName"),
        _ => None,
    };
    let resource = format!("{prefix}{}:log-stream:{}", group.unwrap_or_default(), stream.unwrap_or_default());
    Ok(vec![RequiredPermission::new(format!("logs:{}", asked.operation), resource)])
}
