//! Where AWS's address of a deployed API or gateway leads at a local target. It is shown to people, called by smoke tests, and
//! answered.

/// The path under which every API answers, whatever name of this machine it is asked by.
pub const PREFIX: &str = "/_aws/execute-api/";

/// The same for AgentCore gateways.
pub const GATEWAY_PREFIX: &str = "/_aws/bedrock-agentcore/";

/// Where an API's URL of AWS's leads to in a local target that is served at `endpoint`; nothing for any other URL.
///
/// It is the form that every client can resolve: `http://127.0.0.1:4599/_aws/execute-api/{api}/{stage}/…`.
pub fn local_url(url: &str, endpoint: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let api = api_of_host(host).filter(|_| host.contains(".amazonaws.com"))?;
    let address = endpoint.trim_end_matches('/').strip_prefix("http://")?;
    let scheme = if scheme == "wss" { "ws" } else { "http" };
    Some(format!("{scheme}://{address}{PREFIX}{api}{path}"))
}

/// Where a gateway's URL of AWS's leads to in a local target that is served at `endpoint`; nothing for any other URL.
pub fn gateway_url(url: &str, endpoint: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'))?;
    let (gateway, rest) = host.split_once(".gateway.bedrock-agentcore.")?;
    let known = rest.ends_with(".amazonaws.com") && path == "mcp";
    known.then(|| format!("{endpoint}{GATEWAY_PREFIX}{gateway}/mcp"))
}

/// `{id}.execute-api.localhost`, `{id}.execute-api.{region}.localhost`, and AWS's own names.
pub fn api_of_host(host: &str) -> Option<String> {
    let host = host.split(':').next()?.to_ascii_lowercase();
    let (api, rest) = host.split_once(".execute-api.")?;
    let rest = rest
        .strip_suffix(".amazonaws.com.cn")
        .or_else(|| rest.strip_suffix(".amazonaws.com"))
        .or_else(|| if rest == "localhost" { Some("local") } else { rest.strip_suffix(".localhost") })?;
    let region = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (region && is_id(api)).then(|| api.to_owned())
}

/// Whether a text may be the id of an API.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apis_url_leads_to_the_endpoint() {
        let local = |url: &str| local_url(url, "http://127.0.0.1:4599");
        assert_eq!(
            local("https://a1b2.execute-api.us-west-2.amazonaws.com/dev/x?y=1").as_deref(),
            Some("http://127.0.0.1:4599/_aws/execute-api/a1b2/dev/x?y=1")
        );
        assert_eq!(
            local("wss://a1b2.execute-api.us-west-2.amazonaws.com/dev").as_deref(),
            Some("ws://127.0.0.1:4599/_aws/execute-api/a1b2/dev")
        );
        assert_eq!(
            local("https://a1b2.execute-api.us-west-2.amazonaws.com").as_deref(),
            Some("http://127.0.0.1:4599/_aws/execute-api/a1b2")
        );
        for other in ["https://example.com/dev", "a1b2", "https://a1b2.execute-api.example.com/", ""] {
            assert_eq!(local(other), None, "{other}");
        }
    }

    #[test]
    fn a_gateways_url_leads_to_the_endpoint() {
        let local = |url: &str| gateway_url(url, "http://127.0.0.1:4599");
        let url = "https://bank-a1.gateway.bedrock-agentcore.us-west-2.amazonaws.com/mcp";
        assert_eq!(local(url).as_deref(), Some("http://127.0.0.1:4599/_aws/bedrock-agentcore/bank-a1/mcp"));
        assert_eq!(local("https://a1b2.execute-api.us-west-2.amazonaws.com/dev"), None);
        assert_eq!(local("https://bank-a1.gateway.bedrock-agentcore.evil.example/mcp"), None);
    }
}
