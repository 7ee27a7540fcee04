//! Agents: the loop that decides what to say or do next, and Bedrock Agents Classic over it.
//!
//! | file | holds |
//! | --- | --- |
//! | `schema` | what an agent can do, from OpenAPI or function schemas |
//! | `conversation` | the next step of a conversation |
//! | `lambda` | actions carried out by functions |
//! | `classic` | `InvokeAgent` |
//! | `trace` | what an agent tells of its steps |
//! | `describe` | agents and aliases as the API shows them |

mod classic;
mod conversation;
mod describe;
mod lambda;
mod schema;
mod trace;

pub(super) use classic::{ask, invoke_agent};
pub(super) use conversation::{AgentStep, Conversation, Memory, next_step};
pub(super) use describe::{get_agent, get_alias, list_agents, list_aliases, prepare_agent};
