//! A value of a resource's properties against its shape.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::{Presence, function, is_open, presence};
use super::{Context, STEP_LIMIT, finding, is_full, scalars};
use crate::ResourceSchema;
use crate::finding::{Code, Finding, code};
use crate::intrinsics::{Piece, pieces};
use crate::schema::{Shape, Types};
use crate::template::{canonical_text, kind};

/// Checks the properties of one resource.
pub(super) struct Checker<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) schema: &'a ResourceSchema,
    /// Where the value under the finger stands.
    pub(super) path: String,
    pub(super) found: Vec<Finding>,
    /// How many branches of `Fn::If` the value stands in.
    branches: usize,
    /// Whether the resource has a condition.
    conditional: bool,
    /// Whether a shape is only tried, for what follows from it.
    trying: bool,
    /// Whether anything of what was tried is known only later.
    unsure: bool,
}

/// Whether a value has a shape that something else depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    /// It holds a function, or a member that a condition decides about.
    Unknown,
}

impl<'a> Checker<'a> {
    pub(super) fn new(context: &'a Context<'a>, schema: &'a ResourceSchema, path: String, conditional: bool) -> Self {
        Self { context, schema, path, found: Vec::new(), branches: 0, conditional, trying: false, unsure: false }
    }

    /// Counts what is done next. Whether there is no point in going on: the steps are used up, or enough is told.
    fn done(&self, steps: usize) -> bool {
        let taken = self.context.steps.get().saturating_add(steps);
        self.context.steps.set(taken);
        taken > STEP_LIMIT || is_full(&self.found)
    }

    pub(super) fn value(&mut self, value: &Value, shape: &Shape) {
        if self.done(1) {
            return;
        }
        if let Some((key, argument)) = function(value) {
            // A text without variables is as good as written.
            if self.trying && !matches!((key, argument), ("Fn::Sub", Value::String(text)) if is_literal(text)) {
                self.unsure = true;
                return;
            }
            self.function(key, argument, shape);
            return;
        }
        if self.trying && value.as_str().is_some_and(|text| text.contains("{{resolve:")) {
            self.unsure = true;
            return;
        }
        if let Some(definition) = shape.reference.as_deref().and_then(|name| self.schema.definition(name)) {
            self.value(value, definition);
        }
        match value {
            Value::Object(map) => {
                if self.has_type(value, shape, Types::OBJECT) {
                    self.object(map, shape);
                }
            }
            Value::Array(items) => {
                if self.has_type(value, shape, Types::ARRAY) {
                    self.list(items, shape);
                }
            }
            Value::Null => {}
            scalar => {
                if let Some((code, words)) = scalars::check(scalar, shape) {
                    self.push(code, words);
                }
            }
        }
        self.combined(value, shape);
    }

    fn has_type(&mut self, value: &Value, shape: &Shape, types: Types) -> bool {
        let fits = shape.types.meets(types);
        if !fits {
            self.push(code::T204, format!("must be {}, not {}", shape.types, kind(value)));
        }
        fits
    }

    fn function(&mut self, key: &str, argument: &Value, shape: &Shape) {
        let shape = self.schema.resolve(shape);
        match (key, argument) {
            ("Fn::If", Value::Array(parts)) => {
                self.branches += 1;
                for (index, branch) in parts.iter().enumerate().skip(1).take(2) {
                    if presence(branch) != Presence::No {
                        self.below(&format!("Fn::If/{index}"), |checker| checker.value(branch, shape));
                    }
                }
                self.branches -= 1;
            }
            ("Fn::Sub", Value::String(text)) if is_literal(text) => {
                let text = Value::String(text.replace("${!", "${"));
                self.value(&text, shape);
            }
            _ => {
                let given = self.context.kind(key, argument);
                let wanted =
                    if shape.types.has(Types::SCALAR) && given == Types::SCALAR { Types::SCALAR } else { shape.types };
                if !wanted.meets(given) {
                    let gives = if given == Types::ARRAY { "a list" } else { "text" };
                    self.push(code::T204, format!("must be {}, and `{key}` gives {gives} here", shape.types));
                } else if key == "Ref" && self.branches == 0 && !self.conditional {
                    self.parameter(argument, shape);
                }
            }
        }
    }

