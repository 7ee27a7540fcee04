//! The operations, one line each: the awsJson1_0 protocol.

use super::actions;
use super::arguments::DynamoDbRequest;
use super::error::DynamoDbError;
use super::{batch_ops, item_ops, read_ops, table_ops};
use crate::protocol::aws_json::{JsonHandler, JsonService};
use crate::protocol::service::Registration;

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(&TABLE) };

/// DynamoDB for the server. The largest request: quotas in the DynamoDB developer guide.
static TABLE: JsonService<DynamoDbRequest, DynamoDbError> = JsonService {
    name: "dynamodb",
    target: "DynamoDB_20120810.",
    content_type: "application/x-amz-json-1.0",
    largest: 16 << 20,
    required_permissions: actions::required_permissions,
    operations: &[
        ("BatchGetItem", JsonHandler::Read(batch_ops::get)),
        ("BatchWriteItem", JsonHandler::Write(batch_ops::write)),
        ("DeleteItem", JsonHandler::Write(item_ops::delete)),
        ("DescribeTable", JsonHandler::Read(table_ops::describe)),
        ("GetItem", JsonHandler::Read(item_ops::get)),
        ("ListTables", JsonHandler::Read(table_ops::list)),
        ("PutItem", JsonHandler::Write(item_ops::put)),
        ("Query", JsonHandler::Read(read_ops::query)),
        ("Scan", JsonHandler::Read(read_ops::scan)),
        ("UpdateItem", JsonHandler::Write(item_ops::update)),
    ],
};
