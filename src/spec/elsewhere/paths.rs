//! The local paths in a template: found by the table of properties that may hold one, and looked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{ElsewhereTemplate, Include, LocalFile, LocalPath, MOST_BYTES, MOST_TEMPLATES, PathProblem, Reading};
use crate::facts::{AddressForm, PackagedProperty, packaged_properties};
use crate::files::Unopened;
use crate::finding::{Finding, Place, code};
use crate::spec::words::{cut, escape};
use crate::yaml::{self, Document};

/// The largest template or snippet, in bytes.
const LARGEST: u64 = 1 << 20;

/// How deep templates nest, and how many paths of one are looked for.
const DEPTH: usize = 8;
const MOST_PATHS: usize = 1_000;

/// A template by its text, which lies in a folder.
pub(in crate::spec) fn read(text: &str, file: String, folder: &Path, reading: &mut Reading<'_>) -> ElsewhereTemplate {
    read_at(text, file, folder, reading, 0)
}

pub(super) fn read_at(
    text: &str,
    file: String,
    folder: &Path,
    reading: &mut Reading<'_>,
    depth: usize,
) -> ElsewhereTemplate {
    reading.templates += 1;
    reading.bytes = reading.bytes.saturating_add(text.len());
    let document = yaml::parse_cloudformation(text).map_err(|error| {
        let place = Place { file: file.clone(), line: error.line, column: error.column };
        let message = format!("it is neither JSON nor YAML: {}", error.message);
        Finding::error(code::R143, message).at(Some(place)).help("correct it at that line")
    });
    let mut template = ElsewhereTemplate {
        file,
        document,
        paths: Vec::new(),
        includes: Vec::new(),
        assets: Vec::new(),
        assembled: false,
    };
    let Ok(Document { value, .. }) = &template.document else { return template };
    let shown = template.file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let mut walk = PathWalk { folder, shown, reading, depth, paths: Vec::new(), includes: Vec::new() };
    walk.resources(value);
    walk.transforms(value, "", 0);
    (template.paths, template.includes) = (walk.paths, walk.includes);
    template
}

struct PathWalk<'w, 'r> {
    folder: &'w Path,
    /// The folder as findings name it, with a slash at its end.
    shown: String,
    reading: &'w mut Reading<'r>,
    depth: usize,
    paths: Vec<LocalPath>,
    includes: Vec<Include>,
}

impl PathWalk<'_, '_> {
    fn resources(&mut self, template: &Value) {
        for (logical_id, resource) in template.get("Resources").and_then(Value::as_object).into_iter().flatten() {
            let Some(type_) = resource.get("Type").and_then(Value::as_str) else { continue };
            for property in packaged_properties().of(type_) {
                let way = format!("/Properties/{}", property.property.replace('.', "/"));
                let Some(path) = resource.pointer(&way).and_then(Value::as_str).filter(|path| is_local(path)) else {
                    continue;
                };
                if self.paths.len() >= MOST_PATHS {
                    return;
                }
                let leads_to = self.look(path, property);
                let pointer = format!("/Resources/{}{way}", escape(logical_id));
                self.paths.push(LocalPath { logical_id: logical_id.clone(), pointer, property, leads_to });
            }
        }
    }

    /// What a path leads to.
    fn look(&mut self, path: &str, property: &PackagedProperty) -> Result<LocalFile, PathProblem> {
        let real = self.resolve(path)?;
        let shown = format!("{}{path}", self.shown);
        if property.form == AddressForm::Template {
            let text = self.text(path, &real)?;
            if self.depth >= DEPTH || self.reading.templates >= MOST_TEMPLATES {
                let message = format!(
                    "`{}` nests more than {DEPTH} templates deep, or more than {MOST_TEMPLATES} in all",
                    cut(path)
                );
                return Err(PathProblem::new(code::T292, message, "look whether one of them names itself"));
            }
            let folder = real.parent().unwrap_or(&real).to_owned();
            return Ok(LocalFile::Template(Arc::new(read_at(&text, shown, &folder, self.reading, self.depth + 1))));
        }
        if real.is_dir() {
            return Ok(LocalFile::Folder(real, path.to_owned()));
        }
        let mut start = [0; 4];
        let read = self.reading.root.open(&real).map(|mut file| std::io::Read::read(&mut file, &mut start));
        read.map_err(|why| problem(path, &why))?.map_err(|error| problem(path, &error.into()))?;
        Ok(if property.zip && start != *b"PK\x03\x04" {
            LocalFile::Zipped(real, path.to_owned())
        } else {
            LocalFile::File(real, path.to_owned())
        })
    }

