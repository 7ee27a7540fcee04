//! cfn-lint and checkov on every template that is rendered.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{answers, passes, tool};
use crate::rendered::{TemplateFile, examples, stacks};
use crate::support::judges;

#[test]
fn cfn_lint_finds_nothing_in_any_use_case_or_example() {
    let Some(python) = judges() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let mut templates = stacks(&dir.path().join("stacks"));
    for (number, example) in examples().iter().enumerate() {
        // One that does not load fails in docs_examples.
        templates.extend(example.template(&dir.path().join(format!("example-{number}"))));
    }
    let mut regions: BTreeMap<&str, Vec<&TemplateFile>> = BTreeMap::new();
    for template in &templates {
        regions.entry(&template.region).or_default().push(template);
    }
    // A process a region: starting takes cfn-lint longer than judging.
    for (region, templates) in regions {
        let mut lint = tool(&python, "cfn-lint");
        lint.args(["--regions", region, "--include-checks", "I", "--format", "parseable", "--"]);
        lint.args(templates.iter().map(|it| &it.path));
        let said = passes(lint);
        assert_eq!(said, "", "cfn-lint in {region}");
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
fn what_checkov_finds_in_any_use_case_is_answered() {
    let Some(python) = judges() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let templates = stacks(dir.path());
    let run = checkov(&python).arg("--directory").arg(dir.path()).current_dir(dir.path()).output().expect("checkov");
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
        found.entry((text("check_id"), type_.to_owned())).or_default().push(format!(
            "{} {resource}: {}",
            text("file_path"),
            text("check_name")
        ));
    }
    answers::hold("docs/checkov.md", ["check", "resource type", "answer"], &found);
}
