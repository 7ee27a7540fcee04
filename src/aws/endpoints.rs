//! At which address each service is asked.
//!
//! All services have one address, or all are AWS's own. Some here and some there would be half a deployment in each place:
//! that is refused, since nobody means it.

use super::address::{AddressKind, address_kind, endpoint_address};
use super::services::SERVICES;
use crate::finding::{Finding, code};

/// Where each service is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The address of all services, when it is one and the same.
    common: Option<String>,
    /// The services that have an address of their own, each an address of AWS.
    own: Vec<(&'static str, String)>,
}

impl Endpoints {
    /// Asks for the address of every service, by its id; none is AWS's usual one.
    ///
    /// # Errors
    /// C012 when an address is not valid, C020 when some services are asked at one place and some at another.
    pub(super) fn resolve(address: impl Fn(&str) -> Option<String>) -> Result<Self, Finding> {
        let mut all = Vec::new();
        for (host, id) in SERVICES {
            let url = address(id);
            if let Some(url) = &url {
                endpoint_address(url)?;
            }
            all.push((host, url));
        }
        let first = all.first().and_then(|(_, url)| url.clone());
        if all.iter().all(|(_, url)| *url == first) {
            return Ok(Self { common: first, own: Vec::new() });
        }
        let aws = |url: &Option<String>| url.as_ref().is_none_or(|url| address_kind(url) == AddressKind::Aws);
        if all.iter().all(|(_, url)| aws(url)) {
            let own = all.into_iter().filter_map(|(host, url)| Some((host, url?))).collect();
            return Ok(Self { common: None, own });
        }
        Err(mixed(&all))
    }

    /// The address of all services, when it is one and the same and not AWS's usual ones.
    pub fn common(&self) -> Option<&str> {
        self.common.as_deref()
    }

    /// The services with an address of their own.
    pub fn own(&self) -> &[(&'static str, String)] {
        &self.own
    }

    /// The address of one service, by the beginning of its host's name; none is AWS's usual one.
    pub(super) fn for_host(&self, host: &str) -> Option<&str> {
        let own = self.own.iter().find(|(service, _)| *service == host).map(|(_, url)| url.as_str());
        own.or(self.common())
    }
}

/// Each place with what would be asked there.
fn mixed(all: &[(&'static str, Option<String>)]) -> Finding {
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    for (host, url) in all {
        let place = url.as_deref().unwrap_or("AWS");
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, services)) => services.push(host),
            None => places.push((place, vec![host])),
        }
    }
    let said: Vec<String> =
        places.iter().map(|(place, services)| format!("`{place}` ({})", services.join(", "))).collect();
    Finding::error(code::C020, format!("the services would be asked at different places: {}", said.join(" and "))).help(
        "look for `AWS_ENDPOINT_URL_…` variables and for `endpoint_url` in the profile; `--endpoint-url` sends everything to \
         one place, `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` everything to AWS",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(service: &'static str, url: &'static str) -> impl Fn(&str) -> Option<String> {
        move |id| (id == service).then(|| url.to_owned())
    }

    #[test]
    fn one_address_for_all_or_all_at_aws() {
        let all = Endpoints::resolve(|_| Some("http://127.0.0.1:1".to_owned())).expect("one place");
        assert_eq!((all.common(), all.for_host("s3")), (Some("http://127.0.0.1:1"), Some("http://127.0.0.1:1")));
        let aws = Endpoints::resolve(|_| None).expect("one place");
        assert_eq!((aws.common(), aws.for_host("s3")), (None, None));
        let vpce = "https://vpce-0a1b.sts.us-west-2.vpce.amazonaws.com";
        let own = Endpoints::resolve(one("STS", vpce)).expect("all of it is AWS");
        assert_eq!((own.common(), own.for_host("s3"), own.for_host("sts")), (None, None, Some(vpce)));
    }

    #[test]
    fn half_here_and_half_there_is_refused() {
        let finding = Endpoints::resolve(one("CloudFormation", "http://127.0.0.1:1")).expect_err("two places");
        assert_eq!(finding.code, "C020");
        assert!(finding.message.contains("`http://127.0.0.1:1` (cloudformation)"), "{finding}");
        assert_eq!(Endpoints::resolve(one("S3", "not an address")).expect_err("no address").code, "C012");
    }
}
