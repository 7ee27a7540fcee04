//! `bedplate schema`: the JSON Schema of the spec language.

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;

/// Print the JSON Schema of the spec language, for editors and other tools.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate schema > usecase.schema.json\n\nIn an editor with a YAML language server, put this on the first line of a spec:\n  # yaml-language-server: $schema=usecase.schema.json"
)]
pub struct SchemaArgs {}

pub(super) fn run(session: &Session, _: &SchemaArgs) -> VerbResult {
    session.reporters.data(&crate::spec::json_schema_text())?;
    Ok(ExitCode::Done)
}
