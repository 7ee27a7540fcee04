//! Tables: which changes make another one.

use super::*;
use aws_sdk_cloudformation::types::Replacement;

fn table(attributes: &[(&str, &str)], hash: &str, more: Value) -> Value {
    let attributes: Vec<Value> =
        attributes.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})).collect();
    let mut properties = json!({"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes,
        "KeySchema": [{"AttributeName": hash, "KeyType": "HASH"}]});
    for (key, value) in more.as_object().expect("properties") {
        properties[key] = value.clone();
    }
    template(json!({"Items": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}))
}

impl World {
    async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.ask("dynamodb", &format!("DynamoDB_20120810.{operation}"), body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// What an update of the only resource would do, and then doing it.
    async fn replaces(&self, body: &Value) -> (Option<Replacement>, Stack) {
        let make = self.cfn.create_change_set().stack_name("demo").change_set_name("next");
        make.template_body(body.to_string()).send().await.expect("a change set");
        let describe = self.cfn.describe_change_set().stack_name("demo").change_set_name("next");
        let set = describe.send().await.expect("a description");
        let change = set.changes().first().and_then(|change| change.resource_change());
        let replacement = change.and_then(|change| change.replacement().cloned());
        self.cfn.execute_change_set().stack_name("demo").change_set_name("next").send().await.expect("execution");
        (replacement, self.settled("demo").await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_or_another_type_of_an_attribute_is_another_table() {
    let world = World::new().await;
    world.create("demo", &table(&[("id", "S")], "id", json!({}))).await;
    let mut name = world.physical("demo", "Items").await;
    for (body, item) in [
        (table(&[("id", "N")], "id", json!({})), json!({"id": {"N": "1"}})),
        (table(&[("key", "S")], "key", json!({})), json!({"key": {"S": "k"}})),
    ] {
        let old = if body["Resources"]["Items"]["Properties"]["KeySchema"][0]["AttributeName"] == "key" {
            json!({"id": {"N": "7"}})
        } else {
            json!({"id": {"S": "one"}})
        };
        world.dynamodb("PutItem", json!({"TableName": name, "Item": old})).await;
        let (replacement, stack) = world.replaces(&body).await;
        assert_eq!(replacement, Some(Replacement::True));
        assert_eq!(status(&stack), "UPDATE_COMPLETE", "{:?}", world.events("demo").await);
        let now = world.physical("demo", "Items").await;
        assert_ne!(now, name, "a new physical id");
        assert_eq!(world.dynamodb("Scan", json!({"TableName": now})).await["Count"], 0, "an empty table");
        world.dynamodb("PutItem", json!({"TableName": now, "Item": item})).await;
        assert_eq!(world.dynamodb("ListTables", json!({})).await["TableNames"], json!([now]), "the old one is gone");
        name = now;
    }

    // Attributes may come and go with an index, and the table stays with its items.
    let index = json!({"GlobalSecondaryIndexes": [{"IndexName": "by-age", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "age", "KeyType": "HASH"}]}]});
    let (replacement, stack) = world.replaces(&table(&[("age", "N"), ("key", "S")], "key", index.clone())).await;
    assert_eq!((replacement, status(&stack)), (Some(Replacement::False), "UPDATE_COMPLETE"));
    assert_eq!(world.physical("demo", "Items").await, name);
    assert_eq!(world.dynamodb("Scan", json!({"TableName": name})).await["Count"], 1);
    // An attribute of an index that gets another type is edited too.
    let (replacement, _) = world.replaces(&table(&[("age", "S"), ("key", "S")], "key", index)).await;
    assert_eq!(replacement, Some(Replacement::True));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_a_name_of_its_own_is_not_replaced_under_it() {
    let world = World::new().await;
    world.create("demo", &table(&[("id", "S")], "id", json!({"TableName": "items"}))).await;
    world.dynamodb("PutItem", json!({"TableName": "items", "Item": {"id": {"S": "one"}}})).await;
    let (replacement, stack) = world.replaces(&table(&[("id", "N")], "id", json!({"TableName": "items"}))).await;
    assert_eq!(replacement, Some(Replacement::True));
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("demo").await.join("\n");
    assert!(
        events.contains(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename items and update \
             the stack again."
        ),
        "{events}"
    );
    assert_eq!(world.dynamodb("Scan", json!({"TableName": "items"})).await["Count"], 1);
    let (replacement, stack) = world.replaces(&table(&[("id", "N")], "id", json!({"TableName": "items-2"}))).await;
    assert_eq!((replacement, status(&stack)), (Some(Replacement::True), "UPDATE_COMPLETE"));
}
