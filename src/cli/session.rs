//! One run of the program: the project it stands in, who is told of it, and what every verb needs of both.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

use super::consent::Consent;
use super::globals::{Format, Globals};
use super::interrupts;
use super::ui::{self, Ui};
use super::user_folders::{CacheFolder, known_state, own_state};
use super::verb_result::VerbResult;
use crate::artifacts;
use crate::aws::TargetKind;
use crate::check::{self, CheckOptions};
use crate::engine::{Account, Claim, Desired, Packaging};
use crate::files::{self, Manner};
use crate::finding::{Code, Finding, Place, code, has_errors};
use crate::helper::ProjectTree;
use crate::render::{self, Partials, RenderOptions, Rendered};
use crate::report::findings::on_one_line;
use crate::report::{GithubReporter, JsonReporter, JunitReporter, Reporters, TextReporter};
use crate::spec::{self, LoadedSpec, Project, StageSettings, UseCaseFile, help_with_region};

/// One run of the program.
pub struct Session {
    /// What was said on the command line beside the verb.
    pub globals: Globals,
    /// Who is told what happens.
    pub reporters: Reporters,
    /// Who can be asked.
    pub ui: Ui,
    /// Read once, however many use cases a run is about.
    project: OnceLock<Project>,
    partials: OnceLock<Cow<'static, Partials>>,
    /// What the user has agreed to.
    pub(super) consent: Consent,
    cache: OnceLock<CacheFolder>,
    interrupts: OnceLock<CancellationToken>,
}

impl Session {
    /// A run with these flags, of a verb that tells `events` or none.
    pub fn new(globals: Globals, events: bool) -> Self {
        let console = ui::console(&globals);
        let ui = Ui { interactive: console.interactive };
        let reporters = Reporters::default();
        match globals.format {
            Format::Text => reporters.add(TextReporter::new(console)),
            Format::Json => reporters.add(JsonReporter::new(console, events)),
            Format::Github => reporters.add(GithubReporter::new(console)),
        }
        Self {
            globals,
            reporters,
            ui,
            project: OnceLock::new(),
            partials: OnceLock::new(),
            consent: Consent::default(),
            cache: OnceLock::new(),
            interrupts: OnceLock::new(),
        }
    }

    /// The token that the first Ctrl-C or SIGTERM cancels; from the first time it is asked for, both are listened to.
    pub fn interrupted(&self) -> CancellationToken {
        self.interrupts.get_or_init(|| interrupts::watch(self.reporters.clone())).clone()
    }