    fn resolve(&self, path: &str) -> Result<PathBuf, PathProblem> {
        if Path::new(path).is_absolute() {
            return Err(problem(path, &Unopened::Outside));
        }
        self.reading.resolve(&self.folder.join(path)).map_err(|why| problem(path, &why))
    }

    fn text(&mut self, path: &str, real: &Path) -> Result<String, PathProblem> {
        let bytes = self.reading.root.read(real, LARGEST).map_err(|why| problem(path, &why))?;
        self.reading.bytes = self.reading.bytes.saturating_add(bytes.len());
        if self.reading.bytes > MOST_BYTES {
            let message =
                format!("the templates that the spec leads to have more than {} MiB together", MOST_BYTES >> 20);
            return Err(PathProblem::new(code::T292, message, "divide the use case"));
        }
        String::from_utf8(bytes)
            .map_err(|_| PathProblem::new(code::T292, format!("`{}` is not UTF-8 text", cut(path)), "save it as UTF-8"))
    }

    /// Snippets that `AWS::Include` puts in from local files.
    fn transforms(&mut self, value: &Value, pointer: &str, depth: usize) {
        if depth > yaml::MAX_DEPTH || self.includes.len() >= MOST_PATHS {
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.transforms(item, &format!("{pointer}/{index}"), depth + 1);
                }
            }
            Value::Object(map) => {
                let transform = map.get("Fn::Transform");
                let is_include = |it: &&Value| it.get("Name").and_then(Value::as_str) == Some("AWS::Include");
                let location = transform.filter(is_include).and_then(|it| it.pointer("/Parameters/Location")?.as_str());
                if let Some(path) = location.filter(|path| is_local(path)) {
                    let content = self.snippet(path);
                    self.includes.push(Include { pointer: pointer.to_owned(), content });
                }
                for (key, item) in map {
                    self.transforms(item, &format!("{pointer}/{}", escape(key)), depth + 1);
                }
            }
            _ => {}
        }
    }

    fn snippet(&mut self, path: &str) -> Result<Map<String, Value>, PathProblem> {
        let real = self.resolve(path)?;
        let text = self.text(path, &real)?;
        match yaml::parse_cloudformation(&text) {
            Ok(Document { value: Value::Object(map), .. }) => Ok(map),
            Ok(_) => {
                let message = format!("`{}` is not a mapping that could become part of a template", cut(path));
                Err(PathProblem::new(code::T292, message, "write what it holds as `key: value`"))
            }
            Err(error) => {
                let message =
                    format!("`{}` is neither JSON nor YAML: {} at line {}", cut(path), error.message, error.line);
                Err(PathProblem::new(code::T292, message, "correct it at that line"))
            }
        }
    }
}

/// Whether a text is a path, and not an address or a reference.
fn is_local(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains("://") && !text.contains("{{resolve:") && !text.contains('\0')
}

/// Why something local is not read.
pub(super) fn problem(path: &str, why: &Unopened) -> PathProblem {
    let shown = cut(path);
    match why {
        Unopened::Missing => PathProblem::new(
            code::T291,
            format!("there is no file or folder `{shown}` beside the template"),
            "what a template names by a path is packaged: correct the path, or write the address in S3",
        ),
        Unopened::Outside => PathProblem::new(
            code::T292,
            format!("`{shown}` lies outside the project, of which nothing is packaged"),
            "copy it beside the template",
        ),
        why => PathProblem::new(code::T292, format!("`{shown}` is not packaged: {why}"), "check it"),
    }
}
