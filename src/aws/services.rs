//! The services this program asks.

/// The services this program asks, by the beginning of their hosts' names, each with the id that variables and profiles
/// name it by. Source: `endpointPrefix` and `serviceId` of botocore's models, 1.43.106, 2026-11-29.
pub(super) const SERVICES: [(&str, &str); 12] = [
    ("apigateway", "API Gateway"),
    ("bedrock-agent", "Bedrock Agent"),
    ("bedrock-agent-runtime", "Bedrock Agent Runtime"),
    ("bedrock-agentcore", "Bedrock AgentCore"),
    ("cloudformation", "CloudFormation"),
    ("dynamodb", "DynamoDB"),
    ("iam", "IAM"),
    ("lambda", "Lambda"),
    ("logs", "CloudWatch Logs"),
    ("s3", "S3"),
    ("secretsmanager", "Secrets Manager"),
    ("sts", "STS"),
];

/// The variable that names one service's address, such as `AWS_ENDPOINT_URL_CLOUDFORMATION`.
pub(super) fn variable_of(service_id: &str) -> String {
    format!("AWS_ENDPOINT_URL_{}", service_id.replace(' ', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_the_sdks_name_them() {
        assert_eq!(variable_of("CloudFormation"), "AWS_ENDPOINT_URL_CLOUDFORMATION");
        assert_eq!(variable_of("Bedrock Agent Runtime"), "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME");
    }
}
