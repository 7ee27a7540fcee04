//! The templates that judges look at: every use case under `stacks/`, and every example of the documentation.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::{Finding, has_errors};
use bedplate::render::{Partials, RenderOptions, Rendered, render};
use bedplate::spec::{self, LoadedSpec};
use serde_json::{Value, json};

use crate::support::{program, repository};

/// Where a use case that names no region is judged.
pub const REGION: &str = "us-west-2";

/// The day on which models and runtimes must still be there: that of the facts.
pub const TODAY: &str = "2026-11-22";

/// A template as a file.
pub struct TemplateFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it comes from, such as `stacks/movie-poster/usecase.yaml` or `docs/language.md:22`.
    pub origin: String,
    /// The region it is for.
    pub region: String,
    /// Whether it is a template made elsewhere, whose style is not ours to judge.
    pub made_elsewhere: bool,
}

impl TemplateFile {
    fn of(loaded: &LoadedSpec, path: PathBuf, origin: String) -> Self {
        let region = loaded.spec.region.clone().unwrap_or_else(|| REGION.to_owned());
        Self { path, origin, region, made_elsewhere: loaded.document.get("template").is_some() }
    }
}

/// The use cases under `stacks/`, in the order of their folders.
pub fn use_cases() -> Vec<LoadedSpec> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(repository().join("stacks"))
        .expect("stacks")
        .map(|it| it.expect("an entry").path())
        .collect();
    folders.sort();
    folders
        .iter()
        .map(|folder| folder.join("usecase.yaml"))
        .filter(|path| path.is_file())
        .map(|path| {
            let shown = path.strip_prefix(repository()).expect("below the repository").to_string_lossy().into_owned();
            spec::load(&path, &shown).unwrap_or_else(|findings| panic!("{shown}: {findings:#?}"))
        })
        .collect()
}

/// A use case's template, rendered in this process.
pub fn rendered(loaded: &LoadedSpec) -> Rendered {
    render(loaded, &RenderOptions { stage: "dev", region: None }, Partials::embedded())
        .unwrap_or_else(|findings| panic!("{}: {findings:#?}", loaded.spec.name))
}

/// What `bedplate render --out` writes for every use case under `stacks/`, in one run.
pub fn stacks(out: &Path) -> Vec<TemplateFile> {
    let run = Command::new(program())
        .args(["render", "--quiet", "--out"])
        .arg(out)
        .current_dir(repository())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    use_cases()
        .iter()
        .map(|loaded| {
            let path = out.join(format!("{}-dev.template.yaml", loaded.spec.name));
            TemplateFile::of(loaded, path, loaded.file.clone())
        })
        .collect()
}

/// The templates of all use cases and, as far as they load, of all examples of the documentation, in files below a folder.
pub fn all(out: &Path) -> Vec<TemplateFile> {
    let mut templates = stacks(&out.join("stacks"));
    for (number, example) in examples().iter().enumerate() {
        // One that does not load fails in docs_examples.
        templates.extend(example.template(&out.join(format!("example-{number}"))));
    }
    templates
}

/// The list of templates as the Python judges take it.
pub fn manifest(templates: &[TemplateFile]) -> Value {
    templates.iter().map(|it| json!({ "path": it.path, "origin": it.origin, "region": it.region })).collect()
}

/// A whole spec in a page of the documentation.
pub struct Example {
    /// The page, such as `docs/components/buckets.md`.
    pub page: String,
    /// The line of the page that the spec begins at, counted from 1.
    pub line: usize,
    /// The spec.
    pub text: String,
    /// Files beside it: path → content. Code folders are made from the spec itself.
    pub files: Vec<(String, String)>,
}

/// Every fenced `yaml` block below `docs/` that begins with `bedplate: 1`.
///
/// Files that the spec needs besides code stand in a comment before the block, which a reader of the page does not see:
///
/// ```text
/// <!-- files: { documents/leave.md: Thirty days a year. } -->
/// ```
pub fn examples() -> Vec<Example> {
    let mut pages = Vec::new();
    for folder in ["docs", "docs/components"] {
        let entries = std::fs::read_dir(repository().join(folder)).expect("a folder of pages");
        pages.extend(
            entries
                .map(|entry| format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy()))
                .filter(|page| page.ends_with(".md")),
        );
    }
    pages.sort();
    pages
        .iter()
        .flat_map(|page| examples_in(page, &std::fs::read_to_string(repository().join(page)).expect("a page")))
        .collect()
}

