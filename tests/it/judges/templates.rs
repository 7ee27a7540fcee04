//! cfn-lint and checkov on every template that is rendered.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{answers, tool};
use crate::rendered::{TemplateFile, all};
use crate::support::judges;

#[test]
fn cfn_lint_finds_nothing() {
    let python = judges();
    let dir = tempfile::tempdir().expect("a folder");
    let templates = all(dir.path());
    let mut batches: BTreeMap<(&str, bool), Vec<&TemplateFile>> = BTreeMap::new();
    for template in &templates {
        batches.entry((&template.region, template.made_elsewhere)).or_default().push(template);
    }
    // A process a region: starting takes cfn-lint longer than judging.
    for ((region, made_elsewhere), templates) in batches {
        let mut lint = tool(&python, "cfn-lint");
        lint.args(["--regions", region, "--format", "parseable"]);
        if !made_elsewhere {
            lint.args(["--include-checks", "I"]);
        }
        lint.arg("--").args(templates.iter().map(|it| &it.path));
        let output = lint.output().expect("cfn-lint starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = templates.iter().fold(said, |said, it| said.replace(&*it.path.to_string_lossy(), &it.origin));
        assert_eq!(said, "", "cfn-lint in {region}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// checkov, from the environment that it has for itself beside the one of the other judges.
fn checkov(python: &Path) -> Command {
    let environments = python.ancestors().nth(3).expect("…/.venv/bin/python");
    let program = environments.join(".venv-checkov/bin/checkov");
    assert!(program.is_file(), "{} is missing: run scripts/venv", program.display());
    let mut command = Command::new(program);
    // It asks its vendor for policies unless it is told not to.
    command.args(["--framework", "cloudformation", "--skip-download", "--soft-fail", "--compact", "--quiet"]);
    command.args(["--output", "json"]).stdin(Stdio::null());
    command
}

#[test]
fn what_checkov_finds_is_answered() {
    let python = judges();
    let dir = tempfile::tempdir().expect("a folder");
    let templates = all(dir.path());
    let mut run = checkov(&python);
    run.arg("--file").args(templates.iter().map(|it| &it.path)).current_dir(dir.path());
    let run = run.output().expect("checkov starts");
    let said = String::from_utf8_lossy(&run.stdout);
    let report: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(report["summary"]["parsing_errors"], 0, "{report:#}");
    assert!(report["summary"]["passed"].as_u64() > Some(10 * templates.len() as u64), "{}", report["summary"]);
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for failed in report["results"]["failed_checks"].as_array().expect("a list") {
        let text = |key: &str| failed[key].as_str().unwrap_or_default().to_owned();
        let resource = text("resource");
        let (type_, _) = resource.rsplit_once('.').expect("type.logical-id");
        let file = text("file_abs_path");
        let origin = templates.iter().find(|it| it.path == Path::new(&file)).map_or(file.as_str(), |it| &it.origin);
        let seen = format!("{origin} {resource}: {}", text("check_name"));
        found.entry((text("check_id"), type_.to_owned())).or_default().push(seen);
    }
    answers::hold("docs/checkov.md", ["check", "resource type", "answer"], &found);
}
