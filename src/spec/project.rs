//! The project around the use cases: `bedplate.yaml`, its stages, and the specs under `stacks/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::decoding::pointer;
use super::forms::{is_account_id, is_region_name, is_stage_name};
use super::lazy_schema::LazySchema;
use super::load::load_within;
use super::loaded::LoadedSpec;
use super::read;
use super::roots::{FILE, SPEC, STACKS, is_there, marked, root_of};
use super::schema::schema_of;
use super::shape::{Codes, compare};
use super::words::{cut, escape, harmless, suggest};
use crate::facts;
use crate::files::{Root, Unopened, plain};
use crate::finding::{Finding, Place, code, has_errors};
use crate::yaml;

// No key of a project file has to be there, so none is ever missing.
const CODES: Codes = Codes { unknown: code::P002, missing: code::P004, kind: code::P004, choice: code::P005 };

/// What `bedplate.yaml` says; an absent file says the same as an empty one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectFile {
    /// The folder that holds the use cases, one folder each; `stacks` unless said.
    #[schemars(example = &"stacks")]
    pub stacks: Option<String>,
    /// Who owns the stacks of this project, as their tag `bedplate:owner` says; whoever deploys, unless said.
    #[schemars(example = &"team-posters")]
    pub owner: Option<String>,
    /// Regions that are newer than this version of the program, which does not know them otherwise.
    #[serde(default)]
    #[schemars(example = &["us-west-3"])]
    pub regions: Vec<String>,
    /// Settings by stage, such as `dev` or `prod`.
    #[serde(default)]
    pub stages: BTreeMap<String, StageSettings>,
}

/// Where a stage is deployed to and with what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageSettings {
    /// Where it goes: `local` unless said.
    pub target: Option<StageTarget>,
    /// The AWS region of every use case whose spec names none; `--region` cannot say another.
    #[schemars(example = &"us-west-2")]
    pub region: Option<String>,
    /// The profile of the AWS configuration files; its credentials are used, also where the environment has keys.
    pub profile: Option<String>,
    /// The twelve digits of the account it must be; in any other, nothing happens. Without it, a person is asked once.
    #[schemars(regex(pattern = "^[0-9]{12}$"), example = &"123456789012")]
    pub account: Option<String>,
    /// The address of another endpoint than AWS's own. One that is not on this machine is asked about, or allowed with
    /// `--allow-endpoint`.
    #[schemars(example = &"http://127.0.0.1:4566")]
    pub endpoint_url: Option<String>,
    /// Who owns the stacks of the stage, where that differs from the project's owner.
    #[schemars(example = &"team-posters")]
    pub owner: Option<String>,
    /// Tags put on every stack of the stage.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Values of the specs' parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// What a deploy that is approved beforehand may do to a stack that exists, as `--allow` says it for one run.
    #[serde(default)]
    #[schemars(example = &["rights"])]
    pub allow: Vec<Allowance>,
    /// Its stacks are not to go by accident: what needs more than a yes wants the stack's name typed, and `destroy` with
    /// `--yes` is refused without `--allow destroy`.
    #[serde(default)]
    pub protected: bool,
}

/// What a yes given beforehand covers only when it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Allowance {
    /// Data is deleted.
    DataLoss,
    /// Something that holds data is replaced by a new, empty one.
    Replacement,
    /// Something may do what it may not do now.
    Rights,
    /// Anyone can reach what they cannot reach now.
    Public,
    /// A stack of a protected stage is deleted.
    Destroy,
}

impl Allowance {
    /// All of them.
    pub const ALL: [Allowance; 5] =
        [Allowance::DataLoss, Allowance::Replacement, Allowance::Rights, Allowance::Public, Allowance::Destroy];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Allowance::DataLoss => "data-loss",
            Allowance::Replacement => "replacement",
            Allowance::Rights => "rights",
            Allowance::Public => "public",
            Allowance::Destroy => "destroy",
        }
    }
}

/// What a stage is deployed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StageTarget {
    /// The endpoint inside the program, on this machine.
    #[default]
    Local,
    /// An AWS account.
    Aws,
}

