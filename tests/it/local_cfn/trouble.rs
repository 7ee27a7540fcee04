//! A state that is taken away, or that another process holds.

use std::time::Instant;

use super::*;

async fn code_of_creation(world: &World, name: &str) -> String {
    let body = template(json!({"Log": log_group(json!({}))})).to_string();
    refused(world.cfn.create_stack().stack_name(name).template_body(body).send().await).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_taken_away_is_said_to_be_gone() {
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("local");
    let mut options = LocalOptions::new(&dir);
    options.delay = Duration::from_millis(200);
    let world = World::with(options).await;
    let body = template(json!({"Log": log_group(json!({}))})).to_string();
    world.cfn.create_stack().stack_name("demo").template_body(body).send().await.expect("a stack");
    // At once, as no walk through the folder could: the endpoint writes into it.
    std::fs::rename(&dir, parent.path().join("elsewhere")).expect("taken away");
    assert_eq!(code_of_creation(&world, "more").await, "LocalStateGone");
    let (code, message) = refused(world.cfn.describe_stacks().stack_name("demo").send().await);
    assert_eq!(code, "LocalStateGone");
    assert!(message.contains("was removed or replaced while it was in use"), "{message}");
    assert!(!dir.exists(), "no new state stands beside the one that runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_another_process_holds_is_said_to_be_locked_and_the_operation_goes_on_afterwards() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut options = LocalOptions::new(dir.path());
    options.delay = Duration::from_millis(500);
    let world = World::with(options).await;
    let body = template(json!({"Log": log_group(json!({}))})).to_string();
    world.cfn.create_stack().stack_name("demo").template_body(body).send().await.expect("a stack");
    // As another program does that has the file open.
    let other = rusqlite::Connection::open(dir.path().join("state.db")).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let began = Instant::now();
    assert_eq!(code_of_creation(&world, "more").await, "LocalStateLocked");
    assert!(began.elapsed() < Duration::from_secs(25), "it took {:?}", began.elapsed());
    let deadline = Instant::now() + Duration::from_secs(30);
    // The operation itself stops for the same reason, and whoever asks for its stack hears of it.
    loop {
        if let Err(error) = world.cfn.describe_stacks().stack_name("demo").send().await {
            assert_eq!(error.code(), Some("LocalStateLocked"), "{error:?}");
            break;
        }
        assert!(Instant::now() < deadline, "nobody is told");
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").expect("given back");
    drop(other);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let told = world.cfn.describe_stacks().stack_name("demo").send().await;
        if told.is_ok_and(|all| all.stacks().first().is_some_and(|stack| status(stack) == "CREATE_COMPLETE")) {
            break;
        }
        assert!(Instant::now() < deadline, "it does not go on");
        tokio::task::yield_now().await;
    }
}
