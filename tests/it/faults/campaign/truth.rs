//! Whether what a run says at its end is true: its words and its ledger against what there was before and what there is
//! now.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::direct::Direct;
use super::inventory::{Change, Inventory, Thing, events, is_under_way};
use super::plan::Blow;
use super::scene::{Ending, Scene, Step};

/// A run, with all that is needed to judge its words.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// The endpoint.
    pub direct: &'a Direct,
    /// What was run.
    pub step: Step,
    /// What it was hit by.
    pub blow: &'a Blow,
    /// Whether it told events in JSON.
    pub json: bool,
    /// Operations that something was done to.
    pub hit: &'a [String],
    /// How it ended.
    pub ending: &'a Ending,
    /// What there was before.
    pub before: &'a Inventory,
    /// What there is now that nothing goes on any more.
    pub after: &'a Inventory,
}

/// Something the last line says was done, or may have been.
struct Told<'a> {
    effect: &'a str,
    value: &'a Value,
    known: bool,
}

impl Told<'_> {
    fn get(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.value["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
    }
}

impl Judged<'_> {
    /// What is untrue in it; empty when everything is true.
    pub fn untrue(&self) -> Vec<String> {
        let mut wrong = self.untrue_words();
        if self.blow.kills() && self.ending.exit.is_err() {
            return wrong;
        }
        let Ok(code) = self.ending.exit else {
            wrong.push(format!("it was ended by the signal {:?} and not in order", self.ending.exit));
            return wrong;
        };
        if !self.json {
            wrong.extend(self.untrue_outcome(by_code(code), code));
            return wrong;
        }
        let lines = self.ending.lines();
        let finished = lines.iter().filter(|line| line["kind"] == "finished").count();
        let Some(last) = self.ending.finished().filter(|_| finished == 1) else {
            wrong.push(format!("there are {finished} lines of kind `finished`, or the last line is another"));
            return wrong;
        };
        if last["exit_code"] != code {
            wrong.push(format!("the last line says exit code {} and the process says {code}", last["exit_code"]));
        }
        let outcome = last["outcome"].as_str().unwrap_or_default();
        wrong.extend(self.untrue_outcome(outcome, code));
        let told = |list: &str, known: bool| -> Vec<Told<'_>> {
            let entries = last[list].as_array().into_iter().flatten();
            entries.map(|value| Told { effect: value["effect"].as_str().unwrap_or_default(), value, known }).collect()
        };
        let told: Vec<Told<'_>> = told("done", true).into_iter().chain(told("unknown", false)).collect();
        if self.blow.loses_nothing() {
            let doubts = told.iter().filter(|told| !told.known);
            wrong.extend(doubts.map(|told| format!("it says that an answer was lost, and none was: {}", told.value)));
        }
        wrong.extend(told.iter().filter(|told| told.known).filter_map(|told| self.untrue_deed(told)));
        wrong.extend(self.untrue_counts(&told));
        wrong.extend(
            self.before
                .difference(self.after)
                .into_iter()
                .filter(|(thing, change)| !told.iter().any(|told| self.accounts_for(told, thing, *change)))
                .map(|(thing, change)| format!("it says nothing of this: {thing} {change:?}")),
        );
        let under_way: Vec<_> = self.ending.statuses.iter().filter(|(_, status)| is_under_way(status)).collect();
        let may_go_on = matches!(outcome, "interrupted" | "out-of-sight" | "unknown" | "unfinished");
        if !under_way.is_empty() && !may_go_on {
            wrong.push(format!("it ends as `{outcome}` while {under_way:?}"));
        }
        wrong
    }

    /// The same run had it ended otherwise.
    pub fn but<'a>(&self, ending: &'a Ending) -> Judged<'a>
    where
        Self: 'a,
    {
        Judged { ending, ..*self }
    }

    /// Everything it says, to a person or to a program.
    fn words(&self) -> String {
        let mut words = self.ending.stderr.clone();
        for line in self.ending.lines() {
            collect_words(&line, &mut words);
        }
        if !self.json {
            words.push_str(&self.ending.stdout);
        }
        words
    }

    fn untrue_words(&self) -> Vec<String> {
        let words = self.words();
        let mut wrong = Vec::new();
        let difference = self.before.difference(self.after);
        let claims = [
            r"(?i)nothing (?:of (?:it|this) )?(?:was|is|has been|had been) (?:changed|touched|sent|deleted|removed|made|written|uploaded)",
            r"(?i)interrupted before `[^`]*`(?:, `[^`]*`)* (?:was|were) changed",
            r"is up to date",
        ];
        for claim in claims {
            let claim = Regex::new(claim).expect("a pattern").find(&words);
            if let (Some(claim), false) = (claim, difference.is_empty()) {
                wrong.push(format!("it says \"{}\", and it is not so", claim.as_str()));
            }
        }
        let gone = Regex::new("nothing of it remains").expect("a pattern");
        if gone.is_match(&words) && !self.left_of_the_stack().is_empty() {
            wrong.push(format!("it says that nothing is left: {:?}", self.left_of_the_stack()));
        }
        let others =
            Regex::new(r"(?i)(?:by|because of) (?:somebody|someone) else|by another run|D028").expect("a pattern");
        if let Some(found) = others.find(&words) {
            wrong.push(format!("it says \"{}\", and there is nobody else", found.as_str()));
        }
        if words.contains("panicked at") {
            wrong.push("the program went down".to_owned());
        }
        wrong
    }

    /// What is there of the stack that it is about.
    fn left_of_the_stack(&self) -> Vec<String> {
        let stack = self.step.stack();
        let folder = format!("{stack}/");
        let names: BTreeSet<&str> = self
            .before
            .stacks
            .get(&stack)
            .map_or_else(BTreeSet::new, |stack| stack.resources.values().map(String::as_str).collect());
        let is_left = |thing: &&Thing| match thing {
            Thing::Stack(of) | Thing::Resource(of, _) | Thing::ChangeSet(of, _) => *of == stack,
            Thing::Bucket(name) | Thing::Table(name) | Thing::Function(name) | Thing::LogGroup(name) => {
                names.contains(name.as_str()) || name.starts_with(&format!("{stack}-"))
            }
            Thing::Object(bucket, key, _) | Thing::Upload(bucket, key, _) => {
                key.starts_with(&folder) || bucket.starts_with(&format!("{stack}-"))
            }
            Thing::Row(..) => false,
        };
        self.after.things.keys().filter(is_left).map(ToString::to_string).collect()
    }

    fn untrue_outcome(&self, outcome: &str, code: i32) -> Vec<String> {
        let mut wrong = Vec::new();
        let (before, after) = (self.before.stacks.get(&self.step.stack()), self.after.stacks.get(&self.step.stack()));
        let status = after.map_or("gone", |stack| stack.status.as_str());
        let good = matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE");
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("it says `{outcome}`, and {what}: the stack is in {status}"));
            }
        };
        match outcome {
            "deployed" | "no-change" | "smoke-failed" | "untested" | "unfinished" | "tested" | "ready" => {
                // After a roll-back of an update the stack is as good as before, and may be tried.
                must(good || (outcome == "tested" && status == "UPDATE_ROLLBACK_COMPLETE"), "it is not deployed");
            }
            "destroyed" => {
                must(self.left_of_the_stack().is_empty(), &format!("{:?} is left", self.left_of_the_stack()))
            }
            "leftovers" | "absent" => must(after.is_none(), "it is there"),
            "rolled-back" => must(
                matches!(status, "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "gone"),
                "it is not rolled back",
            ),
            "failed-state" => must(!good && status != "gone", "it is in no failed state"),
            "failed" | "declined" | "interrupted" | "unknown" | "out-of-sight" | "done" => {}
            // In words the exit code alone tells.
            "0" => {}
            other => wrong.push(format!("`{other}` is no outcome")),
        }
        if let (Step::Deploy("notes", version), "deployed" | "no-change" | "0") = (self.step, outcome) {
            wrong.extend(missing_content(self.after, version));
        }
        if outcome == "smoke-failed" && !self.hit.iter().any(|name| matches!(name.as_str(), "Invoke" | "CallApi")) {
            wrong.push("it says that a smoke test failed, and nothing was done to any".to_owned());
        }
        if outcome == "no-change" && before.map(|stack| &stack.template) != after.map(|stack| &stack.template) {
            wrong.push("it says that nothing changed, and the stack has another template".to_owned());
        }
        let expected = match outcome {
            "deployed" | "no-change" | "tested" | "destroyed" | "absent" | "ready" | "done" | "0" => 0,
            "declined" => 4,
            "rolled-back" => 10,
            "failed-state" => 11,
            "smoke-failed" => 13,
            "leftovers" => 14,
            "interrupted" => 130,
            _ => 1,
        };
        if code != expected {
            wrong.push(format!("`{outcome}` has exit code {expected}, and this is {code}"));
        }
        wrong
    }

    /// What is untrue of something it says it did.
    fn untrue_deed(&self, told: &Told<'_>) -> Option<String> {
        let (stack, ended) = (told.get("stack"), told.value["ended"].as_str());
        let now = self.after.stacks.get(stack).map(|stack| stack.status.as_str());
        let was_carried_out = || {
            let token = told.get("token");
            let token = if token.is_empty() { None } else { Some(token) };
            token.is_none_or(|token| {
                events(self.direct, stack).iter().any(|event| event.get("ClientRequestToken") == token)
            })
        };
        let holds = match told.effect {
            "artifact-bucket" => match ended {
                Some("CREATE_COMPLETE") | None => {
                    self.after.things.contains_key(&Thing::Bucket(told.get("bucket").into()))
                }
                Some(status) => now.is_none_or(|now| now == status),
            },
            "stack-shell" => now == Some("REVIEW_IN_PROGRESS"),
            "change-set" => self.after.things.contains_key(&Thing::ChangeSet(stack.into(), told.get("name").into())),
            "execution" => {
                // A new stack that fails may be deleted: then it is gone, whatever it ended in.
                was_carried_out() && ended.is_none_or(|ended| now.is_none_or(|now| now == ended))
            }
            "stack-deletion" => was_carried_out() && (ended != Some("DELETE_COMPLETE") || self.is_another(stack)),
            "bucket-deletion" => !self.after.things.contains_key(&Thing::Bucket(told.get("bucket").into())),
            // Counted, all of a kind together; or of no kind.
            _ => true,
        };
        (!holds).then(|| format!("it says that this was done: {}; `{stack}` is in {now:?}", told.value))
    }

    /// Whether a stack is gone, or is another one than before.
    fn is_another(&self, stack: &str) -> bool {
        let id = |inventory: &Inventory| inventory.stacks.get(stack).map(|stack| stack.id.clone());
        id(self.after).is_none() || id(self.after) != id(self.before)
    }

    /// What is counted: at least what was done, at most that and what may have been.
    fn untrue_counts(&self, told: &[Told<'_>]) -> Vec<String> {
        let difference = self.before.difference(self.after);
        let keys = |bucket: &str, wanted: &[Change], markers: bool| {
            let objects = difference.iter().filter_map(|(thing, change)| match thing {
                Thing::Object(of, key, version) if of == bucket && wanted.contains(change) => {
                    let marker = version.ends_with("marker");
                    (marker == markers).then_some((key.as_str(), version.as_str()))
                }
                _ => None,
            });
            objects.collect::<BTreeSet<_>>()
        };
        let mut wrong = Vec::new();
        let places: BTreeSet<(&str, &str)> = told
            .iter()
            .map(|told| {
                (told.effect, if told.effect == "rows-written" { told.get("table") } else { told.get("bucket") })
            })
            .collect();
        for (effect, place) in places {
            let sum = |known: bool| -> usize {
                let of = told.iter().filter(|told| {
                    told.effect == effect && (told.get("bucket") == place || told.get("table") == place)
                });
                of.filter(|told| told.known == known).map(Told::count).sum()
            };
            let found = match effect {
                "objects-uploaded" => {
                    let written = keys(place, &[Change::Added, Change::Changed], false);
                    written.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len()
                }
                // A version, or what a delete marker hides from now on.
                "objects-deleted" => {
                    keys(place, &[Change::Removed], false).len()
                        + keys(place, &[Change::Removed], true).len()
                        // Of each key one: a request that is repeated makes another.
                        + keys(place, &[Change::Added], true).iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len()
                }
                "uploads-aborted" => {
                    let of = |thing: &Thing| matches!(thing, Thing::Upload(of, ..) if of == place);
                    difference.iter().filter(|(thing, change)| of(thing) && *change == Change::Removed).count()
                }
                "rows-written" => {
                    let of = |thing: &Thing| matches!(thing, Thing::Row(of, _) if of == place);
                    difference.iter().filter(|(thing, change)| of(thing) && *change == Change::Added).count()
                }
                _ => continue,
            };
            let (done, unknown) = (sum(true), sum(false));
            if found < done || found > done + unknown {
                wrong.push(format!("{effect} of `{place}`: it says {done} and perhaps {unknown}, and it is {found}"));
            }
        }
        wrong
    }

    /// Whether something it tells is the reason for a difference.
    fn accounts_for(&self, told: &Told<'_>, thing: &Thing, change: Change) -> bool {
        let of_stack = |stack: &str| {
            told.get("stack") == stack
                && (matches!(told.effect, "execution" | "stack-deletion" | "artifact-bucket")
                    || (told.effect == "stack-shell" && !self.is_made(stack)))
        };
        let of_owner = |name: &str| {
            let owner = self.after.owner(name).or_else(|| self.before.owner(name));
            owner.is_some_and(of_stack)
        };
        let bucket = |effect: &str, bucket: &str| told.effect == effect && told.get("bucket") == bucket;
        match thing {
            Thing::Stack(stack) | Thing::Resource(stack, _) => of_stack(stack),
            Thing::ChangeSet(stack, name) => match change {
                Change::Added => matches!(told.effect, "change-set" | "execution") && told.get("name") == name,
                Change::Removed | Change::Changed => told.get("stack") == stack,
            },
            Thing::Bucket(name) => of_owner(name) || bucket("bucket-deletion", name),
            Thing::Table(name) | Thing::Function(name) | Thing::LogGroup(name) => of_owner(name),
            Thing::Object(name, _, version) => match change {
                Change::Added if version.ends_with("marker") => bucket("objects-deleted", name),
                Change::Added | Change::Changed => bucket("objects-uploaded", name),
                Change::Removed => bucket("objects-deleted", name),
            },
            Thing::Upload(name, ..) => match change {
                Change::Added | Change::Changed => bucket("objects-uploaded", name),
                Change::Removed => bucket("uploads-aborted", name),
            },
            Thing::Row(table, _) => {
                of_owner(table) && change == Change::Removed
                    || told.effect == "rows-written" && told.get("table") == table
            }
        }
    }

    /// Whether a stack is or was more than a place for change sets.
    fn is_made(&self, stack: &str) -> bool {
        let made = |inventory: &Inventory| {
            inventory.stacks.get(stack).is_some_and(|stack| stack.status != "REVIEW_IN_PROGRESS")
        };
        made(self.before) || made(self.after)
    }
}

