//! What the address of an endpoint says of where a request goes: to AWS, to this machine, or to somebody else.
//!
//! An address is read by the parser that sends with it, so that what is judged here is what is asked later.

use std::net::IpAddr;

use http::Uri;

use super::services::SERVICES;
use crate::finding::{Finding, code};

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// To a service of AWS, encrypted.
    Aws,
    /// To this machine.
    ThisMachine,
    /// Anywhere else.
    Elsewhere,
}

/// The ends of the names of a partition's services, first those of IPv4, then those that also answer over IPv6; and how
/// the names of its regions begin. The longer beginning comes before the shorter one.
/// Source: botocore 1.43.106, `data/partitions.json`, 2026-11-29.
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("", "amazonaws.com", "api.aws"),
];

/// The end of the names of services in a region.
pub(super) fn dns_suffix(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(begins, ..)| region.starts_with(begins)).map_or("amazonaws.com", |(_, suffix, _)| suffix)
}

/// An address that can be the one of an endpoint: `http` or `https`, a host, no user, no query.
///
/// # Errors
/// C012, with what is wrong with it. The address is not repeated where it may hold a password.
pub fn endpoint_address(url: &str) -> Result<Uri, Finding> {
    let wrong = |why: &str| {
        let shown = if url.contains('@') { "the address".to_owned() } else { format!("`{url}`") };
        Finding::error(code::C012, format!("{shown} is not an endpoint URL: {why}"))
            .help("write it like `http://127.0.0.1:4566`")
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it cannot be read"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("it begins with neither `http://` nor `https://`"));
    }
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("it names a user"));
    }
    let host = uri.host().unwrap_or_default();
    let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if host.is_empty() || !(is_name || ip(host).is_some()) {
        return Err(wrong("it has no valid host"));
    }
    if authority.len() > host.len() && uri.port_u16().is_none() {
        return Err(wrong("its port is not a number up to 65535"));
    }
    if uri.query().is_some() || url.contains('#') {
        return Err(wrong("an endpoint has no query and no fragment"));
    }
    // It is repeated in commands to type, where a shell must not read more into it.
    if !url.bytes().all(|b| b.is_ascii_alphanumeric() || b"/:.-_~%[]".contains(&b)) {
        return Err(wrong("it has a character that no endpoint has"));
    }
    Ok(uri)
}

/// Where an address leads. One that cannot be read leads elsewhere.
pub fn address_kind(url: &str) -> AddressKind {
    let Ok(uri) = endpoint_address(url) else { return AddressKind::Elsewhere };
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    if is_loopback(host) {
        AddressKind::ThisMachine
    } else if uri.scheme_str() == Some("https") && is_service(host) {
        AddressKind::Aws
    } else {
        AddressKind::Elsewhere
    }
}

/// Whether an address is plain HTTP: whoever is in between reads the session token and may read all else.
pub fn is_plain(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("http"))
}

/// Whether an endpoint is plain HTTP on this very machine: nothing sent there leaves it.
pub fn is_plain_loopback(url: &str) -> bool {
    is_plain(url) && address_kind(url) == AddressKind::ThisMachine
}

/// Whether a host is one at which API Gateway answers for the APIs it has.
pub(super) fn is_api_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    PARTITIONS.iter().flat_map(|(_, suffix, dual)| [suffix, dual]).any(|suffix| {
        let labels = host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.'));
        // `<api>.execute-api.<region>`, or `<api>-<vpce>.execute-api.<region>` through a VPC endpoint.
        matches!(labels.map(|labels| labels.split('.').collect::<Vec<_>>()).as_deref(),
            Some([api, "execute-api", region]) if is_label(api) && is_label(region))
    })
}

fn ip(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || ip(host).is_some_and(|ip| ip.is_loopback())
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a host is a service of AWS that this program talks to. The end of the name alone does not tell: anybody's load
/// balancers, machines, APIs and buckets have names below `amazonaws.com` too.
///
/// Forms: `sts.amazonaws.com`, `sts.us-west-2.amazonaws.com`, `sts-fips.…`, `s3.dualstack.…`, and a VPC endpoint of such a
/// service, `vpce-….sts.us-west-2.vpce.amazonaws.com` or `bucket.vpce-….s3.us-west-2.vpce.amazonaws.com`.
/// Sources: botocore 1.43.106, the patterns of `data/endpoints.json` and of the services' `endpoint-rule-set-1.json`,
/// 2026-11-29; AWS PrivateLink, "Access an AWS service using an interface VPC endpoint".
fn is_service(host: &str) -> bool {
    let suffixes = PARTITIONS.iter().flat_map(|(_, suffix, dual)| [suffix, dual]);
    suffixes.filter_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.')).any(|labels| {
        let labels: Vec<&str> = labels.split('.').collect();
        labels.iter().all(|label| is_label(label))
            && match labels.as_slice() {
                [service] | [service, _] | [service, "dualstack", _] => is_known(service),
                [endpoint, service, _, "vpce"] | ["bucket", endpoint, service, _, "vpce"] => {
                    endpoint.starts_with("vpce-") && is_known(service)
                }
                _ => false,
            }
    })
}

