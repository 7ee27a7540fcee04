//! What is worked on when a stack's resource is made, changed or deleted, and what comes of it.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::ground::resource_table::Owner;
use crate::ground::{Ids, ResourcePolicies};

/// Where a resource is made, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Twelve digits.
    pub account: String,
    /// For example `us-west-2`.
    pub region: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The stack's name.
    pub stack_name: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
}

impl Site {
    /// What a thing made here is made for.
    pub fn owner(&self) -> Owner<'_> {
        Owner { stack_id: &self.stack_id, logical_id: &self.logical_id }
    }
}

/// One piece of work: the transaction it happens in, and where.
#[derive(Debug)]
pub struct ResourceWork<'a> {
    /// The transaction.
    pub db: &'a Transaction<'a>,
    /// Where.
    pub site: &'a Site,
    /// When.
    pub now: Timestamp,
    /// Where random identities come from.
    pub ids: &'a Ids,
    /// Where policies on resources are found.
    pub policies: ResourcePolicies,
}

/// Why a resource could not be made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The provider's class of the failure, for example `AlreadyExists`; none when CloudFormation itself refuses.
    pub code: Option<&'static str>,
    /// What its event says.
    pub message: String,
}

impl Failure {
    /// A refusal of the service behind the resource.
    pub fn handler(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into() }
    }

    /// A refusal of CloudFormation itself.
    pub fn plain(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into() }
    }

    /// The reason as an event shows it.
    pub fn reason(&self, ids: &Ids) -> String {
        match self.code {
            Some(code) => format!(
                "Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {code})",
                self.message,
                ids.uuid()
            ),
            None => self.message.clone(),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::handler("InternalFailure", format!("The local target's state could not be read or written: {error}"))
    }
}