/// What a version of `notes` wants and has not got.
pub fn missing_content(now: &Inventory, version: u8) -> Vec<String> {
    let mut missing = Vec::new();
    let Some(stack) = now.stacks.get("notes-dev") else { return vec!["there is no `notes-dev`".to_owned()] };
    if !stack.template.contains(&format!("marker-{version}")) {
        missing.push(format!("the template is not that of version {version}"));
    }
    let name = |kind: &str| stack.resources.iter().find(|(id, _)| id.as_str() == kind).map_or("", |(_, name)| name);
    let (bucket, table) = (name("PapersBucket"), name("NotesTable"));
    let documents = now.contents(bucket);
    if documents != Scene::documents(version) {
        missing.push(format!("the documents are not those of version {version}: {documents:?}"));
    }
    for row in Scene::rows(version) {
        let has = |thing: &Thing| matches!(thing, Thing::Row(of, held) if of == table && held.contains(&row));
        if !now.things.keys().any(has) {
            missing.push(format!("`{row}` is not in the table"));
        }
    }
    missing
}

/// What an exit code alone says.
fn by_code(code: i32) -> &'static str {
    match code {
        0 => "0",
        4 => "declined",
        10 => "rolled-back",
        11 => "failed-state",
        13 => "smoke-failed",
        14 => "leftovers",
        130 => "interrupted",
        _ => "failed",
    }
}

/// Texts for people in an event: messages, helps, reasons.
fn collect_words(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("message" | "help" | "text" | "code", Value::String(text)) => {
                        into.push_str(text);
                        into.push('\n');
                    }
                    _ => collect_words(value, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_words(value, into)),
        _ => {}
    }
}
