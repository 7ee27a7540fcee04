//! Keys of objects that XML has no place for, or that parsers of XML change: anything may put them into a bucket.

use std::process::Command;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;

use crate::support::{Project, judges};

const SPEC: &str =
    "bedplate: 1\nname: keys\ndescription: A bucket with odd keys.\nbuckets:\n  shelf:\n    documents: documents/\n";

const ODD: [&str; 4] = ["a\u{1}b", " a ", "a\rb", "a b+c%41&<>\"'"];

/// Puts keys of white space only, which the Rust SDK takes for none.
const BLANK: &str = "import boto3, sys
s3 = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-west-2', aws_access_key_id='local', aws_secret_access_key='local')
for key in (' ', '\\n', '\\u2028'):
    s3.put_object(Bucket=sys.argv[2], Key=key, Body=b'x')
";

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_odd_keys_is_planned_deployed_and_taken_away() {
    let project = Project::empty();
    project.write("stacks/keys/usecase.yaml", SPEC);
    project.write("stacks/keys/documents/a.txt", "a");
    let deployed = project.run(&["deploy", "keys", "--yes", "--format", "json"]).ok();
    let bucket = regex::Regex::new("keys-dev-[a-z0-9-]+").expect("a pattern");
    let bucket = bucket.find(&deployed.stdout).expect("the bucket's name").as_str();
    let served = project.serve(&[]);
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .region(Region::new("us-west-2"))
            .endpoint_url(&served.url)
            .force_path_style(true)
            .build(),
    );
    for key in ODD {
        s3.put_object().bucket(bucket).key(key).body(ByteStream::from_static(b"x")).send().await.expect(key);
        // The answer names the key, which not every document can.
        if !key.contains(['\u{1}', '\r']) {
            s3.create_multipart_upload().bucket(bucket).key(key).send().await.expect(key);
        }
    }
    let blank = Command::new(judges()).args(["-c", BLANK, &served.url, bucket]).output().expect("Python");
    assert!(blank.status.success(), "{}", String::from_utf8_lossy(&blank.stderr));
    let _ = project.run(&["plan", "keys"]).ok();
    project.write("stacks/keys/documents/b.txt", "b");
    let _ = project.run(&["deploy", "keys", "--yes"]).ok();
    let destroyed = project.run(&["destroy", "keys", "--yes"]).ok();
    assert!(destroyed.session().contains("nothing of it remains"), "{}", destroyed.session());
}

/// What is on this machine is reached without the proxy that the environment names for the rest of the world.
#[test]
fn the_local_target_is_not_asked_through_a_proxy() {
    let project = Project::empty();
    project.write("stacks/keys/usecase.yaml", SPEC);
    project.write("stacks/keys/documents/a.txt", "a");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        // Nothing listens there.
        let proxy = [(name, "http://127.0.0.1:9")];
        let _ = project.run_with(&["deploy", "keys", "--yes"], &proxy).ok();
        let _ = project.run_with(&["destroy", "keys", "--yes"], &proxy).ok();
    }
}
