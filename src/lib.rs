//! Bedplate turns a short YAML use-case spec into a CloudFormation stack, deploys it and deletes it again.
//!
//! What can be used on its own is a crate below `crates/`, and Cargo sees to it that none depends on more than it says:
//!
//! | crate | holds | depends on |
//! | --- | --- | --- |
//! | `bedplate-text` | which name was meant, what drives a terminal, what looks like a credential | – |
//! | `bedplate-facts` | models, regions, runtimes, prices: dated data from `schemas/` | text |
//! | `bedplate-iam` | policy documents as data | – |
//! | `bedplate-cfn` | findings, YAML with positions, CloudFormation as data | text |
//! | `bedplate-host` | helper processes, HTTP requests, where APIs answer locally | – |
//! | `bedplate-local` | the local target: an AWS-compatible endpoint; knows nothing of the engine | cfn, facts, host, iam |
//!
//! The product is this crate. Each of its modules may import the modules and crates of its row and no others, which
//! `tests/it/module_imports.rs` checks. Any module may import `finding` (what is wrong, where, and what to do about it) and the modules of
//! `bedplate-text`.
//!
//! | module | holds | may import |
//! | --- | --- | --- |
//! | [`files`] | opening and writing the files of a project, and nothing outside it by its links | helper |
//! | [`exposure`] | whom a statement of a policy lets in | facts, iam |
//! | [`spec`] | the language: types, loading, references | dependency_order, facts, files, yaml |
//! | [`render`] | spec → template, through the Handlebars partials in `templates/` | cfn, facts, files, iam, spec, yaml |
//! | [`check`] | findings over spec and template | cfn, exposure, facts, iam, render, spec |
//! | [`artifacts`] | deterministic zips and layers | files, helper, spec |
//! | [`plan`] | desired + observed → plan, with reasons; pure | cfn, exposure, facts, iam |
//! | [`aws`] | the only place that names `aws_sdk_*` | cfn, http_client, local_address, proxies |
//! | [`engine`] | carries a plan out; emits events | artifacts, aws, cfn, plan, render, spec |
//! | [`report`] | who tells of a run: events, findings and what verbs come to as text, JSON lines, GitHub annotations, JUnit; nothing else writes to the streams | aws, cfn, engine, iam, local, plan, render |
//! | [`cli`] | one file a verb; wires the modules together | all |

#![warn(missing_docs)]

pub mod artifacts;
pub mod aws;
pub mod check;
pub mod cli;
pub mod engine;
mod exposure;
pub mod files;
pub mod plan;
pub mod render;
pub mod report;
pub mod spec;

pub use bedplate_cfn as cfn;
pub use bedplate_cfn::{dependency_order, finding, yaml};
pub use bedplate_facts as facts;
use bedplate_host::{helper, http_client, local_address, proxies};
pub use bedplate_iam as iam;
#[cfg(feature = "local")]
pub use bedplate_local as local;
use bedplate_text::{credentials, suggestion, terminal};
