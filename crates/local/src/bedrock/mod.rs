//! Bedrock: stand-ins for models, and the knowledge bases, guardrails, prompts and agents that stacks made.
//!
//! Nothing here understands anything: text is found and never invented, vectors come from words, pictures show their prompt.
//! The same request always gets the same answer. Who wants a real model names a server that speaks OpenAI's API; then text
//! and vectors come from there.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions`, `model_permissions` | the permissions that operations, and calls of models, need |
//! | `service`, `operations`, `answer`, `stream` | requests in, answers, event streams and errors out |
//! | `catalog`, `identify` | the models there are, and which of them an id stands for |
//! | `text`, `embed`, `poster` | the stand-ins for text, embedding and image models |
//! | `native`, `family`, `claude`, `vectors` | calling models in their own formats |
//! | `converse`, `request` | calling text models in the common format |
//! | `server` | a real model behind an address |
//! | `prompts`, `guardrail` | managed prompts, guardrails |
//! | `knowledge` | knowledge bases: ingestion, retrieval, answers with citations |
//! | `agents` | the loop of agents, and Bedrock Agents Classic |
//! | `agentcore` | harnesses and gateways of AgentCore |
//! | `flows` | flows: how the API shows them, and `InvokeFlow` |
//! | `service_role` | what the service may do under roles |
//! | `store` | the tables |

mod actions;
mod agentcore;
mod agents;
mod answer;
mod catalog;
mod claude;
mod converse;
mod embed;
mod family;
mod flows;
mod guardrail;
mod identify;
mod knowledge;
mod model_permissions;
mod native;
mod operations;
mod poster;
mod prompts;
mod request;
mod server;
mod service;
mod service_role;
mod store;
mod stream;
mod text;
mod vectors;

use std::sync::Arc;

pub use crate::ground::ModelServer;
pub(crate) use agentcore::{GatewayAuth, gateway_of};
pub(crate) use prompts::prompt_model;
pub(crate) use service::GatewayEndpoints;
pub use service::SERVICE;
pub use store::{SCHEMA, forget_base, forget_source};

use crate::ground::{ApiError, Host};

/// What the operations share.
#[derive(Debug)]
struct Bedrock {
    host: Arc<Host>,
}

impl Bedrock {
    fn new(host: Arc<Host>) -> Arc<Self> {
        Arc::new(Self { host })
    }

    /// A text model's answer: the stand-in's, or the model server's where there is one.
    async fn reply(&self, model: &str, request: text::ModelRequest) -> Result<text::ModelReply, ApiError> {
        match &self.host.model_server {
            Some(server) => server.chat(model, &request).await,
            None => Ok(text::reply(&request)),
        }
    }

    /// Vectors of texts, of one dimension: the stand-in's, or the model server's where there is one.
    async fn embed(&self, model: &str, texts: Vec<String>, dimension: usize) -> Result<Vec<Vec<f32>>, ApiError> {
        match &self.host.model_server {
            Some(server) => server.embed(model, &texts, dimension).await,
            None => Ok(texts.iter().map(|text| embed::embed(text, dimension)).collect()),
        }
    }
}
