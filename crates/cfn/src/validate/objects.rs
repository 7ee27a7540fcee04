//! A mapping against its shape: its members, and which of them go together.

use crate::finding::code;
use serde_json::{Map, Value};

use super::finding;
use super::kinds::{Presence, presence};
use super::shapes::Checker;
use crate::schema::{Extra, Match, Shape, matches};
use bedplate_text::suggestion::nearest;

impl Checker<'_> {
    pub(super) fn object(&mut self, map: &Map<String, Value>, shape: &Shape) {
        // A loop or a macro among the members adds others to them.
        let added = map.keys().any(|key| key.starts_with("Fn::ForEach::") || key == "Fn::Transform");
        for (name, item) in map {
            if name.starts_with("Fn::ForEach::") || name == "Fn::Transform" || presence(item) == Presence::No {
                continue;
            }
            self.member(name, item, shape);
        }
        if added {
            self.open();
            return;
        }
        for name in &shape.required {
            let there = there(map, name);
            if there == Presence::Maybe {
                self.open();
            }
            if there == Presence::No && !self.given_by_the_service(name) {
                let subject = self.subject();
                self.found.push(finding(
                    code::T203,
                    format!("`{subject}` lacks the required `{name}`"),
                    &self.path,
                    None,
                ));
            }
        }
        self.together(map, shape);
        let count = map.len() as u64;
        if let Some(least) = shape.min_properties.filter(|least| count < *least) {
            self.push(code::T211, format!("must have {least} members or more, and has {count}"));
        }
        let certain = map.values().filter(|item| presence(item) == Presence::Yes).count() as u64;
        if let Some(most) = shape.max_properties.filter(|most| certain > *most) {
            self.push(code::T211, format!("must have {most} members or fewer, and has {certain}"));
        }
    }

    fn member(&mut self, name: &str, item: &Value, shape: &Shape) {
        if let Some(shape) = shape.properties.get(name) {
            self.below(name, |checker| checker.value(item, shape));
            return;
        }
        let mut known = false;
        for (pattern, shape) in &shape.pattern_properties {
            if matches(pattern, name) != Match::No {
                known = true;
                self.below(name, |checker| checker.value(item, shape));
            }
        }
        if known {
            return;
        }
        match &shape.additional_properties {
            Extra::Any => {}
            Extra::Shaped(shape) => self.below(name, |checker| checker.value(item, shape)),
            Extra::None => {
                let names = shape.properties.keys().map(|key| &**key);
                let meant = nearest(name, names).map(str::to_owned);
                let subject = self.path.split('/').nth(3).map_or_else(
                    || format!("`{}`", self.schema.name()),
                    |_| format!("`{}` of `{}`", self.subject(), self.schema.name()),
                );
                let path = format!("{}/{name}", self.path);
                self.found.push(finding(
                    code::T202,
                    format!("`{name}` is not a property of {subject}"),
                    &path,
                    meant.as_deref(),
                ));
            }
        }
    }

    /// Whether a top-level property is one the service sets: schemas sometimes list it among the required ones.
    fn given_by_the_service(&self, name: &str) -> bool {
        self.path.split('/').count() == 3 && self.schema.read_only().iter().any(|pointer| pointer.is_at(&[name]))
    }

    /// `requiredXor`, `requiredOr` and the three kinds of dependencies.
    fn together(&mut self, map: &Map<String, Value>, shape: &Shape) {
        let count = |names: &[Box<str>], wanted: &[Presence]| {
            names.iter().filter(|name| wanted.contains(&there(map, name))).count()
        };
        let ticked = |names: &[Box<str>]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if !shape.required_xor.is_empty() {
            let names = &shape.required_xor;
            let certain = count(names, &[Presence::Yes]);
            let possible = count(names, &[Presence::Yes, Presence::Maybe]);
            if possible == 0 || certain > 1 {
                self.push(code::T210, format!("must have exactly one of {}", ticked(names)));
            }
        }
        if !shape.required_or.is_empty() && count(&shape.required_or, &[Presence::Yes, Presence::Maybe]) == 0 {
            self.push(code::T210, format!("must have at least one of {}", ticked(&shape.required_or)));
        }
        for (name, others) in &shape.dependent_required {
            if there(map, name) != Presence::Yes {
                continue;
            }
            for other in others.iter().filter(|other| there(map, other) == Presence::No) {
                self.push(code::T210, format!("has `{name}` and therefore needs `{other}`"));
            }
        }
        for (name, others) in &shape.dependent_excluded {
            if there(map, name) != Presence::Yes {
                continue;
            }
            for other in others.iter().filter(|other| there(map, other) == Presence::Yes) {
                self.push(code::T210, format!("has `{name}` and therefore can't have `{other}`"));
            }
        }
        for (name, dependent) in &shape.dependent_shapes {
            if there(map, name) == Presence::Yes {
                let whole = Value::Object(map.clone());
                self.value(&whole, dependent);
            }
        }
    }
}

fn there(map: &Map<String, Value>, name: &str) -> Presence {
    map.get(name).map_or(Presence::No, presence)
}