/// A project: its folder, its settings and its use cases.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds `bedplate.yaml` or `stacks/`, or the folder asked from when there is neither.
    pub root: PathBuf,
    /// What `bedplate.yaml` says.
    pub file: ProjectFile,
    /// What is read of it lies here.
    pub reach: Root,
    /// The folder relative arguments are meant from.
    from: PathBuf,
}

/// A use case of a project that has not been loaded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseCaseFile {
    /// The use case's name as its spec says it; its folder's name when the spec does not say.
    pub name: String,
    /// The spec file.
    pub path: PathBuf,
    /// The spec file as findings name it: relative to the folder asked from where it lies below it.
    pub shown: String,
    /// The root of its project: it and whatever it names lie below.
    reach: Root,
}

impl UseCaseFile {
    /// Loads its spec.
    ///
    /// # Errors
    /// As [`load`](super::load).
    pub fn load(&self) -> Result<LoadedSpec, Vec<Finding>> {
        load_within(&self.reach, &self.path, &self.shown)
    }

    /// The region its spec names. A spec with faults elsewhere, even in its YAML, still says where its stack is.
    ///
    /// # Errors
    /// P070 when what it names is not a region: where its stack is cannot be known then.
    pub fn region(&self) -> Result<Option<String>, Vec<Finding>> {
        let named = read::read(&self.reach, &self.path, "").ok().and_then(|bytes| region_in(yaml::utf8(&bytes).ok()?));
        match named {
            Some((line, region)) if !is_region_name(&region) => Err(vec![
                Finding::error(code::P070, format!("`{}` is not a region", cut(&region)))
                    .at(Some(Place { file: self.shown.clone(), line, column: 1 }))
                    .help("where its stack is cannot be known: write the region as AWS does, such as `us-west-2`"),
            ]),
            named => Ok(named.map(|(_, region)| region)),
        }
    }
}

/// The line and value of a spec's region; of YAML that cannot be parsed, from a line that begins with its key.
fn region_in(text: &str) -> Option<(usize, String)> {
    match yaml::parse(text) {
        Ok(document) => {
            let line = document.positions.at("/region").map_or(1, |(line, _)| line);
            let region = document.value.get("region").filter(|region| !region.is_null())?;
            Some((line, region.as_str().map_or_else(|| region.to_string(), str::to_owned)))
        }
        Err(_) => text.lines().enumerate().find_map(|(index, line)| {
            let value = line.strip_prefix("region:")?.split(" #").next()?.trim();
            Some((index + 1, value.trim_matches(['"', '\'']).to_owned()))
        }),
    }
}

impl Project {
    /// The project around a folder.
    ///
    /// # Errors
    /// Everything wrong with its `bedplate.yaml`.
    pub fn find(from: &Path) -> Result<Self, Vec<Finding>> {
        Self::around(from, from)
    }

    /// The project a run is about: the one around the folder it runs in or, where that is in none, the one around the
    /// spec or folder named. State and settings are the project's, wherever it is worked on from.
    ///
    /// # Errors
    /// As [`Project::find`].
    pub fn open(from: &Path, named: Option<&str>) -> Result<Self, Vec<Finding>> {
        let absolute = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        let path = named.map(|named| plain(&absolute.join(named))).filter(|path| path.exists());
        match path {
            Some(path) if marked(&absolute).is_none_or(|root| !path.starts_with(root)) => {
                let folder = if path.is_dir() { &path } else { path.parent().unwrap_or(&path) };
                Self::around(folder, from)
            }
            _ => Self::find(from),
        }
    }

    fn around(folder: &Path, from: &Path) -> Result<Self, Vec<Finding>> {
        let absolute = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let root = marked(&folder).unwrap_or(&folder).to_owned();
        if root != folder {
            refuse_foreign_marker(&root.join(FILE), &absolute)?;
        }
        let reach = Root::new(&root).map_err(|error| {
            let message = format!("cannot read the folder `{}`: {error}", shown(&root, &absolute));
            vec![Finding::error(code::P001, message).help("check the path and its permissions")]
        })?;
        let path = root.join(FILE);
        let file =
            if is_there(&path) { load_file(&reach, &path, &shown(&path, &absolute))? } else { ProjectFile::default() };
        Ok(Self { root, file, reach, from: absolute })
    }

