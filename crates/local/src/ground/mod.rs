//! What the whole local target stands on; it knows no service.
//!
//! | file | holds |
//! | --- | --- |
//! | [`account`] | the account, the key and the region that stand where a request names none |
//! | [`body`] | bodies of requests and answers |
//! | [`principal`] | who asks |
//! | [`permissions`] | what a request needs permission for, and what was decided |
//! | [`sender`] | what sent a request |
//! | [`host`] | what every service is given |
//! | [`kept`] | what services keep in memory between requests |
//! | [`options`] | how a local target is started |
//! | [`sources`] | time and new identities |
//! | [`store`] | the database, object bodies, leases |
//! | [`resource_table`] | the table of everything that stacks made |
//! | `scalar` | scalars of properties as text |
//! | [`errors`] | an error of a service |
//! | [`functions`] | what API Gateway asks of whoever runs functions |
//! | [`model_server`] | a real model behind an address |

pub mod account;
pub mod body;
pub mod errors;
pub mod functions;
pub mod host;
pub mod kept;
pub mod model_server;
pub mod options;
pub mod permissions;
pub mod principal;
pub mod resource_table;
pub(crate) mod scalar;
pub mod sender;
pub mod sources;
pub mod store;

pub use account::{ACCOUNT_ID, DEFAULT_REGION, LOCAL_KEY};
pub use errors::ApiError;
pub use functions::{FunctionAnswer, FunctionCall, FunctionRefusal, FunctionRunner, Functions};
pub use host::Host;
pub use kept::Kept;
pub use model_server::ModelServer;
pub use options::{Injection, LocalError, LocalOptions};
pub use permissions::{Authorization, Denial, RequestContext, RequiredPermission, ResourcePolicies};
pub use principal::{Credentials, Principal, Session};
pub use sender::Sender;
pub use sources::{Clock, Ids};
