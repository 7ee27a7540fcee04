//! The pass over a text: the places of its keys and values, every bound that keeps what follows safe, and the values
//! themselves where all readers of YAML agree on them.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Value};

use super::error::{YamlError, YamlErrorKind};
use super::positions::{Positions, Tree};
use super::{Dialect, MAX_DEPTH, plain, tags};

/// How many values aliases may stand for, all taken together.
const MAX_EXPANDED: u64 = 100_000;

/// How many bytes of text aliases may stand for, all taken together.
const MAX_EXPANDED_BYTES: u64 = 4 * 1024 * 1024;

/// The deepest nesting in which values are taken from this pass: deeper, `serde_yaml` has a bound of its own.
const PLAIN_DEPTH: usize = 60;

/// Walks the whole text once. With the places come the values, unless something in the text is for `serde_yaml` to say.
pub(super) fn scan(text: &str, dialect: Dialect) -> Result<(Positions, Option<Value>), YamlError> {
    let scan = scanned(text, dialect)?;
    let value = if scan.plain { scan.value } else { None };
    Ok((Positions::of(scan.tree), value))
}

/// The places alone, for a caller that keeps the tree elsewhere.
pub(super) fn scan_tree(text: &str, dialect: Dialect) -> Result<Tree, YamlError> {
    scanned(text, dialect).map(|scan| scan.tree)
}

fn scanned(text: &str, dialect: Dialect) -> Result<Scan<'_>, YamlError> {
    let mut scan = Scan {
        dialect,
        tree: Tree::default(),
        frames: Vec::new(),
        anchors: HashMap::new(),
        documents: 0,
        expanded: Weight::default(),
        plain: plain::is_ordinary(text),
        one_line: true,
        line_ended: text.ends_with('\n'),
        value: None,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(&error, text))?;
        scan.one_line = span.start.line() == span.end.line();
        scan.event(event, place(&span.start))?;
    }
    Ok(scan)
}

/// How much a value is once its aliases are followed.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    nodes: u64,
    bytes: u64,
}

impl Weight {
    fn add(&mut self, other: Weight) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A list or mapping being read.
struct Frame<'t> {
    node: usize,
    /// What is below a short form; else the node itself.
    inner: usize,
    anchor: usize,
    weight: Weight,
    place: (usize, usize),
    /// The short form before it.
    tag: Option<String>,
    content: FrameContent<'t>,
}

/// What a list or mapping holds so far.
enum FrameContent<'t> {
    List(Vec<Value>),
    /// With the key whose value comes next, and its place.
    Mapping(Map<String, Value>, Option<(Cow<'t, str>, (usize, usize))>),
}

struct Scan<'t> {
    dialect: Dialect,
    tree: Tree,
    frames: Vec<Frame<'t>>,
    anchors: HashMap<usize, Weight>,
    documents: usize,
    expanded: Weight,
    /// Whether the values are what every reader of YAML takes them for.
    plain: bool,
    /// Whether what is read now begins and ends in one line.
    one_line: bool,
    /// Whether the text's last line has an end.
    line_ended: bool,
    value: Option<Value>,
}

