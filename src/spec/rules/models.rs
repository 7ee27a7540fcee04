//! Model ids: they end up in IAM policies, so nothing that could stand for more than one model gets through.

use super::context::Rules;
use crate::finding::code;
use crate::spec::words::{cut, escape};

/// The longest id or ARN that Bedrock takes.
const LONGEST: usize = 2048;

/// The kinds of things that an ARN may name.
const KINDS: [&str; 3] = ["foundation-model", "inference-profile", "application-inference-profile"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, model) in &spec.models {
        let pointer = format!("/models/{}/id", escape(name));
        // References have their own finding.
        if model.id.contains("${") || !rules.intact(&pointer) {
            continue;
        }
        let help = "write a model id or the id of an inference profile, such as `us.amazon.nova-2-lite-v1:0`, or a whole \
                    ARN of a `foundation-model`, `inference-profile` or `application-inference-profile`";
        if let Some(problem) = problem(&model.id) {
            rules.error(code::S047, &pointer, format!("`{}` {problem}", cut(&model.id)), help);
        }
    }
}

/// What is wrong with the id of a model.
fn problem(id: &str) -> Option<&'static str> {
    if id.len() > LONGEST {
        return Some("is longer than any model id");
    }
    if id.contains(['*', '?']) {
        return Some("has a wildcard: the role would be allowed more than the one model");
    }
    let fits = if id.starts_with("arn:") { is_arn(id) } else { is_id(id) };
    (!fits).then_some("is not a model id")
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'_'))
}

/// `arn:PARTITION:bedrock:REGION:ACCOUNT:KIND/ID`.
fn is_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, "bedrock", region, account, resource] = parts.as_slice() else { return false };
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let Some((kind, id)) = resource.split_once('/') else { return false };
    partition.starts_with("aws")
        && word(partition)
        && !region.is_empty()
        && word(region)
        && (account.is_empty() || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())))
        && KINDS.contains(&kind)
        && is_id(id)
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn an_id_names_one_model() {
        for id in [
            "stability.stable-image-core-v1:1",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global.amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-embed-text-v2:0",
            "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.amazon.nova-pro-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
        ] {
            assert_eq!(problem(id), None, "{id}");
        }
        for id in [
            "",
            "*",
            "amazon.*",
            "amazon.nova-?",
            "a b",
            "../x",
            "a/b",
            "arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0",
            "arn:aws:bedrock:us-west-2::foundation-model/*",
            "arn:aws:bedrock:us-west-2::foundation-model/",
            "arn:aws:s3:::bucket",
            "arn:aws:bedrock:us-west-2:12:inference-profile/x",
            "arn:aws:bedrock:us-west-2:123456789012:agent/x",
        ] {
            assert!(problem(id).is_some(), "{id}");
        }
    }
}
