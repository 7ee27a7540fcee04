//! Bedrock of the local target from outside.

use crate::support::{self, Project};

/// Every operation through `boto3`, on resources that stacks make, where the environment names a Python that has it.
#[test]
fn boto3_finds_bedrock_as_it_expects_it() {
    let Some(python) = support::judges() else { return };
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let script = support::repository().join("tests/local/bedrock.py");
    let output = std::process::Command::new(python).arg(script).arg(&served.url).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
