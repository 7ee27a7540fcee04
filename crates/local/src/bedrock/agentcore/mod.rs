//! AgentCore: harnesses with the tools of their gateways, over the same loop as classic agents.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `describe` | harnesses, gateways and targets as the API shows them |
//! | `gateway` | the tools of a gateway, and calling them |
//! | `harness` | `InvokeHarness` |
//! | `mcp` | the gateway's own endpoint |

pub(super) mod actions;
mod describe;
mod gateway;
mod harness;
mod mcp;

pub(super) use describe::{get_gateway, get_harness, get_target, list_gateways, list_harnesses, list_targets};
pub(super) use harness::invoke_harness;
pub(super) use mcp::answer as answer_mcp;
pub(crate) use mcp::{GatewayAuth, gateway_of};