    /// The folder that relative arguments are meant from, and relative to which files are named.
    pub fn from(&self) -> &Path {
        &self.from
    }

    /// The folder that holds the use cases.
    pub fn stacks_dir(&self) -> PathBuf {
        self.root.join(self.file.stacks.as_deref().unwrap_or(STACKS))
    }

    /// The settings of a stage; a stage the file does not name has the defaults.
    pub fn stage(&self, name: &str) -> StageSettings {
        self.file.stages.get(name).cloned().unwrap_or_default()
    }

    /// The use cases under the stacks folder, in the order of their names.
    ///
    /// # Errors
    /// When two have the same name (they would be the same stack), or the folder cannot be read.
    pub fn use_cases(&self) -> Result<Vec<UseCaseFile>, Vec<Finding>> {
        let dir = self.stacks_dir();
        let unreadable = |why: &dyn std::fmt::Display| {
            let message = format!("cannot read the folder `{}`: {why}", shown(&dir, &self.from));
            vec![Finding::error(code::P001, message).help("check the path and its permissions")]
        };
        let real = match self.reach.resolve(&dir) {
            Ok(real) => real,
            Err(Unopened::Missing) if !dir.is_symlink() => return Ok(Vec::new()),
            Err(why) => return Err(self.not_in_reach(&dir, &why)),
        };
        let entries = std::fs::read_dir(real).map_err(|error| unreadable(&error))?;
        let mut outside = Vec::new();
        let mut all = Vec::new();
        for path in entries.flatten().map(|entry| dir.join(entry.file_name()).join(SPEC)).filter(|path| is_there(path))
        {
            match self.reach.resolve(&path) {
                Ok(_) => all.push(self.use_case(path)),
                Err(why) => outside.extend(self.not_in_reach(&path, &why)),
            }
        }
        if !outside.is_empty() {
            outside.sort_by(|a, b| a.message.cmp(&b.message));
            return Err(outside);
        }
        all.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        let twice: Vec<Finding> = all
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if a.name == b.name => Some(
                    Finding::error(code::P008, format!("two use cases have the name `{}`", cut(&a.name)))
                        .at(Some(Place { file: b.shown.clone(), line: 1, column: 1 }))
                        .help(format!("the other is `{}`; rename one, they would be one stack", a.shown)),
                ),
                _ => None,
            })
            .collect();
        if twice.is_empty() { Ok(all) } else { Err(twice) }
    }

    /// The use case a person named: by its name, its folder or its spec file.
    ///
    /// # Errors
    /// When there is none, with the names there are.
    pub fn resolve(&self, argument: &str) -> Result<UseCaseFile, Vec<Finding>> {
        let is_path = argument.contains(['/', '\\']) || argument.ends_with(".yaml") || argument.ends_with(".yml");
        if !is_path {
            let in_stacks = self.stacks_dir().join(argument).join(SPEC);
            let all = self.use_cases()?;
            let named = all.iter().find(|use_case| use_case.name == argument);
            if let Some(use_case) = named.or_else(|| all.iter().find(|use_case| use_case.path == in_stacks)) {
                return Ok(use_case.clone());
            }
        }
        let path = plain(&self.from.join(argument));
        if path.is_file() {
            return Ok(self.use_case(path));
        }
        if path.is_dir() {
            let spec = path.join(SPEC);
            if spec.is_file() {
                return Ok(self.use_case(spec));
            }
            let message = format!("the folder `{}` has no `{SPEC}`", cut(argument));
            return Err(vec![Finding::error(code::P009, message).help("name the spec file, or write one")]);
        }
        let all = self.use_cases()?;
        let help = match all.is_empty() {
            true => format!("there are none under `{}`", shown(&self.stacks_dir(), &self.from)),
            false => suggest(argument, all.iter().map(|use_case| use_case.name.as_str()), "the project has"),
        };
        Err(vec![Finding::error(code::P007, format!("there is no use case `{}`", cut(argument))).help(help)])
    }

    fn use_case(&self, path: PathBuf) -> UseCaseFile {
        let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let shown = shown(&path, &self.from);
        // What the caller names may be another project's.
        let own = path.starts_with(&self.root) || path.starts_with(self.reach.path());
        let reach = path.parent().filter(|_| !own).and_then(|folder| root_of(folder).ok());
        let reach = reach.unwrap_or_else(|| self.reach.clone());
        let name = name_in(&reach, &path).or(folder).map(|name| harmless(&name)).unwrap_or_default();
        UseCaseFile { name, path, shown, reach }
    }

    /// What is the project's by its name and not to be read as a part of it.
    fn not_in_reach(&self, path: &Path, why: &Unopened) -> Vec<Finding> {
        let shown = shown(path, &self.from);
        let message = match why {
            Unopened::Outside => format!("`{}` is a link to something outside the project", cut(&shown)),
            why => format!("`{}` cannot be read: {why}", cut(&shown)),
        };
        vec![
            Finding::error(code::P060, message)
                .help("nothing outside the project is read: remove the link, or put the files themselves there"),
        ]
    }
}

