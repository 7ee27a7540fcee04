//! Who may read the state, and what of it is gone when a stack is.

use std::collections::BTreeSet;

use super::*;

/// Every file of the state that holds a text.
fn holding(dir: &Path, text: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        if entry.file_type().expect("a type").is_dir() {
            holding(&entry.path(), text, found);
        } else if let Ok(bytes) = std::fs::read(entry.path())
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.insert(entry.path().display().to_string());
        }
    }
}

/// Waits until no file of the state holds any of the texts: what is deleted is overwritten in the background.
async fn gone(world: &World, texts: &[&str]) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let mut found = BTreeSet::new();
        for text in texts {
            holding(world.target.store().dir(), text, &mut found);
        }
        if found.is_empty() {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "still in {found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const FIRST: &str = "correct-horse-battery";
const SECOND: &str = "staple-of-a-second-kind";

/// A stack that puts a hidden parameter wherever one can go.
fn secretive(child: &str, value_of_name: Value) -> Value {
    let mut body = template(json!({
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": {"Ref": "Password"}}},
        "Stored": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": value_of_name,
            "Value": {"Fn::Sub": "before ${Password} after"}}},
        "Child": {"Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": child, "Parameters": {"Handed": {"Ref": "Password"}}}},
        "Log": {"Type": "AWS::Logs::LogGroup", "Metadata": {"Note": {"Ref": "Password"}},
            "Properties": {"Tags": [{"Key": "note", "Value": {"Ref": "Password"}}]}},
    }));
    body["Parameters"] = json!({"Password": {"Type": "String", "NoEcho": true}});
    body["Outputs"] = json!({"Password": {"Value": {"Ref": "Password"}}});
    body
}

fn handed() -> Value {
    let mut body = template(json!({"Kept": {"Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": {"Ref": "Handed"}}}}));
    body["Parameters"] = json!({"Handed": {"Type": "String"}});
    body["Outputs"] = json!({"Handed": {"Value": {"Ref": "Handed"}}});
    body
}