    /// Waits for work that changes nothing; none, and the word that it is so, when the user interrupts.
    pub async fn unless_interrupted<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Vec<Finding>>>,
    ) -> Result<Option<T>, Vec<Finding>> {
        tokio::select! {
            biased;
            () = self.interrupted().cancelled_owned() => {
                let finding = Account::default().interrupted(what);
                self.reporters.findings_of_run(&[finding]);
                Ok(None)
            }
            done = work => done.map(Some),
        }
    }

    /// The project this run is about, the current folder's unless [`Session::find`] was asked for another's.
    pub fn project(&self) -> Result<&Project, Vec<Finding>> {
        self.project_of(None)
    }

    fn project_of(&self, named: Option<&str>) -> Result<&Project, Vec<Finding>> {
        if let Some(project) = self.project.get() {
            return Ok(project);
        }
        let here = std::env::current_dir()
            .map_err(|error| vec![Finding::error(code::P022, format!("the current folder cannot be read: {error}"))])?;
        let project = Project::open(&here, named)?;
        Ok(self.project.get_or_init(|| project))
    }

    /// The spec files of the use cases named, or of all in the project, of which there must be one.
    pub fn find(&self, use_cases: &[String]) -> Result<Vec<UseCaseFile>, Vec<Finding>> {
        let project = self.project_of(use_cases.first().map(String::as_str))?;
        if use_cases.is_empty() {
            let all = project.use_cases()?;
            if all.is_empty() {
                let folder = project.stacks_dir();
                return Err(vec![
                    Finding::error(code::P032, format!("there are no use cases under `{}`", folder.display()))
                        .help("change to the project's folder, or name a spec file"),
                ]);
            }
            return Ok(all);
        }
        let mut found: Vec<UseCaseFile> = Vec::new();
        for use_case in use_cases {
            let one = project.resolve(use_case)?;
            if !found.iter().any(|other| other.path == one.path) {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// Loads one spec file.
    pub fn load_one(&self, file: &UseCaseFile) -> Result<LoadedSpec, Vec<Finding>> {
        file.load()
    }

    /// Loads the use cases named, or all of the project; every finding of every one is reported.
    pub fn load(&self, use_cases: &[String]) -> Result<Vec<LoadedSpec>, Vec<Finding>> {
        let mut specs = Vec::new();
        let mut findings = Vec::new();
        for file in self.find(use_cases)? {
            match self.load_one(&file) {
                Ok(spec) => specs.push(spec),
                Err(more) => findings.extend(more),
            }
        }
        if findings.is_empty() { Ok(specs) } else { Err(findings) }
    }

    /// The settings of the stage, empty when the project file has none.
    pub fn stage(&self) -> Result<StageSettings, Vec<Finding>> {
        Ok(self.project()?.stage(&self.globals.stage))
    }

    /// Writes a file that the user asked for, through no link of the project. `code` and `help` are for a refusal of the
    /// system.
    ///
    /// # Errors
    /// As [`files::write`].
    pub fn write(&self, path: &Path, bytes: &[u8], manner: Manner, code: Code, help: &str) -> Result<(), Vec<Finding>> {
        files::write(&self.tree(), path, bytes, manner).map_err(|why| vec![why.finding(path, code, help)])
    }

    /// Opens the log that the user names; its lines are appended.
    ///
    /// # Errors
    /// As [`files::append`].
    pub fn open_log(&self, file: &Path) -> Result<File, Vec<Finding>> {
        let help = "name a file in a folder that exists, with `--log-file`";
        files::append(&self.tree(), file).map_err(|why| vec![why.finding(file, code::P021, help)])
    }

    /// What no file is written through.
    fn tree(&self) -> ProjectTree {
        match self.project.get() {
            Some(project) => ProjectTree::of(&project.root),
            // A verb that needs no project may still stand in one.
            None => spec::root_of(Path::new(".")).map(|root| ProjectTree::of(root.path())).unwrap_or_default(),
        }
    }

    /// The results of smoke tests go to this file too, if there is one, as JUnit XML.
    pub fn report_as_junit(&self, file: Option<&Path>) {
        let Some(file) = file.map(Path::to_owned) else { return };
        let tree = self.tree();
        self.reporters.add(JunitReporter::new(move |xml: &str| {
            let help = "name a file in a folder that exists";
            let written = files::write(&tree, &file, xml.as_bytes(), Manner::Replace);
            written.map_err(|why| vec![why.finding(&file, code::D064, help)])
        }));
    }

    /// The stack's name, `<use-case>-<stage>`.
    pub fn stack_name(&self, spec: &LoadedSpec) -> String {
        format!("{}-{}", spec.spec.name, self.globals.stage)
    }

    /// The region a use case goes to, when the spec, the stage or the flags name one.
    pub fn region(&self, spec: Option<&LoadedSpec>) -> Result<Option<String>, Vec<Finding>> {
        let pinned = spec.and_then(|loaded| loaded.spec.region.clone());
        self.region_of(pinned, spec.and_then(|loaded| loaded.place("/region")))
    }

    /// Decides on a region: the spec's own, else the stage's, else the one asked for. Where none is named, the environment
    /// and the profile are asked. A flag that contradicts the spec or the stage is an error.
    pub fn region_of(&self, pinned: Option<String>, place: Option<Place>) -> Result<Option<String>, Vec<Finding>> {
        let stage = &self.globals.stage;
        let (whose, help, pinned) = match pinned {
            Some(region) => {
                let help = "leave one of the two out; models are not the same in every region".to_owned();
                ("the spec".to_owned(), help, Some(region))
            }
            None => {
                let help =
                    format!("leave `--region` out, or correct the region of the stage `{stage}` in `bedplate.yaml`");
                (format!("the stage `{stage}`"), help, self.stage()?.region)
            }
        };
        for region in pinned.iter().chain(&self.globals.region) {
            self.must_be_a_region(region, place.as_ref().filter(|_| pinned.as_ref() == Some(region)))?;
        }
        match (pinned, &self.globals.region) {
            (Some(pinned), Some(asked)) if pinned != *asked => {
                let message = format!("{whose} belongs to `{pinned}` and `--region` says `{asked}`");
                Err(vec![Finding::error(code::P025, message).at(place).help(help)])
            }
            (Some(region), _) => Ok(Some(region)),
            (None, asked) => Ok(asked.clone()),
        }
    }

    /// Refuses a region that neither the facts nor the project know: nothing answers there, or what does is not AWS.
    pub(super) fn must_be_a_region(&self, name: &str, place: Option<&Place>) -> Result<(), Vec<Finding>> {
        if self.project()?.file.knows_region(name) {
            return Ok(());
        }
        let message = format!("`{}` is not a region of AWS", on_one_line(name));
        Err(vec![Finding::error(code::P071, message).at(place.cloned()).help(help_with_region(name))])
    }

    /// The regions a verb about the whole project goes to: the one asked for, else every region that the project's use
    /// cases belong to.
    pub fn regions(&self) -> Result<BTreeSet<Option<String>>, Vec<Finding>> {
        let of_stage = self.stage()?.region;
        let mut regions = BTreeSet::new();
        for file in self.project()?.use_cases()? {
            match file.region() {
                Ok(region) => {
                    regions.insert(region.or_else(|| of_stage.clone()));
                }
                // The others can still be looked at.
                Err(findings) => {
                    self.reporters.findings(&findings.into_iter().map(Finding::as_warning).collect::<Vec<_>>())
                }
            }
        }
        if self.globals.region.is_some() {
            // A use case may belong to another region than its stage.
            let known = regions.contains(&self.globals.region);
            return Ok(BTreeSet::from([if known { self.globals.region.clone() } else { self.region(None)? }]));
        }
        if regions.is_empty() {
            regions.insert(of_stage);
        }
        Ok(regions)
    }

    /// The partials: those of the program, with the project's own in their place.
    pub fn partials(&self) -> Result<&Partials, Vec<Finding>> {
        if let Some(partials) = self.partials.get() {
            return Ok(partials);
        }
        let project = self.project()?;
        let own = project.root.join("templates");
        let partials = if own.symlink_metadata().is_ok() {
            Cow::Owned(Partials::with_overrides(&project.reach, &own, project.from())?)
        } else {
            Cow::Borrowed(Partials::embedded())
        };
        Ok(self.partials.get_or_init(|| partials))
    }

    /// Renders a spec for the stage.
    pub fn render(&self, spec: &LoadedSpec) -> Result<Rendered, Vec<Finding>> {
        let region = self.region(Some(spec))?;
        let options = RenderOptions { stage: &self.globals.stage, region: region.as_deref() };
        render::render(spec, &options, self.partials()?)
    }

    /// Everything `check` has to say about a spec and the template it made.
    pub fn check(&self, spec: &LoadedSpec, rendered: &Rendered) -> Vec<Finding> {
        // A contradiction has been reported by then: nothing renders with one.
        let region = self.region(Some(spec)).unwrap_or_default();
        let options = CheckOptions {
            today: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().into(),
            region: region.as_deref(),
        };
        let mut findings = spec.warnings.clone();
        findings.extend(check::check(spec, rendered, &options));
        findings.extend(artifacts::lock_problems(spec));
        findings.extend(self.code_problems(spec));
        findings
    }

    /// What is wrong with the code of a spec's functions.
    fn code_problems(&self, spec: &LoadedSpec) -> Vec<Finding> {
        // A project that cannot be read has been reported by then.
        let Ok(project) = self.project() else { return Vec::new() };
        let cache = self.cache.get().map(|cache| cache.path.clone());
        let cache = cache.or_else(|| {
            // A folder for one run would be gone before it is used.
            let own = CacheFolder::for_project(&project.root).ok().filter(|cache| cache.warning.is_none());
            own.map(|cache| cache.path)
        });
        artifacts::python_problems(spec, cache.as_deref(), &project.root)
    }

    /// Where artifacts are made ready.
    pub fn packaging(&self) -> Result<Packaging, Vec<Finding>> {
        let project = &self.project()?.root;
        let cache = match self.cache.get() {
            Some(cache) => cache,
            None => {
                let cache = CacheFolder::for_project(project)?;
                self.reporters.findings(cache.warning.as_slice());
                self.cache.get_or_init(|| cache)
            }
        };
        Ok(Packaging::new(&cache.path, project))
    }

    /// The folder of the local target's state, which was made here by this user or is not there.
    pub fn local_dir(&self) -> Result<PathBuf, Vec<Finding>> {
        known_state(&self.project()?.root)
    }

    /// The same, made where it is not there.
    pub fn own_local_dir(&self) -> Result<PathBuf, Vec<Finding>> {
        own_state(&self.project()?.root)
    }

    /// What a run says of a use case's stack before it looks at it, tries it or takes it away.
    pub fn claim(&self, use_case: &str) -> Result<Claim, Vec<Finding>> {
        Ok(Claim {
            use_case: Some(use_case.to_owned()),
            stage: Some(self.globals.stage.clone()),
            owner: self.owner()?,
            ..Claim::default()
        })
    }

    /// Who owns the stacks of the stage, when the project says so.
    fn owner(&self) -> Result<Option<String>, Vec<Finding>> {
        Ok(self.stage()?.owner.or_else(|| self.project().ok()?.file.owner.clone()))
    }

    /// Renders and checks a use case: what is to be deployed. Its artifacts are packaged when it is.
    pub fn desired(&self, spec: &LoadedSpec, parameters: &BTreeMap<String, String>) -> Result<Desired, Vec<Finding>> {
        let rendered = self.checked(spec)?;
        let stage = self.stage()?;
        let packaging = self.packaging()?;
        let mut values = stage.parameters;
        values.extend(parameters.clone());
        let mut desired = Desired::from_rendered(spec, &rendered, &self.stack_name(spec), values, &packaging)?;
        desired.tags.extend(stage.tags);
        desired.owner = self.owner()?;
        Ok(desired)
    }

    /// Refuses values for parameters that none of the use cases has.
    pub fn known_parameters(
        &self,
        specs: &[LoadedSpec],
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), Vec<Finding>> {
        let own = specs.iter().flat_map(|loaded| loaded.spec.parameters.keys().cloned());
        let known: BTreeSet<String> = own.chain(specs.iter().flat_map(render::template_parameters)).collect();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = match names.as_slice() {
            [] => "it has none".to_owned(),
            names => format!("it has `{}`", names.join("`, `")),
        };
        let unknown = parameters.keys().filter(|name| !known.contains(*name));
        let findings: Vec<Finding> = unknown
            .map(|name| {
                Finding::error(code::D002, format!("the use case has no parameter `{name}`")).help(help.clone())
            })
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    /// Renders and checks; errors stop, the rest is shown.
    pub fn checked(&self, spec: &LoadedSpec) -> Result<Rendered, Vec<Finding>> {
        let rendered = self.render(spec)?;
        let findings = self.check(spec, &rendered);
        if has_errors(&findings) {
            return Err(findings);
        }
        if !self.globals.quiet {
            // What an account needs beforehand is nothing to the local target.
            let local = self.target_kind()? == TargetKind::Local;
            let said: Vec<Finding> = findings.into_iter().filter(|it| !(local && it.code == code::B009)).collect();
            self.reporters.findings(&said);
        }
        Ok(rendered)
    }

    /// Runs an async verb to its end.
    pub fn block_on(&self, verb: impl Future<Output = VerbResult>) -> VerbResult {
        self.block_on_value(verb)
    }

    /// Runs async work to its end.
    pub fn block_on_value<T>(&self, work: impl Future<Output = Result<T, Vec<Finding>>>) -> Result<T, Vec<Finding>> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| vec![Finding::error(code::P023, format!("no thread can be started: {error}"))])?;
        let done = runtime.block_on(work);
        // A question nobody answered any more must not keep the program from ending.
        runtime.shutdown_background();
        done
    }
}
