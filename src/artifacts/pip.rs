//! Running pip, and saying what it meant when it fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Output;

use regex::Regex;
use serde_json::Value;

use super::cache::io_problem;
use super::context::{BuildContext, interrupted};
use crate::finding::{Finding, Place, code};
use crate::helper::{Ended, ProjectTree, Script, Search, environment};
use crate::spec::{Architecture, without_hashes};

/// The host's Python, by the names it goes under.
pub(super) const PYTHONS: [&str; 2] = ["python3", "python"];

const TOO_OLD: &str = "install pip 22.2 or later to pin what layers hold (`python3 -m pip install --upgrade pip`)";

/// pip's options for a runtime: wheels only, chosen for Lambda's system and not for this machine. None when the
/// runtime is not Python's.
pub(super) fn arguments(runtime: &str, architecture: Architecture) -> Option<Vec<String>> {
    let version = runtime.strip_prefix("python")?;
    let minor: u32 = version.strip_prefix("3.")?.parse().ok()?;
    let machine = match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    };
    // Runtimes from Python 3.12 on run on Amazon Linux 2023 (glibc 2.34), those before on Amazon Linux 2 (2.26).
    let systems: &[&str] = match minor {
        12.. => {
            &["manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"]
        }
        _ => &["manylinux_2_26", "manylinux_2_17", "manylinux2014"],
    };
    let mut arguments =
        vec!["--only-binary=:all:".to_owned(), "--implementation=cp".to_owned(), format!("--python-version={version}")];
    arguments.extend(systems.iter().map(|system| format!("--platform={system}_{machine}")));
    Some(arguments)
}

/// What pip is asked for.
pub(super) struct Order<'a> {
    /// Options for the runtime, by [`arguments`].
    pub arguments: &'a [String],
    /// Requirements, each on its own; with digests or without.
    pub requirements: &'a [String],
    /// Nothing is installed but the requirements, which are all there is, and each must have the digest written with it.
    pub pinned: bool,
    /// For messages.
    pub runtime: &'a str,
    /// Where the spec has the requirements.
    pub place: Option<&'a Place>,
}

/// Installs packages into the folder `python` of a folder to work in.
pub(super) fn install(order: &Order<'_>, folder: &Path, context: &BuildContext<'_>) -> Result<PathBuf, Vec<Finding>> {
    let target = folder.join("python");
    run(order, folder, context, &["--target".into(), target.clone().into()])?;
    Ok(target)
}

/// Asks what would be installed, and gives pip's report on it.
pub(super) fn resolve(order: &Order<'_>, folder: &Path, context: &BuildContext<'_>) -> Result<Value, Vec<Finding>> {
    let (target, report) = (folder.join("python"), folder.join("report.json"));
    let mut options = vec![OsString::from("--dry-run"), "--ignore-installed".into()];
    options.extend(["--target".into(), target.into(), "--report".into(), report.clone().into()]);
    run(order, folder, context, &options)?;
    let read = std::fs::read(&report).ok().and_then(|text| serde_json::from_slice(&text).ok());
    read.ok_or_else(|| {
        let finding =
            Finding::error(code::A040, "pip left no report on what it would install").at(order.place.cloned());
        vec![finding.help(TOO_OLD)]
    })
}

fn run(order: &Order<'_>, folder: &Path, context: &BuildContext<'_>, options: &[OsString]) -> Result<(), Vec<Finding>> {
    let broken = |error| vec![io_problem("write into the cache", &error)];
    // Where it works is empty, and what it leaves half-done goes with the rest.
    let (work, temporary) = (folder.join("work"), folder.join("tmp"));
    for made in [&work, &temporary] {
        std::fs::create_dir_all(made).map_err(broken)?;
    }
    let project = ProjectTree::of(context.project);
    let mut environment = environment(&project);
    for (name, value) in [
        // These would contradict `--target`.
        ("PIP_USER", OsString::from("0")),
        ("PIP_REQUIRE_VIRTUALENV", "0".into()),
        ("TMPDIR", temporary.into()),
    ] {
        environment.insert(name.into(), value);
    }
    let mut arguments: Vec<OsString> =
        ["install", "--quiet", "--no-input", "--no-compile", "--no-warn-conflicts", "--disable-pip-version-check"]
            .map(OsString::from)
            .into();
    arguments.push("--no-color".into());
    arguments.extend(order.arguments.iter().map(OsString::from));
    arguments.extend(options.iter().cloned());
    if order.requirements.iter().any(|requirement| requirement.contains("--hash=")) {
        // Digests are taken from a file only.
        let file = folder.join("requirements.txt");
        std::fs::write(&file, order.requirements.join("\n") + "\n").map_err(broken)?;
        arguments.push("--require-hashes".into());
        arguments.extend(order.pinned.then(|| "--no-deps".into()));
        arguments.extend(["-r".into(), file.into()]);
    } else {
        arguments.push("--".into());
        arguments.extend(order.requirements.iter().map(OsString::from));
    }
    let search = Search::of(&PYTHONS, &project);
    if let Some(told) = search.passed.told() {
        (context.progress)(&told);
    }
    let mut said = None;
    for python in &search.found {
        let script = Script {
            python,
            text: "import runpy\nrunpy.run_module('pip', run_name='__main__', alter_sys=True)",
            arguments: arguments.clone(),
            environment: environment.clone(),
            folder: &work,
        };
        let shown = python.display();
        match script.run(context.cancelled, None) {
            Ok(Ended::Done(output)) if output.status.success() => return Ok(()),
            Ok(Ended::Done(output)) if is_no_python(&output) => said = Some(format!("`{shown}` does not run")),
            Ok(Ended::Done(output)) if no_pip(&output) => said = Some(format!("`{shown}` has no pip")),
            Ok(Ended::Done(output)) => return Err(vec![failed(&output, order)]),
            Ok(Ended::Cancelled | Ended::TooLong) => return Err(vec![interrupted(order.place)]),
            Err(error) => said = Some(format!("`{shown}` cannot be run: {error}")),
        }
    }
    let message = match said {
        Some(said) => format!("pip is needed to make a layer, and {said}"),
        None => "pip is needed to make a layer, and PATH leads to no `python3` and no `python` outside the project"
            .to_owned(),
    };
    let mut help =
        "install Python with pip (`python3 -m ensurepip`); any version of it will do, whatever the layer's runtime"
            .to_owned();
    if let Some(passed) = search.passed.told() {
        help = format!("{passed}; or {help}");
    }
    Err(vec![Finding::error(code::A020, message).at(order.place.cloned()).help(help)])
}

