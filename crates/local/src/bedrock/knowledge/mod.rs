//! Knowledge bases: documents read from S3, cut, embedded and found again. The text and the vectors are kept here,
//! whatever store the knowledge base names; they go with it.
//!
//! | file | holds |
//! | --- | --- |
//! | `base` | knowledge bases and data sources of stacks |
//! | `describe` | how the API shows them |
//! | `document` | the text of a file |
//! | `chunk` | cutting |
//! | `ingest`, `job`, `jobs` | reading a data source, and the jobs that do |
//! | `filter`, `search` | finding: `Retrieve` |
//! | `store` | what its vector store asks of its role |
//! | `generate` | answering: `RetrieveAndGenerate` |
//! | `agentic` | searching in several steps: `AgenticRetrieveStream` |

mod agentic;
mod base;
mod chunk;
mod describe;
mod document;
mod filter;
mod generate;
mod ingest;
mod job;
mod jobs;
mod search;
mod store;

pub(super) use agentic::{AgenticQuery, agentic_retrieve, agentic_retrieve_stream};
pub(super) use base::Base;
pub(super) use describe::{get_base, get_source, list_bases, list_sources};
pub(super) use generate::{Grounded, ground, retrieve_and_generate, retrieve_and_generate_stream};
pub(super) use jobs::{get_job, list_jobs, start_job, stop_job};
pub(super) use search::{How, results, retrieve, search};
