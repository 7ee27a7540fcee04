//! Flows: nodes that hand their results on.
//!
//! | file | holds |
//! | --- | --- |
//! | `describe` | flows, versions and aliases, found and as the API shows them |
//! | `definition` | the nodes of a flow, and how they are connected |
//! | `nodes` | what each kind of node does, with the rights of the flow's role |
//! | `invoke` | `InvokeFlow` |

mod definition;
mod describe;
mod invoke;
mod nodes;

pub(super) use describe::{get, get_alias, get_version, list, list_aliases, list_versions};
pub(super) use invoke::invoke_flow;
