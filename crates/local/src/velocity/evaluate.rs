//! Directives and references at work.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::input::{Input, MAX_OUTPUT, VelocityError};
use super::syntax::{Expression, Node, ReferenceStep, VelocityReference};
use super::value::{Heap, Value};

/// How many pieces of a template are looked at in all.
const MAX_STEPS: usize = 500_000;

/// How many bytes of text are made in all, written or not.
const MAX_TEXT: usize = 8 * MAX_OUTPUT;

/// How many bytes are copied, compared and searched in all.
const MAX_WORK: usize = 1 << 28;

/// How often one `#foreach` goes round: API Gateway's limit.
const MAX_ROUNDS: usize = 1_000;

/// What came of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What it wrote.
    pub text: String,
    /// `$context.requestOverride`, as the template left it.
    pub request_override: Json,
    /// `$context.responseOverride`, as the template left it.
    pub response_override: Json,
}

/// Whether what follows is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Stop,
}

/// One rendering.
pub(super) struct Evaluator<'a> {
    pub(super) input: &'a Input,
    pub(super) heap: Heap,
    /// The payload as JSON once it was asked for.
    pub(super) body: Option<Json>,
    variables: HashMap<String, Value>,
    steps: usize,
    /// Bytes of text that may still be made.
    room: usize,
    /// Bytes that may still be copied, compared and searched.
    work: usize,
}

/// Carries a template out.
pub(super) fn render(nodes: &[Node], input: &Input) -> Result<Rendered, VelocityError> {
    let mut heap = Heap::default();
    let context = match heap.take(&input.context) {
        Value::Map(map) => Value::Map(map),
        _ => heap.map(Vec::new()),
    };
    if let Value::Map(map) = context {
        for (name, parts) in
            [("requestOverride", &["header", "querystring", "path"][..]), ("responseOverride", &["header"])]
        {
            let parts = parts.iter().map(|part| ((*part).to_owned(), heap.map(Vec::new()))).collect();
            let empty = heap.map(parts);
            heap.put(map, name, empty);
        }
    }
    let stage_variables = match heap.take(&input.stage_variables) {
        Value::Map(map) => Value::Map(map),
        _ => heap.map(Vec::new()),
    };
    let variables = HashMap::from([
        ("input".to_owned(), Value::Input),
        ("util".to_owned(), Value::Util),
        ("context".to_owned(), context.clone()),
        ("stageVariables".to_owned(), stage_variables),
    ]);
    let mut evaluator = Evaluator { input, heap, body: None, variables, steps: 0, room: MAX_TEXT, work: MAX_WORK };
    let mut text = String::new();
    evaluator.nodes(nodes, &mut text)?;
    let told = |name: &str| match context {
        Value::Map(map) => evaluator.heap.get(map, name).and_then(|value| evaluator.heap.json(value)),
        _ => None,
    };
    Ok(Rendered {
        request_override: told("requestOverride").unwrap_or(Json::Null),
        response_override: told("responseOverride").unwrap_or(Json::Null),
        text,
    })
}

