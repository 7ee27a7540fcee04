//! The local target from outside: its store, its HTTP surface, STS and S3.

use bedplate::local::{self, LocalOptions};

async fn running(dir: &std::path::Path) -> local::Running {
    local::start(LocalOptions::new(dir)).await.expect("a local target")
}

fn credentials() -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new("local", "local", None, None, "test")
}

#[tokio::test]
async fn sts_says_who_is_asking() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = running(dir.path()).await;
    let config = aws_sdk_sts::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sts::config::Region::new("us-west-2"))
        .credentials_provider(credentials())
        .endpoint_url(target.url())
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let identity = sts.get_caller_identity().send().await.expect("an identity");
    assert_eq!(identity.account(), Some("123456789012"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/local"));

    let refused = sts.get_session_token().send().await.expect_err("not simulated").into_service_error();
    assert_eq!(refused.meta().code(), Some("NotImplemented"));
    assert!(refused.meta().message().expect("a message").contains("`GetSessionToken` of `sts`"));
    target.shutdown().await;
}

#[tokio::test]
async fn a_state_folder_ignores_itself_in_git() {
    let dir = tempfile::tempdir().expect("a folder");
    running(dir.path()).await.shutdown().await;
    assert_eq!(std::fs::read_to_string(dir.path().join(".gitignore")).expect("a .gitignore"), "*\n");
}

/// Every operation through `boto3`, where the environment names a Python that has it.
#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_s3_as_it_expects_it() {
    let Some(python) = std::env::var_os("BEDPLATE_TEST_PYTHON") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let target = running(dir.path()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/local/s3.py");
    let output = tokio::process::Command::new(python)
        .args([script, target.url()])
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .output()
        .await
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.shutdown().await;
}
