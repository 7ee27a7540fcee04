//! CloudWatch alarms.

use serde_json::json;

use crate::finding::{Finding, code};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::names::pascal;
use crate::render::references::{Kind, References, no_grant};
use crate::spec::{Alarm, ApiKind, Figure, escape};

/// Seconds over which an alarm that does not say adds up.
const DEFAULT_PERIOD: u32 = 300;

/// Alarms.
pub(super) const KIND: Kind = Kind {
    section: "alarms",
    add: |assembly, references| {
        for (name, alarm) in &references.spec().alarms {
            add(assembly, references, name, alarm);
        }
    },
    attribute: |_, name, attribute| {
        let id = alarm_id(name);
        Some(match attribute {
            "" | "name" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            _ => return None,
        })
    },
    grant: no_grant,
};

fn alarm_id(name: &str) -> String {
    pascal(name) + "Alarm"
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, alarm: &Alarm) {
    let pointer = format!("/alarms/{}", escape(name));
    let Some((namespace, statistic, figures)) = assembly.keep(figures(references, alarm, &pointer)) else { return };
    let actions = match &alarm.notify {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/notify"))) {
            Some(topic) => Some([topic.value()]),
            None => return,
        },
        None => None,
    };
    let id = alarm_id(name);
    let sum: Vec<String> = (0..figures.len()).map(|index| format!("FILL(m{index}, 0)")).collect();
    let data = PartialData::new(&pointer)
        .said("description", "description", &alarm.description)
        .said("namespace", "on", namespace)
        .part("one", figures.first().filter(|_| figures.len() == 1).cloned())
        .said("sum", "on", sum.join(" + "))
        .parts("figures", "on", figures)
        .said("statistic", "metric", statistic)
        .said("threshold", "above", alarm.above)
        .said("period", "over", alarm.over.map_or(DEFAULT_PERIOD, |over| over.0))
        .said("actions", "notify", actions)
        .made("output_id", format!("{id}Name"))
        .made("id", id);
    assembly.add("alarm", data);
}

type Figures = (&'static str, &'static str, Vec<PartialData>);

/// The namespace, the statistic and the figures an alarm watches, each with the dimension that says whose they are.
fn figures(references: &References<'_>, alarm: &Alarm, pointer: &str) -> Result<Figures, Finding> {
    let refuse = || {
        Finding::error(code::R142, format!("`{}` has no such figure to watch", alarm.on))
            .at(references.loaded.place(&format!("{pointer}/on")))
            .help("watch `functions.NAME`, `apis.NAME` or `tables.NAME`")
    };
    let (section, name) = alarm.on.split_once('.').ok_or_else(refuse)?;
    let figure = Figure::of(section, alarm.metric).ok_or_else(refuse)?;
    let (dimension, value) = match section {
        "functions" => ("FunctionName", attribute(references, section, name, "name")),
        "tables" => ("TableName", attribute(references, section, name, "name")),
        _ => api(references, name),
    };
    let value = value.ok_or_else(refuse)?.value();
    let figures = figure.names.iter().enumerate().map(|(index, metric)| {
        PartialData::new(format!("{pointer}/on"))
            .made("id", format!("m{index}"))
            .said("name", &format!("{pointer}/metric"), metric_name(references, section, name, metric))
            .said("dimensions", "", json!([{ "Name": dimension, "Value": value }]))
    });
    Ok((figure.namespace, figure.statistic, figures.collect()))
}

fn attribute(references: &References<'_>, section: &str, name: &str, attribute: &str) -> Option<Expression> {
    references.kind(section).and_then(|kind| (kind.attribute)(references, name, attribute))
}

/// CloudWatch tells REST APIs by their names, the others by their ids.
fn api(references: &References<'_>, name: &str) -> (&'static str, Option<Expression>) {
    let Some(api) = references.spec().apis.get(name) else { return ("ApiId", None) };
    if !matches!(api.kind, ApiKind::Rest | ApiKind::Private) {
        return ("ApiId", attribute(references, "apis", name, "id"));
    }
    let own = match &api.name {
        Some(text) => references.text(text, &format!("/apis/{}/name", escape(name))).ok(),
        None => Some(Expression::literal(format!("{}-{}-{name}", references.spec().name, references.options.stage))),
    };
    ("ApiName", own)
}

/// HTTP APIs write the figures of errors in small letters, WebSocket APIs have others altogether.
fn metric_name(references: &References<'_>, section: &str, name: &str, metric: &'static str) -> &'static str {
    let kind = references.spec().apis.get(name).filter(|_| section == "apis").map(|api| api.kind);
    match (kind, metric) {
        (Some(ApiKind::Http), "5XXError") => "5xx",
        (Some(ApiKind::Websocket), "5XXError") => "ExecutionError",
        (Some(ApiKind::Websocket), "Latency") => "IntegrationLatency",
        (Some(ApiKind::Websocket), "Count") => "MessageCount",
        _ => metric,
    }
}
