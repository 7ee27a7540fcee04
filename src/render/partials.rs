//! The Handlebars partials: loading them, refusing what could let a value break out of its place, rendering one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable,
};
use serde_json::Value;

use super::encode;
use crate::finding::{Finding, Place};
use crate::yaml;

/// The partials of the program itself, by name. A project's `templates/NAME.yaml.hbs` takes the place of one.
const EMBEDDED: &[(&str, &str)] = &[
    ("agent", include_str!("../../templates/agent.yaml.hbs")),
    ("agent-tool", include_str!("../../templates/agent-tool.yaml.hbs")),
    ("alarm", include_str!("../../templates/alarm.yaml.hbs")),
    ("api-account", include_str!("../../templates/api-account.yaml.hbs")),
    ("api-logs", include_str!("../../templates/api-logs.yaml.hbs")),
    ("bucket", include_str!("../../templates/bucket.yaml.hbs")),
    ("data-source", include_str!("../../templates/data-source.yaml.hbs")),
    ("flow", include_str!("../../templates/flow.yaml.hbs")),
    ("flow-version", include_str!("../../templates/flow-version.yaml.hbs")),
    ("function", include_str!("../../templates/function.yaml.hbs")),
    ("function-alias", include_str!("../../templates/function-alias.yaml.hbs")),
    ("function-dead-letter", include_str!("../../templates/function-dead-letter.yaml.hbs")),
    ("function-guard", include_str!("../../templates/function-guard.yaml.hbs")),
    ("function-url", include_str!("../../templates/function-url.yaml.hbs")),
    ("gateway", include_str!("../../templates/gateway.yaml.hbs")),
    ("gateway-knowledge-base", include_str!("../../templates/gateway-knowledge-base.yaml.hbs")),
    ("gateway-tool", include_str!("../../templates/gateway-tool.yaml.hbs")),
    ("guardrail", include_str!("../../templates/guardrail.yaml.hbs")),
    ("guardrail-version", include_str!("../../templates/guardrail-version.yaml.hbs")),
    ("harness", include_str!("../../templates/harness.yaml.hbs")),
    ("http-api", include_str!("../../templates/http-api.yaml.hbs")),
    ("http-route", include_str!("../../templates/http-route.yaml.hbs")),
    ("knowledge-base", include_str!("../../templates/knowledge-base.yaml.hbs")),
    ("layer", include_str!("../../templates/layer.yaml.hbs")),
    ("model-profile", include_str!("../../templates/model-profile.yaml.hbs")),
    ("need", include_str!("../../templates/need.yaml.hbs")),
    ("neptune-analytics-store", include_str!("../../templates/neptune-analytics-store.yaml.hbs")),
    ("network", include_str!("../../templates/network.yaml.hbs")),
    ("network-endpoint", include_str!("../../templates/network-endpoint.yaml.hbs")),
    ("opensearch-serverless-store", include_str!("../../templates/opensearch-serverless-store.yaml.hbs")),
    ("prompt", include_str!("../../templates/prompt.yaml.hbs")),
    ("prompt-version", include_str!("../../templates/prompt-version.yaml.hbs")),
    ("resource", include_str!("../../templates/resource.yaml.hbs")),
    ("rest-api", include_str!("../../templates/rest-api.yaml.hbs")),
    ("rest-api-key", include_str!("../../templates/rest-api-key.yaml.hbs")),
    ("rest-authorizer", include_str!("../../templates/rest-authorizer.yaml.hbs")),
    ("rest-aws", include_str!("../../templates/rest-aws.yaml.hbs")),
    ("rest-cors", include_str!("../../templates/rest-cors.yaml.hbs")),
    ("rest-cors-errors", include_str!("../../templates/rest-cors-errors.yaml.hbs")),
    ("rest-domain", include_str!("../../templates/rest-domain.yaml.hbs")),
    ("rest-http", include_str!("../../templates/rest-http.yaml.hbs")),
    ("rest-mock", include_str!("../../templates/rest-mock.yaml.hbs")),
    ("rest-model", include_str!("../../templates/rest-model.yaml.hbs")),
    ("rest-resource", include_str!("../../templates/rest-resource.yaml.hbs")),
    ("rest-route", include_str!("../../templates/rest-route.yaml.hbs")),
    ("rest-stage", include_str!("../../templates/rest-stage.yaml.hbs")),
    ("rest-usage-plan", include_str!("../../templates/rest-usage-plan.yaml.hbs")),
    ("rest-validator", include_str!("../../templates/rest-validator.yaml.hbs")),
    ("role", include_str!("../../templates/role.yaml.hbs")),
    ("s3-vectors-store", include_str!("../../templates/s3-vectors-store.yaml.hbs")),
    ("secret", include_str!("../../templates/secret.yaml.hbs")),
    ("stack", include_str!("../../templates/stack.yaml.hbs")),
    ("table", include_str!("../../templates/table.yaml.hbs")),
    ("user-pool", include_str!("../../templates/user-pool.yaml.hbs")),
    ("user-pool-client", include_str!("../../templates/user-pool-client.yaml.hbs")),
    ("v2-authorizer", include_str!("../../templates/v2-authorizer.yaml.hbs")),
    ("v2-domain", include_str!("../../templates/v2-domain.yaml.hbs")),
    ("v2-stage", include_str!("../../templates/v2-stage.yaml.hbs")),
    ("websocket-api", include_str!("../../templates/websocket-api.yaml.hbs")),
    ("websocket-route", include_str!("../../templates/websocket-route.yaml.hbs")),
];

