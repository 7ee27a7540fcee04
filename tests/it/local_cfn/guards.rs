//! What keeps stacks from harm: protection, policies, exports in use, tokens, names.

use super::*;

fn exporting(name: &str, value: &str) -> Value {
    let mut body = template(json!({"Log": log_group(json!({"LogGroupName": value}))}));
    body["Outputs"] = json!({"Shared": {"Value": {"Ref": "Log"}, "Export": {"Name": name}}});
    body
}

fn importing(name: &str) -> Value {
    template(
        json!({"User": log_group(json!({"LogGroupName": {"Fn::Sub": ["${Base}-user", {"Base": {"Fn::ImportValue": name}}]}}))}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_in_use_keeps_its_stack_and_its_value() {
    let world = World::new().await;
    let exporter = world.create("exporter", &exporting("shared-log", "/shared")).await;
    let importer = world.create("importer", &importing("shared-log")).await;
    assert_eq!(status(&importer), "CREATE_COMPLETE", "{importer:?}");
    assert_eq!(world.physical("importer", "User").await, "/shared-user");
    let exports = world.cfn.list_exports().send().await.expect("exports");
    let shared = exports.exports().first().expect("an export");
    assert_eq!((shared.name(), shared.value()), (Some("shared-log"), Some("/shared")));
    let imports = world.cfn.list_imports().export_name("shared-log").send().await.expect("imports");
    assert_eq!(imports.imports(), ["importer"]);

    // CloudFormation takes the call and leaves the stack where it was, with the reason.
    let kept = world.delete(&exporter).await;
    assert_eq!(status(&kept), "CREATE_COMPLETE");
    assert_eq!(reason(&kept), "Export shared-log cannot be deleted as it is in use by importer");
    let changed = world.update("exporter", &exporting("shared-log", "/other")).await;
    assert_eq!(status(&changed), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("exporter").await.join("\n");
    assert!(events.contains("Export shared-log cannot be updated as it is in use by importer"), "{events}");
    let (_, message) = refused({
        let second = exporting("shared-log", "/second");
        world.create("second", &second).await;
        world.cfn.describe_stacks().stack_name("nobody").send().await
    });
    assert!(message.contains("nobody"));
    let second = world.stack("second").await;
    assert_eq!(status(&second), "ROLLBACK_COMPLETE");
    let events = world.events("second").await.join("\n");
    assert!(events.contains("Export with name shared-log is already exported by stack exporter"), "{events}");

    world.delete(&importer).await;
    assert_eq!(status(&world.delete(&exporter).await), "DELETE_COMPLETE");
    assert!(world.cfn.list_exports().send().await.expect("exports").exports().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_nothing_fails_its_stack() {
    let world = World::new().await;
    let stack = world.create("importer", &importing("nothing")).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("importer").await.join("\n");
    assert!(events.contains("No export named nothing found"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn termination_protection_is_enforced() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    let make = world.cfn.create_stack().stack_name("demo").enable_termination_protection(true);
    make.template_body(body.to_string()).send().await.expect("a stack");
    let stack = world.settled("demo").await;
    assert_eq!(stack.enable_termination_protection(), Some(true));
    let (code, message) = refused(world.cfn.delete_stack().stack_name("demo").send().await);
    assert_eq!(code, "ValidationError");
    assert_eq!(message, "Stack [demo] cannot be deleted while TerminationProtection is enabled");
    let lift = world.cfn.update_termination_protection().stack_name("demo").enable_termination_protection(false);
    lift.send().await.expect("no protection");
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_policy_denies_what_it_denies() {
    let world = World::new().await;
    let body =
        |days: u32| template(json!({"Log": log_group(json!({"LogGroupName": "/log", "RetentionInDays": days}))}));
    world.create("demo", &body(1)).await;
    let (_, message) = refused(world.cfn.set_stack_policy().stack_name("demo").stack_policy_body("{}").send().await);
    assert!(message.contains("stack policy"), "{message}");
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", "Resource": "LogicalResourceId/Log"},
    ]});
    world.cfn.set_stack_policy().stack_name("demo").stack_policy_body(policy.to_string()).send().await.expect("set");
    let got = world.cfn.get_stack_policy().stack_name("demo").send().await.expect("a policy");
    assert_eq!(got.stack_policy_body(), Some(policy.to_string().as_str()));
    let stack = world.update("demo", &body(7)).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("demo").await.join("\n");
    assert!(
        events
            .contains("Log UPDATE_FAILED Action denied by stack policy: Statement [#2] does not allow [Update:Modify]"),
        "{events}"
    );
    let open = json!({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]});
    let update = world.cfn.update_stack().stack_name("demo").template_body(body(7).to_string());
    update.stack_policy_during_update_body(open.to_string()).send().await.expect("an update");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_a_call_once() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))})).to_string();
    let create = || world.cfn.create_stack().stack_name("demo").template_body(&body).client_request_token("t-1");
    let first = create().send().await.expect("a stack");
    world.settled("demo").await;
    let second = create().send().await.expect("the same stack");
    assert_eq!(first.stack_id(), second.stack_id());
    let (code, _) = refused(world.cfn.delete_stack().stack_name("demo").client_request_token("t-1").send().await);
    assert_eq!(code, "TokenAlreadyExistsException");
    let (code, message) = refused(world.cfn.create_stack().stack_name("demo").template_body(&body).send().await);
    assert_eq!((code.as_str(), message.as_str()), ("AlreadyExistsException", "Stack [demo] already exists"));
    let events = world.cfn.describe_stack_events().stack_name("demo").send().await.expect("events");
    assert!(events.stack_events().iter().all(|event| event.client_request_token() == Some("t-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_taken_by_another_stack_is_refused() {
    let world = World::new().await;
    let cases = [
        ("bucket", bucket(json!({"BucketName": "taken-name"}))),
        ("log", log_group(json!({"LogGroupName": "/taken"}))),
        ("role", {
            let mut role = role();
            role["Properties"]["RoleName"] = json!("taken");
            role
        }),
    ];
    for (kind, resource) in cases {
        let body = template(json!({"Taken": resource}));
        let first = world.create(&format!("{kind}-first"), &body).await;
        assert_eq!(status(&first), "CREATE_COMPLETE", "{first:?}");
        let second = world.create(&format!("{kind}-second"), &body).await;
        assert_eq!(status(&second), "ROLLBACK_COMPLETE");
        let events = world.events(&format!("{kind}-second")).await.join("\n");
        let expected = format!("already exists in stack {}", first.stack_id().expect("an id"));
        assert!(events.contains(&expected), "{events}");
        // What the first has is untouched.
        assert!(!world.physical(&format!("{kind}-first"), "Taken").await.is_empty());
    }
    assert!(world.bucket_exists("taken-name").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_name_can_not_be_kept_through_a_replacement() {
    let world = World::new().await;
    let index = |dimension: u32| {
        template(json!({
            "Vectors": {"Type": "AWS::S3Vectors::VectorBucket", "Properties": {"VectorBucketName": "vectors"}},
            "Index": {"Type": "AWS::S3Vectors::Index", "DependsOn": "Vectors", "Properties": {
                "VectorBucketName": "vectors", "IndexName": "docs", "DataType": "float32",
                "Dimension": dimension, "DistanceMetric": "cosine"}},
        }))
    };
    assert_eq!(status(&world.create("demo", &index(256)).await), "CREATE_COMPLETE");
    assert_eq!(status(&world.update("demo", &index(512)).await), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("demo").await.join("\n");
    assert!(events.contains("Rename docs and update the stack again"), "{events}");
}
