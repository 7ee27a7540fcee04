//! What the facts say about the models of a spec.

use std::collections::BTreeSet;

use crate::facts::{self, Access, Calling, Day, Model, Status};
use crate::finding::{Finding, code};
use crate::spec::{LoadedSpec, Modality, escape};

/// From so many days before a model's end it is worth a warning.
const END_IS_NEAR: i64 = 90;

/// So many regions are named in a help; more would hide the sentence.
const REGIONS_NAMED: usize = 6;

pub(super) fn check(loaded: &LoadedSpec, today: Day, region: Option<&str>, findings: &mut Vec<Finding>) {
    let mut agreed = BTreeSet::new();
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
        findings.extend(calling(&model.id, fact, region).map(at));
        // Once for a model, however many names it has in the spec; not for one that the account must not take up.
        if fact.status == Status::Active && agreed.insert(&fact.id) {
            findings.extend(access(fact).map(at));
        }
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
    let told =
        format!("the facts are of {} and do not hold every model; the local target refuses this one", table.as_of);
    let help = match table.nearest(id) {
        Some(nearest) => format!("did you mean `{nearest}`? Otherwise make sure that Bedrock offers it: {told}"),
        None => format!("make sure that Bedrock offers it: {told}"),
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
        let finding = Finding::error(code::B002, format!("`{id}` is retired{when}")).help(instead);
        let certain = fact.status == Status::Retired || fact.is_certain("end-of-life");
        return Some(if certain { finding } else { finding.as_warning() });
    }
    if fact.status == Status::Legacy {
        let until = fact.end_of_life.map_or(String::new(), |day| format!(" and ends on {day}"));
        let message = format!("`{id}` is legacy: it is closed to new customers{until}");
        let finding = Finding::error(code::B003, message).help(instead);
        return Some(if fact.is_certain("status") { finding } else { finding.as_warning() });
    }
    let day = fact.end_of_life.filter(|day| today.days_until(*day) <= END_IS_NEAR)?;
    Some(Finding::warning(code::B004, format!("`{id}` ends on {day}")).help(instead))
}

/// Whether the id is one that the model is called by from the region.
fn calling(id: &str, fact: &Model, region: Option<&str>) -> Option<Finding> {
    let table = facts::models();
    let profile = table.profile_of(id).map(|(prefix, _)| prefix);
    let Some(region) = region else {
        // Wherever the stack goes, a model that no region has by its own id needs a profile.
        let none = profile.is_none() && fact.in_region.as_ref().is_some_and(Vec::is_empty);
        let prefix = fact.profiles.keys().next().filter(|_| none && fact.in_region_unsure.is_empty())?;
        return Some(only_by_profile(id).help(format!("use a profile's id, such as `{prefix}.{id}`")));
    };
    let Some(prefix) = profile else {
        return match table.calling(fact, region) {
            Calling::OnDemand | Calling::Unknown => None,
            Calling::Profile(ids) => {
                let help = format!("write `id: {}`", or(&ids));
                Some(if fact.in_region.as_ref().is_some_and(Vec::is_empty) {
                    only_by_profile(id).help(help)
                } else {
                    Finding::error(
                        code::B007,
                        format!(
                            "`{id}` cannot be called by its own id in `{region}`, only through an inference profile"
                        ),
                    )
                    .help(help)
                })
            }
            Calling::NotOffered => Some(
                Finding::error(code::B005, format!("`{id}` is not offered in `{region}`"))
                    .help(format!("deploy to {}, or choose another model", offered(fact))),
            ),
        };
    };
    if table.profile_serves(prefix, fact, region) != Some(false) {
        return None;
    }
    let help = match table.calling(fact, region) {
        Calling::OnDemand => format!("write `id: {}`", fact.id),
        Calling::Profile(ids) => format!("write `id: {}`", or(&ids)),
        Calling::NotOffered => format!("deploy to {}, or choose another model", offered(fact)),
        Calling::Unknown => {
            "use a profile of the region's own part of the world, or one that begins with `global.`".to_owned()
        }
    };
    Some(
        Finding::error(code::B008, format!("the inference profile `{id}` cannot be called from `{region}`")).help(help),
    )
}

fn only_by_profile(id: &str) -> Finding {
    Finding::error(code::B007, format!("`{id}` can be called only through an inference profile"))
}

fn or(ids: &[String]) -> String {
    ids.join("`, or `id: ")
}

/// The regions that have a model, in the words of a help.
fn offered(fact: &Model) -> String {
    let own = fact.in_region.iter().flatten();
    let regions: BTreeSet<&String> = own.chain(fact.profiles.values().flatten()).collect();
    let named: Vec<String> = regions.iter().take(REGIONS_NAMED).map(|region| format!("`{region}`")).collect();
    match regions.len().saturating_sub(named.len()) {
        0 if named.is_empty() => "another region".to_owned(),
        0 => named.join(", "),
        more => format!("{} or one of {more} more", named.join(", ")),
    }
}

/// What an account needs before a model of another maker than Amazon answers it.
fn access(fact: &Model) -> Option<Finding> {
    let needs = match fact.access? {
        Access::Agreement => "an agreement in AWS Marketplace".to_owned(),
        Access::Form => format!("an agreement in AWS Marketplace and {}'s form", fact.provider),
    };
    Some(
        Finding::note(code::B009, format!("an account that has not used `{}` yet needs {needs}", fact.id)).help(
            "open the model once in Bedrock's console before you deploy: a function's first call tries to subscribe with the \
             function's own rights, and has none for that",
        ),
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
    use crate::finding::Severity;

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
        let over = on("2027-03-01").expect("an error");
        assert_eq!((over.code.as_str(), over.severity), ("B002", Severity::Error));
        let alone = Model { one_source: vec!["end-of-life".to_owned()], ..model.clone() };
        let over = life(&alone.id, &alone, Day::parse("2027-03-01").expect("a day")).expect("a warning");
        assert_eq!((over.code.as_str(), over.severity), ("B002", Severity::Warning));
    }
}
