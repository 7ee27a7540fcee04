//! Nested stacks.

use super::*;

async fn put_child(world: &World, key: &str, body: &Value) -> String {
    world.put("nested-templates", key, &body.to_string()).await;
    format!("{}/nested-templates/{key}", world.target.url())
}

fn child(days: Value) -> Value {
    let mut body = template(json!({"Log": log_group(json!({"RetentionInDays": days}))}));
    body["Parameters"] = json!({"Unused": {"Type": "String", "Default": "x"}});
    body["Outputs"] = json!({"Name": {"Value": {"Ref": "Log"}}});
    body
}

fn parent(url: &str) -> Value {
    let mut body = template(json!({
        "Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": {"Unused": "y"}}},
    }));
    body["Outputs"] = json!({"Log": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}});
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nested_stack_is_made_changed_and_deleted_with_its_parent() {
    let world = World::new().await;
    world.make_bucket("nested-templates").await;
    let url = put_child(&world, "one.json", &child(json!(1))).await;
    let stack = world.create("parent", &parent(&url)).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("parent").await.join("\n"));
    let child_id = world.physical("parent", "Child").await;
    let nested = world.stack(&child_id).await;
    assert_eq!(nested.parent_id(), stack.stack_id());
    assert_eq!(nested.root_id(), stack.stack_id());
    assert_eq!(status(&nested), "CREATE_COMPLETE");
    assert_eq!(output(&stack, "Log"), world.physical(&child_id, "Log").await);

    let url = put_child(&world, "two.json", &child(json!(7))).await;
    let stack = world.update("parent", &parent(&url)).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE");
    assert_eq!(status(&world.stack(&child_id).await), "UPDATE_COMPLETE");
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    assert_eq!(status(&world.stack(&child_id).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nested_stack_that_fails_fails_its_parent_and_both_are_taken_back() {
    let world = World::new().await;
    world.make_bucket("nested-templates").await;
    let mut broken = child(json!(1));
    broken["Resources"]["Log"]["Metadata"] = json!({"Bedplate": {"Fail": {"Create": "no more room"}}});
    let url = put_child(&world, "broken.json", &broken).await;
    let stack = world.create("parent", &parent(&url)).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("parent").await.join("\n");
    assert!(events.contains("Child CREATE_FAILED Embedded stack arn:"), "{events}");
    assert!(
        events.contains("was not successfully created: The following resource(s) failed to create: [Log]."),
        "{events}"
    );

    // An update that fails beside a changed child puts the child back.
    let url = put_child(&world, "one.json", &child(json!(1))).await;
    world.create("second", &parent(&url)).await;
    let id = world.physical("second", "Child").await;
    let url = put_child(&world, "two.json", &child(json!(7))).await;
    let mut after = parent(&url);
    after["Resources"]["Broken"] =
        json!({"Type": "AWS::Logs::LogGroup", "DependsOn": "Child", "Metadata": {"Bedplate": {"Fail": "no"}}});
    assert_eq!(status(&world.update("second", &after).await), "UPDATE_ROLLBACK_COMPLETE");
    let got = world.cfn.get_template().stack_name(&id).send().await.expect("a template");
    assert_eq!(got.template_body(), Some(child(json!(1)).to_string().as_str()));
}
