//! The language: its types, loading a spec with the place of every value, references, and the rules a spec keeps.

mod attachments;
mod flow;
mod forms;
mod load;
mod marks;
mod metrics;
mod openapi;
mod project;
mod prompt;
mod read;
mod rules;
mod schema;
mod sections;
mod seeds;
mod shape;
mod smoke;
mod text;
mod types;
mod values;
mod words;

pub use flow::{FLOW_INPUT, FlowStep, FlowType, FlowValue, flow_type};
pub use forms::{is_region_name, is_stage_name};
pub use load::{LoadedSpec, load, load_str, load_text};
pub use metrics::{FIGURES, Figure};
pub use openapi::{ApiOperation, OpenApi, read_openapi, tool_schema_of};
pub use project::{Allowance, Project, ProjectFile, StageSettings, TargetKind, UseCaseFile, project_schema};
pub use prompt::{MOST_PROMPT_VARIABLES, prompt_variables};
pub use rules::{handler_files, logical_name, requirement_problem};
pub use schema::{json_schema, json_schema_text};
pub use sections::{NETWORK_PARTS, SECTIONS, Section};
pub use seeds::{SeedRow, SeedValue, seed_rows};
pub use smoke::SmokeCall;
pub use text::{Piece, Reference, Text, TextError, Tree};
pub use types::*;
pub use values::{Days, Seconds};
pub(crate) use words::{escape, suggest};
