//! Which program is run: one of PATH, from a folder that is somewhere in particular and not the project's.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::{Ended, ProjectTree, Script, environment};

/// The variable by which the caller chooses the Python of helper processes, with its whole path.
pub const CHOICE: &str = "BEDPLATE_PYTHON";

/// How long a Python may take to say which one it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Programs of PATH that would have been found first and were passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed(Vec<PathBuf>);

impl Passed {
    /// What to tell of them, when there are any.
    pub fn told(&self) -> Option<String> {
        let (first, more) = self.0.split_first()?;
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        Some(format!(
            "`{}`{more} is on PATH and was passed over: a project does not choose the program that is run; {CHOICE} does, with \
             a whole path",
            first.display()
        ))
    }
}

/// A Python that has said which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its own path: what is on `PATH` may be a script that chooses one.
    pub executable: PathBuf,
    /// For example `3.13`.
    pub version: String,
}

/// The programs of a name, in the order of PATH.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// What may be run, by whole paths.
    pub found: Vec<PathBuf>,
    /// What may not.
    pub passed: Passed,
    chosen: bool,
    environment: BTreeMap<OsString, OsString>,
    project: ProjectTree,
}

impl Search {
    /// Looks for programs by any of some names; the caller's own choice, if there is one, is the only one found.
    pub fn of(names: &[&str], project: &ProjectTree) -> Self {
        let choice = std::env::var_os(CHOICE).map(PathBuf::from).filter(|choice| choice.is_absolute());
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self { environment: environment(project), project: project.clone(), ..Self::on(&path, choice, names, project) }
    }

    fn on(path: &OsStr, choice: Option<PathBuf>, names: &[&str], project: &ProjectTree) -> Self {
        if let Some(choice) = choice {
            return Self { found: vec![choice], chosen: true, ..Self::default() };
        }
        let (mut found, mut passed) = (Vec::new(), Vec::new());
        for name in names {
            for folder in std::env::split_paths(path) {
                let program = folder.join(name);
                if !is_program(&program) {
                    continue;
                }
                let list = if folder.is_absolute() && !project.contains(&folder) { &mut found } else { &mut passed };
                if !list.contains(&program) {
                    list.push(program);
                }
            }
        }
        // Only what stood before the one that is run would have been run in its place.
        if let (Some(first), Some(name)) = (found.first(), names.first())
            && first.ends_with(name)
        {
            let before: Vec<PathBuf> = std::env::split_paths(path)
                .map(|folder| folder.join(name))
                .take_while(|program| program != first)
                .collect();
            passed.retain(|program| before.contains(program));
        }
        Self { found, passed: Passed(passed), ..Self::default() }
    }

    /// The first of them that runs, and which Python it is. It blocks.
    pub fn interpreter(&self) -> Option<Interpreter> {
        self.found.iter().find_map(|program| self.ask(program))
    }

    fn ask(&self, program: &Path) -> Option<Interpreter> {
        // Not the current folder: what chooses a version may look for a file there that says which.
        let parent = std::env::temp_dir();
        let folder = if !parent.is_absolute() || self.project.contains(&parent) {
            None
        } else {
            Some(tempfile::Builder::new().prefix("bedplate-").tempdir_in(parent).ok()?)
        };
        let script = Script {
            python: program,
            text: "import sys\nprint(sys.executable)\nprint('%d.%d' % sys.version_info[:2])",
            arguments: Vec::new(),
            environment: self.environment.clone(),
            folder: folder.as_ref().map_or(Path::new("/"), TempDir::path),
        };
        let Ok(Ended::Done(output)) = script.run(&|| false, Some(PATIENCE)) else { return None };
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8(output.stdout).ok()?;
        let (executable, version) = text.trim_end().split_once('\n')?;
        let executable = PathBuf::from(executable);
        // A script on PATH that chooses a Python may have been led into the project, too.
        (executable.is_absolute() && (self.chosen || !self.project.contains(&executable)))
            .then(|| Interpreter { executable, version: version.to_owned() })
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn program(path: &Path) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, "#!/bin/sh\n").expect("a file");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    #[test]
    fn a_project_does_not_choose_the_program() {
        let dir = tempfile::tempdir().expect("a folder");
        let (project, outside) = (dir.path().join("project"), dir.path().join("bin"));
        program(&project.join("venv/bin/python3"));
        program(&outside.join("python3"));
        program(&outside.join("python"));
        std::fs::create_dir_all(dir.path().join("empty/python3")).expect("a folder is no program");
        std::os::unix::fs::symlink(project.join("venv/bin"), dir.path().join("link")).expect("a link");
        let tree = ProjectTree::of(&project);
        let at = |path: &str| dir.path().join(path).display().to_string();
        let search = |path: &str| Search::on(OsStr::new(path), None, &["python3", "python"], &tree);
        let path = [at("empty"), at("link"), at("project/venv/bin"), String::new(), at("bin")].join(":");
        let found = search(&path);
        assert_eq!(found.found, [outside.join("python3"), outside.join("python")]);
        assert_eq!(found.passed.0, [dir.path().join("link/python3"), project.join("venv/bin/python3")]);
        assert!(found.passed.told().is_some_and(|told| told.contains("link/python3` and 1 more is on PATH")));
        let later = search(&[at("bin"), at("link")].join(":"));
        assert_eq!(later.passed.told(), None, "what stands behind would not have been run");
        let alone = search(&at("link"));
        assert_eq!((alone.found.len(), alone.passed.0.len()), (0, 1));
        let chosen = Search::on(OsStr::new(&at("bin")), Some(project.join("venv/bin/python3")), &["python3"], &tree);
        assert_eq!(chosen.found, [project.join("venv/bin/python3")], "the caller does");
    }
}
