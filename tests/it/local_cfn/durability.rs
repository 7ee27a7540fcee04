//! Processes that die, and processes that meet.

use super::*;

fn slow(dir: &Path, delay: Duration) -> LocalOptions {
    let mut options = LocalOptions::new(dir);
    options.delay = delay;
    options
}

fn chain(length: usize) -> Value {
    let resources: serde_json::Map<String, Value> = (0..length)
        .map(|index| {
            let mut log = log_group(json!({"LogGroupName": format!("/chain/{index}")}));
            if index > 0 {
                log["DependsOn"] = json!(format!("Log{}", index - 1));
            }
            (format!("Log{index}"), log)
        })
        .collect();
    template(Value::Object(resources))
}

/// Starts a target in a runtime of its own, begins a creation, and drops everything in the middle of it.
fn begin_and_die(dir: &Path, body: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::with(slow(dir, Duration::from_millis(30))).await;
        world.cfn.create_stack().stack_name("demo").template_body(body).send().await.expect("a stack");
        while world.events("demo").await.len() < 5 {
            tokio::task::yield_now().await;
        }
    });
    // Tasks end where they stand, and their lease with them, as when a process is killed.
    runtime.shutdown_background();
}

#[test]
fn what_a_dead_process_began_is_finished_by_whoever_comes_next() {
    let dir = tempfile::tempdir().expect("a folder");
    let body = chain(6);
    begin_and_die(dir.path(), &body.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::at(dir.path()).await;
        let stack = world.settled("demo").await;
        assert_eq!(status(&stack), "CREATE_COMPLETE");
        let events = world.events("demo").await;
        for index in 0..6 {
            for expected in [
                format!("Log{index} CREATE_IN_PROGRESS"),
                format!("Log{index} CREATE_IN_PROGRESS Resource creation Initiated"),
                format!("Log{index} CREATE_COMPLETE"),
            ] {
                let count = events.iter().filter(|line| **line == expected).count();
                assert_eq!(count, 1, "{expected} in {events:#?}");
            }
        }
        assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_folder_see_the_same_stacks() {
    let dir = tempfile::tempdir().expect("a folder");
    let one = World::with(slow(dir.path(), Duration::from_millis(100))).await;
    let two = World::with(slow(dir.path(), Duration::from_millis(100))).await;
    one.cfn.create_stack().stack_name("demo").template_body(chain(3).to_string()).send().await.expect("a stack");
    let (code, message) =
        refused(two.cfn.update_stack().stack_name("demo").template_body(chain(2).to_string()).send().await);
    assert_eq!(code, "ValidationError");
    assert!(message.ends_with("is in CREATE_IN_PROGRESS state and can not be updated."), "{message}");
    two.cfn
        .create_stack()
        .stack_name("other")
        .template_body(template(json!({"A": bucket(json!({}))})).to_string())
        .send()
        .await
        .expect("a stack");
    assert_eq!(status(&two.settled("demo").await), "CREATE_COMPLETE");
    assert_eq!(status(&one.settled("other").await), "CREATE_COMPLETE");
    let events = one.events("demo").await;
    assert_eq!(events.iter().filter(|line| line.ends_with("CREATE_COMPLETE")).count(), 4, "{events:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_that_stops_had_begun_goes_on_in_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let one = World::with(slow(dir.path(), Duration::from_millis(50))).await;
    let two = World::at(dir.path()).await;
    one.cfn.create_stack().stack_name("demo").template_body(chain(4).to_string()).send().await.expect("a stack");
    one.target.shutdown().await;
    assert_eq!(status(&two.settled("demo").await), "CREATE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_deleted_while_it_is_being_created_goes() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::with(slow(dir.path(), Duration::from_millis(100))).await;
    let made = world.cfn.create_stack().stack_name("demo").template_body(chain(3).to_string()).send().await;
    let id = made.expect("a stack").stack_id().expect("an id").to_owned();
    world.cfn.delete_stack().stack_name("demo").send().await.expect("a deletion");
    assert_eq!(status(&world.settled(&id).await), "DELETE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_histories_come_in_pages() {
    let world = World::new().await;
    let resources: serde_json::Map<String, Value> =
        (0..60).map(|index| (format!("Log{index}"), log_group(json!({})))).collect();
    world.create("demo", &template(Value::Object(resources))).await;
    let first = world.cfn.describe_stack_events().stack_name("demo").send().await.expect("events");
    assert_eq!(first.stack_events().len(), 100);
    assert!(first.next_token().is_some());
    assert_eq!(world.events("demo").await.len(), 60 * 3 + 2);
}
