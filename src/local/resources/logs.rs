//! CloudWatch Logs: log groups.

use serde_json::Value;

use super::{Failure, Handler, Made, Work, generic};

pub(super) struct LogGroup;

impl Handler for LogGroup {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        let name = properties.get("LogGroupName").and_then(Value::as_str).unwrap_or_default();
        if name.starts_with("aws/") {
            return Err(Failure::handler(
                "InvalidRequest",
                "Log groups starting with AWS/ are reserved for AWS. (Service: CloudWatchLogs, Status Code: 400)",
            ));
        }
        generic::create(work, properties)
    }
}
