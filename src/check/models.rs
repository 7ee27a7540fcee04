//! What the facts say about the models of a spec.

use crate::facts::{self, Day, Invoke, Model, Status};
use crate::finding::{Finding, code};
use crate::spec::{LoadedSpec, Modality, escape};

/// From so many days before a model's end it is worth a warning.
const END_IS_NEAR: i64 = 90;

pub(super) fn check(loaded: &LoadedSpec, today: Day, region: Option<&str>, findings: &mut Vec<Finding>) {
    for (name, model) in &loaded.spec.models {
        // An ARN names a model of the account's own, which no table knows.
        let pointer = format!("/models/{}", escape(name));
        if model.id.starts_with("arn:") {
            if model.id.contains(":application-inference-profile/") {
                findings.push(
                    Finding::warning(code::B060, "which models are behind this inference profile only Bedrock knows")
                        .at(loaded.place(&format!("{pointer}/id")))
                        .help(
                            "a grant on it allows the profile alone: add a `statement` that allows its models, or write \
                             the model's id with `application-profile: true`",
                        ),
                );
            }
            continue;
        }
        let at = |finding: Finding| finding.at(loaded.place(&format!("{pointer}/id")));
        let Some(fact) = facts::models().get(&model.id) else {
            findings.push(at(unknown(&model.id)));
            continue;
        };
        findings.extend(life(&model.id, fact, today).map(at));
        findings.extend(elsewhere(&model.id, fact, region).map(at));
        findings.extend(by_profile(&model.id, fact, region).map(at));
        if let Some(output) = model.output.map(word).filter(|output| *output != fact.output) {
            findings.push(
                Finding::error(
                    code::B006,
                    format!("`{}` gives back {}, not {output}", model.id, article(&fact.output)),
                )
                .at(loaded.place(&format!("{pointer}/output")))
                .help(format!("write `output: {}`, or choose a model that gives back {output}", fact.output)),
            );
        }
    }
}

fn unknown(id: &str) -> Finding {
    let table = facts::models();
    let help = match table.nearest(id) {
        Some(nearest) => {
            format!("did you mean `{nearest}`? The facts are of {}; Bedrock itself knows the rest", table.as_of)
        }
        None => {
            format!("the facts are of {} and do not hold every model; make sure that Bedrock offers it", table.as_of)
        }
    };
    Finding::warning(code::B001, format!("nothing is known about the model `{id}`")).help(help)
}

fn life(id: &str, fact: &Model, today: Day) -> Option<Finding> {
    let instead = match &fact.replacement {
        Some(replacement) => format!("use `{replacement}`"),
        None => "choose another model".to_owned(),
    };
    let over = fact.end_of_life.is_some_and(|day| day <= today);
    if fact.status == Status::Retired || over {
        let when = fact.end_of_life.map_or(String::new(), |day| format!(" since {day}"));
        return Some(Finding::error(code::B002, format!("`{id}` is retired{when}")).help(instead));
    }
    if fact.status == Status::Legacy {
        let until = fact.end_of_life.map_or(String::new(), |day| format!(" and ends on {day}"));
        let message = format!("`{id}` is legacy: it is closed to new customers{until}");
        return Some(Finding::error(code::B003, message).help(instead));
    }
    let day = fact.end_of_life.filter(|day| today.days_until(*day) <= END_IS_NEAR)?;
    Some(Finding::warning(code::B004, format!("`{id}` ends on {day}")).help(instead))
}

fn elsewhere(id: &str, fact: &Model, region: Option<&str>) -> Option<Finding> {
    // A profile sends calls to the regions that have the model.
    let (regions, region) = (fact.regions.as_ref()?, region?);
    if facts::models().profile_of(id).is_some() || regions.iter().any(|known| known == region) {
        return None;
    }
    let offered = regions.iter().map(|region| format!("`{region}`")).collect::<Vec<_>>().join(", ");
    Some(
        Finding::error(code::B005, format!("`{id}` is not offered in `{region}`"))
            .help(format!("deploy to {offered}, or choose another model")),
    )
}

fn by_profile(id: &str, fact: &Model, region: Option<&str>) -> Option<Finding> {
    if fact.invoke != Some(Invoke::Profile) || facts::models().profile_of(id).is_some() {
        return None;
    }
    // A geographic profile is called from its own part of the world.
    let geography = region.and_then(|region| region.split('-').next());
    let prefix = geography.filter(|part| ["us", "eu"].contains(part)).unwrap_or("global");
    Some(
        Finding::error(code::B007, format!("`{id}` can be called only through an inference profile"))
            .help(format!("use a profile's id, such as `{prefix}.{id}`")),
    )
}

fn word(output: Modality) -> &'static str {
    match output {
        Modality::Text => "text",
        Modality::Image => "image",
        Modality::Embedding => "embedding",
    }
}

fn article(output: &str) -> String {
    match output {
        "text" | "speech" | "video" => output.to_owned(),
        other => format!("an {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No model of the table is both offered to new customers and near its end at all times, so the row is made up.
    #[test]
    fn a_model_is_warned_of_before_its_end_and_refused_from_then_on() {
        let row = serde_json::json!({
            "id": "maker.writer-v1:0", "provider": "Maker", "output": "text", "status": "active",
            "end-of-life": "2027-03-01", "replacement": "maker.writer-v2:0", "source": "made up", "as-of": "2026-11-22",
        });
        let model: Model = serde_json::from_value(row).expect("a row");
        let on = |day: &str| life(&model.id, &model, Day::parse(day).expect("a day"));
        assert_eq!(on("2026-11-30"), None);
        let near = on("2026-12-01").expect("a warning");
        assert_eq!((near.code.as_str(), near.help.as_deref()), ("B004", Some("use `maker.writer-v2:0`")));
        assert_eq!(on("2027-03-01").map(|finding| finding.code.as_str()), Some("B002"));
    }
}
