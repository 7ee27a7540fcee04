//! The local target: an AWS-compatible endpoint on loopback, its state in one folder.
//!
//! [`start`] serves any AWS client (this program's own engine, `boto3`, the AWS CLI) from inside the caller's runtime.
//! There is no daemon and no leader: all truth is in the [`store`], and any number of processes may serve the same
//! folder at once. What is not simulated is refused by name, never by silence.
//!
//! | file | holds |
//! | --- | --- |
//! | [`server`] | the listener, and which service a request is for |
//! | `service_call` | a request to a service, read once |
//! | `admission` | whose request it is, and whether they may |
//! | `pages` | pages of the endpoint's own |
//! | `upkeep` | what leaves the disk beside the requests |
//! | [`serving`] | where it is being served, told to other processes |
//! | [`store`] | the database, object bodies, leases |
//! | [`query`] | the awsQuery protocol: forms in, XML out, the trait its services implement |
//! | [`aws_json`] | the awsJson protocols: one table a service |
//! | [`errors`] | an error in the format of each protocol |
//! | [`xml`] | writing XML safely |
//! | [`sts`] | who am I |
//! | [`cloudformation`] | stacks: the API and its engine |
//! | [`resources`] | what the resources of stacks are |
//! | [`s3`] | buckets and objects |
//! | [`dynamodb`] | items of tables |
//! | [`bedrock`] | models' stand-ins, knowledge bases, guardrails, agents |
//! | [`lambda`] | functions, run by Python processes |
//! | [`logs`] | log groups and what is written to them |
//! | [`cognito`] | user pools: people, and the tokens they sign in for |
//! | [`secretsmanager`] | secrets and their values |
//! | [`ssm`] | parameters of Parameter Store |
//! | `json` | parameters, pages and answers of some awsJson services |
//! | [`identity`] | who asks, and whether they may |
//! | [`execute_api`] | API Gateway's data plane |
//! | [`velocity`] | API Gateway's mapping templates |

mod admission;
pub mod aws_json;
pub mod bedrock;
pub mod cloudformation;
pub mod cognito;
pub mod dynamodb;
pub mod errors;
pub mod execute_api;
mod holdings;
pub mod identity;
mod json;
pub mod lambda;
pub mod logs;
pub mod options;
mod pages;
pub mod query;
pub mod resources;
pub mod s3;
pub mod secretsmanager;
pub mod server;
mod service_call;
pub mod serving;
pub mod ssm;
pub mod store;
pub mod sts;
mod upkeep;
pub mod velocity;
pub mod xml;

pub use holdings::{HeldBucket, HeldStack, HeldTable, Holdings};
pub use options::{Clock, Ids, Injection, LocalError, LocalOptions};
pub use server::{Running, start};

/// The account every local resource lives in. It is not a real account of anyone: AWS uses it in its own examples.
pub const ACCOUNT_ID: &str = "123456789012";

/// The access key, and the secret, that the local target signs and checks pre-signed URLs with.
pub const LOCAL_KEY: &str = "local";

/// The region of a request that names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// The tables of every room of the local target; each room owns its own list of steps.
const SCHEMAS: &[store::Schema] = &[
    s3::SCHEMA,
    cloudformation::SCHEMA,
    resources::SCHEMA,
    dynamodb::SCHEMA,
    lambda::SCHEMA,
    logs::SCHEMA,
    identity::SCHEMA,
    bedrock::SCHEMA,
    secretsmanager::SCHEMA,
    ssm::SCHEMA,
    cognito::SCHEMA,
];

/// The simulated services that speak awsQuery: one line a service.
fn query_services(host: &std::sync::Arc<Host>) -> Vec<std::sync::Arc<dyn query::QueryService>> {
    let cloudformation = cloudformation::CloudFormation::start(std::sync::Arc::clone(host));
    vec![std::sync::Arc::new(sts::Sts::new(std::sync::Arc::clone(host))), std::sync::Arc::new(cloudformation)]
}

/// The simulated services that speak awsJson: one line a service.
const JSON_SERVICES: &[&dyn aws_json::JsonService] =
    &[&cognito::SERVICE, &dynamodb::SERVICE, &logs::SERVICE, &secretsmanager::SERVICE, &ssm::SERVICE];

/// What the simulated services share: the store, the sources of time and identity, and what the user asked to fail.
#[derive(Debug)]
pub struct Host {
    /// All state.
    pub store: store::Store,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where identities come from.
    pub ids: Ids,
    /// Resources that are to fail.
    pub fail: Vec<Injection>,
    /// How long each resource takes between its beginning and its end.
    pub delay: std::time::Duration,
    /// Who runs functions for API Gateway.
    pub functions: execute_api::FunctionRunner,
    /// Where this server listens, for example `http://127.0.0.1:4566`, with no trailing slash.
    pub url: String,
    /// The processes of functions.
    pub lambda: lambda::Pool,
    /// Where real text and embedding models are asked, in place of the stand-ins.
    pub model_server: Option<bedrock::ModelServer>,
}