/// All that the events of all stacks say, and the change sets.
async fn told(world: &World) -> String {
    let mut told = String::new();
    let stacks = world.cfn.list_stacks().send().await.expect("a list");
    for stack in stacks.stack_summaries() {
        let id = stack.stack_id().expect("an id");
        let events = world.cfn.describe_stack_events().stack_name(id).send().await.expect("events");
        told.push_str(&format!("{events:?}"));
        let sets = world.cfn.list_change_sets().stack_name(id).send().await;
        for set in sets.iter().flat_map(|sets| sets.summaries()) {
            let set = world.cfn.describe_change_set().change_set_name(set.change_set_id().expect("an id"));
            told.push_str(&format!("{:?}", set.include_property_values(true).send().await.expect("a change set")));
        }
        let rows = world.cfn.list_stack_resources().stack_name(id).send().await.expect("resources");
        told.push_str(&format!("{rows:?}"));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_parameter_is_shown_by_nothing_and_gone_with_its_stack() {
    let world = World::new().await;
    world.make_bucket("children").await;
    world.put("children", "child.json", &handed().to_string()).await;
    let url = format!("{}/children/child.json", world.target.url());
    let with = |value: &str| parameter("Password", value);
    let body = secretive(&url, json!("/one"));
    world
        .cfn
        .create_stack()
        .stack_name("demo")
        .template_body(body.to_string())
        .parameters(with(FIRST))
        .send()
        .await
        .expect("a stack");
    let stack = world.settled("demo").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    assert_eq!(stack.parameters().first().and_then(|one| one.parameter_value()), Some("****"));

    // A new value, and a resource that is replaced: what is deleted has the old one.
    let set = world.cfn.create_change_set().stack_name("demo").change_set_name("other").parameters(with(SECOND));
    let set = set.template_body(secretive(&url, json!("/two")).to_string());
    let set = set.send().await.expect("a change set");
    let before = told(&world).await;
    world.cfn.execute_change_set().change_set_name(set.id().expect("an id")).send().await.expect("executed");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_COMPLETE");
    // An update that fails and is taken back.
    let mut failing = secretive(&url, json!("/three"));
    failing["Resources"]["Log"]["Metadata"]["Bedplate"] = json!({"Fail": {"Update": format!("no {FIRST}")}});
    world
        .cfn
        .update_stack()
        .stack_name("demo")
        .template_body(failing.to_string())
        .parameters(with(FIRST))
        .send()
        .await
        .expect("an update");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_ROLLBACK_COMPLETE");
    let after = told(&world).await;
    for secret in [FIRST, SECOND] {
        assert!(!before.contains(secret) && !after.contains(secret), "{secret} is told");
    }
    assert!(after.contains("****"), "{after}");

    let stack = world.stack("demo").await;
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    gone(&world, &[FIRST, SECOND]).await;
    let gone_stack = world.stack(stack.stack_id().expect("an id")).await;
    assert_eq!(gone_stack.parameters().first().and_then(|one| one.parameter_value()), Some("****"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_parameters_and_people_leave_nothing_when_they_are_deleted() {
    let world = World::new().await;
    let body = template(json!({
        "Drawn": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {"PasswordLength": 40}}},
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
    }));
    let stack = world.create("demo", &body).await;
    let arn = world.physical("demo", "Drawn").await;
    let value = world.secrets("GetSecretValue", json!({"SecretId": arn})).await;
    let drawn = value["SecretString"].as_str().expect("a value").to_owned();
    world.secrets("PutSecretValue", json!({"SecretId": arn, "SecretString": "put-by-hand-7719"})).await;
    world.ssm("PutParameter", json!({"Name": "/p", "Type": "SecureString", "Value": "sealed-parameter-1"})).await;
    let overwritten = json!({"Name": "/p", "Type": "SecureString", "Value": "sealed-parameter-2", "Overwrite": true});
    world.ssm("PutParameter", overwritten).await;
    world.ssm("DeleteParameter", json!({"Name": "/p"})).await;
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    gone(&world, &[&drawn, "put-by-hand-7719", "sealed-parameter-1", "sealed-parameter-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_credentials_lose_their_secret_when_they_expire() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    let dir = tempfile::tempdir().expect("a folder");
    let passed = Arc::new(AtomicI64::new(0));
    let mut options = LocalOptions::new(dir.path());
    let of_clock = Arc::clone(&passed);
    options.clock = local::Clock::from_fn(move || {
        jiff::Timestamp::now() + jiff::SignedDuration::from_secs(of_clock.load(Ordering::Relaxed))
    });
    let world = World::with(options).await;
    let mut body = template(json!({"Role": role()}));
    body["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] =
        json!({"AWS": "arn:aws:iam::123456789012:root"});
    body["Outputs"] = json!({"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}});
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    let sts = aws_sdk_sts::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sts::config::Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(world.target.url())
        .build();
    let sts = aws_sdk_sts::Client::from_conf(sts);
    let assumed = sts.assume_role().role_arn(output(&stack, "Arn")).role_session_name("short").send();
    let assumed = assumed.await.expect("a session");
    let given = assumed.credentials().expect("credentials");
    let mut found = BTreeSet::new();
    holding(dir.path(), given.secret_access_key(), &mut found);
    assert!(!found.is_empty(), "while they count they are kept");
    passed.store(13 * 3600, Ordering::Relaxed);
    gone(&world, &[given.secret_access_key(), given.session_token()]).await;
    // And whoever uses them is told what they are: expired.
    let old = aws_credential_types::Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        None,
        "test",
    );
    let expired = cfn::Config::builder()
        .behavior_version_latest()
        .region(cfn::config::Region::new(REGION))
        .credentials_provider(old)
        .retry_config(cfn::config::retry::RetryConfig::disabled())
        .endpoint_url(world.target.url())
        .build();
    let (code, message) = refused(cfn::Client::from_conf(expired).describe_stacks().send().await);
    assert!(code.contains("Expired") && message.contains("expired"), "{code}: {message}");
}

#[cfg(unix)]
mod rights {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// Files and folders that others than their owner have any right on.
    fn open_to_others(dir: &Path, found: &mut Vec<String>) {
        let mode = |path: &Path| std::fs::symlink_metadata(path).expect("metadata").permissions().mode();
        if mode(dir) & 0o077 != 0 {
            found.push(format!("{:o} {}", mode(dir), dir.display()));
        }
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if entry.file_type().expect("a type").is_dir() {
                open_to_others(&path, found);
            } else if mode(&path) & 0o077 != 0 {
                found.push(format!("{:o} {}", mode(&path), path.display()));
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_else_may_read_the_state_also_of_an_older_version() {
        let parent = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("local");
        let world = World::at(&dir).await;
        world.make_bucket("closed-to-others").await;
        world.put("closed-to-others", "key", "a body").await;
        world.create("demo", &template(json!({"Log": log_group(json!({}))}))).await;
        local::serving::announce(&dir, world.target.url()).expect("a file");
        let mut found = Vec::new();
        open_to_others(&dir, &mut found);
        assert_eq!(found, [""; 0]);
        assert!(dir.join("state.db-wal").exists() && dir.join("objects").is_dir());
        world.target.shutdown().await;

        // As an older version left it.
        let mut paths = vec![dir.clone()];
        while let Some(path) = paths.pop() {
            let folder = path.is_dir();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(if folder { 0o755 } else { 0o644 }))
                .expect("loose");
            if folder {
                paths.extend(std::fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
            }
        }
        let world = World::at(&dir).await;
        open_to_others(&dir, &mut found);
        assert_eq!(found, [""; 0]);
        assert_eq!(status(&world.stack("demo").await), "CREATE_COMPLETE");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_link_in_place_of_the_state_is_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("local");
        for name in ["", "state.db", "objects", "locks", "objects/aa"] {
            let link = if name.is_empty() { dir.clone() } else { dir.join(name) };
            std::fs::create_dir_all(link.parent().expect("a parent")).expect("a folder");
            symlink(elsewhere.path(), &link).expect("a link");
            let error = local::start(LocalOptions::new(&dir)).await.expect_err("refused").to_string();
            assert!(error.contains("is a link, and the state of the local target follows none"), "{name}: {error}");
            assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a folder").count(), 0, "{name}");
            std::fs::remove_file(&link).expect("removed");
        }
    }
}
