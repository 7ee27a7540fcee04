//! Two servers on one folder, and servers that are killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use futures::future::join_all;

use super::{get, keep_versions, make_bucket, put, s3, serve};

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_folder_lose_no_write() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (serve(dir.path()).await, serve(dir.path()).await);
    let clients = [s3(&one), s3(&two)];
    make_bucket(&clients[0], "shared").await;
    keep_versions(&clients[1], "shared").await;

    let writers = (0..8).map(|writer: usize| {
        let client = clients[writer % 2].clone();
        async move {
            for number in 0..15 {
                put(&client, "shared", "contended", format!("{writer}.{number}")).await;
                put(&client, "shared", &format!("own/{writer}/{number}"), "same body everywhere").await;
            }
        }
    });
    join_all(writers).await;

    let listed =
        clients[0].list_object_versions().bucket("shared").prefix("contended").send().await.expect("a listing");
    assert_eq!(listed.versions().len(), 120);
    let latest: Vec<_> = listed.versions().iter().filter(|version| version.is_latest() == Some(true)).collect();
    assert_eq!(latest.len(), 1, "exactly one is current");
    assert_eq!(latest.first().map(|version| version.version_id()), listed.versions().first().map(|v| v.version_id()));
    let own = clients[1].list_objects_v2().bucket("shared").prefix("own/").send().await.expect("a listing");
    assert_eq!(own.key_count(), Some(120));
    one.shutdown().await;
    assert_eq!(get(&clients[1], "shared", "own/7/14").await, b"same body everywhere");
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_deleted_here_and_written_there_at_once_is_never_lost() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (serve(dir.path()).await, serve(dir.path()).await);
    let (here, there) = (s3(&one), s3(&two));
    make_bucket(&here, "churn").await;
    let churn = async {
        for _ in 0..40 {
            put(&here, "churn", "a", "the same body").await;
            here.delete_object().bucket("churn").key("a").send().await.expect("a deletion");
            let store = one.store().clone();
            tokio::task::spawn_blocking(move || store.sweep_unused()).await.expect("it runs").expect("a sweep");
        }
    };
    let writes = async {
        for _ in 0..40 {
            put(&there, "churn", "b", "the same body").await;
            assert_eq!(get(&there, "churn", "b").await, b"the same body");
            there.delete_object().bucket("churn").key("b").send().await.expect("a deletion");
        }
    };
    tokio::join!(churn, writes);
    one.shutdown().await;
    two.shutdown().await;
    let left: Vec<_> = walk(&dir.path().join("objects"));
    assert!(left.is_empty(), "bodies nobody uses: {left:?}");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Where the child below works.
const CHILD_DIR: &str = "BEDPLATE_TEST_CHILD_DIR";

/// Not a test of its own: the next one runs it in a process of its own, and kills it.
#[tokio::test]
#[ignore = "run by a_killed_server_loses_nothing_it_acknowledged"]
async fn write_until_killed() {
    let dir = std::env::var_os(CHILD_DIR).expect("the folder to work in");
    let target = serve(std::path::Path::new(&dir)).await;
    let client = s3(&target);
    for number in 0..100_000 {
        let key = format!("{}/{number}", std::process::id());
        put(&client, "kept", &key, format!("body of {key}")).await;
        println!("\nacknowledged {key}");
        if number % 3 == 0 {
            client.delete_object().bucket("kept").key(&key).send().await.expect("a deletion");
            println!("\ndeleted {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    make_bucket(&s3(&target), "kept").await;
    target.shutdown().await;

    let mut kept = std::collections::BTreeSet::new();
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "local_s3::crash::write_until_killed", "--ignored", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.expect("a line");
            if let Some(key) = line.strip_prefix("acknowledged ") {
                kept.insert(key.to_owned());
                seen += 1;
                if seen == 10 + 7 * round {
                    child.kill().expect("killed with SIGKILL");
                }
            } else if let Some(key) = line.strip_prefix("deleted ") {
                kept.remove(key);
            }
        }
        child.wait().expect("it is gone");
        assert!(seen >= 10, "the child wrote something");
    }

    let target = serve(dir.path()).await;
    let client = s3(&target);
    // The last deletion of each round may have been done and not yet told.
    let mut missing = Vec::new();
    for key in &kept {
        match client.get_object().bucket("kept").key(key).send().await {
            Ok(object) => {
                let body = object.body.collect().await.expect("a body").to_vec();
                assert_eq!(body, format!("body of {key}").into_bytes(), "{key}");
            }
            Err(_) => missing.push(key.clone()),
        }
    }
    let last_of_its_round =
        |key: &String| key.rsplit('/').next().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n % 3 == 0);
    assert!(missing.len() <= 3 && missing.iter().all(last_of_its_round), "lost: {missing:?}");
    target.shutdown().await;
    let scratch = std::fs::read_dir(dir.path().join("tmp")).expect("a folder").count();
    assert_eq!(scratch, 0, "what the killed left is swept");
}