/// What the name of a partial's file ends in.
const SUFFIX: &str = ".yaml.hbs";

/// The largest partial read; far beyond any sensible one, and small enough to hold.
const SIZE_LIMIT: u64 = 1 << 20;

/// A set of compiled partials, one a component kind.
#[derive(Debug, Clone)]
pub struct Partials {
    registry: Handlebars<'static>,
    sources: BTreeMap<String, Source>,
}

#[derive(Debug, Clone)]
struct Source {
    /// As it is shown in a finding.
    file: String,
    text: String,
}

impl Partials {
    /// The partials of the program itself, compiled once.
    pub fn embedded() -> &'static Partials {
        static PARTIALS: OnceLock<Partials> = OnceLock::new();
        PARTIALS.get_or_init(|| {
            let mut partials = Partials::empty();
            for &(name, text) in EMBEDDED {
                // A unit test loads each of these and fails on any finding.
                let _ = partials.add(name, format!("templates/{name}{SUFFIX}"), text.to_owned());
            }
            partials
        })
    }

    /// The embedded partials with those of a project's `templates/` folder in their places. No such folder means none.
    ///
    /// # Errors
    /// `R001` for a partial that is not Handlebars, `R002` for a value that could break out of its place, `R006` for a file
    /// whose name is no partial's, `R007` for what cannot be read; all of them at once, each at its line.
    pub fn with_overrides(dir: &Path) -> Result<Partials, Vec<Finding>> {
        let mut partials = Partials::embedded().clone();
        let mut findings = Vec::new();
        let mut files: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(partials),
            Err(error) => return Err(vec![unreadable(dir, &error.to_string())]),
        };
        files.sort();
        for file in files {
            let Some(name) = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX))
            else {
                continue;
            };
            if !partials.sources.contains_key(name) {
                findings.push(unknown_partial(&file, name, partials.sources.keys()));
                continue;
            }
            match read(&file) {
                Ok(text) => {
                    if let Err(mut wrong) = partials.add(name, file.display().to_string(), text) {
                        findings.append(&mut wrong);
                    }
                }
                Err(reason) => findings.push(unreadable(&file, &reason)),
            }
        }
        if findings.is_empty() { Ok(partials) } else { Err(findings) }
    }

    /// The names of all partials, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The text of a partial, to start a project's own from.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(|source| source.text.as_str())
    }

    fn empty() -> Self {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        registry.register_helper("json", Box::new(Json));
        registry.register_helper("if", Box::new(Choice { when: true }));
        registry.register_helper("unless", Box::new(Choice { when: false }));
        Self { registry, sources: BTreeMap::new() }
    }

    fn add(&mut self, name: &str, file: String, text: String) -> Result<(), Vec<Finding>> {
        let template = Template::compile_with_name(&text, name.to_owned()).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            vec![
                Finding::error("R001", format!("the partial `{name}` is not Handlebars: {}", error.reason()))
                    .at(Some(Place { file: file.clone(), line, column }))
                    .help("compare it with the partial it takes the place of; docs/partials.md shows what a partial may say"),
            ]
        })?;
        let mut lint = Lint { name, file: &file, text: &text, findings: Vec::new() };
        lint.template(&template);
        if !lint.findings.is_empty() {
            return Err(lint.findings);
        }
        self.registry.register_template(name, template);
        self.sources.insert(name.to_owned(), Source { file, text });
        Ok(())
    }

    /// Renders a partial and reads the YAML it gives.
    pub(super) fn render(&self, name: &str, data: &Value) -> Result<Value, Finding> {
        let text = self.registry.render(name, data).map_err(|error| self.render_failed(name, &error))?;
        match yaml::parse_cloudformation(&text) {
            Ok(document) => Ok(document.value),
            Err(error) => {
                let line = self.line_in_partial(name, data, error.line).unwrap_or(1);
                Err(Finding::error(
                    "R004",
                    format!("what the partial `{name}` renders to is not YAML: {}", error.message),
                )
                .at(self.place(name, line, if line == 1 { 1 } else { error.column.max(1) }))
                .help("check the indentation and the quotes around that line; values go in as `{{json value}}`, without quotes"))
            }
        }
    }

    /// A place in a partial's file.
    pub(super) fn place(&self, name: &str, line: usize, column: usize) -> Option<Place> {
        self.sources.get(name).map(|source| Place { file: source.file.clone(), line, column })
    }

    fn render_failed(&self, name: &str, error: &RenderError) -> Finding {
        let (line, column) = (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
        let reason = match error.reason() {
            RenderErrorReason::MissingVariable(Some(path)) => {
                format!("it is given no value named `{path}`")
            }
            RenderErrorReason::MissingVariable(None) => "it is given no value of that name".to_owned(),
            other => other.to_string(),
        };
        Finding::error("R003", format!("the partial `{name}` cannot be rendered: {reason}"))
            .at(self.place(name, line, column))
            .help("the comment at the head of the embedded partial lists the values it is given")
    }

    /// The line of the partial that a line of its output came from: the partial is rendered once more with every line
    /// carrying its number.
    fn line_in_partial(&self, name: &str, data: &Value, line: usize) -> Option<usize> {
        let source = self.sources.get(name)?;
        let mut numbered = String::new();
        for (index, text) in source.text.split_inclusive('\n').enumerate() {
            let start = text.trim_start();
            // A line holding nothing but a block tag leaves no line behind, and must stay alone to do so.
            if !["{{#", "{{/", "{{else", "{{!", "{{^"].iter().any(|tag| start.starts_with(tag)) {
                numbered.push_str(&format!("\u{e000}{}\u{e001}", index + 1));
            }
            numbered.push_str(text);
        }
        let text = self.registry.render_template(&numbered, data).ok()?;
        // YAML may notice only after the last line, and a value cannot hold a line end: the nearest numbered line is it.
        let upto: Vec<&str> = text.lines().take(line).collect();
        upto.iter().rev().find_map(|line| line.strip_prefix('\u{e000}')?.split_once('\u{e001}')?.0.parse().ok())
    }
}

