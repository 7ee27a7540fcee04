//! Objects through the SDK.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{get, keep_versions, make_bucket, put, refused, s3, serve};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_every_size_come_back_whole_and_in_pieces() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "sizes").await;
    for size in [0_usize, 1, 65_536, 262_144, 262_145, 3 << 20] {
        let body: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        put(&client, "sizes", "k", body.clone()).await;
        assert!(get(&client, "sizes", "k").await == body, "{size} bytes");
        if size > 1 {
            let half = client.get_object().bucket("sizes").key("k").range(format!("bytes={}-", size / 2));
            let half = half.send().await.expect("half").body.collect().await.expect("a body").to_vec();
            assert!(half == body[size / 2..], "the half of {size} bytes");
        }
    }
    target.shutdown().await;
}

#[tokio::test]
async fn a_wrong_checksum_stores_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "sums").await;
    let wrong =
        client.put_object().bucket("sums").key("k").checksum_crc32("AAAAAA==").body(ByteStream::from_static(b"x"));
    assert_eq!(refused!(wrong.send()), "BadDigest");
    assert_eq!(refused!(client.get_object().bucket("sums").key("k").send()), "NoSuchKey");
    target.shutdown().await;
}

#[tokio::test]
async fn only_the_first_of_two_creations_succeeds() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "once").await;
    let creations = (0..6).map(|_| client.put_object().bucket("once").key("k").if_none_match("*").send());
    let created = futures::future::join_all(creations).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(created, 1);
    target.shutdown().await;
}

#[tokio::test]
async fn versions_are_hidden_by_a_marker_and_shown_again_without_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "versions").await;
    keep_versions(&client, "versions").await;
    put(&client, "versions", "k", "one").await.expect("a version");
    let marker = client.delete_object().bucket("versions").key("k").send().await.expect("a deletion");
    assert_eq!(marker.delete_marker(), Some(true));
    assert_eq!(refused!(client.get_object().bucket("versions").key("k").send()), "NoSuchKey");
    let id = marker.version_id().expect("the marker's id");
    client.delete_object().bucket("versions").key("k").version_id(id).send().await.expect("the marker's deletion");
    assert_eq!(get(&client, "versions", "k").await, b"one");
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_versions_are_emptied_a_thousand_at_a_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "emptied").await;
    keep_versions(&client, "emptied").await;
    // Markers are versions too, and far quicker to make.
    for page in 0..10 {
        let keys =
            (0..1000).map(|n| ObjectIdentifier::builder().key(format!("{}/{n}", page % 2)).build().expect("a key"));
        let delete = Delete::builder().set_objects(Some(keys.collect())).quiet(true).build().expect("a request");
        client.delete_objects().bucket("emptied").delete(delete).send().await.expect("markers");
    }
    let mut pages = 0;
    let mut slowest = Duration::ZERO;
    loop {
        let listed = client.list_object_versions().bucket("emptied").send().await.expect("a page");
        let doomed: Vec<_> = listed
            .delete_markers()
            .iter()
            .map(|marker| {
                let object = ObjectIdentifier::builder().key(marker.key().expect("a key"));
                object.version_id(marker.version_id().expect("an id")).build().expect("an object")
            })
            .collect();
        if doomed.is_empty() {
            break;
        }
        let delete = Delete::builder().set_objects(Some(doomed)).quiet(true).build().expect("a request");
        let started = std::time::Instant::now();
        let outcome = client.delete_objects().bucket("emptied").delete(delete).send().await.expect("deletions");
        slowest = slowest.max(started.elapsed());
        assert!(outcome.errors().is_empty());
        pages += 1;
    }
    assert_eq!(pages, 10);
    println!("slowest DeleteObjects of 1,000: {slowest:?}");
    client.delete_bucket().bucket("emptied").send().await.expect("the bucket is empty");
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_becomes_one_object() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "parts").await;
    let upload = client.create_multipart_upload().bucket("parts").key("k").send().await.expect("an upload");
    let id = upload.upload_id().expect("its id");
    let mut done = CompletedMultipartUpload::builder();
    for (number, body) in [(1, vec![b'a'; 5 << 20]), (2, b"end".to_vec())] {
        let part = client.upload_part().bucket("parts").key("k").upload_id(id).part_number(number);
        let part = part.body(ByteStream::from(body)).send().await.expect("a part");
        let part =
            CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).set_checksum_crc32(part.checksum_crc32);
        done = done.parts(part.build());
    }
    let complete =
        client.complete_multipart_upload().bucket("parts").key("k").upload_id(id).multipart_upload(done.build());
    let complete = complete.send().await.expect("an object");
    assert!(complete.e_tag().expect("an ETag").ends_with("-2\""), "{complete:?}");
    let body = get(&client, "parts", "k").await;
    assert!(body.len() == (5 << 20) + 3 && body.ends_with(b"aend"));
    target.shutdown().await;
}

