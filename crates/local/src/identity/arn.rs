//! ARNs of what requests name.

use crate::ground::ACCOUNT_ID;

/// The ARN of something of this account in a region. What is named by an ARN is found by the end of it, so that is what is
/// decided: whatever stands before it, another region or a name that a policy allows, counts for nothing.
pub(crate) fn arn_of(region: &str, service: &str, kind: &str, id: &str) -> String {
    let written = id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(4)).and_then(|rest| rest.split_once('/'));
    let kind = written.map_or(kind, |(kind, _)| kind);
    let name = id.rsplit('/').next().unwrap_or(id);
    format!("arn:aws:{service}:{region}:{ACCOUNT_ID}:{kind}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_decided_by_what_it_is_found_by() {
        let of = |id: &str| arn_of("us-west-2", "bedrock", "guardrail", id);
        let own = "arn:aws:bedrock:us-west-2:123456789012:guardrail/G1";
        for id in [
            "G1",
            own,
            "arn:aws:bedrock:eu-west-1:999999999999:guardrail/G1",
            "arn:aws:bedrock:us-west-2:123456789012:guardrail/ALLOWED/G1",
            "ALLOWED/G1",
        ] {
            assert_eq!(of(id), own, "{id}");
        }
        let profile = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/P1";
        assert_eq!(arn_of("us-west-2", "bedrock", "inference-profile", profile), profile);
    }
}
