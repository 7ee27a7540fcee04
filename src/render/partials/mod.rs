//! The Handlebars partials: loading them, refusing what could let a value break out of its place, rendering one.

mod bounds;
mod embedded;
mod helpers;
mod lint;
mod prepared;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use handlebars::{Context, Handlebars, RenderContext, RenderError, RenderErrorReason, Renderable, Template};
use serde_json::Value;

pub(super) use self::bounds::Budget;
use self::bounds::{SIZE_LIMIT, Written};
use self::embedded::EMBEDDED;
use self::helpers::{Choice, Each, Json};
use self::trace::Trace;
use super::data::Rows;
use crate::files::{Root, Unopened};
use crate::finding::{Finding, Place, code};
use crate::suggestion::nearest;
use crate::yaml;

/// What the name of a partial's file ends in.
const SUFFIX: &str = ".yaml.hbs";

/// How many files that are wrong are told of, and how many files of the folder are looked at.
const MOST_FINDINGS: usize = 20;
const MOST_FILES: usize = 1_000;

/// A set of partials, one a component kind. Each is compiled when it is first rendered: a spec uses few of them, and to
/// compile all would be most of the time of a check.
#[derive(Debug, Clone)]
pub struct Partials {
    /// How a partial is rendered; it holds no templates, and what a partial may call comes with each rendering.
    helpers: Handlebars<'static>,
    sources: BTreeMap<Cow<'static, str>, PartialSource>,
}

#[derive(Debug, Clone)]
struct PartialSource {
    /// As it is shown in a finding.
    file: String,
    text: Cow<'static, str>,
    compiled: OnceLock<Template>,
    /// Whether it is a project's own.
    of_project: bool,
}

impl PartialSource {
    /// Ready to be rendered.
    fn compiled(&self, name: &str) -> Result<&Template, Finding> {
        if let Some(template) = self.compiled.get() {
            return Ok(template);
        }
        let text = without_comments(&self.text);
        let template = match prepared::prepared(name, &text) {
            Some(template) => template,
            None => lint::parsed(name, &self.file, &text)?,
        };
        Ok(self.compiled.get_or_init(|| template))
    }
}

