//! Running pip, and saying what it meant when it fails.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::finding::{Finding, Place};
use crate::spec::Architecture;

/// The host's Python, by the names it goes under.
const PYTHONS: [&str; 2] = ["python3", "python"];

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

/// Installs requirements into a folder.
pub(super) fn install(
    arguments: &[String],
    requirements: &[String],
    target: &Path,
    runtime: &str,
    place: Option<&Place>,
) -> Result<(), Vec<Finding>> {
    let mut said = None;
    for python in PYTHONS {
        let run = Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--no-warn-conflicts"])
            .args(["--disable-pip-version-check", "--no-color"])
            .args(arguments)
            .arg("--target")
            .arg(target)
            .arg("--")
            .args(requirements)
            // These would contradict `--target`.
            .env("PIP_USER", "0")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output();
        match run {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) if no_pip(&output) => said = Some(format!("`{python}` has no pip")),
            Ok(output) => return Err(vec![failed(&output, requirements, runtime, place)]),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => said = Some(format!("`{python}` cannot be run: {error}")),
        }
    }
    let message = match said {
        Some(said) => format!("pip is needed to make a layer, and {said}"),
        None => "pip is needed to make a layer, and there is neither a `python3` nor a `python` here".to_owned(),
    };
    let help =
        "install Python with pip (`python3 -m ensurepip`); any version of it will do, whatever the layer's runtime";
    Err(vec![Finding::error("A020", message).at(place.cloned()).help(help)])
}

fn no_pip(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("No module named pip")
}

fn failed(output: &Output, requirements: &[String], runtime: &str, place: Option<&Place>) -> Finding {
    let stderr = redact(&String::from_utf8_lossy(&output.stderr));
    let message = format!("pip could not install {} for {runtime}: {}", requirements.join(", "), last_words(&stderr));
    Finding::error("A021", message).at(place.cloned()).help(hint(&stderr))
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
        ("Permission denied", "check the permissions of the project's `.bedplate` folder"),
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
