//! Bedplate turns a short YAML use-case spec into a CloudFormation stack, deploys it and takes it away again.
//!
//! Folders are rooms; an arrow in the table below reads "may import", and none runs back. `finding` is the one
//! vocabulary all rooms share: what is wrong, where, and what to do about it.
//!
//! | room | holds | may import |
//! | --- | --- | --- |
//! | [`finding`] | a coded problem with its place and a hint | – |
//! | `credentials` | what an AWS credential looks like; any room may import it | – |
//! | `suggestion` | which name was probably meant; any room may import it | – |
//! | `terminal` | which characters drive a terminal; any room may import it | – |
//! | [`files`] | opening the files of a project, and nothing outside it | – |
//! | `helper` | helper processes: which program, what it is told, and how it and all it starts are ended | – |
//! | `http_client` | one plain HTTP request, and AWS's signature | – |
//! | `local_address` | where AWS's address of an API leads at a local target | – |
//! | [`yaml`] | YAML in and out, with source positions; the only user of the YAML crates | finding |
//! | [`spec`] | the language: types, loading, references | files, yaml, finding |
//! | [`facts`] | models, regions, runtimes: dated data from `schemas/` | – |
//! | [`cfn`] | CloudFormation as data: template, intrinsics, graph, provider schemas, validation, diff | yaml, finding |
//! | [`iam`] | policy documents as data | – |
//! | [`render`] | spec → template, through the Handlebars partials in `templates/` | files, yaml, spec, facts, cfn, iam |
//! | [`check`] | findings over spec and template | spec, facts, cfn, iam, render |
//! | [`artifacts`] | deterministic zips and layers | files, spec, helper |
//! | [`plan`] | desired + observed → plan, with reasons; pure | cfn, facts, iam |
//! | [`aws`] | the only place that names `aws_sdk_*` | cfn, http_client, local_address |
//! | [`engine`] | carries a plan out; emits events | plan, aws, artifacts, check, and what those import |
//! | [`local`] | the local target: an AWS-compatible endpoint; knows nothing of the engine | cfn, facts, iam, yaml, http_client, helper, local_address |
//! | [`report`] | events, plans and findings as text, JSON lines, GitHub annotations | types only |
//! | [`cli`] | one file a verb | all |

pub mod artifacts;
pub mod aws;
pub mod check;
pub mod cli;
pub mod engine;
pub mod files;
pub mod plan;
pub mod render;
pub mod report;
pub mod spec;

pub use bedplate_cfn as cfn;
pub use bedplate_cfn::{finding, yaml};
pub use bedplate_facts as facts;
use bedplate_host::{helper, http_client, local_address};
pub use bedplate_iam as iam;
#[cfg(feature = "local")]
pub use bedplate_local as local;
use bedplate_text::{credentials, suggestion, terminal};
