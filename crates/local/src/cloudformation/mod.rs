//! CloudFormation: its query API, and the engine that carries stacks out over the provider schemas.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `api` | the operations, grouped by what they concern |
//! | `prepare`, `expand`, `source` | from what a caller sent to a checked [`model::Target`] |
//! | `changes`, `early` | what a change set would do, and what is validated before it |
//! | [`custom`] | what functions of custom resources are asked, and their answers |
//! | `engine` | phases and steps, resumable by any process |
//! | `environment` | what references come to |
//! | [`model`], [`status`], [`tables`], `journal` | what is remembered, and how it is written |
//! | `retention` | what is kept of stacks that are gone |
//! | `limits` | how much an account, a stack and a tree of nested stacks may have |
//! | `properties`, `references` | whether a provider takes them, and whether what they refer to can be there |
//! | `policy`, `stacks`, `error` | stack policies, whole stacks, the words of refusals |

mod actions;
mod api;
mod changes;
pub mod custom;
mod early;
mod engine;
mod environment;
mod error;
mod expand;
mod journal;
mod limits;
pub mod model;
mod policy;
mod prepare;
mod properties;
mod references;
mod retention;
mod source;
mod stacks;
pub mod status;
pub mod tables;

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Transaction;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::ground::store::Schema;
use crate::ground::{ApiError, Host, RequiredPermission};
use crate::protocol::query::{Params, QueryService};
use crate::protocol::service::CallContext;
use crate::resources::Handlers;
use engine::Engine;

pub use model::{Tag, stamp};
pub(crate) use tables::{stack_of_change_set, stack_of_operation};

/// The tables of CloudFormation.
pub const SCHEMA: Schema =
    Schema { room: "cloudformation", steps: &[tables::SCHEMA, custom::SCHEMA, limits::SCHEMA, tables::EXECUTED_SETS] };

/// The CloudFormation service of one serving process.
#[derive(Debug)]
pub struct CloudFormation {
    engine: Arc<Engine>,
    stop: CancellationToken,
}

impl CloudFormation {
    /// The service over the behaviour of resource types; it takes up the operations that other processes left unfinished.
    pub fn start(host: Arc<Host>, handlers: Handlers) -> Self {
        let stop = CancellationToken::new();
        let engine = Engine::new(host, handlers, stop.clone());
        let resuming = Arc::clone(&engine);
        tokio::spawn(async move {
            let now = resuming.host.clock.now();
            // Whoever touches a stack tries again, and is told what is wrong; what is too old goes at the next start.
            let _ = resuming.host.store.write(move |tx| Ok::<_, ApiError>(retention::tidy(tx, now)?)).await;
            let _ = resuming.resume_all().await;
        });
        Self { engine, stop }
    }
}

impl Drop for CloudFormation {
    /// Steps under way end; what is left is taken up by whoever touches the stack next.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl QueryService for CloudFormation {
    fn signing_name(&self) -> &'static str {
        "cloudformation"
    }

    fn version(&self) -> &'static str {
        "2010-05-15"
    }

    fn namespace(&self) -> &'static str {
        "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    }

    fn operations(&self) -> Vec<&'static str> {
        api::operations()
    }

    fn required_permissions(
        &self,
        db: &Transaction<'_>,
        ctx: &CallContext,
        action: &str,
        params: &Params,
    ) -> Result<Vec<RequiredPermission>, ApiError> {
        actions::required_permissions(db, &ctx.region, action, params)
    }

    async fn call(&self, ctx: &CallContext, action: &str, params: Params) -> Result<Value, ApiError> {
        api::CloudFormationCall { engine: &self.engine, ctx, params: &params }.answer(action).await
    }
}
