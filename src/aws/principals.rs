//! IAM: the principal that credentials belong to, as policies name it.

use http::Method;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::address::dns_suffix;
use super::clients::Clients;
use super::types::Identity;
use crate::finding::{Finding, code};
use crate::http_client::Outgoing;

/// Where IAM is, which has one place a partition: how the names of its regions begin, the host's name before the
/// partition's suffix, and the region that requests are signed for. Source: botocore 1.43.106, endpoint rules of `iam`,
/// 2026-11-30.
const PLACES: [(&str, &str, &str); 7] = [
    ("cn-", "iam.cn-north-1", "cn-north-1"),
    ("us-gov-", "iam.us-gov", "us-gov-west-1"),
    ("eusc-", "iam.eusc-de-east-1", "eusc-de-east-1"),
    ("us-isob-", "iam.us-isob-east-1", "us-isob-east-1"),
    ("us-isof-", "iam.us-isof-south-1", "us-isof-south-1"),
    ("us-iso-", "iam.us-iso-east-1", "us-iso-east-1"),
    ("eu-isoe-", "iam.eu-isoe-west-1", "eu-isoe-west-1"),
];

/// The same of every other region.
const USUAL_PLACE: (&str, &str, &str) = ("", "iam", "us-east-1");

/// Who sends requests, by the ARN that `GetCallerIdentity` gives.
#[derive(Debug, PartialEq, Eq)]
enum Caller<'a> {
    /// What a policy names just so.
    Principal(&'a str),
    /// A session of a role, of which the ARN has the name without its path.
    Role(&'a str),
    /// A session that no policy of another service can name.
    Federated,
}

fn caller(arn: &str) -> Caller<'_> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut words = resource.split('/');
    match (words.next(), words.next()) {
        (Some("assumed-role"), Some(role)) => Caller::Role(role),
        (Some("federated-user"), _) => Caller::Federated,
        _ => Caller::Principal(arn),
    }
}

impl Clients {
    /// The ARN of the user or role whose credentials are used, as policies of resources name it: a role with its path, which
    /// is looked up.
    ///
    /// # Errors
    /// C015 when the role cannot be looked up, or the credentials are of a federated user.
    pub async fn principal(&self, identity: &Identity) -> Result<String, Finding> {
        match caller(&identity.arn) {
            Caller::Principal(arn) => Ok(arn.to_owned()),
            Caller::Role(name) => self.role_arn(name).await.map_err(|reason| {
                Finding::error(code::C015, format!("the ARN of the role `{name}` could not be looked up: {reason}"))
                    .help("allow `iam:GetRole` on the role that deploys: its ARN has a path that the session's does not show")
            }),
            Caller::Federated => Err(Finding::error(
                code::C015,
                format!("`{}` is a federated session, which no access policy can name", identity.arn),
            )
            .help("deploy with the credentials of a role or a user")),
        }
    }

    async fn role_arn(&self, name: &str) -> Result<String, String> {
        let place = PLACES.iter().find(|(begins, ..)| self.region().starts_with(begins)).copied();
        let (_, host, region) = place.unwrap_or(USUAL_PLACE);
        let endpoint = match self.endpoints().for_host("iam") {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{host}.{}", dns_suffix(self.region())),
        };
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", "GetRole"), ("Version", "2010-05-08"), ("RoleName", name)])
            .finish();
        let outgoing = Outgoing { method: Method::POST, url: format!("{endpoint}/"), headers, body: body.into_bytes() };
        let answer = self.ask_signed(outgoing, "iam", region).await?;
        let text = String::from_utf8_lossy(&answer.body);
        if answer.status != 200 {
            let code = first_text(&text, "Code").unwrap_or_default();
            let message = first_text(&text, "Message").unwrap_or_default();
            return Err(format!("IAM answered {} {code}: {message}", answer.status));
        }
        first_text(&text, "Arn")
            .filter(|arn| arn.ends_with(&format!("/{name}")))
            .ok_or_else(|| "the answer of IAM does not contain it".to_owned())
    }
}

/// The text of the first element of a name.
fn first_text(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => inside = tag.local_name().as_ref() == name,
            Event::Text(text) if inside => return Some((*text).to_owned()),
            Event::End(_) => inside = false,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_of_its_role_and_a_user_is_its_own_principal() {
        let user = "arn:aws:iam::123456789012:user/team/ann";
        assert_eq!(caller(user), Caller::Principal(user));
        assert_eq!(caller("arn:aws:iam::123456789012:root"), Caller::Principal("arn:aws:iam::123456789012:root"));
        assert_eq!(
            caller("arn:aws-cn:sts::123456789012:assumed-role/Deployer/ann@example.com"),
            Caller::Role("Deployer")
        );
        assert_eq!(caller("arn:aws:sts::123456789012:federated-user/ann"), Caller::Federated);
    }

    #[test]
    fn the_arn_is_read_from_the_answer() {
        let xml = "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
                   <Path>/team/</Path><Arn>arn:aws:iam::123456789012:role/team/Deployer</Arn></Role></GetRoleResult>\
                   </GetRoleResponse>";
        assert_eq!(first_text(xml, "Arn").as_deref(), Some("arn:aws:iam::123456789012:role/team/Deployer"));
        assert_eq!(first_text(xml, "Code"), None);
        assert_eq!(first_text("<Arn", "Arn"), None);
    }
}
