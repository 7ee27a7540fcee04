//! Evaluator. Total: any JSON gives a value or a problem, in time and space bounded by [`TEXT_LIMIT`] and [`DEPTH_LIMIT`].

use crate::finding::{Code, code};
use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value};

use super::{Answer, DynamicReference, Piece, Problem, Resolver, UNKNOWN, cidr, pieces};
use crate::Template;
use crate::template::kind;

/// The longest text evaluation makes, in bytes; far beyond any property, and a stop for texts that double themselves.
pub(super) const TEXT_LIMIT: usize = 4 << 20;

/// How deep a value may nest.
const DEPTH_LIMIT: usize = 256;

/// What a value comes to. `AWS::NoValue` takes its key or list entry with it, and is `null` when it is the whole value.
///
/// # Errors
///
/// The first problem met, with its path below the value.
pub fn resolve(value: &Value, resolver: &dyn Resolver) -> Result<Value, Problem> {
    resolve_at(value, resolver, "")
}

/// The same as [`resolve`], for a value that stands at `path` in the template.
///
/// # Errors
///
/// The first problem met, with its path in the template.
pub fn resolve_at(value: &Value, resolver: &dyn Resolver, path: &str) -> Result<Value, Problem> {
    let mut evaluation = Evaluator { resolver, path: path.to_owned(), depth: 0 };
    Ok(evaluation.value(value)?.unwrap_or(Value::Null))
}

/// Whether a condition function (an entry of `Conditions`, or an argument of `Fn::And`) holds.
///
/// # Errors
///
/// The first problem met.
pub fn is_true(condition: &Value, resolver: &dyn Resolver, path: &str) -> Result<bool, Problem> {
    Evaluator { resolver, path: path.to_owned(), depth: 0 }.condition(condition)
}

/// All conditions of a template, each evaluated once; `resolver` is not asked about conditions.
///
/// # Errors
///
/// A condition can't be evaluated, names one that is not there, or depends on itself.
pub fn conditions(template: &Template, resolver: &dyn Resolver) -> Result<BTreeMap<String, bool>, Problem> {
    let written: BTreeMap<&str, &Value> = template.conditions().collect();
    let mut known = BTreeMap::new();
    for (name, _) in template.conditions() {
        decide(name, &written, &mut known, &mut Vec::new(), resolver)?;
    }
    Ok(known)
}

/// One condition of a template; `resolver` is not asked about conditions, and the others are not looked at.
///
/// # Errors
///
/// The condition can't be evaluated, is not there, or depends on itself.
pub(super) fn condition(template: &Template, name: &str, resolver: &dyn Resolver) -> Result<bool, Problem> {
    let written: BTreeMap<&str, &Value> = template.conditions().collect();
    let mut known = BTreeMap::new();
    decide(name, &written, &mut known, &mut Vec::new(), resolver)?;
    Ok(known.get(name).copied().unwrap_or(false))
}

fn decide<'a>(
    name: &'a str,
    written: &BTreeMap<&'a str, &'a Value>,
    known: &mut BTreeMap<String, bool>,
    under_way: &mut Vec<&'a str>,
    resolver: &dyn Resolver,
) -> Result<(), Problem> {
    if known.contains_key(name) {
        return Ok(());
    }
    let path = format!("Conditions/{name}");
    let Some((name, body)) = written.get_key_value(name) else {
        return Err(Problem::new(
            code::T103,
            format!(
                "Template format error: Unresolved condition dependency {name} in the Conditions block of the template"
            ),
        ));
    };
    if under_way.contains(name) || under_way.len() > DEPTH_LIMIT {
        under_way.push(name);
        return Err(Problem::new(
            code::T103,
            format!("Circular dependency between conditions: [{}]", under_way.join(", ")),
        )
        .at(&path));
    }
    under_way.push(name);
    let mut named = Vec::new();
    named_conditions(body, &mut named);
    for other in named {
        decide(other, written, known, under_way, resolver).map_err(|problem| problem.at(&path))?;
    }
    under_way.pop();
    let holds = is_true(body, &Decided { known, others: resolver }, &path)?;
    known.insert((*name).to_owned(), holds);
    Ok(())
}