/// A path as a person in a folder would write it.
fn shown(path: &Path, from: &Path) -> String {
    let shown = path.strip_prefix(from).unwrap_or(path).to_string_lossy();
    // A line that begins with it must not be a command to whoever reads the log, as GitHub's begin with `::`.
    if shown.starts_with(':') { format!("./{shown}") } else { shown.into_owned() }
}

/// The name a spec gives itself, without loading it when its line stands where everybody writes it.
fn name_in(reach: &Root, path: &Path) -> Option<String> {
    let bytes = read::read(reach, path, "").ok()?;
    let text = yaml::utf8(&bytes).ok()?;
    let plain = text.lines().find_map(|line| line.strip_prefix("name:")).map(str::trim);
    let is_word = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match plain.filter(is_word) {
        Some(name) => Some(name.to_owned()),
        None => yaml::parse(text).ok()?.value.get("name")?.as_str().map(str::to_owned),
    }
}

fn load_file(reach: &Root, path: &Path, shown: &str) -> Result<ProjectFile, Vec<Finding>> {
    let as_project = |findings: Vec<Finding>| -> Vec<Finding> {
        findings.into_iter().map(|finding| Finding { code: code::P001, ..finding }).collect()
    };
    let bytes = read::read(reach, path, shown).map_err(as_project)?;
    let document = yaml::parse_bytes(&bytes).map_err(|error| as_project(vec![error.finding(shown)]))?;
    if document.value.is_null() {
        return Ok(ProjectFile::default());
    }
    let schema = LazySchema::of(schema_of::<ProjectFile>());
    let mut findings = compare(&document.value, &schema, &document.positions, shown, CODES).findings;
    let place = |at: Option<(usize, usize)>| at.map(|(line, column)| Place { file: shown.to_owned(), line, column });
    if findings.is_empty() {
        match serde_path_to_error::deserialize::<_, ProjectFile>(&document.value) {
            Ok(file) => {
                let problems = problems(&file);
                if problems.is_empty() {
                    return Ok(file);
                }
                findings.extend(problems.into_iter().map(|(pointer, message, help)| {
                    Finding::error(code::P006, message).at(place(document.positions.at(&pointer))).help(help)
                }));
            }
            Err(error) => {
                let at = document.positions.at(&pointer(error.path()));
                findings.push(Finding::error(CODES.kind, error.inner().to_string()).at(place(at)));
            }
        }
    }
    debug_assert!(has_errors(&findings));
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    Err(findings)
}