impl Partials {
    /// The partials of the program itself.
    pub fn embedded() -> &'static Partials {
        static PARTIALS: OnceLock<Partials> = OnceLock::new();
        PARTIALS.get_or_init(|| {
            let mut helpers = Handlebars::new();
            helpers.set_strict_mode(true);
            helpers.register_escape_fn(handlebars::no_escape);
            let source = |&(name, text): &(&'static str, &'static str)| {
                let file = format!("templates/{name}{SUFFIX}");
                (
                    Cow::Borrowed(name),
                    PartialSource { file, text: Cow::Borrowed(text), compiled: OnceLock::new(), of_project: false },
                )
            };
            Partials { helpers, sources: EMBEDDED.iter().map(source).collect() }
        })
    }

    /// The embedded partials with those of a project's `templates/` folder in their places. No such folder means none. The
    /// project's root is what nothing is read outside of.
    ///
    /// # Errors
    /// `R001` for a partial that is not Handlebars, `R002` for a value that could break out of its place, `R006` for a file
    /// whose name is no partial's, `R007` for what cannot be read, `R160` for one beyond the bounds; all of them at once, each
    /// at its line.
    pub fn with_overrides(root: &Root, dir: &Path, from: &Path) -> Result<Partials, Vec<Finding>> {
        let mut partials = Partials::embedded().clone();
        let mut findings = Vec::new();
        // Findings name files as a person in that folder would.
        let shown = |file: &Path| file.strip_prefix(from).unwrap_or(file).to_owned();
        let entries = match root.resolve(dir) {
            Ok(real) => std::fs::read_dir(real).map_err(|error| vec![unreadable(&shown(dir), &error.into())])?,
            Err(Unopened::Missing) if !dir.is_symlink() => return Ok(partials),
            Err(why) => return Err(vec![unreadable(&shown(dir), &why)]),
        };
        let mut names: Vec<String> = entries
            .take(MOST_FILES)
            .filter_map(Result::ok)
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(SUFFIX)?.to_owned()))
            .collect();
        names.sort();
        for name in names {
            let file = dir.join(format!("{name}{SUFFIX}"));
            if findings.len() >= MOST_FINDINGS {
                break;
            }
            let Some(original) = partials.sources.get(name.as_str()) else {
                findings.push(unknown_partial(&shown(&file), &name, partials.names()));
                continue;
            };
            let named = shown(&file);
            match read(root, &file, &named) {
                // A copy that nobody has changed is as good as the original, which need not be looked at again.
                Ok(text) if text == original.text => {}
                Ok(text) => match lint::compiled(&name, &named.display().to_string(), &text) {
                    Ok(template) => {
                        let source = PartialSource {
                            file: named.display().to_string(),
                            text: Cow::Owned(text),
                            compiled: OnceLock::from(template),
                            of_project: true,
                        };
                        partials.sources.insert(Cow::Owned(name), source);
                    }
                    Err(mut wrong) => findings.append(&mut wrong),
                },
                Err(finding) => findings.push(finding),
            }
        }
        if findings.is_empty() { Ok(partials) } else { Err(findings) }
    }

    /// The names of all partials, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(AsRef::as_ref)
    }

    /// The text of a partial, to start a project's own from.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(|source| source.text.as_ref())
    }

    /// Renders a partial and reads the YAML it gives; what that takes comes off a budget. With it comes which parts of it
    /// are from which places of the spec, JSON pointers of both, as the rows of the data say it.
    pub(super) fn render(
        &self,
        name: &str,
        data: Value,
        rows: &Rows,
        budget: &Budget,
    ) -> Result<(Value, BTreeMap<String, String>), Finding> {
        let trace = Trace::new(rows);
        let data = Context::from(data);
        let text = self.text(name, &data, budget, &trace)?;
        match yaml::parse_cloudformation(&text) {
            Ok(document) => {
                let mut found = trace.found(&text, &document.positions);
                if self.sources.get(name).is_some_and(|source| source.of_project) {
                    as_embedded(name, &data, rows, &document.value, &mut found);
                }
                Ok((document.value, found))
            }
            Err(error) => {
                let line = self.line_in_partial(name, &data, error.line, budget).unwrap_or(1);
                Err(Finding::error(
                    code::R004,
                    format!("what the partial `{name}` renders to is not YAML: {}", error.message),
                )
                .at(self.place(name, line, if line == 1 { 1 } else { error.column.max(1) }))
                .help("check the indentation and the quotes around that line; values go in as `{{json value}}`, without quotes"))
            }
        }
    }

    fn text(&self, name: &str, data: &Context, budget: &Budget, trace: &Trace<'_>) -> Result<String, Finding> {
        let Some(source) = self.sources.get(name) else {
            return Err(Finding::error(code::R003, format!("there is no partial `{name}`"))
                .help("this is a fault of Bedplate itself; please report it"));
        };
        let failed = |error| self.render_failed(name, &error);
        if source.of_project {
            let template = source.compiled(name)?;
            return self.written(template, data, budget, trace).map_err(failed);
        }
        let before = budget.spent();
        match source.compiled(name).map(|template| self.written(template, data, budget, trace)) {
            Ok(Ok(text)) => Ok(text),
            // Where it fails is known to Handlebars alone.
            _ => {
                let template = lint::parsed(name, &source.file, &without_comments(&source.text))?;
                self.written(&template, data, &before, trace).map_err(failed)
            }
        }
    }

    /// What a template gives, within the bounds.
    fn written(
        &self,
        template: &Template,
        data: &Context,
        budget: &Budget,
        trace: &Trace<'_>,
    ) -> Result<String, RenderError> {
        let mut out = Written::within(budget, trace);
        let mut render = RenderContext::new(template.name.as_ref());
        render.register_local_helper("json", Box::new(Json { trace }));
        render.register_local_helper("if", Box::new(Choice { when: true, trace }));
        render.register_local_helper("unless", Box::new(Choice { when: false, trace }));
        render.register_local_helper("each", Box::new(Each { budget, trace }));
        template.render(&self.helpers, data, &mut render, &mut out)?;
        Ok(out.into_text())
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
            RenderErrorReason::IOError(error) => error.to_string(),
            RenderErrorReason::MissingVariable(None) => "it is given no value of that name".to_owned(),
            other => other.to_string(),
        };
        Finding::error(code::R003, format!("the partial `{name}` cannot be rendered: {reason}"))
            .at(self.place(name, line, column))
            .help("the comment at the head of the embedded partial lists the values it is given")
    }

    /// The line of the partial that a line of its output came from: the partial is rendered once more with every line
    /// carrying its number.
    fn line_in_partial(&self, name: &str, data: &Context, line: usize, budget: &Budget) -> Option<usize> {
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
        let (nowhere, template) = (Rows::new(), Template::compile(&numbered).ok()?);
        let text = self.written(&template, data, budget, &Trace::new(&nowhere)).ok()?;
        // YAML may notice only after the last line, and a value cannot hold a line end: the nearest numbered line is it.
        let upto: Vec<&str> = text.lines().take(line).collect();
        upto.iter().rev().find_map(|line| line.strip_prefix('\u{e000}')?.split_once('\u{e001}')?.0.parse().ok())
    }
}

