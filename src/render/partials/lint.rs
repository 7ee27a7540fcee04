//! Refuses what could let a value break out of its place, and what partials do not have.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};

use crate::finding::{Finding, Place, code};

/// Reads a partial as Handlebars.
///
/// # Errors
/// `R001` at the place where it stops to be.
pub(super) fn parsed(name: &str, file: &str, text: &str) -> Result<Template, Finding> {
    Template::compile_with_name(text, name.to_owned()).map_err(|error| {
        let (line, column) = error.pos().unwrap_or((1, 1));
        Finding::error(code::R001, format!("the partial `{name}` is not Handlebars: {}", error.reason()))
            .at(Some(Place { file: file.to_owned(), line, column }))
            .help("compare it with the partial it takes the place of; docs/partials.md shows what a partial may say")
    })
}

/// Reads a partial and looks through it.
///
/// # Errors
/// `R160` where it is beyond the bounds, `R001`, or an `R002` for each thing that could let a value break out of its place.
pub(super) fn compiled(name: &str, file: &str, text: &str) -> Result<Template, Vec<Finding>> {
    super::bounds::within_bounds(name, file, text).map_err(|finding| vec![finding])?;
    let template = parsed(name, file, text).map_err(|finding| vec![finding])?;
    let mut lint = Lint { name, file, text, findings: Vec::new() };
    lint.template(&template);
    if lint.findings.is_empty() { Ok(template) } else { Err(lint.findings) }
}

/// Looks for values that could break out of their place.
struct Lint<'a> {
    name: &'a str,
    file: &'a str,
    text: &'a str,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn template(&mut self, template: &Template) {
        for (index, element) in template.elements.iter().enumerate() {
            let (line, column) = template.mapping.get(index).map_or((1, 1), |at| (at.0, at.1));
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(expression) => self.expression(expression, line, column),
                TemplateElement::HelperBlock(block) => self.block(block, line, column),
                TemplateElement::HtmlExpression(expression) => {
                    self.bare(&written(&expression.name), "{{{", "}}}", line, column);
                }
                _ => self.refuse(
                    format!("the partial `{}` uses a Handlebars feature that partials do not have", self.name),
                    "write it with `{{json …}}`, `{{#if …}}`, `{{#unless …}}`, `{{#each …}}` and `{{#with …}}`"
                        .to_owned(),
                    line,
                    column,
                ),
            }
        }
    }

    fn expression(&mut self, expression: &HelperTemplate, line: usize, column: usize) {
        if written(&expression.name) != "json" || expression.params.len() != 1 {
            self.bare(&written(&expression.name), "{{", "}}", line, column);
        } else {
            self.neighbours(line, column);
        }
    }

    fn block(&mut self, block: &HelperTemplate, line: usize, column: usize) {
        let name = written(&block.name);
        if !["if", "unless", "each", "with"].contains(&name.as_str()) {
            self.refuse(
                format!("the partial `{}` uses the block `{{{{#{name}}}}}`, which partials do not have", self.name),
                "the blocks are `{{#if …}}`, `{{#unless …}}`, `{{#each …}}` and `{{#with …}}`".to_owned(),
                line,
                column,
            );
        }
        for template in [&block.template, &block.inverse].into_iter().flatten() {
            self.template(template);
        }
    }

    fn bare(&mut self, inside: &str, open: &str, close: &str, line: usize, column: usize) {
        self.refuse(
            format!(
                "the partial `{}` writes `{open}{inside}{close}` as it is, so its value could break out of its place",
                self.name
            ),
            format!("write `{{{{json {inside}}}}}`"),
            line,
            column,
        );
    }

    /// A value must stand where YAML expects one, not inside quotes or running on from other text.
    fn neighbours(&mut self, line: usize, column: usize) {
        let Some(text) = self.text.lines().nth(line.saturating_sub(1)) else { return };
        let chars: Vec<char> = text.chars().collect();
        // The column of the mapping points into the tag, from which its start is searched backwards.
        let upto: String = chars.iter().take(column + 2).collect();
        let start = upto.rfind("{{").unwrap_or(0);
        let before = text.get(..start).unwrap_or_default().trim_end();
        let after =
            text.get(start..).and_then(|rest| rest.split_once("}}")).map_or("", |(_, after)| after).trim_start();
        let opens = opens_a_value(text.get(..start).unwrap_or_default());
        let closes = after.is_empty() || after.starts_with([':', ',', ']', '}', '#']) || after.starts_with("{{");
        let comment = before.trim_start().starts_with('#');
        if !(comment || opens && closes) {
            self.refuse(
                format!("the partial `{}` writes a value inside quotes or other text", self.name),
                "let `{{json …}}` stand alone after `key:`, `-`, `[`, `,` or a tag such as `!Ref`; it brings its own quotes".to_owned(),
                line,
                column,
            );
        }
    }

    fn refuse(&mut self, message: String, help: String, line: usize, column: usize) {
        self.findings.push(
            Finding::error(code::R002, message).at(Some(Place { file: self.file.to_owned(), line, column })).help(help),
        );
    }
}

/// Whether YAML expects a value after this much of a line.
fn opens_a_value(line: &str) -> bool {
    let before = line.trim_end();
    let spaced = before.len() < line.len();
    let last_word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    if last_word.is_empty() || (spaced && last_word.bytes().all(|b| b == b'-')) {
        return true;
    }
    if spaced && last_word.starts_with('!') {
        return before.strip_suffix(last_word).is_some_and(opens_a_value);
    }
    if let Some(inside) = before.strip_suffix(['[', '{']) {
        // What opens the list or mapping must itself stand where a value can.
        return opens_a_value(inside);
    }
    let open = before.matches(['[', '{']).count() > before.matches([']', '}']).count();
    (spaced && before.ends_with(':')) || (open && before.ends_with(','))
}

/// A helper's or variable's name as the partial has it.
fn written(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Name(name) => name.clone(),
        Parameter::Path(handlebars::Path::Relative((_, raw))) => raw.clone(),
        Parameter::Path(handlebars::Path::Local((_, _, raw))) => raw.clone(),
        Parameter::Literal(value) => value.to_string(),
        Parameter::Subexpression(_) => "(…)".to_owned(),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::EMBEDDED;

    /// Only so may comments be left out before it is compiled.
    #[test]
    fn no_partial_of_the_program_has_a_text_that_a_comment_could_be_part_of() {
        for (name, text) in EMBEDDED {
            let depth = |line: &str| line.len() - line.trim_start().len();
            let mut block = None;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                if block.is_some_and(|outer| depth(line) > outer) {
                    assert!(!line.trim_start().starts_with('#'), "{name}: {line:?} may be part of a text");
                } else {
                    let opens = line.trim_end().ends_with(['|', '>'])
                        || line.trim_end().ends_with("|-")
                        || line.trim_end().ends_with(">-");
                    block = opens.then(|| depth(line));
                }
            }
        }
    }

    /// Nothing looks through the program's own partials when it runs.
    #[test]
    fn the_partials_of_the_program_keep_to_the_rules() {
        for (name, text) in EMBEDDED {
            super::compiled(name, name, text).unwrap_or_else(|findings| panic!("{findings:#?}"));
        }
        assert!(super::compiled("a", "a", "Name: {{json name}}").is_ok());
        assert!(super::compiled("a", "a", "Name: {{name}}").is_err(), "the lint is not asleep");
    }
}