/// Values that have the right type and cannot be meant.
fn problems(file: &ProjectFile) -> Vec<(String, String, &'static str)> {
    let mut problems = Vec::new();
    if let Some(stacks) = &file.stacks
        && (stacks.is_empty() || Path::new(stacks).is_absolute() || stacks.split('/').any(|part| part == ".."))
    {
        let message = format!("`{}` is not a folder of the project", cut(stacks));
        problems.push(("/stacks".to_owned(), message, "write a path below the project's folder, such as `stacks`"));
    }
    let owner_problem = |owner: &str, pointer: String| {
        let taken = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
        let good = !owner.trim().is_empty() && owner.chars().count() <= 256 && owner.chars().all(taken);
        let message = format!("`{}` cannot be the value of the tag `bedplate:owner`", cut(owner));
        (!good).then_some((pointer, message, "use 1 to 256 letters, digits, spaces and any of `_.:/=+-@`"))
    };
    problems.extend(file.owner.as_deref().and_then(|owner| owner_problem(owner, "/owner".to_owned())));
    for (at, region) in file.regions.iter().enumerate().filter(|(_, region)| !is_region_name(region)) {
        let message = format!("`{}` is not a region", cut(region));
        problems.push((format!("/regions/{at}"), message, "write it as AWS does, such as `us-west-2`"));
    }
    for (name, stage) in &file.stages {
        let base = format!("/stages/{}", escape(name));
        problems.extend(stage.owner.as_deref().and_then(|owner| owner_problem(owner, format!("{base}/owner"))));
        for key in stage.tags.keys() {
            let lower = key.to_lowercase();
            if let Some(prefix) = ["aws:", "bedplate:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
                let message = format!("`{}`: tags that begin with `{prefix}` are not yours to set", cut(key));
                problems.push((
                    format!("{base}/tags/{}", escape(key)),
                    message,
                    "use another prefix; the owner is `owner`",
                ));
            }
        }
        if !is_stage_name(name) {
            let message = format!("`{}` cannot be the name of a stage", cut(name));
            problems.push((
                base.clone(),
                message,
                "use letters, digits and hyphens, a letter first and no hyphen last, at most 32",
            ));
        }
        if let Some(account) = &stage.account
            && !is_account_id(account)
        {
            let message = format!("`{}` is not an AWS account", cut(account));
            problems.push((format!("{base}/account"), message, "write its twelve digits in quotes"));
        }
        if let Some(region) = stage.region.as_ref().filter(|region| !is_region_name(region)) {
            let message = format!("`{}` is not a region", cut(region));
            problems.push((format!("{base}/region"), message, "write it as AWS does, such as `us-west-2`"));
        } else if let Some(region) = stage.region.as_ref().filter(|region| !file.knows_region(region)) {
            let nearest = facts::regions().nearest(region).map_or(String::new(), |name| format!("; `{name}` is one"));
            let message = format!("`{}` is not a region of AWS{nearest}", cut(region));
            problems.push((
                format!("{base}/region"),
                message,
                "correct it, or add it to `regions` when AWS has it newly",
            ));
        }
        // What moves or hides text on a terminal would change what a question says.
        let hides = |c: char| {
            c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if let Some(profile) = stage.profile.as_ref().filter(|name| name.is_empty() || name.contains(hides)) {
            let message = format!("`{}` is not the name of a profile", cut(profile).replace(hides, "\u{fffd}"));
            problems.push((
                format!("{base}/profile"),
                message,
                "name one of your AWS configuration files, or leave the line out",
            ));
        }
        if let Some(url) = &stage.endpoint_url
            && !["http://", "https://"]
                .iter()
                .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        {
            let message = format!("`{}` is not the address of an endpoint", cut(url));
            problems.push((format!("{base}/endpoint-url"), message, "write it with `http://` or `https://`"));
        }
    }
    problems
}

/// The JSON Schema of `bedplate.yaml`.
pub fn project_schema() -> Value {
    schema_of::<ProjectFile>()
}

/// Refuses a project file above the current folder that somebody else has put there, such as one in a temporary folder that
/// all users share: it would decide where a deployment goes and what is allowed.
#[cfg(unix)]
fn refuse_foreign_marker(path: &Path, from: &Path) -> Result<(), Vec<Finding>> {
    use std::os::unix::fs::MetadataExt as _;

    let owner = std::fs::symlink_metadata(path).ok().map(|about| about.uid());
    // The system's own administrator needs no such way.
    let trusted = |uid: u32| uid == 0 || uid == rustix::process::geteuid().as_raw();
    match owner {
        Some(uid) if !trusted(uid) => {
            let message =
                format!("`{}` belongs to another user ({uid}), and this folder is below it", shown(path, from));
            let help = "work in a folder of your own, or put a `bedplate.yaml` of your own into this one";
            Err(vec![Finding::error(code::P077, message).help(help)])
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refuse_foreign_marker(_: &Path, _: &Path) -> Result<(), Vec<Finding>> {
    Ok(())
}