/// The conditions a condition names.
pub fn named_conditions<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named_conditions(item, found)),
        Value::Object(map) => {
            for (key, item) in map {
                match (key.as_str(), item) {
                    ("Condition", Value::String(name)) => found.push(name),
                    ("Fn::If", Value::Array(parts)) => {
                        found.extend(parts.first().and_then(Value::as_str));
                        named_conditions(item, found);
                    }
                    _ => named_conditions(item, found),
                }
            }
        }
        _ => {}
    }
}

/// A resolver whose conditions are those decided so far.
struct Decided<'a> {
    known: &'a BTreeMap<String, bool>,
    others: &'a dyn Resolver,
}

impl Resolver for Decided<'_> {
    fn reference(&self, name: &str) -> Result<Answer, Problem> {
        self.others.reference(name)
    }
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        self.others.attribute(logical_id, attribute)
    }
    fn import(&self, name: &str) -> Result<Answer, Problem> {
        self.others.import(name)
    }
    fn condition(&self, name: &str) -> Result<bool, Problem> {
        self.known.get(name).copied().ok_or_else(|| {
            Problem::new(code::T103, format!("Template error: unresolved condition dependency {name} in Conditions"))
        })
    }
    fn mapping(&self, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem> {
        self.others.mapping(map, top, second)
    }
    fn zones(&self, region: &str) -> Result<Answer, Problem> {
        self.others.zones(region)
    }
    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        self.others.dynamic(reference)
    }
    fn spend(&self, bytes: usize) -> bool {
        self.others.spend(bytes)
    }
}

/// `None` is `AWS::NoValue`.
type Outcome = Result<Option<Value>, Problem>;

struct Evaluator<'a> {
    resolver: &'a dyn Resolver,
    path: String,
    depth: usize,
}