/// The examples in the text of a page.
pub fn examples_in(page: &str, text: &str) -> Vec<Example> {
    let fence = regex::Regex::new(
        r"(?m)(?:^<!--\s*(?P<files>files:(?s:.*?))-->\s*)?^```yaml\n(?P<spec>bedplate: 1\b(?s:.*?)\n)```$",
    )
    .expect("a pattern");
    fence
        .captures_iter(text)
        .map(|found| {
            let spec = found.name("spec").expect("always there");
            let line = text[..spec.start()].lines().count() + 1;
            let files = found.name("files").map_or_else(Vec::new, |files| {
                let files =
                    bedplate::yaml::parse(files.as_str()).unwrap_or_else(|e| panic!("{page}:{line}: {e}")).value;
                let files =
                    files["files"].as_object().unwrap_or_else(|| panic!("{page}:{line}: path → content")).clone();
                files
                    .into_iter()
                    .map(|(path, content)| (path, content.as_str().expect("a file's content is text").to_owned()))
                    .collect()
            });
            Example { page: page.to_owned(), line, text: spec.as_str().to_owned(), files }
        })
        .collect()
}

impl Example {
    /// The example's template, as a file in a folder made for it.
    ///
    /// # Errors
    /// What keeps the spec from loading, passing the check and rendering, each with its line of the page.
    pub fn template(&self, folder: &Path) -> Result<TemplateFile, String> {
        let told = |findings: Vec<Finding>| self.told(&findings);
        let loaded = self.load(folder).map_err(told)?;
        let options = RenderOptions { stage: "dev", region: None };
        let rendered = render(&loaded, &options, Partials::embedded()).map_err(told)?;
        let today = Day::parse(TODAY).expect("a day");
        let findings = check(&loaded, &rendered, &CheckOptions { today, region: None });
        if has_errors(&findings) {
            return Err(self.told(&findings));
        }
        let path = folder.join("template.yaml");
        std::fs::write(&path, rendered.template.to_yaml()).expect("a file");
        Ok(TemplateFile::of(&loaded, path, format!("{}:{}", self.page, self.line)))
    }

    /// Loads the spec in a folder made for it, with the code and files that it names.
    ///
    /// # Errors
    /// What is wrong with it; lines are those of the spec.
    pub fn load(&self, folder: &Path) -> Result<LoadedSpec, Vec<Finding>> {
        for (path, content) in
            self.code().iter().chain(&self.files).chain([&("usecase.yaml".to_owned(), self.text.clone())])
        {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, content).expect("a file");
        }
        spec::load(&folder.join("usecase.yaml"), &self.page)
    }

    fn told(&self, findings: &[Finding]) -> String {
        let line = |finding: &Finding| finding.place.as_ref().map_or(0, |place| place.line) + self.line - 1;
        let told: Vec<String> =
            findings.iter().map(|it| format!("{}:{}: {} {}", self.page, line(it), it.code, it.message)).collect();
        told.join("\n")
    }

    /// The file that each handler names, with its function; none where the spec is not even YAML.
    fn code(&self) -> Vec<(String, String)> {
        let Ok(parsed) = bedplate::yaml::parse(&self.text) else { return Vec::new() };
        let functions = parsed.value["functions"].as_object().cloned().unwrap_or_default();
        let file = |function: &Value| {
            let (module, name) = function["handler"].as_str()?.rsplit_once('.')?;
            let folder = function["code"].as_str()?.trim_end_matches('/');
            let path = format!("{folder}/{}.py", module.replace('.', "/"));
            Some((path, format!("def {name}(event, context):\n    return event\n")))
        };
        functions.values().filter_map(file).collect()
    }
}
