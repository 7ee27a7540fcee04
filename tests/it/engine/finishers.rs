//! Buckets filled with documents and tables with rows, once their stack is complete.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bedplate::aws::{Item, ItemValue};
use bedplate::engine::{
    ApproveAll, DeclineAll, DeployOptions, Desired, Event, EventKind, EventSink, Finisher, Outcome, Run, deploy,
};
use bedplate::finding::Place;
use bedplate::local::Inventory;
use bedplate::plan::{PlanKind, PlannedContent};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired, with};
use crate::local_dynamodb;

const OWNER: &str = "123456789012";

fn row(id: i64, name: &str) -> Item {
    BTreeMap::from([
        ("AccountID".to_owned(), ItemValue::Number(id.to_string())),
        ("name".to_owned(), ItemValue::Text(name.to_owned())),
    ])
}

/// A bucket with a folder of documents, and a table with two rows.
fn filled(world: &World) -> Desired {
    let folder = world.dir.path().join("documents");
    std::fs::create_dir_all(folder.join("more")).expect("a folder");
    std::fs::write(folder.join("a.md"), "# a").expect("a file");
    std::fs::write(folder.join("more/b c.html"), "<p>b</p>").expect("a file");
    let mut desired = desired(
        "poster-dev",
        json!({
            "Docs": { "Type": "AWS::S3::Bucket" },
            "Accounts": { "Type": "AWS::DynamoDB::Table", "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{ "AttributeName": "AccountID", "KeyType": "HASH" }],
                "AttributeDefinitions": [{ "AttributeName": "AccountID", "AttributeType": "N" }] } },
        }),
    );
    let place = |line| Some(Place { file: "usecase.yaml".into(), line, column: 5 });
    desired.finishers = vec![
        Finisher::Upload {
            component: "buckets.docs".into(),
            bucket: "Docs".into(),
            folder,
            shown: "documents/".into(),
            prefix: String::new(),
            place: place(4),
        },
        Finisher::Seed {
            component: "tables.accounts".into(),
            table: "Accounts".into(),
            key: vec!["AccountID".into()],
            rows: vec![row(5555, "John"), row(6666, "Thomas")],
            place: place(7),
        },
    ];
    desired
}

async fn physical(world: &World, logical_id: &str) -> String {
    let resources = world.clients.stack_resources("poster-dev").await.expect("a stack");
    let resource = resources.into_iter().find(|resource| resource.logical_id == logical_id).expect(logical_id);
    resource.physical_id.expect("it exists")
}

async fn keys(world: &World, bucket: &str) -> Vec<String> {
    let objects = world.clients.objects(bucket, "", OWNER).await.expect("a bucket");
    objects.into_iter().map(|object| object.key).collect()
}

fn uploaded(events: &[Event]) -> Vec<String> {
    let key = |event: &Event| match &event.what {
        EventKind::DocumentUploaded { key, .. } => Some(key.clone()),
        _ => None,
    };
    let mut keys: Vec<String> = events.iter().filter_map(key).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn what_is_told_before_is_done_after_the_stack_is_complete_and_once() {
    let world = World::start().await;
    let desired = filled(&world);
    let planned = vec![
        PlannedContent::Documents {
            component: "buckets.docs".into(),
            upload: 2,
            bytes: 11,
            remove: 0,
            overwrite: 0,
            unchanged: 0,
        },
        PlannedContent::Rows { component: "tables.accounts".into(), write: 2, present: 0 },
    ];
    assert_eq!(world.plan(&desired).await.results.plan.expect("a plan").content, planned);
    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(report.results.plan.expect("a plan").content, planned);
    assert_eq!(uploaded(&events), ["a.md", "more/b c.html"]);
    let bucket = physical(&world, "Docs").await;
    let marks = world.clients.object_marks(&bucket, "more/b c.html", OWNER).await.expect("an answer").expect("there");
    assert_eq!(marks.content_type.as_deref(), Some("text/html"));
    assert_eq!(marks.metadata["bedplate-source"], "buckets.docs");

    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::NoChange, "{:?}", report.findings);
    assert!(uploaded(&events).is_empty());
    assert!(!report.results.plan.expect("a plan").has_changes());
}

