//! Reading a template: text, directives and where references begin.

use std::cell::Cell;

use super::input::VelocityError;
use super::syntax::{Expression, Node, VelocityReference};

/// How deep directives, expressions and quoted templates may nest.
const MAX_DEPTH: usize = 64;

/// Directives of Velocity's that API Gateway's templates do without.
const REFUSED: [&str; 5] = ["macro", "define", "include", "parse", "evaluate"];

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, VelocityError> {
    parse_at(text, 1, 0)
}

/// Reads a template that begins on a line, so deep inside another.
pub(super) fn parse_at(text: &str, line: usize, depth: usize) -> Result<Vec<Node>, VelocityError> {
    let mut parser = TemplateParser::new(text, line, depth);
    let (nodes, end) = parser.block(false)?;
    match end {
        End::Text => Ok(nodes),
        _ => Err(parser.error("there is an `#end`, `#else` or `#elseif` without its `#if` or `#foreach`")),
    }
}

/// What ended a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Closed,
    Else,
    ElseIf,
}

/// A place in a template.
pub(super) struct TemplateParser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// A place and its line: lines are counted on from there, not from the beginning each time.
    counted: Cell<(usize, usize)>,
    pub(super) depth: usize,
}

impl<'a> TemplateParser<'a> {
    pub(super) fn new(text: &'a str, line: usize, depth: usize) -> Self {
        Self { text, at: 0, counted: Cell::new((0, line)), depth }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The line of the place.
    pub(super) fn line(&self) -> usize {
        let (place, line) = self.counted.get();
        let lines = |from: usize, to: usize| {
            self.text.get(from..to).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count()
        };
        // Now and then reading goes back a little.
        let now =
            if self.at >= place { line + lines(place, self.at) } else { line.saturating_sub(lines(self.at, place)) };
        self.counted.set((self.at, now));
        now
    }

    pub(super) fn error(&self, message: impl Into<String>) -> VelocityError {
        VelocityError::new(self.line(), message)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let hit = self.rest().starts_with(text);
        if hit {
            self.at += text.len();
        }
        hit
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), VelocityError> {
        self.skip_space();
        if self.eat(text) { Ok(()) } else { Err(self.error(format!("`{text}` is missing"))) }
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Goes one level deeper; the caller goes back up.
    pub(super) fn deeper(&mut self) -> Result<(), VelocityError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(self.error(format!("it nests deeper than {MAX_DEPTH} levels")))
        } else {
            Ok(())
        }
    }