impl Evaluator<'_> {
    fn step(&mut self, line: usize) -> Result<(), VelocityError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(VelocityError::new(line, format!("the template takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    /// Takes room for a text that was made.
    pub(super) fn charge(&mut self, bytes: usize, line: usize) -> Result<(), VelocityError> {
        match self.room.checked_sub(bytes) {
            Some(left) => {
                self.room = left;
                Ok(())
            }
            None => Err(VelocityError::new(line, "the template makes too much text")),
        }
    }

    /// Counts bytes that are copied, compared or searched.
    pub(super) fn labour(&mut self, bytes: usize, line: usize) -> Result<(), VelocityError> {
        match self.work.checked_sub(bytes) {
            Some(left) => {
                self.work = left;
                Ok(())
            }
            None => Err(VelocityError::new(line, "the template takes too long")),
        }
    }

    /// A value as text.
    pub(super) fn print(&mut self, value: &Value, line: usize) -> Result<String, VelocityError> {
        let text = self
            .heap
            .print(value, MAX_OUTPUT.min(self.room))
            .ok_or_else(|| VelocityError::new(line, "a value is too large or nests too deep to be written"))?;
        self.charge(text.len(), line)?;
        Ok(text)
    }

    fn write(&mut self, out: &mut String, text: &str, line: usize) -> Result<(), VelocityError> {
        self.charge(text.len(), line)?;
        if out.len() + text.len() > MAX_OUTPUT {
            return Err(VelocityError::new(line, format!("the template writes more than {MAX_OUTPUT} bytes")));
        }
        out.push_str(text);
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<Flow, VelocityError> {
        for node in nodes {
            let flow = self.node(node, out)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<Flow, VelocityError> {
        self.step(0)?;
        match node {
            Node::Text(text) => self.write(out, text, 0)?,
            Node::Reference { reference, source, slashes, quiet } => {
                self.reference_to(reference, source, *slashes, *quiet, out)?;
            }
            Node::Set { target, value, line } => {
                let value = self.value(value, *line)?;
                // Velocity leaves a variable as it was when the value is null.
                if value != Value::Null {
                    self.assign(target, value)?;
                }
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    let value = self.value(condition, 0)?;
                    if truth(&value) {
                        return self.nodes(body, out);
                    }
                }
                return self.nodes(otherwise, out);
            }
            Node::Foreach { variable, over, body, line } => return self.foreach(variable, over, body, *line, out),
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::On)
    }

    fn reference_to(
        &mut self,
        reference: &VelocityReference,
        source: &str,
        slashes: usize,
        quiet: bool,
        out: &mut String,
    ) -> Result<(), VelocityError> {
        let line = reference.line;
        let value = self.reference(reference)?;
        // A backslash before a reference without a value is text; before one with a value it quotes it.
        let known = value != Value::Null;
        let kept = if known { slashes / 2 } else { slashes };
        self.write(out, &"\\".repeat(kept), line)?;
        if known && slashes % 2 == 1 {
            return self.write(out, source, line);
        }
        if known {
            let text = self.print(&value, line)?;
            return self.write(out, &text, line);
        }
        // API Gateway's own objects write nothing for what they don't have.
        let own =
            matches!(&*reference.name, "input" | "util" | "context" | "stageVariables") && !reference.steps.is_empty();
        if quiet || own { Ok(()) } else { self.write(out, source, line) }
    }

    fn foreach(
        &mut self,
        variable: &str,
        over: &Expression,
        body: &[Node],
        line: usize,
        out: &mut String,
    ) -> Result<Flow, VelocityError> {
        let items: Vec<Value> = match self.value(over, line)? {
            Value::List(list) => self.heap.items(list).iter().take(MAX_ROUNDS).cloned().collect(),
            Value::Map(map) => self.heap.entries(map).iter().take(MAX_ROUNDS).map(|(_, value)| value.clone()).collect(),
            _ => return Ok(Flow::On),
        };
        let outer: Vec<(String, Option<Value>)> = [variable, "foreach", "velocityCount"]
            .iter()
            .map(|name| ((*name).to_owned(), self.variables.get(*name).cloned()))
            .collect();
        let count = items.len();
        let mut flow = Flow::On;
        for (index, item) in items.into_iter().enumerate() {
            self.step(line)?;
            let number = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
            let mut state = vec![
                ("index".to_owned(), number(index)),
                ("count".to_owned(), number(index + 1)),
                ("hasNext".to_owned(), Value::Bool(index + 1 < count)),
                ("first".to_owned(), Value::Bool(index == 0)),
                ("last".to_owned(), Value::Bool(index + 1 == count)),
            ];
            if let Some((_, Some(parent))) = outer.get(1) {
                state.push(("parent".to_owned(), parent.clone()));
            }
            let state = self.heap.map(state);
            self.variables.insert(variable.to_owned(), found(Some(&item)));
            self.variables.insert("foreach".to_owned(), state);
            self.variables.insert("velocityCount".to_owned(), number(index + 1));
            match self.nodes(body, out)? {
                Flow::On => {}
                Flow::Break => break,
                Flow::Stop => {
                    flow = Flow::Stop;
                    break;
                }
            }
        }
        for (name, value) in outer {
            match value {
                Some(value) => self.variables.insert(name, value),
                None => self.variables.remove(&name),
            };
        }
        Ok(flow)
    }

    fn assign(&mut self, target: &VelocityReference, value: Value) -> Result<(), VelocityError> {
        let Some((last, before)) = target.steps.split_last() else {
            self.variables.insert(target.name.clone(), value);
            return Ok(());
        };
        let holder = VelocityReference { name: target.name.clone(), steps: before.to_vec(), line: target.line };
        let holder = self.reference(&holder)?;
        self.search(&holder, target.line)?;
        match (holder, last) {
            (Value::Map(map), ReferenceStep::Property(name)) => {
                self.heap.put(map, name, value);
            }
            (Value::Map(map), ReferenceStep::Index(index)) => {
                let key = self.value(index, target.line)?;
                let key = self.print(&key, target.line)?;
                self.heap.put(map, &key, value);
            }
            (Value::List(list), ReferenceStep::Index(index)) => {
                let index = self.value(index, target.line)?;
                let place = match index {
                    Value::Int(index) => usize::try_from(index).ok(),
                    _ => None,
                };
                if let Some(slot) = place.and_then(|at| self.heap.items_mut(list).and_then(|items| items.get_mut(at))) {
                    *slot = value;
                }
            }
            // As Velocity does, with a line in a log that nobody here would see.
            _ => {}
        }
        Ok(())
    }

    /// What a reference stands for; null when it stands for nothing.
    pub(super) fn reference(&mut self, reference: &VelocityReference) -> Result<Value, VelocityError> {
        let line = reference.line;
        self.step(line)?;
        let known = self.variables.get(&reference.name);
        let copied = known.map_or(0, Value::size);
        let mut value = known.cloned().unwrap_or(Value::Null);
        self.labour(copied, line)?;
        for step in &reference.steps {
            if matches!(value, Value::Null | Value::Nothing) {
                return Ok(value);
            }
            value = match step {
                ReferenceStep::Property(name) => {
                    self.search(&value, line)?;
                    self.property(&value, name)?
                }
                ReferenceStep::Method(name, arguments) => {
                    let arguments = arguments.iter().map(|it| self.value(it, line)).collect::<Result<Vec<_>, _>>()?;
                    self.method(&value, name, &arguments, line)?
                }
                ReferenceStep::Index(index) => {
                    let index = self.value(index, line)?;
                    self.search(&value, line)?;
                    match (&value, &index) {
                        (Value::List(list), Value::Int(at)) => {
                            let items = self.heap.items(*list);
                            // As Python and Velocity 1.7 have it, -1 is the last.
                            let at = if *at < 0 {
                                items.len().checked_add_signed(isize::try_from(*at).unwrap_or(isize::MIN))
                            } else {
                                usize::try_from(*at).ok()
                            };
                            found(at.and_then(|at| items.get(at)))
                        }
                        (Value::Map(map), key) => {
                            let key = self.print(key, line)?;
                            found(self.heap.get(*map, &key))
                        }
                        _ => Value::Null,
                    }
                }
            };
            self.labour(value.size(), line)?;
        }
        Ok(value)
    }

    /// Counts what it takes to look for a key in a map.
    fn search(&mut self, value: &Value, line: usize) -> Result<(), VelocityError> {
        match value {
            Value::Map(map) => self.labour(self.heap.entries(*map).len().saturating_mul(16), line),
            _ => Ok(()),
        }
    }

    fn property(&mut self, value: &Value, name: &str) -> Result<Value, VelocityError> {
        Ok(match value {
            Value::Map(map) => match self.heap.get(*map, name) {
                None if name == "empty" => Value::Bool(self.heap.entries(*map).is_empty()),
                value => found(value),
            },
            Value::List(list) if name == "empty" => Value::Bool(self.heap.items(*list).is_empty()),
            Value::Text(text) if name == "empty" => Value::Bool(text.is_empty()),
            Value::Input if name == "body" => self.whole_body(),
            Value::Input | Value::Util | Value::Null => Value::Null,
            _ => Value::Nothing,
        })
    }

    /// The value of an expression.
    pub(super) fn value(&mut self, expression: &Expression, line: usize) -> Result<Value, VelocityError> {
        self.step(line)?;
        Ok(match expression {
            Expression::Null => Value::Null,
            Expression::Bool(flag) => Value::Bool(*flag),
            Expression::Int(whole) => Value::Int(*whole),
            Expression::Float(number) => Value::Float(*number),
            Expression::Text(text) => {
                self.charge(text.len(), line)?;
                Value::Text(text.clone())
            }
            Expression::Template(nodes) => {
                let mut text = String::new();
                // A `#stop` inside a text ends the text.
                self.nodes(nodes, &mut text)?;
                Value::Text(text)
            }
            Expression::List(items) => {
                let items = items.iter().map(|item| self.value(item, line)).collect::<Result<Vec<_>, _>>()?;
                self.heap.list(items)
            }
            Expression::Range(ends) => self.range(&ends.0, &ends.1, line)?,
            Expression::Map(entries) => {
                let mut map: Vec<(String, Value)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = self.value(key, line)?;
                    let key = self.print(&key, line)?;
                    let value = self.value(value, line)?;
                    self.labour(map.len().saturating_mul(16), line)?;
                    match map.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, old)) => *old = value,
                        None => map.push((key, value)),
                    }
                }
                self.heap.map(map)
            }
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::Not(inner) => {
                let inner = self.value(inner, line)?;
                Value::Bool(!truth(&inner))
            }
            Expression::Binary(operator, sides) => self.binary(*operator, &sides.0, &sides.1, line)?,
        })
    }

    fn range(&mut self, first: &Expression, last: &Expression, line: usize) -> Result<Value, VelocityError> {
        let (Value::Int(first), Value::Int(last)) = (self.value(first, line)?, self.value(last, line)?) else {
            return Ok(Value::Null);
        };
        let length = first.abs_diff(last);
        if length >= 100_000 {
            return Err(VelocityError::new(line, "a range has more than 100000 numbers"));
        }
        self.charge(usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(16), line)?;
        let items = if first <= last {
            (first..=last).map(Value::Int).collect()
        } else {
            (last..=first).rev().map(Value::Int).collect()
        };
        Ok(self.heap.list(items))
    }
}

/// What counts as true: everything but null and false, an empty text included.
pub(super) fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Nothing | Value::Bool(false))
}

/// What looking something up comes to.
pub(super) fn found(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Nothing,
        Some(value) => value.clone(),
    }
}