/// `{{json value}}`.
struct Json;

impl HelperDef for Json {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("json", 0))?;
        if value.is_value_missing() {
            return Err(RenderErrorReason::MissingVariable(value.relative_path().cloned()).into());
        }
        out.write(&encode::json(value.value()))?;
        Ok(())
    }
}

/// `{{#if value}}` and `{{#unless value}}`, which in strict mode must not take a misspelt name for false.
struct Choice {
    when: bool,
}

impl HelperDef for Choice {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if value.is_value_missing() {
            return Err(RenderErrorReason::MissingVariable(value.relative_path().cloned()).into());
        }
        let branch = if value.value().is_truthy(false) == self.when { helper.template() } else { helper.inverse() };
        branch.map_or(Ok(()), |template| template.render(registry, context, render, out))
    }
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
            Finding::error("R002", message).at(Some(Place { file: self.file.to_owned(), line, column })).help(help),
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

fn read(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > SIZE_LIMIT {
        return Err(format!("it is {size} bytes, and a partial may have {SIZE_LIMIT}"));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}

fn unreadable(path: &Path, reason: &str) -> Finding {
    Finding::error("R007", format!("`{}` cannot be read: {reason}", path.display()))
        .help("make it a readable UTF-8 file, or take it away to use the embedded partial")
}

fn unknown_partial<'a>(file: &Path, name: &str, known: impl Iterator<Item = &'a String>) -> Finding {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, name), *candidate))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    let help = match nearest {
        Some((_, nearest)) => format!("did you mean `{nearest}{SUFFIX}`?"),
        None => {
            format!("the partials are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    Finding::error("R006", format!("there is no partial `{name}` to take the place of"))
        .at(Some(Place { file: file.display().to_string(), line: 1, column: 1 }))
        .help(help)
}
