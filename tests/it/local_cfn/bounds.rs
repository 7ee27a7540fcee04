//! Stacks that would go on without end: nested in themselves, too many, too deep.

use std::time::Instant;

use super::*;

/// The longest any of these may take to end, in a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Puts a template of which the URL is known before, and begins a stack by that URL; gives the stack once it rests.
async fn nest(world: &World, key: &str, body: &Value) -> Stack {
    let url = format!("{}/bounds/{key}", world.target.url());
    world.put("bounds", key, &body.to_string()).await;
    let began = Instant::now();
    world.cfn.create_stack().stack_name("root").template_url(url).send().await.expect("a stack");
    let stack = world.settled("root").await;
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    stack
}

async fn world() -> World {
    let world = World::new().await;
    world.make_bucket("bounds").await;
    world
}

fn child(url: &str, parameters: Value) -> Value {
    json!({"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": parameters}})
}

/// What all events of all stacks say, deleted ones too.
async fn all_reasons(world: &World) -> String {
    let stacks = world.cfn.list_stacks().send().await.expect("a list");
    let mut reasons = String::new();
    for stack in stacks.stack_summaries() {
        reasons.push_str(&world.events(stack.stack_id().expect("an id")).await.join("\n"));
    }
    reasons
}

async fn living(world: &World) -> Vec<String> {
    let all = world.cfn.describe_stacks().send().await.expect("stacks");
    all.stacks().iter().map(|stack| stack.stack_name().unwrap_or_default().to_owned()).collect()
}

