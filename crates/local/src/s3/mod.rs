//! S3: buckets, objects, versions, uploads in parts, listings and pre-signed URLs.
//!
//! The `s3s` crate speaks the protocol (routing, headers, XML, signatures of URLs); this room is what it speaks for.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `service` | from the server's requests to `s3s` and back: signatures, `aws-chunked`, error documents |
//! | `operation`, `object_meta` | what every operation is given and answers; what comes with an object |
//! | `api` | one line an operation, to the file that carries it out |
//! | `bucket_ops`, `setting_ops`, `object_ops`, `read_ops`, `list_ops`, `upload_ops` | the operations |
//! | [`buckets`], [`settings`], `properties` | buckets within a transaction, also for a bucket made by CloudFormation |
//! | `versions`, `list`, `uploads` | objects within a transaction |
//! | `authorize` | what a role may do |
//! | `browse` | objects for other services that read them |
//! | `body`, `chunked` | bodies on their way in |
//! | [`names`], `refusals`, [`model`], `schema` | the rules of names, the words of errors, what is kept, the tables |

mod actions;
mod api;
mod authorize;
mod body;
mod browse;
mod bucket_ops;
pub mod buckets;
mod chunked;
mod list;
mod list_ops;
pub mod model;
pub mod names;
mod object_meta;
mod object_ops;
mod operation;
mod properties;
mod read_ops;
mod refusals;
mod schema;
mod service;
mod setting_ops;
pub mod settings;
mod upload_ops;
mod uploads;
mod versions;

pub use browse::current_objects;
pub use buckets::{Bucket, Buckets, Versioning};
pub use names::Namespace;
pub use read_ops::{get_object, object_blob, object_exists};
pub use schema::SCHEMA;
pub use service::SERVICE;
pub use settings::{policy_of, set_policy};
