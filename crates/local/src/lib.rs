//! The local target: an AWS-compatible endpoint on loopback, its state in one folder.
//!
//! [`start`] serves any AWS client (this program's own engine, `boto3`, the AWS CLI) from inside the caller's runtime.
//! There is no daemon and no leader: all truth is in the [`store`], and any number of processes may serve the same
//! folder at once. What is not simulated is refused by name, never by silence.
//!
//! | folder | holds | may import |
//! | --- | --- | --- |
//! | [`ground`] | what every service is given: the state, the clock, errors | – |
//! | [`protocol`] | how requests and answers are written | ground |
//! | [`identity`] | who asks, and whether they may | ground |
//! | [`resources`] | what the resources of stacks are | all below, the services they are of |
//! | [`velocity`] | API Gateway's mapping templates | – |
//! | [`sts`] | who am I | identity |
//! | [`cloudformation`] | stacks: the API and its engine | |
//! | [`s3`] | buckets and objects | |
//! | [`dynamodb`] | items of tables | |
//! | [`bedrock`] | models' stand-ins, knowledge bases, guardrails, agents | |
//! | [`lambda`] | functions, run by Python processes | |
//! | [`logs`] | log groups and what is written to them | |
//! | [`cognito`] | user pools: people, and the tokens they sign in for | |
//! | [`secretsmanager`] | secrets and their values | |
//! | [`ssm`] | parameters of Parameter Store | |
//! | [`execute_api`] | API Gateway's data plane | |
//! | [`server`] | the listener, who may ask, and which service a request is for: the only one that knows all services | all |
//! | [`serving`] | where it is being served, told to other processes | ground |

pub mod bedrock;
pub mod cloudformation;
pub mod cognito;
pub mod dynamodb;
pub mod execute_api;
pub mod ground;
pub mod handlers;
mod holdings;
pub mod identity;
pub mod lambda;
pub mod logs;
pub mod protocol;
pub mod resources;
pub mod s3;
pub mod secretsmanager;
pub mod server;
pub mod serving;
pub mod ssm;
pub mod sts;
pub mod velocity;

pub use ground::{
    ACCOUNT_ID, Clock, DEFAULT_REGION, Host, Ids, Injection, LOCAL_KEY, LocalError, LocalOptions, errors, options,
    store,
};
pub use holdings::{HeldBucket, HeldStack, HeldTable, Holdings};
pub use protocol::{aws_json, query, xml};
pub use server::{Running, start};
