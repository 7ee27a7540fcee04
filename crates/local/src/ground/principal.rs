//! Who asks: the administrator of the account, or a session of a role.

use std::sync::Arc;

use jiff::Timestamp;

use super::account::{ACCOUNT_ID, LOCAL_KEY};

/// What access keys made here begin with: `ASIA`, as all of temporary credentials do (source: IAM user guide, "Understanding
/// unique ID prefixes"), and a mark of our own, so that a person's temporary credentials of AWS are not taken for one of ours.
pub(crate) const PREFIX: &str = "ASIALOCAL";

/// The session of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role's name.
    pub role: String,
    /// The role's ARN.
    pub role_arn: String,
    /// The role's unique id.
    pub role_id: String,
    /// The session's name.
    pub name: String,
    /// When it ends.
    pub expires: Timestamp,
}

impl Session {
    /// The ARN a request of this session is of.
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{}/{}", self.role, self.name)
    }

    /// The unique id, as `aws:userid` and `GetCallerIdentity` tell it.
    pub fn user_id(&self) -> String {
        format!("{}:{}", self.role_id, self.name)
    }
}

/// Temporary credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Begins with `ASIALOCAL`.
    pub access_key: String,
    /// What requests are signed with.
    pub secret: String,
    /// Sent along with requests.
    pub token: String,
    /// Who they stand for.
    pub session: Session,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Whoever signs with a key that is no temporary one, or not at all: they may do everything.
    Administrator {
        /// The access key.
        access_key: String,
    },
    /// A session of a role.
    Role(Arc<Session>),
}

impl Principal {
    /// The administrator with no key of its own.
    pub fn local() -> Self {
        Self::Administrator { access_key: LOCAL_KEY.to_owned() }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        match self {
            Self::Administrator { access_key } => format!("arn:aws:iam::{ACCOUNT_ID}:user/{}", user_name(access_key)),
            Self::Role(session) => session.arn(),
        }
    }

    /// The unique id, as `GetCallerIdentity` tells it.
    pub fn user_id(&self) -> String {
        match self {
            Self::Administrator { access_key } => access_key.clone(),
            Self::Role(session) => session.user_id(),
        }
    }
}

/// An access key as the user name of an ARN: only what IAM allows in one.
fn user_name(access_key: &str) -> String {
    let name: String =
        access_key.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c)).take(64).collect();
    if name.is_empty() { LOCAL_KEY.to_owned() } else { name }
}

/// Whether an access key is one of temporary credentials made here.
pub(crate) fn is_temporary(access_key: &str) -> bool {
    access_key.starts_with(PREFIX)
}
