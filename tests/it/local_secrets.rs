//! A use case that lives by a secret, on the local target.

use std::process::Command;

use crate::support::{self, Project};

/// The authoriser of `api-gateway-lab` compares the token of a call with a secret that its stack drew.
#[test]
fn an_authoriser_lets_in_who_has_the_token_of_its_secret() {
    let python = support::judges();
    let project = Project::with("api-gateway-lab");
    let own = python.parent().expect("a folder").display().to_string();
    let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
    let served = project.serve_with(&[], &[("PATH", &path)]);
    let _ = project.run(&["deploy", "api-gateway-lab", "--yes", "--no-smoke"]).ok();
    let script = support::repository().join("tests/local/support/authoriser.py");
    let output = Command::new(&python).arg(script).arg(&served.url).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