async fn fetch(url: &str) -> String {
    let rest = url.strip_prefix("http://").expect("a local URL");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn a_presigned_url_works_until_it_expires_and_only_as_it_was_signed() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make_bucket(&client, "signed").await;
    put(&client, "signed", "a b", "hello").await;
    let sign = |start: SystemTime| {
        let config = PresigningConfig::builder().start_time(start).expires_in(Duration::from_secs(60)).build();
        client.get_object().bucket("signed").key("a b").presigned(config.expect("a minute"))
    };
    let valid = sign(SystemTime::now()).await.expect("a URL");
    assert!(fetch(valid.uri()).await.ends_with("hello"));
    let expired = sign(SystemTime::now() - Duration::from_secs(61)).await.expect("a URL");
    let answer = fetch(expired.uri()).await;
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("<Message>Request has expired</Message>"),
        "{answer}"
    );
    let changed = fetch(&valid.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=6000")).await;
    assert!(changed.contains("<Code>SignatureDoesNotMatch</Code>"), "{changed}");
    target.shutdown().await;
}

/// What a listing of these keys must give, the slow way.
fn expected(keys: &[String], prefix: &str, delimiter: Option<&str>) -> (Vec<String>, Vec<String>) {
    let (mut plain, mut rolled) = (Vec::new(), Vec::new());
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        match delimiter.and_then(|delimiter| key[prefix.len()..].find(delimiter).map(|at| at + delimiter.len())) {
            Some(at) => rolled.push(key[..prefix.len() + at].to_owned()),
            None => plain.push(key.clone()),
        }
    }
    rolled.dedup();
    (plain, rolled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn pages_of_any_size_add_up_to_the_whole_listing(
        keys in proptest::collection::btree_set("[ab/é]{1,5}", 1..14),
        prefix in "[ab/]{0,2}",
        delimiter in proptest::option::of(Just("/")),
        size in 1..5_i32,
    ) {
        let keys: Vec<String> = keys.into_iter().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (plain, rolled) = runtime.block_on(async {
            let dir = tempfile::tempdir().expect("a folder");
            let target = serve(dir.path()).await;
            let client = s3(&target);
            make_bucket(&client, "listed").await;
            for key in &keys {
                put(&client, "listed", key, "").await;
            }
            let (mut plain, mut rolled) = (Vec::new(), Vec::new());
            let list = client.list_objects_v2().bucket("listed").prefix(&prefix).set_delimiter(delimiter.map(str::to_owned));
            let mut pages = list.max_keys(size).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.expect("a page");
                assert!(page.key_count().unwrap_or(0) <= size);
                plain.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
                rolled.extend(page.common_prefixes().iter().filter_map(|prefix| prefix.prefix().map(str::to_owned)));
            }
            target.shutdown().await;
            (plain, rolled)
        });
        prop_assert_eq!((plain, rolled), expected(&keys, &prefix, delimiter));
    }
}
