//! Reading events: of one stream, or of many through a filter.

use rusqlite::{Connection, Transaction, params_from_iter};
use serde_json::{Map, Value, json};

use super::operations::{LogsRequest, invalid, not_found};
use super::pattern::Pattern;
use super::store;
use crate::ground::ApiError;

/// Events of one answer. Source: CloudWatch Logs API reference, `GetLogEvents` and `FilterLogEvents`.
const MOST: usize = 10_000;
/// The longest filter pattern, in characters. Source: botocore's model of CloudWatch Logs, `FilterPattern`, read 2026-11-29.
const LONGEST_PATTERN: usize = 1_024;

struct LogEvent {
    id: i64,
    stream: String,
    at: i64,
    ingested: i64,
    message: String,
}

/// Which events are asked for, and from which on.
#[derive(Default)]
struct EventQuery<'a> {
    streams: Vec<&'a str>,
    prefix: Option<&'a str>,
    from: Option<i64>,
    until: Option<i64>,
    /// Time and id after which (or, backwards, before which) to go on.
    after: Option<(i64, i64)>,
    backwards: bool,
}

fn find(
    db: &Connection,
    asked: &LogsRequest,
    group: &str,
    wanted: &EventQuery<'_>,
    most: usize,
) -> Result<Vec<LogEvent>, ApiError> {
    use rusqlite::types::Value as Sql;
    let mut sql = "SELECT id, stream, at, ingested, message FROM log_event WHERE region = ? AND grp = ?".to_owned();
    let mut values = vec![Sql::from(asked.region.clone()), Sql::from(group.to_owned())];
    if !wanted.streams.is_empty() {
        let marks = vec!["?"; wanted.streams.len()].join(",");
        sql.push_str(&format!(" AND stream IN ({marks})"));
        values.extend(wanted.streams.iter().map(|stream| Sql::from((*stream).to_owned())));
    }
    if let Some(prefix) = wanted.prefix {
        sql.push_str(" AND substr(stream, 1, length(?)) = ?");
        values.extend([Sql::from(prefix.to_owned()), Sql::from(prefix.to_owned())]);
    }
    if let Some(from) = wanted.from {
        sql.push_str(" AND at >= ?");
        values.push(Sql::from(from));
    }
    if let Some(until) = wanted.until {
        sql.push_str(" AND at < ?");
        values.push(Sql::from(until));
    }
    if let Some((at, id)) = wanted.after {
        sql.push_str(if wanted.backwards { " AND (at, id) < (?, ?)" } else { " AND (at, id) > (?, ?)" });
        values.extend([Sql::from(at), Sql::from(id)]);
    }
    let order = if wanted.backwards { "DESC" } else { "ASC" };
    sql.push_str(&format!(" ORDER BY at {order}, id {order} LIMIT ?"));
    values.push(Sql::from(i64::try_from(most).unwrap_or(i64::MAX)));
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(LogEvent {
            id: row.get(0)?,
            stream: row.get(1)?,
            at: row.get(2)?,
            ingested: row.get(3)?,
            message: row.get(4)?,
        })
    })?;
    let mut found: Vec<LogEvent> = rows.collect::<Result<_, _>>()?;
    if wanted.backwards {
        found.reverse();
    }
    Ok(found)
}

/// A token: a direction, and the event it goes on from.
fn token(text: &str) -> Result<(bool, i64, i64), ApiError> {
    let bad = || invalid("The specified nextToken is invalid.");
    let (direction, rest) = text.split_once('/').ok_or_else(bad)?;
    let (at, id) = rest.split_once('/').ok_or_else(bad)?;
    let backwards = match direction {
        "b" => true,
        "f" => false,
        _ => return Err(bad()),
    };
    Ok((backwards, at.parse().map_err(|_| bad())?, id.parse().map_err(|_| bad())?))
}

pub(super) fn get(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let (group, stream) = (asked.group(db)?, asked.required("logStreamName")?);
    if store::stream(db, &asked.region, &group, stream)?.is_none() {
        return Err(not_found("stream"));
    }
    let given = asked.text("nextToken").map(token).transpose()?;
    let from_head = asked.body.get("startFromHead").and_then(Value::as_bool).unwrap_or(false);
    let wanted = EventQuery {
        streams: vec![stream],
        from: asked.body.get("startTime").and_then(Value::as_i64),
        until: asked.body.get("endTime").and_then(Value::as_i64),
        after: given.map(|(_, at, id)| (at, id)),
        backwards: given.map_or(!from_head, |(backwards, ..)| backwards),
        ..EventQuery::default()
    };
    let found = find(db, asked, &group, &wanted, asked.limit(MOST)?)?;
    // The end of a stream is told by the token that was sent.
    let here = given.map_or((0, 0), |(_, at, id)| (at, id));
    let edge = |event: Option<&LogEvent>| event.map_or(here, |event| (event.at, event.id));
    let ((first, first_id), (last, last_id)) = (edge(found.first()), edge(found.last()));
    let events: Vec<Value> = found
        .iter()
        .map(|event| json!({ "timestamp": event.at, "message": event.message, "ingestionTime": event.ingested }))
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{last}/{last_id}"),
        "nextBackwardToken": format!("b/{first}/{first_id}"),
    }))
}

pub(super) fn filter(db: &Transaction<'_>, asked: &LogsRequest) -> Result<Value, ApiError> {
    let group = asked.group(db)?;
    let pattern = asked.text("filterPattern").unwrap_or_default();
    if pattern.chars().count() > LONGEST_PATTERN {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length \
             less than or equal to {LONGEST_PATTERN}"
        )));
    }
    let pattern = Pattern::read(pattern)
        .ok_or_else(|| ApiError::not_implemented("logs", "FilterLogEvents with a pattern on fields"))?;
    let names = asked.body.get("logStreamNames").and_then(Value::as_array);
    let streams: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    for stream in &streams {
        if store::stream(db, &asked.region, &group, stream)?.is_none() {
            return Err(not_found("stream"));
        }
    }
    let limit = asked.limit(MOST)?;
    let mut wanted = EventQuery {
        streams,
        prefix: asked.text("logStreamNamePrefix"),
        from: asked.body.get("startTime").and_then(Value::as_i64),
        until: asked.body.get("endTime").and_then(Value::as_i64).map(|until| until.saturating_add(1)),
        after: asked.text("nextToken").map(token).transpose()?.map(|(_, at, id)| (at, id)),
        backwards: false,
    };
    let mut events = Vec::new();
    let mut next = None;
    'pages: loop {
        let found = find(db, asked, &group, &wanted, MOST)?;
        let more = found.len() == MOST;
        for event in &found {
            if events.len() == limit {
                next = wanted.after.map(|(at, id)| format!("f/{at}/{id}"));
                break 'pages;
            }
            wanted.after = Some((event.at, event.id));
            if pattern.matches(&event.message) {
                events.push(json!({
                    "logStreamName": event.stream,
                    "timestamp": event.at,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                    "eventId": format!("{:056}", event.id),
                }));
            }
        }
        if !more {
            break;
        }
    }
    let mut answer = Map::new();
    answer.insert("events".to_owned(), Value::Array(events));
    answer.insert("searchedLogStreams".to_owned(), json!([]));
    if let Some(next) = next {
        answer.insert("nextToken".to_owned(), json!(next));
    }
    Ok(Value::Object(answer))
}
