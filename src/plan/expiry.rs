//! Data that a changed setting lets go: what is kept for a shorter time than now.

use serde_json::Value;

use super::resolved::{ResolvedResource, ResolvedTemplate};

/// Settings that say how long data is kept: the type, the property, what holds where it is absent (none: for ever), and
/// what goes. Sources: the documentation of the properties in CloudFormation's template reference, read 2026-11.
const KEPT_FOR: &[(&str, &str, Option<u64>, &str, &str)] = &[
    ("AWS::Kinesis::Stream", "RetentionPeriodHours", Some(24), "hours", "records"),
    ("AWS::Logs::LogGroup", "RetentionInDays", None, "days", "log events"),
    ("AWS::RDS::DBCluster", "BackupRetentionPeriod", Some(1), "days", "backups"),
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod", Some(1), "days", "backups"),
    ("AWS::SQS::Queue", "MessageRetentionPeriod", Some(345_600), "seconds", "messages"),
];
/// Settings whose change may let data go, whatever they say: the type, the property, and what goes.
const LET_GO_BY: &[(&str, &str, &str)] = &[
    ("AWS::DynamoDB::GlobalTable", "TimeToLiveSpecification", "items are deleted once they are past their time"),
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification", "items are deleted once they are past their time"),
    ("AWS::ECR::Repository", "LifecyclePolicy", "images are deleted by the new lifecycle policy"),
];
/// Parts of a rule for a bucket that delete objects after a time.
const EXPIRES: [&str; 4] =
    ["ExpirationDate", "ExpirationInDays", "NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays"];

/// Resources that keep data for a shorter time in the new template, with what goes.
pub(super) fn shortened(old: &ResolvedTemplate, new: &ResolvedTemplate) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (logical_id, has) in &new.resources {
        let Some(had) = old.resources.get(logical_id).filter(|had| had.type_ == has.type_) else { continue };
        let mut reasons = Vec::new();
        for (_, property, absent, unit, what) in KEPT_FOR.iter().filter(|it| it.0 == has.type_) {
            let (was, is) = (had.properties.get(*property), has.properties.get(*property));
            let after = is.map_or(*absent, number);
            let shorter = match (was.map_or(*absent, number), after) {
                (Some(was), Some(is)) => is < was,
                (None, Some(_)) => true,
                // For ever, or not known before it is done.
                (_, None) => is.is_some(),
            };
            if was != is && shorter {
                let time = after.map_or_else(|| "a time known only then".to_owned(), |after| format!("{after} {unit}"));
                reasons.push(format!("{what} older than {time} are deleted"));
            }
        }
        for (_, property, what) in LET_GO_BY.iter().filter(|it| it.0 == has.type_) {
            let (was, is) = (had.properties.get(*property), has.properties.get(*property));
            let off = is.and_then(|is| is.get("Enabled")).is_some_and(|on| on == false || on == "false");
            if is.is_some() && was != is && !off {
                reasons.push((*what).to_owned());
            }
        }
        if has.type_ == "AWS::S3::Bucket" {
            let before = rules(had);
            let sooner = rules(has).into_iter().filter(|rule| !before.iter().any(|other| other.deletes_all_of(rule)));
            reasons.extend(sooner.map(|rule| match rule.days {
                Some(1) => "objects older than a day are deleted".to_owned(),
                Some(days) => format!("objects older than {days} days are deleted"),
                None => "objects are deleted by a new lifecycle rule".to_owned(),
            }));
        }
        reasons.dedup();
        found.extend(reasons.into_iter().map(|reason| (logical_id.clone(), reason)));
    }
    found
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A rule that deletes objects of a bucket.
struct Rule {
    /// The part of [`EXPIRES`].
    part: &'static str,
    /// What keys begin with.
    prefix: String,
    /// After how many days, when it says a number.
    days: Option<u64>,
    /// All of it, for rules that cannot be compared otherwise.
    whole: Value,
}