/// The bytes of everything in the state folder.
fn held(dir: &Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let about = entry.metadata().expect("metadata");
        bytes += if about.is_dir() { held(&entry.path()) } else { about.len() };
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_nests_itself_fails_at_the_first_turn_and_is_taken_back() {
    let world = world().await;
    let url = format!("{}/bounds/self.json", world.target.url());
    // Half a megabyte, so that every copy would be seen on the disk.
    let mut body = template(json!({"Again": child(&url, json!({})), "Log": log_group(json!({}))}));
    body["Metadata"] = json!({"Ballast": "x".repeat(500_000)});
    let stack = nest(&world, "self.json", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let reasons = all_reasons(&world).await;
    assert!(reasons.contains("The template nests itself without end"), "{reasons}");
    assert_eq!(living(&world).await, ["root"]);
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    let dir = world.target.store().dir().to_owned();
    let store = world.target.store().clone();
    tokio::task::spawn_blocking(move || store.wipe_deleted()).await.expect("no panic").expect("wiped");
    assert!(held(&dir) < 12 << 20, "{} bytes are held", held(&dir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_nests_itself_with_other_parameters_each_time_ends_after_a_few() {
    let world = world().await;
    let url = format!("{}/bounds/growing.json", world.target.url());
    let longer = json!({"Depth": {"Fn::Sub": "${Depth}x"}});
    let mut body = template(json!({"Again": child(&url, longer.clone()), "Twice": child(&url, longer)}));
    body["Parameters"] = json!({"Depth": {"Type": "String", "Default": "x"}});
    let stack = nest(&world, "growing.json", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let reasons = all_reasons(&world).await;
    assert!(reasons.contains("takes the same template 3 times among the stacks around one"), "{reasons}");
    assert_eq!(living(&world).await, ["root"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_nests_itself_as_often_as_its_parameter_says_is_made() {
    let world = world().await;
    let url = format!("{}/bounds/counted.json", world.target.url());
    let mut again = child(&url, json!({"Left": {"Fn::FindInMap": ["Less", {"Ref": "Left"}, "One"]}}));
    again["Condition"] = json!("More");
    let mut body = template(json!({"Again": again, "Log": log_group(json!({}))}));
    body["Parameters"] = json!({"Left": {"Type": "String", "Default": "3"}});
    body["Mappings"] = json!({"Less": {"3": {"One": "2"}, "2": {"One": "1"}, "1": {"One": "1"}}});
    body["Conditions"] = json!({"More": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Left"}, "1"]}]}});
    let stack = nest(&world, "counted.json", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", all_reasons(&world).await);
    assert_eq!(living(&world).await.len(), 3);
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn stacks_nest_ten_deep_at_most_and_their_names_stay_names() {
    let world = world().await;
    let long = "L".repeat(100);
    let mut body = template(json!({"Log": log_group(json!({}))}));
    for depth in 0..11 {
        let key = format!("level{depth}.json");
        world.put("bounds", &key, &body.to_string()).await;
        let url = format!("{}/bounds/{key}", world.target.url());
        body = template(json!({long.as_str(): child(&url, json!({}))}));
        body["Description"] = json!(key);
    }
    let stack = nest(&world, "top.json", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let reasons = all_reasons(&world).await;
    assert!(reasons.contains("nests stacks 10 deep at most"), "{reasons}");
    let stacks = world.cfn.list_stacks().send().await.expect("a list");
    assert_eq!(stacks.stack_summaries().len(), 11);
    for name in stacks.stack_summaries().iter().filter_map(|stack| stack.stack_name()) {
        assert!(name.len() <= 128, "{name}");
        assert!(name == "root" || name.starts_with("root-L"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_stacks_has_as_many_resources_as_cloudformation_takes() {
    let world = world().await;
    // Conditions keep them from being made, which would take a while.
    let mut log = log_group(json!({}));
    log["Condition"] = json!("Never");
    let logs: serde_json::Map<String, Value> = (0..400).map(|index| (format!("Log{index}"), log.clone())).collect();
    let mut body = template(Value::Object(logs));
    body["Conditions"] = json!({"Never": {"Fn::Equals": ["a", "b"]}});
    world.put("bounds", "wide.json", &body.to_string()).await;
    let url = format!("{}/bounds/wide.json", world.target.url());
    let children: serde_json::Map<String, Value> =
        (0..7).map(|index| (format!("Child{index}"), child(&url, json!({})))).collect();
    let stack = nest(&world, "root.json", &template(Value::Object(children))).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let reasons = world.events("root").await.join("\n");
    assert!(reasons.contains("have 2807 resources, and CloudFormation takes 2500 in one operation"), "{reasons}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_as_many_stacks_as_aws_gives_it() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    world.create("first", &body).await;
    // Two thousand would take minutes: the rest are rows, in the state as a process leaves it.
    let store = world.target.store().clone();
    store
        .write(|tx| {
            tx.execute(
                "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < 2000)
                 INSERT INTO cfn_stack (id, region, name, status, live, created, doc)
                 SELECT id || n, region, name || n, status, live, created,
                        json_set(doc, '$.id', id || n, '$.name', name || n)
                 FROM cfn_stack, number WHERE name = 'first'",
                [],
            )?;
            Ok::<_, bedplate::local::store::StoreError>(())
        })
        .await
        .expect("rows");
    let (code, message) =
        refused(world.cfn.create_stack().stack_name("more").template_body(body.to_string()).send().await);
    assert_eq!(code, "LimitExceededException");
    assert!(message.contains("may have 2000"), "{message}");
    let change_set = world.cfn.create_change_set().stack_name("more").change_set_name("new");
    let change_set = change_set.change_set_type(ChangeSetType::Create).template_body(body.to_string());
    assert_eq!(refused(change_set.send().await).0, "LimitExceededException");
    // Those there are can be changed and deleted.
    let first = world.stack("first").await;
    assert_eq!(status(&world.delete(&first).await), "DELETE_COMPLETE");
    assert_eq!(status(&world.create("more", &body).await), "CREATE_COMPLETE");
}

#[test]
fn a_tree_that_a_killed_process_left_growing_ends_with_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut options = LocalOptions::new(dir.path());
        options.delay = Duration::from_millis(20);
        let world = World::with(options).await;
        world.make_bucket("bounds").await;
        let url = "https://bounds.s3.us-west-2.amazonaws.com/growing.json";
        let mut body = template(json!({
            "Again": child(url, json!({"Depth": {"Fn::Sub": "${Depth}x"}})),
            "Log": log_group(json!({})),
        }));
        body["Resources"]["Again"]["DependsOn"] = json!("Log");
        body["Parameters"] = json!({"Depth": {"Type": "String", "Default": "x"}});
        world.put("bounds", "growing.json", &body.to_string()).await;
        world.cfn.create_stack().stack_name("root").template_url(url).send().await.expect("a stack");
        while living(&world).await.len() < 3 {
            tokio::task::yield_now().await;
        }
    });
    runtime.shutdown_background();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::at(dir.path()).await;
        assert_eq!(status(&world.settled("root").await), "ROLLBACK_COMPLETE");
        assert_eq!(living(&world).await, ["root"]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn of_deleted_stacks_and_of_events_the_last_ones_are_kept() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    let stack = world.create("first", &body).await;
    let first = world.delete(&stack).await;
    let store = world.target.store().clone();
    // As if five hundred more had been deleted after it.
    store
        .write(|tx| {
            tx.execute(
                "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 500)
                 INSERT INTO cfn_stack (id, region, name, status, live, created, doc, deleted)
                 SELECT id || n, region, name, status, 0, created, json_set(doc, '$.id', id || n), deleted || 'a'
                 FROM cfn_stack, number WHERE name = 'first'",
                [],
            )?;
            Ok::<_, bedplate::local::store::StoreError>(())
        })
        .await
        .expect("rows");
    let second = world.create("second", &body).await;
    let second = world.delete(&second).await;
    let gone = world.cfn.describe_stacks().stack_name(first.stack_id().expect("an id")).send().await;
    assert!(refused(gone).1.contains("does not exist"));
    let (stacks, events): (i64, i64) = store
        .read(|tx| {
            let stacks = tx.query_row("SELECT count(*) FROM cfn_stack WHERE live = 0", [], |row| row.get(0))?;
            let events = tx.query_row("SELECT count(*) FROM cfn_event", [], |row| row.get(0))?;
            Ok::<_, bedplate::local::store::StoreError>((stacks, events))
        })
        .await
        .expect("counts");
    assert_eq!(stacks, 500);
    let _ = second;
    assert!(events < 20, "{events} events");
}