impl Evaluator<'_> {
    fn value(&mut self, value: &Value) -> Outcome {
        match value {
            Value::Object(map) => {
                let mut entries = map.iter();
                match (entries.next(), entries.next()) {
                    (Some((key, argument)), None) if is_function(key, argument) => {
                        let made = self.below(key, |here| here.function(key, argument))?;
                        self.kept(made)
                    }
                    _ => self.object(map),
                }
            }
            Value::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    made.extend(self.below(&index.to_string(), |here| here.value(item))?);
                }
                Ok(Some(Value::Array(made)))
            }
            Value::String(text) => self.text(text).map(Some),
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// Counts what a function has made: a value named a thousand times is there a thousand times.
    fn kept(&self, made: Option<Value>) -> Outcome {
        if let Some(made) = &made
            && !self.resolver.spend(size_of(made))
        {
            return Err(
                self.problem(code::L008, "The values of the template grow too large when its references are filled in")
            );
        }
        Ok(made)
    }

    fn object(&mut self, map: &Map<String, Value>) -> Outcome {
        let mut made = Map::with_capacity(map.len());
        for (key, item) in map {
            if let Some(item) = self.below(key, |here| here.value(item))? {
                made.insert(key.clone(), item);
            }
        }
        Ok(Some(Value::Object(made)))
    }

    /// A text, with its dynamic references resolved where the resolver does that.
    fn text(&mut self, text: &str) -> Result<Value, Problem> {
        if !text.contains("{{resolve:") {
            return Ok(Value::from(text));
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some((before, reference, after)) = DynamicReference::find(rest) {
            made.push_str(before);
            match self.resolver.dynamic(&reference).map_err(|problem| problem.at(&self.path))? {
                Some(found) => made.push_str(&found),
                None => {
                    made.push_str("{{resolve:");
                    made.push_str(reference.service);
                    made.push(':');
                    made.push_str(reference.key);
                    made.push_str("}}");
                }
            }
            self.fits(made.len())?;
            rest = after;
        }
        made.push_str(rest);
        Ok(Value::String(made))
    }

    fn function(&mut self, key: &str, argument: &Value) -> Outcome {
        match key {
            "Ref" => self.reference(argument),
            "Fn::GetAtt" => self.get_att(argument).map(Some),
            "Fn::Sub" => self.sub(argument).map(Some),
            "Fn::Join" => self.join(argument).map(Some),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::If" => self.conditional(argument),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Base64" => {
                let text = self.scalar(argument, "Template error: every Fn::Base64 object must have a String-typed value.")?;
                if text.contains(UNKNOWN) {
                    return Ok(Some(Value::from(UNKNOWN)));
                }
                self.fits(text.len().saturating_mul(4) / 3)?;
                Ok(Some(Value::String(base64::engine::general_purpose::STANDARD.encode(text))))
            }
            "Fn::Cidr" => self.cidr(argument).map(Some),
            "Fn::GetAZs" => {
                let region = self.scalar(argument, "Template error: Fn::GetAZs needs the name of a region")?;
                if region.contains(UNKNOWN) {
                    return Ok(Some(Value::from(UNKNOWN)));
                }
                self.ask_resolver(|resolver| resolver.zones(&region)).map(Some)
            }
            "Fn::ImportValue" => {
                let name = self.scalar(argument, "Template error: Fn::ImportValue needs the name of an export")?;
                if name.contains(UNKNOWN) {
                    return Ok(Some(Value::from(UNKNOWN)));
                }
                self.ask_resolver(|resolver| resolver.import(&name)).map(Some)
            }
            // What another stack gives is asked for when the stack is made.
            "Fn::GetStackOutput" => self.value(argument).map(|_| Some(Value::from(UNKNOWN))),
            "Fn::Length" => {
                let made = self.value(argument)?;
                match made {
                    Some(Value::Array(items)) => Ok(Some(Value::from(items.len()))),
                    Some(Value::String(text)) if text.contains(UNKNOWN) => Ok(Some(Value::from(UNKNOWN))),
                    _ => Err(self.wrong("Template error: every Fn::Length object requires a list")),
                }
            }
            "Fn::ToJsonString" => match self.value(argument)? {
                Some(made @ (Value::Object(_) | Value::Array(_))) => {
                    let text = made.to_string();
                    self.fits(text.len())?;
                    Ok(Some(Value::String(text)))
                }
                _ => Err(self.wrong("Template error: every Fn::ToJsonString object requires an object or a list")),
            },
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                Ok(Some(Value::Bool(self.condition_function(key, argument)?)))
            }
            "Fn::Transform" => Err(self.problem(code::T106, "The macro of an `Fn::Transform` runs in an account and can't be expanded here")),
            key if key.starts_with("Fn::ForEach::") => {
                Err(self.problem(code::T112, "Fn::ForEach needs the transform `AWS::LanguageExtensions` and is expanded before a template is evaluated"))
            }
            other => Err(self.problem(code::T105, format!("Template error: `{other}` is not an intrinsic function"))),
        }
    }

    fn reference(&mut self, argument: &Value) -> Outcome {
        let Some(name) = argument.as_str() else {
            return Err(self.wrong("Template error: every Ref object must have a single String value."));
        };
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        self.ask_resolver(|resolver| resolver.reference(name)).map(Some)
    }

    fn get_att(&mut self, argument: &Value) -> Result<Value, Problem> {
        const SHAPE: &str = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute";
        let (logical_id, attribute) = match argument {
            Value::String(text) => match text.split_once('.') {
                Some((logical_id, attribute)) => (logical_id.to_owned(), attribute.to_owned()),
                None => return Err(self.wrong(SHAPE)),
            },
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(logical_id), attribute] => (logical_id.clone(), self.scalar(attribute, SHAPE)?),
                _ => return Err(self.wrong(SHAPE)),
            },
            _ => return Err(self.wrong(SHAPE)),
        };
        if logical_id.is_empty() || attribute.is_empty() {
            return Err(self.wrong(SHAPE));
        }
        self.ask_resolver(|resolver| resolver.attribute(&logical_id, &attribute))
    }

    fn sub(&mut self, argument: &Value) -> Result<Value, Problem> {
        const SHAPE: &str = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string";
        let none = Map::new();
        let (text, variables) = match argument {
            Value::String(text) => (text, &none),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text)] => (text, &none),
                [Value::String(text), Value::Object(variables)] => (text, variables),
                _ => return Err(self.wrong(SHAPE)),
            },
            _ => return Err(self.wrong(SHAPE)),
        };
        let mut values = BTreeMap::new();
        for (name, item) in variables {
            let made =
                self.below(name, |here| here.scalar(item, "Template error: the variables of Fn::Sub must be text"))?;
            values.insert(name.as_str(), made);
        }
        let mut made = String::with_capacity(text.len());
        for piece in pieces(text).map_err(|problem| problem.at(&self.path))? {
            match piece {
                Piece::Text(text) => made.push_str(text),
                Piece::Literal(name) => {
                    made.push_str("${");
                    made.push_str(name);
                    made.push('}');
                }
                Piece::Variable(name) => match values.get(name) {
                    Some(value) => made.push_str(value),
                    None => {
                        let value = match name.split_once('.') {
                            Some((logical_id, attribute)) => {
                                self.ask_resolver(|resolver| resolver.attribute(logical_id, attribute))?
                            }
                            None => self.ask_resolver(|resolver| resolver.reference(name))?,
                        };
                        let Some(value) = plain(&value) else {
                            return Err(self.wrong(format!(
                                "Template error: `{name}` in Fn::Sub is {} and only text can be substituted",
                                kind(&value)
                            )));
                        };
                        made.push_str(&value);
                    }
                },
            }
            self.fits(made.len())?;
        }
        self.text(&made)
    }

    fn join(&mut self, argument: &Value) -> Result<Value, Problem> {
        const SHAPE: &str = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.";
        let Some([delimiter, items]) = argument.as_array().map(Vec::as_slice) else { return Err(self.wrong(SHAPE)) };
        let Some(delimiter) = delimiter.as_str() else { return Err(self.wrong(SHAPE)) };
        let items = match self.below("1", |here| here.value(items))? {
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) if text.contains(UNKNOWN) => return Ok(Value::from(UNKNOWN)),
            _ => return Err(self.wrong(SHAPE)),
        };
        let mut made = String::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                made.push_str(delimiter);
            }
            let Some(item) = plain(item) else { return Err(self.wrong(SHAPE)) };
            made.push_str(&item);
            self.fits(made.len())?;
        }
        self.text(&made)
    }

    fn select(&mut self, argument: &Value) -> Outcome {
        const SHAPE: &str =
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list";
        let Some([index, items]) = argument.as_array().map(Vec::as_slice) else { return Err(self.wrong(SHAPE)) };
        let index = self.below("0", |here| here.scalar(index, SHAPE))?;
        let items = match self.below("1", |here| here.value(items))? {
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) if text.contains(UNKNOWN) => return Ok(Some(Value::from(UNKNOWN))),
            _ => return Err(self.wrong(SHAPE)),
        };
        if index.contains(UNKNOWN) {
            return Ok(Some(Value::from(UNKNOWN)));
        }
        let Ok(position) = index.parse::<usize>() else { return Err(self.wrong(SHAPE)) };
        match items.into_iter().nth(position) {
            Some(item) => Ok(Some(item)),
            None => Err(self.problem(
                code::T108,
                format!("Template error: Fn::Select cannot select nonexistent value at index {index}"),
            )),
        }
    }

    fn split(&mut self, argument: &Value) -> Result<Value, Problem> {
        const SHAPE: &str = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.";
        let Some([delimiter, text]) = argument.as_array().map(Vec::as_slice) else { return Err(self.wrong(SHAPE)) };
        let Some(delimiter) = delimiter.as_str().filter(|delimiter| !delimiter.is_empty()) else {
            return Err(self.wrong(SHAPE));
        };
        let text = self.below("1", |here| here.scalar(text, SHAPE))?;
        if text.contains(UNKNOWN) {
            return Ok(Value::from(UNKNOWN));
        }
        Ok(Value::Array(text.split(delimiter).map(Value::from).collect()))
    }

    fn conditional(&mut self, argument: &Value) -> Outcome {
        const SHAPE: &str = "Template error: Fn::If requires a list argument with three elements";
        let Some([condition, then, otherwise]) = argument.as_array().map(Vec::as_slice) else {
            return Err(self.wrong(SHAPE));
        };
        let holds = match condition {
            Value::String(name) => self.resolver.condition(name).map_err(|problem| problem.at(&self.path))?,
            other => self.below("0", |here| here.condition(other))?,
        };
        if holds { self.below("1", |here| here.value(then)) } else { self.below("2", |here| here.value(otherwise)) }
    }

    fn find_in_map(&mut self, argument: &Value) -> Outcome {
        const SHAPE: &str = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value";
        let (map, top, second, default) = match argument.as_array().map(Vec::as_slice) {
            Some([map, top, second]) => (map, top, second, None),
            Some([map, top, second, Value::Object(options)]) => (map, top, second, options.get("DefaultValue")),
            _ => return Err(self.wrong(SHAPE)),
        };
        let map = self.below("0", |here| here.scalar(map, SHAPE))?;
        let top = self.below("1", |here| here.scalar(top, SHAPE))?;
        let second = self.below("2", |here| here.scalar(second, SHAPE))?;
        if [&map, &top, &second].iter().any(|part| part.contains(UNKNOWN)) {
            return Ok(Some(Value::from(UNKNOWN)));
        }
        match (self.resolver.mapping(&map, &top, &second), default) {
            (Ok(Some(found)), _) => Ok(Some(found)),
            (Ok(None) | Err(_), Some(default)) => self.below("3", |here| here.value(default)),
            (Ok(None), None) => {
                Err(self
                    .problem(code::T104, format!("Template error: Unable to get mapping for {map}::{top}::{second}")))
            }
            (Err(problem), None) => Err(problem.at(&self.path)),
        }
    }

    fn cidr(&mut self, argument: &Value) -> Result<Value, Problem> {
        const SHAPE: &str =
            "Template error: every Fn::Cidr object requires an IP block, a count and the number of host bits";
        let (block, count, bits) = match argument.as_array().map(Vec::as_slice) {
            Some([block, count]) => (block, count, None),
            Some([block, count, bits]) => (block, count, Some(bits)),
            _ => return Err(self.wrong(SHAPE)),
        };
        let block = self.below("0", |here| here.scalar(block, SHAPE))?;
        let count = self.below("1", |here| here.scalar(count, SHAPE))?;
        let bits = match bits {
            Some(bits) => self.below("2", |here| here.scalar(bits, SHAPE))?,
            None => "8".to_owned(),
        };
        if [&block, &count, &bits].iter().any(|part| part.contains(UNKNOWN)) {
            return Ok(Value::from(UNKNOWN));
        }
        let (Ok(count), Ok(bits)) = (count.parse(), bits.parse()) else { return Err(self.wrong(SHAPE)) };
        let blocks = cidr::cut(&block, count, bits).map_err(|problem| problem.at(&self.path))?;
        Ok(Value::Array(blocks.into_iter().map(Value::String).collect()))
    }

    fn condition(&mut self, value: &Value) -> Result<bool, Problem> {
        let single = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        match single {
            Some((key, Value::String(name))) if key == "Condition" => {
                self.resolver.condition(name).map_err(|problem| problem.at(&self.path))
            }
            Some((key, argument)) if matches!(key.as_str(), "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not") => {
                self.below(key, |here| here.condition_function(key, argument))
            }
            _ => Err(self.wrong(
                "Template format error: Every Conditions member must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or or Condition",
            )),
        }
    }

    fn condition_function(&mut self, key: &str, argument: &Value) -> Result<bool, Problem> {
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (key, arguments) {
            ("Fn::Equals", [left, right]) => {
                let left = self.below("0", |here| here.value(left))?;
                let right = self.below("1", |here| here.value(right))?;
                Ok(match (&left, &right) {
                    (Some(left), Some(right)) => match (plain(left), plain(right)) {
                        (Some(left), Some(right)) => left == right,
                        _ => left == right,
                    },
                    (left, right) => left == right,
                })
            }
            ("Fn::Equals", _) => {
                Err(self.wrong("Template error: every Fn::Equals object requires a list of 2 string parameters."))
            }
            ("Fn::Not", [inner]) => Ok(!self.below("0", |here| here.condition(inner))?),
            ("Fn::Not", _) => Err(self.wrong("Template error: every Fn::Not object requires one boolean parameter.")),
            (_, parts) if (2..=10).contains(&parts.len()) => {
                let all = key == "Fn::And";
                let mut holds = all;
                for (index, part) in parts.iter().enumerate() {
                    let part = self.below(&index.to_string(), |here| here.condition(part))?;
                    holds = if all { holds && part } else { holds || part };
                }
                Ok(holds)
            }
            _ => Err(self.wrong(format!(
                "Template error: every {key} object requires a list of at least 2 and at most 10 boolean parameters."
            ))),
        }
    }

    /// An argument that has to come to text; numbers and truth values are written out.
    fn scalar(&mut self, argument: &Value, otherwise: &str) -> Result<String, Problem> {
        let made = self.value(argument)?;
        made.as_ref().and_then(plain).ok_or_else(|| self.wrong(otherwise))
    }

    fn ask_resolver(&self, ask: impl FnOnce(&dyn Resolver) -> Result<Answer, Problem>) -> Result<Value, Problem> {
        match ask(self.resolver).map_err(|problem| problem.at(&self.path))? {
            Answer::Known(value) => Ok(value),
            Answer::Unknown => Ok(Value::from(UNKNOWN)),
        }
    }

    fn fits(&self, length: usize) -> Result<(), Problem> {
        if length > TEXT_LIMIT {
            return Err(self.problem(
                code::L008,
                format!("A text grows beyond {TEXT_LIMIT} bytes when its references are filled in"),
            ));
        }
        Ok(())
    }

    fn wrong(&self, message: impl Into<String>) -> Problem {
        self.problem(code::T100, message)
    }

    fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::new(code, message).at(&self.path)
    }

    fn below<T>(&mut self, key: &str, go: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= DEPTH_LIMIT {
            return Err(self.problem(code::L009, format!("The template nests deeper than {DEPTH_LIMIT} levels")));
        }
        let length = self.path.len();
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(key);
        self.depth += 1;
        let result = go(self);
        self.depth -= 1;
        self.path.truncate(length);
        result
    }
}

/// Whether an object's only key makes it a function. `Condition` is none here: policy documents use that key.
pub fn is_function(key: &str, argument: &Value) -> bool {
    key.starts_with("Fn::") || key == "Ref" && !argument.is_object()
}

/// About how much memory a value takes, in bytes.
fn size_of(value: &Value) -> usize {
    const ONE: usize = 32;
    ONE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size_of).sum(),
        Value::Object(map) => map.iter().map(|(key, item)| key.len() + ONE + size_of(item)).sum(),
        _ => 0,
    }
}

/// A scalar as the text it becomes inside a text.
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