    /// The values a parameter allows against the shape of the property it stands for. Not inside `Fn::If` and not of a
    /// resource with a condition, which mostly keep just those values out. A parameter that allows nothing that fits is an
    /// error. A default that does not fit, or one of several values, is not: another value may be given.
    fn parameter(&mut self, argument: &Value, shape: &Shape) {
        let Some(parameter) = argument.as_str().and_then(|name| self.context.parameters.get(name)) else { return };
        if parameter.type_().starts_with("AWS::SSM::") || parameter.is_list() {
            return;
        }
        let allowed = parameter.attribute("AllowedValues").and_then(Value::as_array);
        let values: Vec<&Value> = match allowed {
            Some(allowed) => allowed.iter().collect(),
            None => parameter.default().into_iter().collect(),
        };
        if self.done(values.len()) {
            return;
        }
        let misfits: Vec<_> = values.iter().filter_map(|value| scalars::check(value, shape)).collect();
        let hopeless = allowed.is_some() && misfits.len() == values.len();
        let Some((code, words)) = misfits.into_iter().next() else { return };
        if hopeless {
            self.push(code, format!("takes the parameter `{}`, whose value {words}", parameter.name));
        } else {
            let which = if allowed.is_some() { "one of whose values" } else { "whose default" };
            let message = format!("`{}` takes the parameter `{}`, {which} {words}", self.subject(), parameter.name);
            self.found.push(Finding::warning(code::T214, message).in_template(&self.path));
        }
    }

    fn list(&mut self, items: &[Value], shape: &Shape) {
        for (index, item) in items.iter().enumerate() {
            let shape = shape.prefix_items.get(index).or(shape.items.as_deref());
            if let Some(shape) = shape {
                self.below(&index.to_string(), |checker| checker.value(item, shape));
            }
        }
        let count = |least: Presence| {
            let there = |item: &&Value| {
                let presence = presence(item);
                presence == Presence::Yes || presence == least
            };
            items.iter().filter(there).count() as u64
        };
        let (certain, possible) = (count(Presence::Yes), count(Presence::Maybe));
        if let Some(least) = shape.min_items.filter(|least| possible < *least) {
            self.push(code::T211, format!("must have {least} entries or more, and has {possible}"));
        }
        if let Some(most) = shape.max_items.filter(|most| certain > *most) {
            self.push(code::T211, format!("must have {most} entries or fewer, and has {certain}"));
        }
        if shape.unique_items {
            let mut seen = BTreeSet::new();
            let repeated = items.iter().position(|item| {
                let first = seen.insert(canonical_text(item));
                !first && presence(item) == Presence::Yes
            });
            if let Some(index) = repeated {
                self.push(
                    code::T212,
                    format!("must not hold the same entry twice, and entry {index} is one before it"),
                );
            }
        }
        if !shape.unique_keys.is_empty() {
            self.unique_keys(items, &shape.unique_keys);
        }
    }

    fn unique_keys(&mut self, items: &[Value], keys: &[Box<str>]) {
        let key_of = |item: &Value| -> Option<Vec<String>> {
            keys.iter().map(|key| item.get(&**key).filter(|value| !is_open(value)).map(Value::to_string)).collect()
        };
        let mut seen = BTreeSet::new();
        for key in items.iter().filter_map(key_of) {
            if !seen.insert(key) {
                self.push(code::T212, format!("must not hold two entries with the same `{}`", keys.join("`, `")));
                return;
            }
        }
    }

