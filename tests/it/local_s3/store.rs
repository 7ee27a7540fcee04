//! The state folder: versions, damage, resets, leases.

use bedplate::local::store::{BlobWriter, Lease, Schema, Store, StoreError};

const ONE: Schema = Schema { room: "test", steps: &["CREATE TABLE t (a TEXT NOT NULL) STRICT"] };
const TWO: Schema =
    Schema { room: "test", steps: &["CREATE TABLE t (a TEXT NOT NULL) STRICT", "ALTER TABLE t ADD COLUMN b TEXT"] };

fn add(store: &Store, text: &str) -> Result<(), StoreError> {
    store.write_now(|tx| {
        tx.execute("INSERT INTO t (a) VALUES (?1)", [text])?;
        Ok(())
    })
}

fn count(store: &Store) -> i64 {
    store
        .read_now::<_, StoreError>(|tx| Ok(tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?))
        .expect("a count")
}

#[test]
fn a_state_folder_ignores_itself_in_git() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(Store::open(dir.path(), &[ONE]).expect("a store"));
    assert_eq!(std::fs::read_to_string(dir.path().join(".gitignore")).expect("a .gitignore"), "*\n");
}

#[test]
fn an_older_state_is_brought_up_to_date_and_a_newer_one_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    add(&Store::open(dir.path(), &[ONE]).expect("a store"), "kept").expect("a row");
    assert_eq!(count(&Store::open(dir.path(), &[TWO]).expect("the same, migrated")), 1);
    let error = Store::open(dir.path(), &[ONE]).expect_err("newer than known");
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("`bedplate local reset`"), "{error}");
}

#[test]
fn what_is_no_state_of_ours_is_left_alone_and_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("state.db");
    std::fs::write(&file, b"this is no database, and it is more than a page of nothing at all".repeat(100))
        .expect("a file");
    let error = Store::open(dir.path(), &[ONE]).expect_err("junk");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    std::fs::remove_file(&file).expect("removed");

    let other = rusqlite::Connection::open(&file).expect("a database");
    other.execute_batch("CREATE TABLE theirs (a)").expect("a table");
    drop(other);
    let error = Store::open(dir.path(), &[ONE]).expect_err("another program's");
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[test]
fn a_failed_transaction_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), &[ONE]).expect("a store");
    let error = store.write_now::<(), StoreError>(|tx| {
        tx.execute("INSERT INTO t (a) VALUES ('half')", [])?;
        Err(StoreError::ShuttingDown)
    });
    assert!(matches!(error, Err(StoreError::ShuttingDown)));
    assert_eq!(count(&store), 0);
}

#[test]
fn a_full_disk_is_an_error_and_the_store_works_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), &[ONE]).expect("a store");
    let error = store
        .write_now::<(), StoreError>(|tx| {
            tx.query_row("PRAGMA max_page_count = 40", [], |_| Ok(()))?;
            let filled = tx.execute("INSERT INTO t (a) VALUES (?1)", ["x".repeat(1 << 20)]).map(|_| ());
            tx.query_row("PRAGMA max_page_count = 1073741823", [], |_| Ok(()))?;
            Ok(filled?)
        })
        .expect_err("no room");
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    add(&store, "room again").expect("a row");
    assert_eq!(count(&store), 1);
}

#[test]
fn a_reset_waits_for_nobody_and_removes_everything() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), &[ONE]).expect("a store");
    add(&store, "gone").expect("a row");
    let error = Store::reset(dir.path()).expect_err("it is open");
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(store);
    assert!(Store::reset(dir.path()).expect("a reset"));
    assert!(!Store::reset(dir.path()).expect("nothing left to reset"));
    assert_eq!(count(&Store::open(dir.path(), &[ONE]).expect("a fresh store")), 0);
}

#[test]
fn a_lease_has_one_owner_at_a_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let (here, there) =
        (Store::open(dir.path(), &[ONE]).expect("a store"), Store::open(dir.path(), &[ONE]).expect("another"));
    let name = "arn:aws:cloudformation:us-west-2:123456789012:stack/a/b";
    let lease = Lease::try_acquire(&here, name).expect("no error").expect("free");
    assert!(Lease::try_acquire(&there, name).expect("no error").is_none(), "one owner only");
    assert!(Lease::try_acquire(&there, "another").expect("no error").is_some());
    drop(lease);
    assert!(Lease::try_acquire(&there, name).expect("no error").is_some(), "free again");
}

fn stage(store: &Store, content: &[u8]) -> bedplate::local::store::Staged {
    let mut writer = BlobWriter::new(store).expect("a writer");
    writer.write(content).expect("written");
    writer.finish().expect("finished")
}

#[test]
fn a_body_nothing_uses_is_swept_and_one_in_use_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), &[]).expect("a store");
    let (used, unused) = (stage(&store, b"used"), stage(&store, b"unused"));
    let (used, unused) = store
        .write_now::<_, StoreError>(|tx| {
            let used = used.place(&store, tx)?;
            tx.execute("UPDATE blobs SET users = 1 WHERE sha256 = ?1", [&used.sha256])?;
            Ok((used, unused.place(&store, tx)?))
        })
        .expect("both in place");
    assert_eq!(store.sweep_unused().expect("a sweep"), 1);
    assert_eq!(store.read_blob(&used.sha256).expect("still there"), b"used");
    assert!(store.read_blob(&unused.sha256).is_err(), "swept");
}

#[test]
fn what_a_crash_leaves_is_swept_at_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path(), &[]).expect("a store");
    // As after a crash between the rename and the commit, and in the middle of a write.
    let stray = store.blob_path(&"ab".repeat(32));
    std::fs::create_dir_all(stray.parent().expect("a folder")).expect("made");
    std::fs::write(&stray, b"stray").expect("written");
    let dead = dir.path().join("tmp/dead");
    std::fs::create_dir_all(&dead).expect("made");
    std::fs::write(dead.join("half"), b"half").expect("written");
    std::fs::write(dir.path().join("tmp/dead.lock"), b"").expect("written");
    let living = stage(&store, b"on its way");

    Store::open(dir.path(), &[]).expect("another process").sweep_after_crash().expect("a sweep");
    assert!(!stray.exists() && !dead.exists(), "leftovers");
    store.write_now(|tx| living.place(&store, tx)).expect("what is on its way is not swept");
}
