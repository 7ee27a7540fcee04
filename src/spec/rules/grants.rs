//! `uses`: each grant names something of a fitting section, and a raw statement is as narrow as it says.

use super::context::Rules;
use crate::finding::code;
use crate::spec::types::{GRANTS, Grant, Statement, Store};
use crate::spec::words::{cut, suggest};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for given in spec.grants() {
        match given.grant {
            Grant::Statement(raw) => statement(rules, &format!("{}/statement", given.pointer), raw),
            named => {
                let (Some(verb), Some(target)) = (named.verb(), named.target()) else { continue };
                component(rules, &given.pointer, verb, target);
            }
        }
    }
}

fn component(rules: &mut Rules<'_>, base: &str, verb: &str, target: &str) {
    let pointer = format!("{base}/{verb}");
    let fitting = GRANTS.iter().find(|(known, _)| *known == verb).map_or(&[][..], |(_, sections)| *sections);
    let example = format!("{}.NAME", fitting.first().unwrap_or(&"models"));
    let Some((section, rest)) = target.split_once('.') else {
        let message = format!("`{verb}: {}` does not say what it is allowed on", cut(target));
        let owner = fitting.iter().find(|section| rules.has(section, target));
        let help = match owner {
            Some(section) => format!("write `{verb}: {section}.{target}`"),
            None => format!("write `{verb}: {example}`"),
        };
        return rules.error(code::S025, &pointer, message, help);
    };
    if !fitting.contains(&section) {
        let message = format!("`{verb}` is not allowed on `{}`", cut(section));
        let help = suggest(section, fitting.iter().copied(), &format!("`{verb}` goes with"));
        return rules.error(code::S025, &pointer, message, help);
    }
    let (name, prefix) = match rest.split_once('/') {
        Some((name, prefix)) if section == "buckets" => (name, Some(prefix)),
        _ => (rest, None),
    };
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        let message = format!("`{verb}: {}` names nothing in this spec", cut(target));
        return rules.error(code::S025, &pointer, message, help);
    }
    let managed = rules.spec.knowledge_bases.get(name).is_some_and(|base| base.store == Store::Managed);
    if verb == "ask" && section == "knowledge-bases" && managed {
        let message = format!("`ask` does not go with `{name}`: RetrieveAndGenerate takes no managed knowledge base");
        let help = format!(
            "write `retrieve: knowledge-bases.{name}` and let a model word the answer, or choose another `store`"
        );
        return rules.error(code::S147, &pointer, message, help);
    }
    if let Some(prefix) = prefix.filter(|prefix| !prefix.ends_with('/') || prefix.contains(['*', '?', '$'])) {
        let message = format!("`{}` is not a prefix of object names", cut(prefix));
        let help = "end it with `/` and write no `*`, `?` or `$`, as in `buckets.NAME/reports/`; all below it is meant";
        rules.error(code::S025, &pointer, message, help);
    }
}

fn statement(rules: &mut Rules<'_>, base: &str, statement: &Statement) {
    if statement.actions.is_empty() || statement.resources.is_empty() {
        let message = "a raw statement needs at least one action and one resource".to_owned();
        rules.error(code::S026, base, message, "fill `actions` and `resources`, or remove the statement");
    }
    for (index, action) in statement.actions.iter().enumerate() {
        let fits = action.split_once(':').is_some_and(|(service, name)| {
            let service_fits = service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            let name_fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'*');
            !service.is_empty() && service_fits && name_fits && name.bytes().any(|b| b != b'*')
        });
        if !fits {
            let message = format!("`{}` is not an action a statement may name", cut(action));
            let help = "write `service:Action`, such as `translate:TranslateText`; a bare `*` would allow everything";
            rules.error(code::S026, &format!("{base}/actions/{index}"), message, help);
        }
    }
    for (index, resource) in statement.resources.iter().enumerate() {
        let source = resource.source();
        if source != "*" && !source.starts_with("arn:") && !source.starts_with("${") {
            let message = format!("`{}` is not an ARN", cut(source));
            let help = "write an ARN or a reference such as `${buckets.NAME.arn}`";
            rules.error(code::S026, &format!("{base}/resources/{index}"), message, help);
        }
    }
    if statement.reason.trim().is_empty() {
        let message = "a raw statement needs its reason".to_owned();
        rules.error(code::S026, &format!("{base}/reason"), message, "say why no grant covers it; every plan shows it");
    }
}