    /// `allOf`, `anyOf`, `oneOf`, `not` and `if`.
    fn combined(&mut self, value: &Value, shape: &Shape) {
        for part in &shape.all_of {
            self.value(value, part);
        }
        if !shape.any_of.is_empty() {
            self.alternatives(value, &shape.any_of, false);
        }
        if !shape.one_of.is_empty() {
            self.alternatives(value, &shape.one_of, true);
        }
        if let Some(not) = &shape.not {
            match self.fit(value, not) {
                Fit::Yes => match not.required.as_slice() {
                    [] => self.push(code::T205, "has a value that is kept for others"),
                    names => {
                        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" with ");
                        self.push(code::T210, format!("can't have {names} together with its other settings"));
                    }
                },
                Fit::No => {}
                Fit::Unknown => self.unsure = true,
            }
        }
        if let Some(condition) = &shape.condition {
            let branch = match self.fit(value, condition) {
                Fit::Yes => shape.then.as_deref(),
                Fit::No => shape.otherwise.as_deref(),
                Fit::Unknown => {
                    self.unsure = true;
                    None
                }
            };
            if let Some(branch) = branch {
                self.value(value, branch);
            }
        }
    }

    /// Whether a value has a shape, as far as the template tells.
    fn fit(&mut self, value: &Value, shape: &Shape) -> Fit {
        let (trying, unsure) = (std::mem::replace(&mut self.trying, true), std::mem::replace(&mut self.unsure, false));
        let fails = !self.attempt(value, shape).is_empty();
        self.trying = trying;
        match (fails, std::mem::replace(&mut self.unsure, unsure)) {
            (true, _) => Fit::No,
            (false, false) => Fit::Yes,
            (false, true) => Fit::Unknown,
        }
    }

    fn alternatives(&mut self, value: &Value, shapes: &[Shape], exactly_one: bool) {
        let before = std::mem::replace(&mut self.unsure, false);
        let mut certain = false;
        let attempts: Vec<Vec<Finding>> = shapes
            .iter()
            .map(|shape| {
                let attempt = self.attempt(value, shape);
                let unsure = std::mem::replace(&mut self.unsure, false);
                certain |= attempt.is_empty() && !unsure;
                attempt
            })
            .collect();
        // One that surely fits is enough; else one that may fit leaves it open.
        self.unsure = before || !certain && attempts.iter().any(Vec::is_empty);
        let fitting = attempts.iter().filter(|attempt| attempt.is_empty()).count();
        if fitting > 1 && exactly_one && !is_open(value) {
            let names: Vec<String> = shapes
                .iter()
                .zip(&attempts)
                .filter(|(_, attempt)| attempt.is_empty())
                .map(|(shape, _)| named(shape))
                .collect();
            // Alternatives without names of their own overlap by design of their author, not by fault of the template.
            if names.iter().all(|name| !name.is_empty()) {
                self.push(code::T210, format!("must have only one of {}", names.join(", ")));
            }
        }
        if fitting > 0 {
            return;
        }
        let only_names = shapes.iter().all(|shape| !shape.required.is_empty() && shape.properties.is_empty());
        if only_names && value.is_object() {
            let names: Vec<String> = shapes.iter().map(named).collect();
            self.push(
                code::T210,
                format!("must have {} of {}", if exactly_one { "one" } else { "at least one" }, names.join(", ")),
            );
            return;
        }
        // An alternative whose names all fit is the one that was meant.
        let foreign = |attempt: &Vec<Finding>| {
            attempt.iter().filter(|finding| matches!(finding.code, code::T202 | code::T204 | code::T203)).count()
        };
        let best = attempts.into_iter().min_by_key(|attempt| (foreign(attempt), attempt.len()));
        self.found.extend(best.into_iter().flatten());
    }

    /// Notes that a member may be there or not.
    pub(super) fn open(&mut self) {
        self.unsure = true;
    }

    /// What is wrong with a value if it is to have a shape.
    pub(super) fn attempt(&mut self, value: &Value, shape: &Shape) -> Vec<Finding> {
        let kept = std::mem::take(&mut self.found);
        self.value(value, shape);
        std::mem::replace(&mut self.found, kept)
    }

    /// A finding about the value at the path; `words` say what it must be.
    pub(super) fn push(&mut self, code: Code, words: impl AsRef<str>) {
        let name = self.subject();
        self.found.push(finding(code, format!("`{name}` {}", words.as_ref()), &self.path, None));
    }

    /// The name of the property under the finger, entries of lists counted.
    pub(super) fn subject(&self) -> String {
        let parts: Vec<&str> = self.path.split('/').skip(3).filter(|part| *part != "Fn::If").collect();
        if parts.is_empty() {
            return self.path.split('/').nth(1).unwrap_or_default().to_owned();
        }
        parts.join(".")
    }

    pub(super) fn below(&mut self, key: &str, go: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(key);
        go(self);
        self.path.truncate(length);
    }
}

/// The members an alternative asks for, as a message names them.
fn named(shape: &Shape) -> String {
    shape.required.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" with ")
}

/// Whether the text of an `Fn::Sub` has no variables.
fn is_literal(text: &str) -> bool {
    pieces(text).is_ok_and(|pieces| !pieces.iter().any(|piece| matches!(piece, Piece::Variable(_))))
}