impl<'t> Scan<'t> {
    fn event(&mut self, event: Event<'t>, place: (usize, usize)) -> Result<(), YamlError> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(unsupported(place, "the file holds a second document").help("keep one document a file"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), place)?;
                if self.wants_key() {
                    self.plain &= anchor == 0 && tag.is_none() && self.one_line;
                    return self.key(text, style, place);
                }
                let (node, inner) = self.open(tag.as_deref(), place);
                self.tree.close(inner);
                self.tree.close(node);
                let weight = Weight { nodes: 1, bytes: text.len() as u64 };
                self.weigh(anchor, weight);
                let value = match style {
                    ScalarStyle::Plain => plain::value(&text),
                    // Readers differ in how a text ends that the end of the file cuts off, and in one that is all of it.
                    ScalarStyle::Literal | ScalarStyle::Folded if !self.line_ended || self.frames.is_empty() => None,
                    _ => Some(Value::String(text.into_owned())),
                };
                let short = tag.as_deref().filter(|tag| !tag.is_yaml_core_schema());
                self.plain &= value.is_some() && anchor == 0 && tag.is_some() == short.is_some();
                self.finish(short.map(|tag| tag.suffix.as_str()), value.unwrap_or_default());
            }
            Event::SequenceStart(anchor, tag) => self.start(anchor, tag.as_deref(), place, false)?,
            Event::MappingStart(anchor, tag) => self.start(anchor, tag.as_deref(), place, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: FrameContent::Mapping(_, None), .. }))
    }

    fn key(&mut self, text: Cow<'t, str>, style: ScalarStyle, place: (usize, usize)) -> Result<(), YamlError> {
        if text == "<<" && style == ScalarStyle::Plain {
            return Err(unsupported(place, "merge keys (`<<`) are not supported")
                .help("write the keys out, or use an alias for a whole value"));
        }
        self.plain &= match (style, self.dialect) {
            // What looks like a number is text in CloudFormation's templates, and for `serde_yaml` to refuse elsewhere.
            (ScalarStyle::Plain, Dialect::CloudFormation) => !text.is_empty() && !plain::begins_oddly(&text),
            (ScalarStyle::Plain, Dialect::Plain) => matches!(plain::value(&text), Some(Value::String(_))),
            (ScalarStyle::Literal | ScalarStyle::Folded, _) => false,
            (ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, _) => true,
        };
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        frame.weight.bytes = frame.weight.bytes.saturating_add(text.len() as u64);
        let FrameContent::Mapping(members, pending) = &mut frame.content else { return Ok(()) };
        if holds(members, &text) {
            let first = self.tree.key_place(frame.inner, &text).unwrap_or(place);
            let message = format!("the key `{}` occurs a second time", shorten(&text));
            return Err(YamlError::new(YamlErrorKind::DuplicateKey, place, message)
                .help(format!("it occurs first at line {} column {}; keep one of the two", first.0, first.1)));
        }
        *pending = Some((text, place));
        Ok(())
    }

    /// Adds the node for a value that starts here, and below a short form that of what its long form has there: `!If […]`
    /// is `{"Fn::If": […]}`. Both are given back; without a short form they are one.
    fn open(&mut self, tag: Option<&Tag>, place: (usize, usize)) -> (usize, usize) {
        let key = match self.frames.last() {
            Some(Frame { content: FrameContent::Mapping(_, Some((text, place))), .. }) => Some((text.as_ref(), *place)),
            _ => None,
        };
        let node = self.tree.open(key, place);
        match tag.filter(|tag| !tag.is_yaml_core_schema()) {
            Some(tag) => (node, self.tree.open(Some((&tags::long_key(&tag.suffix), place)), place)),
            None => (node, node),
        }
    }

    fn start(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        place: (usize, usize),
        mapping: bool,
    ) -> Result<(), YamlError> {
        self.tag(tag, place)?;
        if self.wants_key() {
            return Err(not_text_key(place));
        }
        if self.frames.len() >= MAX_DEPTH {
            let message = format!("lists and mappings are nested more than {MAX_DEPTH} deep");
            return Err(YamlError::new(YamlErrorKind::TooDeep, place, message).help("flatten the document"));
        }
        let (node, inner) = self.open(tag, place);
        let short = tag.filter(|tag| !tag.is_yaml_core_schema());
        self.plain &= anchor == 0 && tag.is_some() == short.is_some() && self.frames.len() < PLAIN_DEPTH;
        let content = match mapping {
            true => FrameContent::Mapping(Map::new(), None),
            false => FrameContent::List(Vec::new()),
        };
        let tag = short.map(|tag| tag.suffix.clone());
        self.frames.push(Frame { node, inner, anchor, weight: Weight::default(), place, tag, content });
        Ok(())
    }

    fn end(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.tree.close(frame.inner);
        self.tree.close(frame.node);
        let mut weight = frame.weight;
        weight.nodes = weight.nodes.saturating_add(1);
        self.weigh(frame.anchor, weight);
        let value = match frame.content {
            FrameContent::List(items) => Value::Array(items),
            FrameContent::Mapping(members, _) => Value::Object(members),
        };
        self.finish(frame.tag.as_deref(), value);
    }

    /// Puts a value, and the short form before it, where it belongs.
    fn finish(&mut self, tag: Option<&str>, value: Value) {
        let value = match tag {
            Some(tag) => tags::long_form(tag, value),
            None => value,
        };
        match self.frames.last_mut().map(|frame| &mut frame.content) {
            Some(FrameContent::List(items)) => items.push(value),
            Some(FrameContent::Mapping(members, pending)) => {
                if let Some((key, _)) = pending.take() {
                    members.insert(key.into_owned(), value);
                }
            }
            None => self.value = Some(value),
        }
    }

    fn weigh(&mut self, anchor: usize, weight: Weight) {
        if anchor != 0 {
            self.anchors.insert(anchor, weight);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.weight.add(weight);
        }
    }

    fn alias(&mut self, anchor: usize, place: (usize, usize)) -> Result<(), YamlError> {
        if self.dialect == Dialect::CloudFormation {
            return Err(unsupported(place, "CloudFormation takes no YAML aliases").help("write the value out"));
        }
        if self.wants_key() {
            return Err(not_text_key(place));
        }
        let Some(weight) = self.anchors.get(&anchor).copied() else {
            let start = self.frames.iter().find(|frame| frame.anchor == anchor).map_or(place, |frame| frame.place);
            let message = format!("an alias is inside its own value, which starts at line {}", start.0);
            return Err(YamlError::new(YamlErrorKind::TooDeep, place, message).help("write the value out"));
        };
        let (node, _) = self.open(None, place);
        self.tree.close(node);
        self.expanded.add(weight);
        if self.expanded.nodes > MAX_EXPANDED || self.expanded.bytes > MAX_EXPANDED_BYTES {
            let message = format!("the file's aliases expand to more than {MAX_EXPANDED} values or 4 MiB of text");
            return Err(YamlError::new(YamlErrorKind::TooDeep, place, message).help("write fewer aliases of aliases"));
        }
        self.weigh(0, weight);
        self.plain = false;
        self.finish(None, Value::Null);
        Ok(())
    }

    fn tag(&self, tag: Option<&Tag>, place: (usize, usize)) -> Result<(), YamlError> {
        let Some(tag) = tag else { return Ok(()) };
        if tag.is_yaml_core_schema() {
            let known = ["str", "int", "float", "bool", "null", "seq", "map"].contains(&tag.suffix.as_str());
            return if known {
                Ok(())
            } else {
                Err(unsupported(place, format!("`!!{}` is not supported", tag.suffix)))
            };
        }
        if self.wants_key() {
            return Err(unsupported(place, "a key can have no tag").help("write the key as plain text"));
        }
        match self.dialect {
            Dialect::CloudFormation => tags::known(tag, place),
            Dialect::Plain => Err(unsupported(place, format!("the tag `{tag}` has no place here"))
                .help("a spec refers to things as `${section.name}`, without YAML tags")),
        }
    }
}