fn is_known(service: &str) -> bool {
    let service = service.strip_suffix("-fips").unwrap_or(service);
    SERVICES.iter().any(|(host, _)| *host == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services_of_aws_over_tls_are_aws() {
        for url in [
            "https://sts.amazonaws.com",
            "https://cloudformation.us-west-2.amazonaws.com/",
            "HTTPS://CloudFormation.US-West-2.AmazonAWS.com.",
            "https://s3.dualstack.eu-west-1.amazonaws.com:443",
            "https://lambda.eu-west-1.api.aws",
            "https://dynamodb.cn-north-1.amazonaws.com.cn",
            "https://sts-fips.us-east-1.amazonaws.com",
            "https://vpce-0a1b-2c.sts.us-west-2.vpce.amazonaws.com",
            "https://bucket.vpce-0a1b-2c.s3.us-west-2.vpce.amazonaws.com",
        ] {
            assert_eq!(address_kind(url), AddressKind::Aws, "{url}");
        }
        for url in [
            "http://sts.amazonaws.com",
            "https://amazonaws.com",
            "https://amazonaws.com.evil.example",
            "https://sts.amazonaws.com.evil.example",
            "https://evil.example/sts.amazonaws.com",
            "https://evilamazonaws.com",
            "https://sts.evilamazonaws.com",
            "https://x@sts.amazonaws.com@evil.example",
            "https://sts.amazonaws.com@evil.example",
            "https://sts.amazonaws.com%2eevil.example",
            "https://sts.amazonaws.com\\.evil.example",
            "https://sts.amazonaws.com:443.evil.example",
            "https://sts.amazonaws.com..",
            "https://xn--sts-9la.amazonaws.com",
            "https://ѕts.amazonaws.com",
            "https://sts.us-west-2.amazonaws。com",
            // What anybody can have a name for.
            "https://abcdefghij.execute-api.us-west-2.amazonaws.com",
            "https://lambda-1234567890.us-west-2.elb.amazonaws.com",
            "https://lambda.us-west-2.elb.amazonaws.com",
            "https://ec2-203-0-113-25.compute-1.amazonaws.com",
            "https://evil.s3.us-west-2.amazonaws.com",
            "https://vpce-0a1b.vpce-svc-0123.us-west-2.vpce.amazonaws.com",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(address_kind(url), AddressKind::Elsewhere, "{url}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for url in ["http://127.0.0.1:4566", "https://localhost", "http://[::1]:80/", "http://s3.LOCALHOST.:1"] {
            assert_eq!(address_kind(url), AddressKind::ThisMachine, "{url}");
        }
        for url in [
            "http://127.0.0.1.evil.example",
            "http://localhost.evil",
            "http://localhost@evil",
            "http://evil/localhost",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://169.254.169.254",
            "http://2130706433",
            "localhost:80",
            "ftp://localhost",
        ] {
            assert_eq!(address_kind(url), AddressKind::Elsewhere, "{url}");
        }
    }

    #[test]
    fn only_plain_http_to_this_machine_is_plain_loopback() {
        assert!(is_plain_loopback("http://127.0.0.1:4566") && is_plain_loopback("HTTP://localhost"));
        assert!(!is_plain_loopback("https://127.0.0.1") && !is_plain_loopback("http://10.0.0.1"));
    }

    #[test]
    fn an_endpoint_is_an_address_and_nothing_more() {
        for url in ["http://x", "https://x:1/base/", "http://a_b:65535"] {
            assert!(endpoint_address(url).is_ok(), "{url}");
        }
        for url in [
            "x",
            "http://",
            "http://u:secret@x",
            "http://x:99999",
            "http://x:",
            "http://x/?a",
            "http://x/#a",
            "http://x/$(id)",
            "http://x/;id",
            "file:///x",
        ] {
            let finding = endpoint_address(url).expect_err(url);
            assert_eq!(finding.code, "C012");
            assert!(!finding.message.contains("secret"), "{finding}");
        }
    }

    #[test]
    fn an_api_has_its_own_name_at_api_gateway() {
        assert!(is_api_host("a1b2c3d4e5.execute-api.us-west-2.amazonaws.com"));
        assert!(is_api_host("A1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn"));
        for host in
            ["evil.example", "a.execute-api.us-west-2.amazonaws.com.evil.example", "execute-api.x.amazonaws.com"]
        {
            assert!(!is_api_host(host), "{host}");
        }
    }

    #[test]
    fn every_partition_has_its_own_names() {
        assert_eq!(dns_suffix("us-west-2"), "amazonaws.com");
        assert_eq!(dns_suffix("us-gov-west-1"), "amazonaws.com");
        assert_eq!(dns_suffix("cn-north-1"), "amazonaws.com.cn");
        assert_eq!(dns_suffix("us-isob-east-1"), "sc2s.sgov.gov");
        assert_eq!(dns_suffix("us-iso-east-1"), "c2s.ic.gov");
    }
}
