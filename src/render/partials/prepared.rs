//! Reads the program's own partials into the elements that Handlebars renders. Its parser counts its way from the first
//! character to each tag, at every start; here a tag is one of six forms and is read once. A test compares what the two make
//! of each partial, and what has another form is left to Handlebars.

use std::collections::HashMap;

use handlebars::template::{ExpressionSpecBuilder, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};

/// The elements of a partial, without their places; nothing when something in it is for Handlebars to read.
pub(super) fn prepared(name: &str, text: &str) -> Option<Template> {
    let mut reader = PartialReader { text, at: 0, is_alone: false };
    let (mut template, end) = reader.template()?;
    template.name = Some(name.to_owned());
    matches!(end, TemplateEnd::Text).then_some(template)
}

/// What a template ends at.
enum TemplateEnd<'t> {
    Text,
    Else,
    Block(&'t str),
}

/// A tag, without its braces.
enum PartialTag<'t> {
    Value(&'t str),
    Block(&'t str, &'t str),
    Else,
    End(&'t str),
}

/// The blocks that partials have.
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

struct PartialReader<'t> {
    text: &'t str,
    at: usize,
    /// Whether the last tag stands alone in its line, which then leaves no line behind.
    is_alone: bool,
}

impl<'t> PartialReader<'t> {
    /// Everything up to the tag that ends it, which is read, too.
    fn template(&mut self) -> Option<(Template, TemplateEnd<'t>)> {
        let mut template = Template::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let Some(found) = rest.find("{{") else {
                self.written(&mut template, rest);
                return Some((template, TemplateEnd::Text));
            };
            self.written(&mut template, rest.get(..found)?);
            let start = self.at + found;
            let inside = self.text.get(start + 2..)?;
            let inside = inside.get(..inside.find("}}")?)?;
            self.at = start + 2 + inside.len() + 2;
            if self.text.get(..start)?.ends_with('\\') {
                return None;
            }
            match tag(inside)? {
                PartialTag::Value(value) => {
                    let element = HelperTemplate::new(expression("json", Some(value))?, false, false);
                    template.elements.push(TemplateElement::Expression(Box::new(element)));
                }
                PartialTag::Block(name, value) => {
                    self.stands_alone(&mut template, start);
                    let mut block = HelperTemplate::new(expression(name, Some(value))?, true, self.is_alone);
                    let (inner, mut end) = self.template()?;
                    block.template = Some(inner);
                    if matches!(end, TemplateEnd::Else) {
                        let (inverse, last) = self.template()?;
                        block.inverse = Some(inverse);
                        end = last;
                    }
                    if !matches!(end, TemplateEnd::Block(ended) if ended == name) {
                        return None;
                    }
                    template.elements.push(TemplateElement::HelperBlock(Box::new(block)));
                }
                PartialTag::Else => {
                    self.stands_alone(&mut template, start);
                    return Some((template, TemplateEnd::Else));
                }
                PartialTag::End(name) => {
                    self.stands_alone(&mut template, start);
                    return Some((template, TemplateEnd::Block(name)));
                }
            }
        }
    }

    /// Adds the text between two tags.
    fn written(&mut self, template: &mut Template, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = match std::mem::take(&mut self.is_alone) {
            true => {
                let rest = text.trim_start_matches([' ', '\t']);
                rest.strip_prefix('\n').unwrap_or(rest)
            }
            false => text,
        };
        template.elements.push(TemplateElement::RawString(text.to_owned()));
    }

    /// Notes whether the tag that begins at a byte stands alone in its line, and takes the spaces before it away if so.
    fn stands_alone(&mut self, template: &mut Template, start: usize) {
        let before = self.text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']);
        let after = self.text.get(self.at..).unwrap_or_default();
        let ends = after.is_empty() || after.trim_start_matches([' ', '\t']).starts_with('\n');
        self.is_alone = ends && (before.is_empty() || before.ends_with('\n'));
        if self.is_alone
            && let Some(TemplateElement::RawString(text)) = template.elements.last_mut()
        {
            text.truncate(text.trim_end_matches([' ', '\t']).len());
        }
    }
}

fn tag(inside: &str) -> Option<PartialTag<'_>> {
    if let Some(value) = inside.strip_prefix("json ") {
        return Some(PartialTag::Value(value));
    }
    if inside == "else" {
        return Some(PartialTag::Else);
    }
    if let Some(name) = inside.strip_prefix('/') {
        return BLOCKS.contains(&name).then_some(PartialTag::End(name));
    }
    let (name, value) = inside.strip_prefix('#')?.split_once(' ')?;
    BLOCKS.contains(&name).then_some(PartialTag::Block(name, value))
}

/// What a tag calls, with what it gives it.
fn expression(name: &str, value: Option<&str>) -> Option<handlebars::template::ExpressionSpec> {
    let params = match value {
        Some(value) => vec![Parameter::Path(path(value)?)],
        None => Vec::new(),
    };
    let mut spec = ExpressionSpecBuilder::default();
    spec.name(Parameter::Name(name.to_owned())).params(params).hash(HashMap::new());
    spec.omit_pre_ws(false).omit_pro_ws(false).build().ok()
}

/// A name, or names with dots between them.
fn path(name: &str) -> Option<Path> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    let plain = |c: char| is_letter(c) || c.is_ascii_digit();
    if ["true", "false", "null", "else", "as"].contains(&name) {
        return None;
    }
    if name != "this" && name.starts_with(is_letter) && name.chars().all(plain) {
        return Some(Path::Relative((vec![PathSeg::Named(name.to_owned())], name.to_owned())));
    }
    let dotted = name.strip_prefix("../").unwrap_or(name);
    let is_path = dotted.split('.').all(|part| part.starts_with(is_letter) && part.chars().all(plain));
    if is_path { Path::parse(name).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::EMBEDDED;
    use super::*;

    /// The elements alone: what is read here has no places.
    fn without_places(mut template: Template) -> Template {
        template.mapping.clear();
        for element in &mut template.elements {
            if let TemplateElement::HelperBlock(block) = element {
                for inner in [&mut block.template, &mut block.inverse] {
                    *inner = inner.take().map(without_places);
                }
            }
        }
        template
    }

    #[test]
    fn the_partials_of_the_program_are_read_as_handlebars_reads_them() {
        for (name, text) in EMBEDDED {
            for text in [(*text).to_owned(), super::super::without_comments(text)] {
                let theirs = Template::compile_with_name(&text, (*name).to_owned()).expect("a partial");
                assert_eq!(prepared(name, &text), Some(without_places(theirs)), "{name}");
            }
        }
    }

    #[test]
    fn other_forms_are_left_to_handlebars() {
        for text in [
            "{{name}}",
            "{{{name}}}",
            "{{~json a}}",
            "{{json a b}}",
            "{{json true}}",
            "{{json @key}}",
            "{{json \"a\"}}",
            "{{#if a}}",
            "{{#if a}}{{/each}}",
            "{{/if}}",
            "{{else}}",
            "{{!-- a --}}",
            "\\{{json a}}",
            "{{json [a]}}",
        ] {
            assert_eq!(prepared("a", text), None, "{text}");
        }
    }
}