#[tokio::test]
async fn only_what_differs_goes_up_and_only_what_was_uploaded_goes() {
    let world = World::start().await;
    let desired = filled(&world);
    world.deploy(&desired).await;
    let bucket = physical(&world, "Docs").await;
    world.clients.upload_bytes(&bucket, "of-the-application", b"kept".to_vec(), OWNER).await.expect("an upload");
    let folder = world.dir.path().join("documents");
    std::fs::write(folder.join("a.md"), "# b").expect("the same size, another text");
    std::fs::remove_file(folder.join("more/b c.html")).expect("gone");
    std::fs::write(folder.join("c.txt"), "c").expect("a file");

    let planned = world.plan(&desired).await.results.plan.expect("a plan");
    assert_eq!(planned.kind, PlanKind::NoChange);
    assert!(planned.has_changes(), "files changed, though no resource did");
    let (report, events) = world.deploy_asking(&desired, &DeclineAll).await;
    assert_eq!((report.outcome, uploaded(&events).len()), (Outcome::Declined, 0));
    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(uploaded(&events), ["a.md", "c.txt"]);
    assert_eq!(keys(&world, &bucket).await, ["a.md", "c.txt", "of-the-application"]);

    let held = Inventory::of(world.running.store()).await.expect("the state");
    assert_eq!(held.tables.iter().map(|table| table.items).collect::<Vec<_>>(), [2]);
    let (report, _) = world.destroy("poster-dev").await;
    let held = Inventory::of(world.running.store()).await.expect("the state");
    assert!(held.tables.is_empty(), "{held:?}");
    assert_eq!(report.outcome, Outcome::Destroyed, "documents keep no bucket: {:?}", report.findings);
}

#[tokio::test]
async fn a_row_is_written_only_where_its_key_is_absent() {
    let world = World::start().await;
    let mut desired = filled(&world);
    world.deploy(&desired).await;
    let table = physical(&world, "Accounts").await;
    let client = local_dynamodb::client(world.running.url());
    let mine = [("AccountID", AttributeValue::N("5555".into())), ("name", AttributeValue::S("Johnny".into()))];
    let mine = mine.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    client.put_item().table_name(&table).set_item(Some(mine)).send().await.expect("a put");
    if let Some(Finisher::Seed { rows, .. }) = desired.finishers.last_mut() {
        rows.push(row(7777, "Mary"));
    }
    let (report, _) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let content = report.results.plan.expect("a plan").content;
    assert_eq!(content[1], PlannedContent::Rows { component: "tables.accounts".into(), write: 1, present: 2 });
    let items = client.scan().table_name(&table).send().await.expect("a scan").items.unwrap_or_default();
    let mut names: Vec<String> = items.iter().map(|item| item["name"].as_s().expect("text").clone()).collect();
    names.sort();
    assert_eq!(names, ["Johnny", "Mary", "Thomas"]);
}

#[tokio::test]
async fn a_finisher_that_fails_leaves_the_stack_and_is_repeated() {
    let world = World::start().await;
    let mut broken = filled(&world);
    if let Some(Finisher::Seed { rows, .. }) = broken.finishers.last_mut() {
        // The spec would not let it through.
        rows[1].insert("AccountID".to_owned(), ItemValue::Text("6666".to_owned()));
    }
    let (report, events) = world.deploy(&broken).await;
    assert_eq!(report.outcome, Outcome::Unfinished, "{:?}", report.findings);
    assert_eq!(report.outcome.exit_code().code(), 1);
    assert_eq!(uploaded(&events).len(), 2, "the documents came before");
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["C010", "D040"]);
    assert!(report.findings.iter().all(|finding| finding.place.as_ref().is_some_and(|place| place.line == 7)));
    assert!(!report.results.outputs.is_empty(), "the stack stands");

    let (report, _) = world.deploy(&filled(&world)).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
}

/// Interrupts once the stack is complete.
struct Interrupts(CancellationToken);

impl EventSink for Interrupts {
    fn emit(&self, event: Event) {
        if matches!(event.what, EventKind::OutputsReady { .. }) {
            self.0.cancel();
        }
    }
}

#[tokio::test]
async fn an_interruption_leaves_the_stack_and_the_next_deploy_does_the_rest() {
    let world = World::start().await;
    let desired = filled(&world);
    let cancel = CancellationToken::new();
    let sink = Interrupts(cancel.clone());
    let run = Run::new(&world.clients, &sink, cancel);
    let report = deploy(&run, &desired, &DeployOptions::default(), &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Interrupted, "D041"));
    let (report, events) = world.deploy(&desired).await;
    assert_eq!((report.outcome, uploaded(&events).len()), (Outcome::Deployed, 2), "{:?}", report.findings);
}

#[tokio::test]
async fn what_a_replaced_table_had_is_written_again() {
    let world = World::start().await;
    let desired = filled(&world);
    world.deploy(&desired).await;
    let other = with(&desired, |it| {
        it["Resources"]["Accounts"]["Properties"]["KeySchema"][0]["AttributeName"] = json!("name");
        it["Resources"]["Accounts"]["Properties"]["AttributeDefinitions"] =
            json!([{ "AttributeName": "name", "AttributeType": "S" }]);
    });
    let mut other = other;
    if let Some(Finisher::Seed { key, .. }) = other.finishers.last_mut() {
        *key = vec!["name".to_owned()];
    }
    let (report, _) = world.deploy(&other).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let content = report.results.plan.expect("a plan").content;
    assert_eq!(content[1], PlannedContent::Rows { component: "tables.accounts".into(), write: 2, present: 0 });
}
