//! The operations, one line each: the awsJson1_1 protocol.

use super::actions;
use super::operations::LogsRequest;
use super::{operations, read};
use crate::ground::ApiError;
use crate::protocol::aws_json::{JsonHandler, JsonService};
use crate::protocol::service::Registration;

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(&TABLE) };

/// CloudWatch Logs for the server. The largest request is above the largest batch of events with its JSON around it.
static TABLE: JsonService<LogsRequest, ApiError> = JsonService {
    name: "logs",
    target: "Logs_20140328.",
    content_type: "application/x-amz-json-1.1",
    largest: 8 << 20,
    required_permissions: actions::required_permissions,
    operations: &[
        ("CreateLogGroup", JsonHandler::Write(operations::create_group)),
        ("CreateLogStream", JsonHandler::Write(operations::create_stream)),
        ("DeleteLogGroup", JsonHandler::Write(operations::delete_group)),
        ("DescribeLogGroups", JsonHandler::Read(operations::describe_groups)),
        ("DescribeLogStreams", JsonHandler::Read(operations::describe_streams)),
        ("FilterLogEvents", JsonHandler::Read(read::filter)),
        ("GetLogEvents", JsonHandler::Read(read::get)),
        ("PutLogEvents", JsonHandler::Write(operations::put_events)),
        ("PutRetentionPolicy", JsonHandler::Write(operations::put_retention)),
    ],
};
