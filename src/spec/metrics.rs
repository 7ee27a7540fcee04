//! The figures that alarms watch, in one table: CloudWatch's names for them, by what is watched.

use super::types::AlarmMetric;

/// A figure of a section's components.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// The section, such as `functions`.
    pub section: &'static str,
    /// Which of its figures.
    pub metric: AlarmMetric,
    /// CloudWatch's namespace.
    pub namespace: &'static str,
    /// CloudWatch's names; several are added up.
    pub names: &'static [&'static str],
    /// `Sum` or `Maximum`.
    pub statistic: &'static str,
}

/// All of them. A table has no figure of all its calls or errors: DynamoDB tells them for each operation apart. A REST API
/// counts calls it turns away among the callers' own errors.
pub const FIGURES: &[Figure] = &[
    figure("functions", AlarmMetric::Errors, "AWS/Lambda", &["Errors"], "Sum"),
    figure("functions", AlarmMetric::Throttles, "AWS/Lambda", &["Throttles"], "Sum"),
    figure("functions", AlarmMetric::Duration, "AWS/Lambda", &["Duration"], "Maximum"),
    figure("functions", AlarmMetric::Calls, "AWS/Lambda", &["Invocations"], "Sum"),
    figure("apis", AlarmMetric::Errors, "AWS/ApiGateway", &["5XXError"], "Sum"),
    figure("apis", AlarmMetric::Duration, "AWS/ApiGateway", &["Latency"], "Maximum"),
    figure("apis", AlarmMetric::Calls, "AWS/ApiGateway", &["Count"], "Sum"),
    figure("tables", AlarmMetric::Throttles, "AWS/DynamoDB", &["ReadThrottleEvents", "WriteThrottleEvents"], "Sum"),
];

const fn figure(
    section: &'static str,
    metric: AlarmMetric,
    namespace: &'static str,
    names: &'static [&'static str],
    statistic: &'static str,
) -> Figure {
    Figure { section, metric, namespace, names, statistic }
}

impl Figure {
    /// The figure of a section, if it has it.
    pub fn of(section: &str, metric: AlarmMetric) -> Option<&'static Figure> {
        FIGURES.iter().find(|figure| figure.section == section && figure.metric == metric)
    }
}