/// A script that chooses a Python has found none, or what was found is none.
fn is_no_python(output: &Output) -> bool {
    matches!(output.status.code(), Some(126 | 127))
}

fn no_pip(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("No module named pip")
}

fn failed(output: &Output, order: &Order<'_>) -> Finding {
    let stderr = redact(&String::from_utf8_lossy(&output.stderr));
    let (place, runtime) = (order.place.cloned(), order.runtime);
    let shown: Vec<&str> = order.requirements.iter().map(|requirement| without_hashes(requirement)).collect();
    let shown = shown.join(", ");
    if stderr.contains("no such option: --report") || stderr.contains("no such option: --dry-run") {
        return Finding::error(code::A040, "this machine's pip cannot say what it would install")
            .at(place)
            .help(TOO_OLD);
    }
    if stderr.contains("DO NOT MATCH THE HASHES") {
        let message = format!("the index has other packages than those pinned among {shown}: {}", mismatch(&stderr));
        let help = "do not deploy before you know why; `bedplate lock` pins what the index has now";
        return Finding::error(code::A036, message).at(place).help(help);
    }
    if stderr.contains("Hashes are required") || stderr.contains("--require-hashes mode") {
        let message = format!("pip could not install {shown} for {runtime}: {}", last_words(&stderr));
        let help = "where one requirement has a `--hash`, each package they need in turn has to be listed with its version and \
                    `--hash`; or leave the digests out and let `bedplate lock` pin them all";
        return Finding::error(code::A036, message).at(place).help(help);
    }
    let message = format!("pip could not install {shown} for {runtime}: {}", last_words(&stderr));
    Finding::error(code::A021, message).at(place).help(hint(&stderr))
}

/// What pip says of a package whose digest is another one: which, what was expected and what came.
fn mismatch(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.contains("DO NOT MATCH THE HASHES")).unwrap_or(0);
    let told: Vec<&str> = lines.iter().skip(at + 1).copied().filter(|line| !line.is_empty()).take(3).collect();
    told.join("; ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect()
}

/// pip's errors, or the last thing it said.
fn last_words(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut errors: Vec<&str> = lines().filter_map(|line| line.strip_prefix("ERROR:")).map(str::trim).collect();
    errors.dedup();
    let chosen = match errors.len() {
        0 => lines().next_back().unwrap_or("it gave no reason").to_owned(),
        many => errors.get(many.saturating_sub(2)..).unwrap_or_default().join("; "),
    };
    chosen.chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect()
}

/// The text without the user and password of any address in it.
pub(super) fn redact(text: &str) -> String {
    match Regex::new(r"://[^/\s@]+@") {
        Ok(credentials) => credentials.replace_all(text, "://…@").into_owned(),
        // The pattern is a constant; a text that cannot be cleaned is not shown.
        Err(_) => String::new(),
    }
}

/// The next step, by what pip says when each thing is wrong.
fn hint(stderr: &str) -> &'static str {
    const HINTS: [(&str, &str); 10] = [
        ("NameResolution", OFFLINE),
        ("Connection", OFFLINE),
        ("timed out", OFFLINE),
        ("Max retries", OFFLINE),
        ("No space left", "make room on the disk"),
        (
            "Permission denied",
            "check the permissions of the cache, which is in `~/.cache/bedplate` unless XDG_CACHE_HOME says otherwise",
        ),
        ("ResolutionImpossible", "the requirements contradict one another; loosen one of them"),
        ("Invalid requirement", "write a package's name and version, such as `boto3>=1.35`"),
        (
            "(from versions: none)",
            "pip found no version at all: check the name's spelling, that the package has wheels for that runtime, and \
             the network",
        ),
        (
            "No matching distribution",
            "check the name's spelling and the version; a package without a wheel for that runtime cannot be used in a layer",
        ),
    ];
    let fits = HINTS.iter().find(|(says, _)| stderr.contains(says));
    fits.map_or("try the same with `python3 -m pip install` to see all it says", |(_, hint)| hint)
}

const OFFLINE: &str = "check the network, and PIP_INDEX_URL if the index is one of your own; a layer that was made \
                       before needs neither";
