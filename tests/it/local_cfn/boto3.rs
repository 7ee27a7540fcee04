//! CloudFormation through `boto3`, where the environment names a Python that has it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_cloudformation_as_it_expects_it() {
    let Some(python) = std::env::var_os("BEDPLATE_TEST_PYTHON") else { return };
    let world = World::new().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/local/cloudformation.py");
    let output = tokio::process::Command::new(python)
        .args([script, world.target.url()])
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .output()
        .await
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
