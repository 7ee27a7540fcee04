//! Alarms: what they watch is there and has the figure, and the time fits.

use super::context::Rules;
use crate::finding::code;
use crate::spec::metrics::{FIGURES, Figure};
use crate::spec::types::AlarmMetric;
use crate::spec::words::{cut, escape, suggest};

/// The longest time an alarm may add up over, in seconds.
const LONGEST: u32 = 86_400;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, alarm) in &spec.alarms {
        let base = format!("/alarms/{}", escape(name));
        watched(rules, &base, &alarm.on, alarm.metric);
        if let Some(over) = alarm.over.filter(|over| over.0 == 0 || over.0 % 60 != 0 || over.0 > LONGEST) {
            let message = format!("an alarm cannot add up over {over}");
            rules.error(
                code::S214,
                &format!("{base}/over"),
                message,
                "write whole minutes, one day at most, such as `5m`",
            );
        }
        if !alarm.above.is_finite() || alarm.above < 0.0 {
            let message = format!("no figure goes below {}", alarm.above);
            rules.error(code::S214, &format!("{base}/above"), message, "write 0 or more");
        }
    }
}

fn watched(rules: &mut Rules<'_>, base: &str, on: &str, metric: AlarmMetric) {
    let pointer = format!("{base}/on");
    let mut sections: Vec<&str> = FIGURES.iter().map(|figure| figure.section).collect();
    sections.dedup();
    let Some((section, name)) = on.split_once('.') else {
        let message = format!("`{}` does not say what is watched", cut(on));
        return rules.error(code::S025, &pointer, message, "write `functions.NAME`, `apis.NAME` or `tables.NAME`");
    };
    if !sections.contains(&section) {
        let message = format!("an alarm cannot watch `{}`", cut(section));
        return rules.error(code::S025, &pointer, message, suggest(section, sections, "it watches"));
    }
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        return rules.error(code::S025, &pointer, format!("`{}` names nothing in this spec", cut(on)), help);
    }
    if Figure::of(section, metric).is_none() {
        let has = FIGURES.iter().filter(|figure| figure.section == section);
        let has: Vec<String> = has.map(|figure| format!("`{}`", figure.metric.word())).collect();
        let message = format!("CloudWatch has no figure of `{}` for `{}`", metric.word(), cut(on));
        rules.error(code::S214, &format!("{base}/metric"), message, format!("`{section}` have {}", has.join(", ")));
    }
}
