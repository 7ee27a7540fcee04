//! Who asks, and whether they may: temporary credentials, signatures, and the policies of roles and resources.
//!
//! A request signed with temporary credentials of a role (access keys `ASIALOCAL…`, which functions get and `AssumeRole`
//! gives) is that role's: its signature is verified and every action it comes to is decided under the role's policies and
//! the resource's. A request with any other key is the administrator's of the account, who may do everything.
//!
//! | file | holds |
//! | --- | --- |
//! | `session` | temporary credentials, kept until they expire |
//! | `scope` | who asks, and for what, as the signature says |
//! | `signature` | Signature Version 4, in headers and URLs |
//! | `policies` | the policies that stacks give roles |
//! | [`authorize`] | deciding, and the words of a denial |
//! | `record` | decisions kept, and told by statement |
//! | `arn` | ARNs of what requests name |
//! | `identify` | the principal of a request |

mod arn;
pub mod authorize;
mod identify;
mod policies;
mod record;
mod scope;
mod session;
mod signature;

pub(crate) use crate::ground::RequiredPermission;
pub(crate) use crate::ground::principal::is_temporary;
pub use crate::ground::{Credentials, Principal, Session};
pub(crate) use arn::arn_of;
pub(crate) use authorize::{authorize, authorize_now};
pub(crate) use identify::identify;
pub(crate) use record::denials;
pub use record::{Denied, Report, StatementUse};
pub(crate) use scope::Scope;
pub use session::SCHEMA;
pub(crate) use session::{RoleAssumption, assume, assume_as_service, forget_expired, secret_of};
pub(crate) use signature::{Signed, decode, verify};