impl Rule {
    /// Whether this rule has let go already whatever the other lets go.
    fn deletes_all_of(&self, other: &Rule) -> bool {
        let simple =
            |rule: &Rule| rule.whole.get("TagFilters").is_none() && rule.whole.get("ObjectSizeGreaterThan").is_none();
        let sooner = match (self.days, other.days) {
            (Some(had), Some(has)) => had <= has,
            _ => false,
        };
        self.whole == other.whole
            || self.part == other.part && sooner && simple(self) && other.prefix.starts_with(&self.prefix)
    }
}

fn rules(bucket: &ResolvedResource) -> Vec<Rule> {
    let rules =
        bucket.properties.get("LifecycleConfiguration").and_then(|it| it.get("Rules")).and_then(Value::as_array);
    let enabled = |rule: &&Value| rule.get("Status").is_none_or(|status| status != "Disabled");
    let mut found = Vec::new();
    for rule in rules.into_iter().flatten().filter(enabled) {
        for part in EXPIRES {
            let Some(expires) = rule.get(part) else { continue };
            let days = number(expires).or_else(|| expires.get("NoncurrentDays").and_then(number));
            let prefix = rule.get("Prefix").and_then(Value::as_str).unwrap_or_default().to_owned();
            found.push(Rule { part, prefix, days, whole: rule.clone() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::resolved::{DeploymentScope, resolve_template};
    use super::*;
    use crate::cfn::Template;

    fn reasons(kind: &str, old: Value, new: Value) -> Vec<String> {
        let of = |properties: Value| {
            let template = json!({ "Resources": { "R": { "Type": kind, "Properties": properties } } });
            let template = Template::from_value(template).expect("a template");
            resolve_template(
                &template,
                &BTreeMap::new(),
                DeploymentScope { account: None, region: "us-west-2", stack: "s" },
            )
        };
        shortened(&of(old), &of(new)).into_iter().map(|(_, reason)| reason).collect()
    }

    #[test]
    fn what_is_kept_for_less_time_is_told_and_what_is_kept_longer_is_not() {
        let log = |days: u64| json!({ "RetentionInDays": days });
        assert_eq!(reasons("AWS::Logs::LogGroup", log(30), log(7)), ["log events older than 7 days are deleted"]);
        assert_eq!(reasons("AWS::Logs::LogGroup", json!({}), log(7)).len(), 1, "it was kept for ever");
        assert!(reasons("AWS::Logs::LogGroup", log(7), log(30)).is_empty());
        assert!(reasons("AWS::Logs::LogGroup", log(7), json!({})).is_empty());
        let queue = |seconds: u64| json!({ "MessageRetentionPeriod": seconds });
        assert_eq!(reasons("AWS::SQS::Queue", json!({}), queue(60)).len(), 1);
        assert_eq!(reasons("AWS::SQS::Queue", queue(1_000_000), json!({})).len(), 1, "the default is four days");
        let ttl = |on: bool| json!({ "TimeToLiveSpecification": { "AttributeName": "t", "Enabled": on } });
        assert_eq!(reasons("AWS::DynamoDB::Table", json!({}), ttl(true)).len(), 1);
        assert!(reasons("AWS::DynamoDB::Table", json!({}), ttl(false)).is_empty());
    }

    #[test]
    fn a_rule_that_lets_go_sooner_or_more_is_told() {
        let bucket = |rules: Value| json!({ "LifecycleConfiguration": { "Rules": rules } });
        let after = |days: u64, prefix: &str| {
            bucket(json!([{ "Status": "Enabled", "ExpirationInDays": days, "Prefix": prefix }]))
        };
        let shortened_rules = |old: Value, new: Value| reasons("AWS::S3::Bucket", old, new);
        assert_eq!(shortened_rules(json!({}), after(7, "")), ["objects older than 7 days are deleted"]);
        assert_eq!(shortened_rules(after(7, ""), after(1, "")), ["objects older than a day are deleted"]);
        assert!(shortened_rules(after(7, ""), after(8, "")).is_empty());
        assert!(shortened_rules(after(7, ""), after(7, "tmp/")).is_empty());
        assert_eq!(shortened_rules(after(7, "tmp/"), after(7, "")).len(), 1);
        let unfinished =
            bucket(json!([{ "Status": "Enabled", "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 } }]));
        assert!(shortened_rules(json!({}), unfinished).is_empty(), "no object goes by that");
    }
}
