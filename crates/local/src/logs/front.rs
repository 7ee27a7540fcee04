//! The operations, one line each: the awsJson1_1 protocol.

use super::{operations, read};
use crate::ground::ApiError;
use crate::protocol::aws_json::{Asked, Service, Work};

/// CloudWatch Logs for the server. The largest request is above the largest batch of events with its JSON around it.
pub static SERVICE: Service<Asked, ApiError> = Service {
    name: "logs",
    target: "Logs_20140328.",
    content_type: "application/x-amz-json-1.1",
    largest: 8 << 20,
    operations: &[
        ("CreateLogGroup", Work::Write(operations::create_group)),
        ("CreateLogStream", Work::Write(operations::create_stream)),
        ("DeleteLogGroup", Work::Write(operations::delete_group)),
        ("DescribeLogGroups", Work::Read(operations::describe_groups)),
        ("DescribeLogStreams", Work::Read(operations::describe_streams)),
        ("FilterLogEvents", Work::Read(read::filter)),
        ("GetLogEvents", Work::Read(read::get)),
        ("PutLogEvents", Work::Write(operations::put_events)),
        ("PutRetentionPolicy", Work::Write(operations::put_retention)),
    ],
};
