//! Create, update, roll back, delete: what happens and in what order it is told.

use super::*;

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
}
