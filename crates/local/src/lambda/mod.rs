//! Lambda: the functions of stacks, each run by Python processes of this machine.
//!
//! A function's code and layers are unpacked once per content under the state folder; a process imports the handler and
//! then takes one event after the other. It has the variables AWS gives a function, credentials of the function's own
//! role and this endpoint's address, and nothing else of the environment. Whoever wants a function called (the API,
//! API Gateway, CloudFormation) uses [`invoke::invoke`].
//!
//! | file | holds |
//! | --- | --- |
//! | `service` | the REST API: paths in, answers and errors out |
//! | `describe` | functions, versions, aliases and layers as the API shows them |
//! | `update` | new code for a function |
//! | `call` | a call, and what comes of it |
//! | [`mod@invoke`] | one call: who may, and which process |
//! | `prepare`, `outcome` | what a process is given; what comes of a call, and what is logged |
//! | `function` | a function as a call needs it, found by any of its names |
//! | [`permissions`] | who may call a function, by its own policy |
//! | [`code`] | the packages functions and layers are made of |
//! | `unpack` | zips into folders, and folders held against their zips |
//! | `queue` | standing in line for a process |
//! | `pool`, `worker`, `shim.py` | processes, and how one is talked to |
//! | `python` | which Python runs a runtime |
//! | `addresses.py` | where a function's calls of deployed APIs go |
//! | `cfnresponse.py` | the module that code in a template answers CloudFormation with |

pub(crate) mod call;
pub mod code;
mod describe;
mod function;
pub mod invoke;
mod outcome;
pub mod permissions;
mod pool;
mod prepare;
mod python;
pub(crate) mod queue;
mod service;
mod unpack;
mod update;
mod worker;

pub use code::SCHEMA;
pub use pool::Pool;
pub use service::SERVICE;
