//! Events of log groups.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::clients::Clients;

/// Events of one group, in the order the service gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct LogPage {
    /// The events.
    #[serde(default)]
    pub events: Vec<LogEvent>,
    /// Where the next page begins, when there is one; a page may be empty and have one.
    #[serde(default, rename = "nextToken")]
    pub next: Option<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogEvent {
    /// Unique among those of its group.
    #[serde(default, rename = "eventId")]
    pub id: String,
    /// The stream it is in.
    #[serde(default, rename = "logStreamName")]
    pub stream: String,
    /// Milliseconds since 1970.
    #[serde(default, rename = "timestamp")]
    pub at: i64,
    /// What was written.
    #[serde(default)]
    pub message: String,
}

impl Clients {
    /// A page of what a log group has since a moment (milliseconds since 1970), only what a filter pattern lets through when
    /// one is given. Nothing when there is no such group: it may come into being with its first event.
    ///
    /// # Errors
    /// In words, when nothing came back or the service refused.
    pub async fn log_events(
        &self,
        group: &str,
        since: i64,
        filter: Option<&str>,
        next: Option<&str>,
    ) -> Result<Option<LogPage>, String> {
        let mut body = json!({ "logGroupName": group, "startTime": since });
        for (name, value) in [("filterPattern", filter), ("nextToken", next)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Logs_20140328.FilterLogEvents")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let answered =
            self.ask_service("logs", "logs", Method::POST, "/", headers, body.to_string().into_bytes()).await?;
        if answered.status == 200 {
            return serde_json::from_slice(&answered.body)
                .map(Some)
                .map_err(|error| format!("CloudWatch Logs gave no list of events: {error}"));
        }
        let refusal: Refusal = serde_json::from_slice(&answered.body).unwrap_or_default();
        let code = refusal.code.rsplit('#').next().unwrap_or_default();
        match code {
            "ResourceNotFoundException" => Ok(None),
            "" => Err(format!("CloudWatch Logs answered {}", answered.status)),
            code => Err(format!("CloudWatch Logs refused: {code}: {}", refusal.message)),
        }
    }
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default, rename = "__type")]
    code: String,
    #[serde(default, alias = "Message")]
    message: String,
}
