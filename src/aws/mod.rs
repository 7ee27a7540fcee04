//! The only room that names an `aws_sdk_*` crate: clients for a target, retries, timeouts and pace, and every answer
//! and failure turned into our own types.

mod address;
mod answers;
mod attempts;
mod buckets;
mod calls;
mod change_sets;
mod clients;
mod conversations;
mod credentials;
mod endpoints;
mod error;
mod events;
mod ingestion;
mod items;
mod kept_values;
mod listing;
mod logs;
mod objects;
mod pace;
mod sockets;
mod stacks;
mod target;
mod types;
mod upload_connector;
mod uploads;

pub use address::{AddressKind, address_kind, endpoint_address, is_plain, is_plain_loopback};
pub use attempts::Attempts;
pub use buckets::ListedBucket;
pub use calls::{Answered, ApiCall};
pub use clients::Clients;
pub use conversations::{AgentAddress, AgentSaid, Passage};
pub use credentials::{CredentialFacts, CredentialSource};
pub use endpoints::Endpoints;
pub use error::{CallError, CallErrorKind, is_local_state};
pub use ingestion::IngestionJob;
pub use items::{Item, ItemValue};
pub use listing::{ListedObject, ObjectMarks};
pub use logs::{LogEvent, LogPage};
pub use objects::DELETE_BATCH;
pub use pace::Pace;
pub use sockets::{Opening, Socket};
pub use target::{Target, TargetKind};
pub use types::*;
pub use uploads::{Labels, UploadLimits, UploadProgress};
