//! CloudWatch alarms.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;
use crate::spec::values::Seconds;

/// A CloudWatch alarm on something of the use case.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alarm {
    /// What is watched: `functions.NAME`, `apis.NAME`, `tables.NAME`.
    #[schemars(example = &"functions.design")]
    pub on: String,
    /// Which of its figures.
    pub metric: AlarmMetric,
    /// It sounds above this: a count, or milliseconds.
    #[schemars(example = 0)]
    pub above: f64,
    /// Over this long, one minute to a day in whole minutes.
    #[schemars(example = &"5m")]
    pub over: Option<Seconds>,
    /// The ARN of the SNS topic it tells.
    #[schemars(example = &"${parameters.alarm-topic}")]
    pub notify: Option<Text>,
    /// What it means and what to do.
    #[schemars(example = &"A call failed; the function's log says why")]
    pub description: Option<String>,
}

/// What an alarm watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmMetric {
    /// Calls that failed.
    Errors,
    /// Calls that were turned away.
    Throttles,
    /// The longest time of a call, in milliseconds.
    Duration,
    /// Calls.
    Calls,
}

impl AlarmMetric {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            AlarmMetric::Errors => "errors",
            AlarmMetric::Throttles => "throttles",
            AlarmMetric::Duration => "duration",
            AlarmMetric::Calls => "calls",
        }
    }
}