/// Adds where the parts of what a project's partial gives come from that it writes itself: from where the program's own
/// partial takes them, since that is the key whose value is not used.
fn as_embedded(name: &str, data: &Context, rows: &Rows, value: &Value, found: &mut BTreeMap<String, String>) {
    let Ok((_, embedded)) = Partials::embedded().render(name, data.data().clone(), rows, &Budget::default()) else {
        return;
    };
    for (part, place) in embedded {
        let above = std::iter::successors(Some(part.as_str()), |part| Some(part.rsplit_once('/')?.0));
        let below = format!("{part}/");
        let is_below = found.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below));
        let known = is_below || above.into_iter().any(|part| found.contains_key(part));
        if !known && value.pointer(&part).is_some() {
            found.insert(part, place);
        }
    }
}

/// One of the program's own partials with its comments as empty lines, so that places stay the same: half of a partial are
/// comments, and what it renders to is read as YAML.
fn without_comments(text: &str) -> String {
    let is_comment = |line: &str| line.trim_start().starts_with('#') && !line.contains("{{");
    text.split_inclusive('\n').map(|line| if is_comment(line) { "\n" } else { line }).collect()
}

fn read(root: &Root, file: &Path, named: &Path) -> Result<String, Finding> {
    let bytes = root.read(file, SIZE_LIMIT).map_err(|why| unreadable(named, &why))?;
    String::from_utf8(bytes).map_err(|_| not_read(named, "it is not UTF-8 text"))
}

fn unreadable(path: &Path, why: &Unopened) -> Finding {
    not_read(path, &why.to_string())
}

fn not_read(path: &Path, why: &str) -> Finding {
    Finding::error(code::R007, format!("`{}` is not read: {why}", path.display()))
        .help("make it a UTF-8 file of the project, or remove it to use the embedded partial")
}

fn unknown_partial<'a>(file: &Path, name: &str, known: impl Iterator<Item = &'a str>) -> Finding {
    let known: Vec<&str> = known.collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}{SUFFIX}`?"),
        None => {
            format!("the partials are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    Finding::error(code::R006, format!("there is no embedded partial `{name}` to replace"))
        .at(Some(Place { file: file.display().to_string(), line: 1, column: 1 }))
        .help(help)
}
