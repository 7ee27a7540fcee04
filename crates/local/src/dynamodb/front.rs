//! The operations, one line each: the awsJson1_0 protocol.

use super::arguments::Call;
use super::error::Refused;
use super::{batch_ops, item_ops, read_ops, table_ops};
use crate::protocol::aws_json::{Service, Work};

/// DynamoDB for the server. The largest request: quotas in the DynamoDB developer guide.
pub static SERVICE: Service<Call, Refused> = Service {
    name: "dynamodb",
    target: "DynamoDB_20120810.",
    content_type: "application/x-amz-json-1.0",
    largest: 16 << 20,
    operations: &[
        ("BatchGetItem", Work::Read(batch_ops::get)),
        ("BatchWriteItem", Work::Write(batch_ops::write)),
        ("DeleteItem", Work::Write(item_ops::delete)),
        ("DescribeTable", Work::Read(table_ops::describe)),
        ("GetItem", Work::Read(item_ops::get)),
        ("ListTables", Work::Read(table_ops::list)),
        ("PutItem", Work::Write(item_ops::put)),
        ("Query", Work::Read(read_ops::query)),
        ("Scan", Work::Read(read_ops::scan)),
        ("UpdateItem", Work::Write(item_ops::update)),
    ],
};
