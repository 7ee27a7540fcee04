//! Create, update, roll back, delete: what happens and in what order it is told.

use super::*;

/// Two log groups, the second after the first.
fn pair(first: Value, second: Value) -> Value {
    let mut second = log_group(second);
    second["DependsOn"] = json!("First");
    template(json!({"First": log_group(first), "Second": second}))
}

/// A resource that fails to be made.
fn failing(doing: &str) -> Value {
    json!({"Type": "AWS::Logs::LogGroup", "Metadata": {"Bedplate": {"Fail": {doing: "no more room"}}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_created_described_and_deleted() {
    let world = World::new().await;
    let mut body = template(json!({
        "Posters": bucket(json!({"Tags": [{"Key": "course", "Value": "genai"}]})),
        "Log": log_group(json!({"LogGroupName": {"Fn::Sub": "/posters/${Posters}"}})),
    }));
    body["Description"] = json!("Posters");
    body["Outputs"] =
        json!({"Name": {"Value": {"Ref": "Posters"}}, "LogArn": {"Value": {"Fn::GetAtt": ["Log", "Arn"]}}});
    let stack = world.create("posters-dev", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{stack:?}");
    assert_eq!(stack.description(), Some("Posters"));
    let name = output(&stack, "Name");
    assert!(name.starts_with("posters-dev-posters-") && name.len() <= 63, "{name}");
    assert!(world.bucket_exists(&name).await);
    assert_eq!(output(&stack, "LogArn"), format!("arn:aws:logs:us-west-2:123456789012:log-group:/posters/{name}:*"));
    let tags = world.s3.get_bucket_tagging().bucket(&name).send().await.expect("tags");
    let keys: Vec<&str> = tags.tag_set().iter().map(|tag| tag.key()).collect();
    assert!(keys.contains(&"course") && keys.contains(&"aws:cloudformation:stack-name"), "{keys:?}");

    let gone = world.delete(&stack).await;
    assert_eq!(status(&gone), "DELETE_COMPLETE");
    assert!(!world.bucket_exists(&name).await);
    let (code, message) = refused(world.cfn.describe_stacks().stack_name("posters-dev").send().await);
    assert_eq!((code.as_str(), message.as_str()), ("ValidationError", "Stack with id posters-dev does not exist"));
    let listed = world.cfn.list_stacks().stack_status_filter(StackStatus::DeleteComplete).send().await.expect("a list");
    assert_eq!(listed.stack_summaries().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_creation_and_a_deletion_come_in_their_order() {
    let world = World::new().await;
    let stack = world.create("demo", &pair(json!({}), json!({}))).await;
    insta::assert_snapshot!(world.events("demo").await.join("\n"), @r"
    demo CREATE_IN_PROGRESS User Initiated
    First CREATE_IN_PROGRESS
    First CREATE_IN_PROGRESS Resource creation Initiated
    First CREATE_COMPLETE
    Second CREATE_IN_PROGRESS
    Second CREATE_IN_PROGRESS Resource creation Initiated
    Second CREATE_COMPLETE
    demo CREATE_COMPLETE
    ");
    world.delete(&stack).await;
    let events = world.events(stack.stack_id().expect("an id")).await;
    insta::assert_snapshot!(events.get(8..).unwrap_or_default().join("\n"), @r"
    demo DELETE_IN_PROGRESS User Initiated
    Second DELETE_IN_PROGRESS
    Second DELETE_COMPLETE
    First DELETE_IN_PROGRESS
    First DELETE_COMPLETE
    demo DELETE_COMPLETE
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_in_place_replaces_adds_and_removes() {
    let world = World::new().await;
    let before = template(json!({
        "Kept": log_group(json!({"LogGroupName": "/kept"})),
        "Changed": log_group(json!({"LogGroupName": "/changed", "RetentionInDays": 1})),
        "Replaced": log_group(json!({"LogGroupName": "/old"})),
        "Removed": log_group(json!({"LogGroupName": "/removed"})),
    }));
    world.create("demo", &before).await;
    let count = world.events("demo").await.len();
    let after = template(json!({
        "Kept": log_group(json!({"LogGroupName": "/kept"})),
        "Changed": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Kept", "Properties": {"LogGroupName": "/changed", "RetentionInDays": 7}},
        "Replaced": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Changed", "Properties": {"LogGroupName": "/new"}},
        "Added": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Replaced", "Properties": {"LogGroupName": "/added"}},
    }));
    let stack = world.update("demo", &after).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE");
    assert!(stack.last_updated_time().is_some());
    assert_eq!(world.physical("demo", "Replaced").await, "/new");
    let mut events = world.events("demo").await.split_off(count);
    // The cleanup's two deletions run at the same time.
    let at = events.iter().position(|line| line.contains("CLEANUP")).expect("a cleanup") + 1;
    let end = events.len() - 1;
    events[at..end].sort();
    insta::assert_snapshot!(events.join("\n"), @r"
    demo UPDATE_IN_PROGRESS User Initiated
    Changed UPDATE_IN_PROGRESS
    Changed UPDATE_COMPLETE
    Replaced UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.
    Replaced UPDATE_IN_PROGRESS Resource creation Initiated
    Replaced UPDATE_COMPLETE
    Added CREATE_IN_PROGRESS
    Added CREATE_IN_PROGRESS Resource creation Initiated
    Added CREATE_COMPLETE
    demo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
    Removed DELETE_COMPLETE
    Removed DELETE_IN_PROGRESS
    Replaced DELETE_COMPLETE
    Replaced DELETE_IN_PROGRESS
    demo UPDATE_COMPLETE
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_creation_is_taken_back() {
    let world = World::new().await;
    let mut broken = failing("Create");
    broken["DependsOn"] = json!("First");
    let body = template(json!({"First": bucket(json!({"BucketName": "first-bucket"})), "Broken": broken}));
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    assert!(!world.bucket_exists("first-bucket").await);
    let events = world.events("demo").await.join("\n");
    let quoted = regex::Regex::new("RequestToken: [0-9a-f-]+").expect("a pattern");
    insta::assert_snapshot!(quoted.replace_all(&events, "RequestToken: -"), @r#"
    demo CREATE_IN_PROGRESS User Initiated
    First CREATE_IN_PROGRESS
    First CREATE_IN_PROGRESS Resource creation Initiated
    First CREATE_COMPLETE
    Broken CREATE_IN_PROGRESS
    Broken CREATE_FAILED Resource handler returned message: "no more room" (RequestToken: -, HandlerErrorCode: GeneralServiceException)
    demo ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Broken]. Rollback requested by user.
    Broken DELETE_COMPLETE
    First DELETE_IN_PROGRESS
    First DELETE_COMPLETE
    demo ROLLBACK_COMPLETE
    "#);
    let (code, message) =
        refused(world.cfn.update_stack().stack_name("demo").template_body(body.to_string()).send().await);
    assert_eq!(code, "ValidationError");
    let id = stack.stack_id().expect("an id");
    assert_eq!(message, format!("Stack:{id} is in ROLLBACK_COMPLETE state and can not be updated."));
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_update_is_taken_back_to_what_was() {
    let world = World::new().await;
    world.create("demo", &pair(json!({"LogGroupName": "/one"}), json!({"RetentionInDays": 1}))).await;
    let count = world.events("demo").await.len();
    let mut after = pair(json!({"LogGroupName": "/two"}), json!({"RetentionInDays": 7}));
    after["Resources"]["Broken"] = failing("Create");
    after["Resources"]["Broken"]["DependsOn"] = json!("Second");
    let stack = world.update("demo", &after).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.physical("demo", "First").await, "/one");
    let mut events = world.events("demo").await.split_off(count);
    // The cleanup's two deletions run at the same time.
    let at = events.iter().position(|line| line.contains("CLEANUP")).expect("a cleanup") + 1;
    let end = events.len() - 1;
    events[at..end].sort();
    let quoted = regex::Regex::new("RequestToken: [0-9a-f-]+").expect("a pattern");
    insta::assert_snapshot!(quoted.replace_all(&events.join("\n"), "RequestToken: -"), @r#"
    demo UPDATE_IN_PROGRESS User Initiated
    First UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.
    First UPDATE_IN_PROGRESS Resource creation Initiated
    First UPDATE_COMPLETE
    Second UPDATE_IN_PROGRESS
    Second UPDATE_COMPLETE
    Broken CREATE_IN_PROGRESS
    Broken CREATE_FAILED Resource handler returned message: "no more room" (RequestToken: -, HandlerErrorCode: GeneralServiceException)
    demo UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Broken].
    First UPDATE_IN_PROGRESS
    First UPDATE_COMPLETE
    Second UPDATE_IN_PROGRESS
    Second UPDATE_COMPLETE
    demo UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
    Broken DELETE_COMPLETE
    First DELETE_COMPLETE
    First DELETE_IN_PROGRESS
    demo UPDATE_ROLLBACK_COMPLETE
    "#);
    let template = world.cfn.get_template().stack_name("demo").send().await.expect("a template");
    assert!(template.template_body().expect("a body").contains("/one"), "the old template is back");
    // Nothing of the new one is left in the way.
    let again = world.update("demo", &pair(json!({"LogGroupName": "/two"}), json!({"RetentionInDays": 7}))).await;
    assert_eq!(status(&again), "UPDATE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_failure_says_is_done() {
    let world = World::new().await;
    for (wanted, expected) in
        [("DO_NOTHING", "CREATE_FAILED"), ("ROLLBACK", "ROLLBACK_COMPLETE"), ("DELETE", "DELETE_COMPLETE")]
    {
        let name = format!("demo-{}", wanted.to_ascii_lowercase().replace('_', "-"));
        let made = world
            .cfn
            .create_stack()
            .stack_name(&name)
            .template_body(template(json!({"Broken": failing("Create")})).to_string())
            .on_failure(wanted.into())
            .send()
            .await
            .expect("a stack");
        let stack = world.settled(made.stack_id().expect("an id")).await;
        assert_eq!(status(&stack), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_left_where_it_failed_is_rolled_back_on_request() {
    let world = World::new().await;
    let body = template(json!({"Good": log_group(json!({"LogGroupName": "/good"})), "Broken": failing("Create")}));
    let make = world.cfn.create_stack().stack_name("demo").template_body(body.to_string()).disable_rollback(true);
    make.send().await.expect("a stack");
    assert_eq!(status(&world.settled("demo").await), "CREATE_FAILED");
    world.cfn.rollback_stack().stack_name("demo").send().await.expect("a rollback");
    assert_eq!(status(&world.settled("demo").await), "ROLLBACK_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_left_where_it_failed_goes_on_or_back() {
    let world = World::new().await;
    world.create("demo", &pair(json!({"LogGroupName": "/one"}), json!({}))).await;
    let mut after = pair(json!({"LogGroupName": "/two"}), json!({}));
    after["Resources"]["Broken"] = failing("Create");
    after["Resources"]["Broken"]["DependsOn"] = json!("Second");
    let update = || world.cfn.update_stack().stack_name("demo").disable_rollback(true);
    update().template_body(after.to_string()).send().await.expect("an update");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_FAILED");
    assert_eq!(world.physical("demo", "First").await, "/two");
    world.cfn.rollback_stack().stack_name("demo").send().await.expect("a rollback");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.physical("demo", "First").await, "/one");

    update().template_body(after.to_string()).send().await.expect("an update");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_FAILED");
    after["Resources"]["Broken"]["Metadata"] = json!({});
    let stack = world.update("demo", &after).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE", "{}", reason(&stack));
    assert_eq!(world.physical("demo", "First").await, "/two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_fails_is_continued_with_resources_skipped() {
    let world = World::new().await;
    let stubborn = |days: u32| {
        json!({"Type": "AWS::Logs::LogGroup", "Metadata": {"Bedplate": {"Fail": {"Rollback": "stuck"}}},
               "Properties": {"LogGroupName": "/stubborn", "RetentionInDays": days}})
    };
    world.create("demo", &template(json!({"Stubborn": stubborn(1)}))).await;
    let mut broken = failing("Create");
    broken["DependsOn"] = json!("Stubborn");
    let stack = world.update("demo", &template(json!({"Stubborn": stubborn(7), "Broken": broken}))).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_FAILED");
    assert_eq!(reason(&stack), "The following resource(s) failed to update: [Stubborn].");
    world.cfn.continue_update_rollback().stack_name("demo").send().await.expect("a continuation");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_ROLLBACK_FAILED");
    let (_, message) =
        refused(world.cfn.continue_update_rollback().stack_name("demo").resources_to_skip("Nothing").send().await);
    assert!(message.contains("ResourcesToSkip"), "{message}");
    world.cfn.continue_update_rollback().stack_name("demo").resources_to_skip("Stubborn").send().await.expect("on");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_non_empty_bucket_keeps_its_stack_until_it_is_emptied_or_retained() {
    let world = World::new().await;
    let stack = world.create("demo", &template(json!({"Posters": bucket(json!({"BucketName": "full-bucket"}))}))).await;
    world.put("full-bucket", "poster.png", "…").await;
    let kept = world.delete(&stack).await;
    assert_eq!(status(&kept), "DELETE_FAILED");
    assert_eq!(reason(&kept), "The following resource(s) failed to delete: [Posters].");
    let events = world.events("demo").await.join("\n");
    assert!(
        events.contains("Posters DELETE_FAILED") && events.contains("The bucket you tried to delete is not empty"),
        "{events}"
    );
    world.s3.delete_object().bucket("full-bucket").key("poster.png").send().await.expect("a deletion");
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    assert!(!world.bucket_exists("full-bucket").await);

    let stack =
        world.create("again", &template(json!({"Posters": bucket(json!({"BucketName": "full-bucket"}))}))).await;
    world.put("full-bucket", "poster.png", "…").await;
    let id = stack.stack_id().expect("an id");
    let (_, message) = refused(world.cfn.delete_stack().stack_name(id).retain_resources("Posters").send().await);
    assert!(message.contains("DELETE_FAILED state"), "{message}");
    assert_eq!(status(&world.delete(&stack).await), "DELETE_FAILED");
    world.cfn.delete_stack().stack_name(id).retain_resources("Posters").send().await.expect("a deletion");
    assert_eq!(status(&world.settled(id).await), "DELETE_COMPLETE");
    assert!(world.bucket_exists("full-bucket").await, "the bucket was retained");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_deletion_ends_a_stack_that_can_not_be_deleted() {
    let world = World::new().await;
    let stack = world.create("demo", &template(json!({"Stuck": failing("Delete")}))).await;
    assert_eq!(status(&world.delete(&stack).await), "DELETE_FAILED");
    let id = stack.stack_id().expect("an id");
    let force = cfn::types::DeletionMode::ForceDeleteStack;
    world.cfn.delete_stack().stack_name(id).deletion_mode(force).send().await.expect("a deletion");
    assert_eq!(status(&world.settled(id).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_keep_things_on_deletion_replacement_and_rollback() {
    let world = World::new().await;
    let kept = |policy: &str, name: &str| {
        json!({"Type": "AWS::S3::Bucket", "DeletionPolicy": policy, "UpdateReplacePolicy": "Retain",
               "Properties": {"BucketName": name}})
    };
    let stack = world.create("demo", &template(json!({"Kept": kept("Retain", "kept-one")}))).await;
    let stack_after = world.update("demo", &template(json!({"Kept": kept("Retain", "kept-two")}))).await;
    assert_eq!(status(&stack_after), "UPDATE_COMPLETE");
    world.delete(&stack).await;
    assert!(world.bucket_exists("kept-one").await && world.bucket_exists("kept-two").await);
    let events = world.events(stack.stack_id().expect("an id")).await;
    assert!(events.contains(&"Kept DELETE_SKIPPED".to_owned()), "{events:?}");

    for (policy, name, stays) in [("Retain", "stays-one", true), ("RetainExceptOnCreate", "goes-one", false)] {
        let mut broken = failing("Create");
        broken["DependsOn"] = json!("Kept");
        let body = template(json!({"Kept": kept(policy, name), "Broken": broken}));
        assert_eq!(status(&world.create(&format!("rolled-{name}"), &body).await), "ROLLBACK_COMPLETE");
        assert_eq!(world.bucket_exists(name).await, stays, "{policy}");
    }
    let stack = world.create("later", &template(json!({"Kept": kept("RetainExceptOnCreate", "later-one")}))).await;
    world.delete(&stack).await;
    assert!(world.bucket_exists("later-one").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_under_way_can_be_cancelled() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut options = LocalOptions::new(dir.path());
    options.delay = Duration::from_millis(150);
    let world = World::with(options).await;
    world.create("demo", &pair(json!({"RetentionInDays": 1}), json!({"RetentionInDays": 1}))).await;
    let (_, message) = refused(world.cfn.cancel_update_stack().stack_name("demo").send().await);
    assert_eq!(message, "CancelUpdateStack cannot be called from current stack status CREATE_COMPLETE");
    let after = pair(json!({"RetentionInDays": 7}), json!({"RetentionInDays": 7}));
    world.cfn.update_stack().stack_name("demo").template_body(after.to_string()).send().await.expect("an update");
    world.cfn.cancel_update_stack().stack_name("demo").send().await.expect("a cancellation");
    let stack = world.settled("demo").await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    assert!(world.events("demo").await.iter().any(|line| line == "demo UPDATE_ROLLBACK_IN_PROGRESS User Cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_cancels_what_is_under_way_and_that_is_taken_back_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut options = LocalOptions::new(dir.path());
    options.delay = Duration::from_secs(5);
    options.fail.push("Broken=too late".parse().expect("an injection"));
    let world = World::with(options).await;
    let body = template(json!({"Slow": bucket(json!({"BucketName": "slow-bucket"})), "Broken": log_group(json!({}))}));
    let began = std::time::Instant::now();
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    assert!(began.elapsed() < Duration::from_secs(4), "the slow one was not waited for");
    let events = world.events("demo").await.join("\n");
    assert!(events.contains("too late"), "{events}");
    if events.contains("Slow CREATE_IN_PROGRESS") {
        assert!(events.contains("Slow CREATE_FAILED Resource creation cancelled"), "{events}");
    }
    assert!(!world.bucket_exists("slow-bucket").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_resources_are_made_at_the_same_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut options = LocalOptions::new(dir.path());
    options.delay = Duration::from_millis(200);
    let world = World::with(options).await;
    let resources: serde_json::Map<String, Value> =
        (0..20).map(|index| (format!("Log{index}"), log_group(json!({})))).collect();
    let began = std::time::Instant::now();
    assert_eq!(status(&world.create("demo", &template(Value::Object(resources))).await), "CREATE_COMPLETE");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// Members of the answers of AWS that localstack/localstack recorded (2026-03).
#[tokio::test(flavor = "multi_thread")]
async fn a_description_has_the_members_that_aws_gives() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    let asked = async |action: &str, more: &str| {
        let form = format!("Action={action}&Version=2010-05-15&{more}");
        let (_, text) = world.form("cloudformation", &form).await;
        text
    };
    let make = world.cfn.create_change_set().stack_name("demo").change_set_name("first");
    let made = make.change_set_type(ChangeSetType::Create).template_body(body.to_string()).send().await.expect("a set");
    let set = asked("DescribeChangeSet", "StackName=demo&ChangeSetName=first").await;
    for (member, there) in [("Capabilities", true), ("NotificationARNs", true), ("Tags", false), ("Parameters", false)]
    {
        assert_eq!(set.contains(&format!("<{member}")), there, "{member}: {set}");
    }
    world.cfn.execute_change_set().stack_name("demo").change_set_name("first").send().await.expect("execution");
    world.settled("demo").await;
    let stack = asked("DescribeStacks", "StackName=demo").await;
    for (member, there) in [
        ("ChangeSetId", true),
        ("LastUpdatedTime", true),
        ("Tags", true),
        ("NotificationARNs", true),
        ("EnableTerminationProtection", true),
        ("Parameters", false),
        ("Outputs", false),
        ("Capabilities", false),
        ("DeletionTime", false),
    ] {
        assert_eq!(stack.contains(&format!("<{member}")), there, "{member}: {stack}");
    }
    let id = made.stack_id().expect("an id").to_owned();
    world.cfn.delete_stack().stack_name("demo").send().await.expect("a deletion");
    world.settled(&id).await;
    let gone = asked("DescribeStacks", &format!("StackName={}", id.replace(':', "%3A").replace('/', "%2F"))).await;
    for (member, there) in [("DeletionTime", true), ("ChangeSetId", false), ("EnableTerminationProtection", false)] {
        assert_eq!(gone.contains(&format!("<{member}")), there, "{member}: {gone}");
    }

    // No two events of a stack share a time, so that sorting by it keeps their order.
    let events = world.cfn.describe_stack_events().stack_name(&id).send().await.expect("events");
    let times: Vec<_> = events.stack_events().iter().filter_map(|event| event.timestamp().copied()).collect();
    assert!(times.len() > 8 && times.is_sorted_by(|newer, older| newer > older), "{times:?}");
}