/// In how many keys another is looked for one by one, which is quicker than to compute where it would lie.
const FEW: usize = 8;

fn holds(members: &Map<String, Value>, key: &str) -> bool {
    if members.len() <= FEW { members.keys().any(|other| other == key) } else { members.contains_key(key) }
}

fn unsupported(place: (usize, usize), message: impl Into<String>) -> YamlError {
    YamlError::new(YamlErrorKind::Unsupported, place, message)
}

fn not_text_key(place: (usize, usize)) -> YamlError {
    unsupported(place, "a key must be text, not a list, a mapping or an alias")
        .help("a text that begins with `{`, `[` or `*` needs quotes")
}

/// saphyr counts lines from 1 and columns from 0.
fn place(marker: &Marker) -> (usize, usize) {
    (marker.line().max(1), marker.col() + 1)
}

/// A key cut short enough for a message.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The parser's complaint in an author's words.
fn syntax(error: &ScanError, text: &str) -> YamlError {
    let place = place(error.marker());
    let info = error.info();
    if info.contains("recursion limit") {
        let message = format!("lists and mappings are nested more than {MAX_DEPTH} deep");
        return YamlError::new(YamlErrorKind::TooDeep, place, message).help("flatten the document");
    }
    // A tab in the indentation is the commonest cause, and the parsers complain about what follows from it.
    let tab = text.lines().enumerate().take(place.0).skip(place.0.saturating_sub(2)).find_map(|(index, line)| {
        let indent = line.len() - line.trim_start().len();
        line.get(..indent)?.find('\t').map(|column| (index + 1, column + 1))
    });
    if let Some(place) = tab {
        return YamlError::new(YamlErrorKind::Syntax, place, "the indentation contains a tab")
            .help("indent with spaces");
    }
    let plainer = PLAINER.iter().find(|(says, _, _)| info.contains(says));
    match plainer {
        Some((_, message, help)) => YamlError::new(YamlErrorKind::Syntax, place, *message).help(*help),
        None => YamlError::new(YamlErrorKind::Syntax, place, format!("this is not valid YAML: {info}"))
            .help("check the indentation and the quotes here and on the line above"),
    }
}

/// What the parser says, what it means, and what to do.
const PLAINER: [(&str, &str, &str); 10] = [
    ("in quoted scalar", "a text in quotes begins here and is not closed before the next key", "add the closing quote"),
    (
        "mapping values are not allowed",
        "a `:` is where no key can be",
        "put a text that holds `: ` in quotes, or check the indentation of this line and the one above",
    ),
    (
        "illegal placement of ':'",
        "a `:` is where no key can be",
        "close the `[` or `{` above, or put a text that holds `: ` in quotes",
    ),
    ("unexpected end of stream", "a text in quotes begins here and is never closed", "add the closing quote"),
    ("unknown anchor", "an alias names no anchor before it", "put a text that begins with `*` in quotes"),
    (
        "did not find expected key",
        "this line fits neither the mapping above nor a new one",
        "check its indentation against the lines above",
    ),
    (
        "did not find expected '-' indicator",
        "this line is neither an item of the list above nor outside it",
        "check its indentation against the lines above",
    ),
    (
        "',' or ']'",
        "a list in `[ ]` is not closed or lacks a comma",
        "separate its items by commas and close it with `]`",
    ),
    (
        "',' or '}'",
        "a mapping in `{ }` is not closed or lacks a comma",
        "separate its entries by commas and close it with `}`",
    ),
    ("could not find expected ':'", "a key has no `:` after it", "write `key: value`, with a space after the colon"),
];