    /// A name: a letter or `_`, then letters, digits, `_` and `-`.
    pub(super) fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).map(str::to_owned)
    }

    fn block(&mut self, inside: bool) -> Result<(Vec<Node>, End), VelocityError> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(next) = rest.find(['$', '#', '\\']) else {
                text.push_str(rest);
                self.at = self.text.len();
                flush(&mut text, &mut nodes);
                if inside {
                    return Err(self.error("an `#end` is missing"));
                }
                return Ok((nodes, End::Text));
            };
            text.push_str(rest.get(..next).unwrap_or_default());
            self.at += next;
            let slashes = self.rest().bytes().take_while(|b| *b == b'\\').count();
            self.at += slashes;
            match self.peek() {
                Some('$') => self.reference_or_text(slashes, &mut text, &mut nodes)?,
                Some('#') => {
                    if let Some(end) = self.directive_or_text(slashes, &mut text, &mut nodes)? {
                        flush(&mut text, &mut nodes);
                        return if inside || end == End::Text {
                            Ok((nodes, end))
                        } else {
                            Err(self.error("there is an `#end`, `#else` or `#elseif` without its `#if` or `#foreach`"))
                        };
                    }
                }
                _ => text.push_str(&"\\".repeat(slashes)),
            }
        }
    }

    fn reference_or_text(
        &mut self,
        slashes: usize,
        text: &mut String,
        nodes: &mut Vec<Node>,
    ) -> Result<(), VelocityError> {
        let start = self.at;
        if let Some((reference, quiet)) = self.reference()? {
            flush(text, nodes);
            let source = self.text.get(start..self.at).unwrap_or_default().to_owned();
            nodes.push(Node::Reference { reference, source, slashes, quiet });
        } else {
            self.at = start + 1;
            text.push_str(&"\\".repeat(slashes));
            text.push('$');
        }
        Ok(())
    }

    fn directive_or_text(
        &mut self,
        slashes: usize,
        text: &mut String,
        nodes: &mut Vec<Node>,
    ) -> Result<Option<End>, VelocityError> {
        let start = self.at;
        if slashes == 0 && self.eat("##") {
            let rest = self.rest();
            self.at += rest.find('\n').map_or(rest.len(), |at| at + 1);
            return Ok(None);
        }
        if slashes == 0 && self.eat("#*") {
            let rest = self.rest();
            self.at += rest.find("*#").map_or(rest.len(), |at| at + 2);
            return Ok(None);
        }
        if slashes == 0 && self.eat("#[[") {
            let rest = self.rest();
            let Some(end) = rest.find("]]#") else { return Err(self.error("`]]#` is missing")) };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 3;
            return Ok(None);
        }
        self.at += 1;
        let braced = self.eat("{");
        let word = self.name().filter(|_| !braced || self.eat("}")).unwrap_or_default();
        let known = matches!(&*word, "set" | "if" | "elseif" | "else" | "end" | "foreach" | "break" | "stop");
        // `#elsewhere` is text; `#else` and `#end` may be followed by text at once.
        let (word, known) = match ["else", "end", "break", "stop"].iter().find(|it| word.starts_with(**it)) {
            Some(short) if !known && !braced => {
                self.at -= word.len() - short.len();
                ((*short).to_owned(), true)
            }
            _ => (word, known),
        };
        if !known || slashes % 2 == 1 {
            if slashes == 0 && REFUSED.contains(&&*word) && self.rest().trim_start().starts_with('(') {
                return Err(self.error(format!("`#{word}` is not simulated by the local target")));
            }
            // An escaped directive is text without its backslash.
            text.push_str(&"\\".repeat(if known { slashes / 2 } else { slashes }));
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
            return Ok(None);
        }
        text.push_str(&"\\".repeat(slashes / 2));
        flush(text, nodes);
        self.directive(&word, nodes)
    }

    fn directive(&mut self, word: &str, nodes: &mut Vec<Node>) -> Result<Option<End>, VelocityError> {
        let line = self.line();
        match word {
            "set" => {
                self.expect("(")?;
                self.skip_space();
                let Some((target, _)) = self.reference()? else { return Err(self.error("`#set` sets a reference")) };
                self.expect("=")?;
                let value = self.expression()?;
                self.expect(")")?;
                self.end_of_line();
                nodes.push(Node::Set { target, value, line });
            }
            "if" => {
                let node = self.conditions()?;
                nodes.push(node);
            }
            "foreach" => {
                self.expect("(")?;
                self.skip_space();
                let variable = match self.reference()? {
                    Some((VelocityReference { name, steps, .. }, _)) if steps.is_empty() => name,
                    _ => return Err(self.error("`#foreach` goes with a variable: `#foreach($x in $list)`")),
                };
                self.expect("in")?;
                let over = self.expression()?;
                self.expect(")")?;
                self.end_of_line();
                self.deeper()?;
                let (body, end) = self.block(true)?;
                self.depth -= 1;
                if end != End::Closed {
                    return Err(self.error("`#foreach` ends with `#end`"));
                }
                nodes.push(Node::Foreach { variable, over, body, line });
            }
            "break" => {
                self.end_of_line();
                nodes.push(Node::Break);
            }
            "stop" => nodes.push(Node::Stop),
            "end" => {
                self.end_of_line();
                return Ok(Some(End::Closed));
            }
            "else" => {
                self.end_of_line();
                return Ok(Some(End::Else));
            }
            _ => return Ok(Some(End::ElseIf)),
        }
        Ok(None)
    }

    /// From after `#if` to after its `#end`.
    fn conditions(&mut self) -> Result<Node, VelocityError> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        self.deeper()?;
        let mut end = End::ElseIf;
        while end == End::ElseIf {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            self.end_of_line();
            let (body, ended) = self.block(true)?;
            branches.push((condition, body));
            end = ended;
        }
        if end == End::Else {
            let (body, ended) = self.block(true)?;
            if ended != End::Closed {
                return Err(self.error("nothing comes after `#else` but `#end`"));
            }
            otherwise = body;
        }
        self.depth -= 1;
        Ok(Node::If { branches, otherwise })
    }

    /// Velocity drops the rest of a directive's line when nothing but spaces is on it.
    fn end_of_line(&mut self) {
        let rest = self.rest();
        let after = rest.trim_start_matches([' ', '\t']);
        let after = after.strip_prefix('\r').unwrap_or(after);
        if let Some(after) = after.strip_prefix('\n') {
            self.at += rest.len() - after.len();
        }
    }

    /// The template inside a text in double quotes.
    pub(super) fn quoted(&self, text: &str) -> Result<Expression, VelocityError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("it nests deeper than {MAX_DEPTH} levels")));
        }
        if !text.contains(['$', '#', '\\']) {
            return Ok(Expression::Text(text.to_owned()));
        }
        Ok(Expression::Template(parse_at(text, self.line(), self.depth + 1)?))
    }
}

fn flush(text: &mut String, nodes: &mut Vec<Node>) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}
