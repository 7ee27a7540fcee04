//! Operations on groups and streams, and writing events.

use std::ops::Deref;

use rusqlite::{Connection, Transaction};
use serde_json::{Map, Value, json};

use super::store::{self, Group, Stream};
use crate::ground::ApiError;
use crate::protocol::api_request::ApiRequest;

/// Bytes of one batch, each event counted with 26 more. Source: CloudWatch Logs API reference, `PutLogEvents`.
const LARGEST_BATCH: usize = 1 << 20;
/// Events of one batch. Source: as above.
const MOST_EVENTS: usize = 10_000;

pub(super) fn not_found(what: &str) -> ApiError {
    ApiError::sender("ResourceNotFoundException", format!("The specified log {what} does not exist."))
}

fn exists(what: &str) -> ApiError {
    ApiError::sender("ResourceAlreadyExistsException", format!("The specified log {what} already exists"))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

/// A request, read as CloudWatch Logs does.
pub(super) struct LogsRequest(ApiRequest);

impl From<ApiRequest> for LogsRequest {
    fn from(request: ApiRequest) -> Self {
        Self(request)
    }
}

impl Deref for LogsRequest {
    type Target = ApiRequest;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl LogsRequest {
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    /// A group by its name, or by its ARN in `logGroupIdentifier`.
    pub(super) fn group(&self, db: &Connection) -> Result<String, ApiError> {
        let name = match (self.text("logGroupName"), self.text("logGroupIdentifier")) {
            (None, Some(identifier)) => {
                let arn = store::group_arn(&self.region, "");
                identifier.strip_prefix(&arn).map_or(identifier, |rest| rest.trim_end_matches(":*"))
            }
            _ => self.required("logGroupName")?,
        };
        if store::has_group(db, &self.region, name)? { Ok(name.to_owned()) } else { Err(not_found("group")) }
    }

    /// How many are asked for, at most `most`.
    pub(super) fn limit(&self, most: usize) -> Result<usize, ApiError> {
        match self.body.get("limit").and_then(Value::as_i64) {
            None => Ok(most),
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| (1..=most).contains(limit))
                .ok_or_else(|| invalid(format!("Value '{limit}' at 'limit' must be between 1 and {most}"))),
        }
    }
}

pub(super) fn create_group(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let name = asked.required("logGroupName")?;
    if name.starts_with("aws/") {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    if store::create_group(db, &asked.region, name, None, asked.now.as_millisecond())? {
        Ok(Value::Null)
    } else {
        Err(exists("group"))
    }
}

pub(super) fn delete_group(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let name = asked.required("logGroupName")?;
    if store::delete_group(db, &asked.region, name)? { Ok(Value::Null) } else { Err(not_found("group")) }
}

pub(super) fn put_retention(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let name = asked.group(db)?;
    let days = asked.body.get("retentionInDays").and_then(Value::as_i64);
    store::set_retention(db, &asked.region, &name, days)?;
    Ok(Value::Null)
}

pub(super) fn create_stream(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let (group, name) = (asked.group(db)?, asked.required("logStreamName")?);
    if name.contains([':', '*']) {
        return Err(invalid(format!("Value '{name}' at 'logStreamName' must not contain `:` or `*`")));
    }
    let made = store::create_stream(db, &asked.region, &group, name, asked.now.as_millisecond())?;
    if made { Ok(Value::Null) } else { Err(exists("stream")) }
}

pub(super) fn put_events(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let (group, name) = (asked.group(db)?, asked.required("logStreamName")?);
    if store::stream(db, &asked.region, &group, name)?.is_none() {
        return Err(not_found("stream"));
    }
    let given = asked.body.get("logEvents").and_then(Value::as_array);
    let event = |event: &Value| {
        let at = event.get("timestamp").and_then(Value::as_i64)?;
        let message = event.get("message").and_then(Value::as_str).filter(|text| !text.is_empty())?;
        Some((at, message.to_owned()))
    };
    let events: Option<Vec<(i64, String)>> = given.into_iter().flatten().map(event).collect();
    let Some(events) = events.filter(|events| !events.is_empty()) else {
        return Err(invalid("Each of `logEvents`, of which there must be one, has a `timestamp` and a `message`"));
    };
    let size: usize = events.iter().map(|(_, message)| message.len() + 26).sum();
    if size > LARGEST_BATCH || events.len() > MOST_EVENTS {
        return Err(invalid("Upload too large"));
    }
    if events.windows(2).any(|pair| matches!(pair, [one, other] if one.0 > other.0)) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    store::put(db, &asked.region, &group, name, &events, asked.now.as_millisecond())?;
    Ok(json!({ "nextSequenceToken": asked.now.as_millisecond().to_string() }))
}

/// One page of what was found, from where the last one ended.
fn page<T>(asked: &LogsRequest, most: usize, found: Vec<T>) -> Result<(Vec<T>, Option<String>), ApiError> {
    let from = match asked.text("nextToken") {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| invalid("The specified nextToken is invalid."))?,
    };
    let limit = asked.limit(most)?;
    let more = found.len() > from.saturating_add(limit);
    let next = more.then(|| (from + limit).to_string());
    Ok((found.into_iter().skip(from).take(limit).collect(), next))
}

fn answer(list: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::new();
    answer.insert(list.to_owned(), Value::Array(items));
    if let Some(next) = next {
        answer.insert("nextToken".to_owned(), json!(next));
    }
    Value::Object(answer)
}

pub(super) fn describe_groups(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let prefix = asked.text("logGroupNamePrefix").unwrap_or_default();
    let part = asked.text("logGroupNamePattern").unwrap_or_default();
    let (groups, next) = page(asked, 50, store::groups(db, &asked.region, prefix, part)?)?;
    let shown = |group: Group| {
        let arn = store::group_arn(&asked.region, &group.name);
        let mut shown = json!({
            "logGroupName": group.name,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "storedBytes": group.bytes,
            "logGroupClass": "STANDARD",
            "logGroupArn": arn,
        });
        if let (Some(days), Some(shown)) = (group.retention, shown.as_object_mut()) {
            shown.insert("retentionInDays".to_owned(), json!(days));
        }
        shown
    };
    Ok(answer("logGroups", groups.into_iter().map(shown).collect(), next))
}

pub(super) fn describe_streams(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let group = asked.group(db)?;
    let by_time = asked.text("orderBy") == Some("LastEventTime");
    let prefix = asked.text("logStreamNamePrefix");
    if by_time && prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut streams = store::streams(db, &asked.region, &group, prefix.unwrap_or_default())?;
    if by_time {
        streams.sort_by_key(|stream| stream.last);
    }
    if asked.body.get("descending").and_then(Value::as_bool) == Some(true) {
        streams.reverse();
    }
    let (streams, next) = page(asked, 50, streams)?;
    let shown = |stream: Stream| {
        let mut shown = Map::new();
        shown.insert("logStreamName".to_owned(), json!(stream.name));
        shown.insert("creationTime".to_owned(), json!(stream.created));
        let times = [
            ("firstEventTimestamp", stream.first),
            ("lastEventTimestamp", stream.last),
            ("lastIngestionTime", stream.ingested),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                shown.insert(name.to_owned(), json!(time));
            }
        }
        let arn = format!("{}:log-stream:{}", store::group_arn(&asked.region, &group), stream.name);
        shown.insert("arn".to_owned(), json!(arn));
        Value::Object(shown)
    };
    Ok(answer("logStreams", streams.into_iter().map(shown).collect(), next))
}
