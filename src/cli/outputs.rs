//! `bedplate outputs`: what a deployed stack gives back.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::exit::Exit;
use super::globals::Format;
use super::outcome::Outcome;
use super::session::Session;
use super::stack_outputs::{not_deployed, text};
use crate::aws::Output;
use crate::engine;

/// Print what a deployed stack gives back: URLs, names, ids.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate outputs movie-poster\n  bedplate outputs movie-poster --format json\n  bedplate outputs movie-poster --env > .env"
)]
pub struct OutputsArgs {
    /// A use case: a name under stacks/, a folder or a spec file
    #[arg(value_name = "USE-CASE")]
    use_case: String,
    /// As lines for a `.env` file
    #[arg(long)]
    env: bool,
}

pub(super) fn run(session: &Session, args: &OutputsArgs) -> Outcome {
    let specs = session.load(std::slice::from_ref(&args.use_case))?;
    session.block_on(async {
        for spec in &specs {
            let stack = session.stack_name(spec);
            let connection = session.connect("outputs of", &stack, session.region(Some(spec))?).await?;
            let outputs = engine::outputs(&connection.clients, &stack).await;
            connection.close().await;
            let Some(outputs) = outputs.map_err(|finding| vec![finding])? else {
                return Err(vec![not_deployed(&stack, &spec.spec.name)]);
            };
            let ui = &session.ui;
            if args.env {
                ui.out(&env(&outputs))?;
            } else if ui.format == Format::Json {
                let map: Map<String, Value> =
                    outputs.iter().map(|output| (output.key.clone(), Value::from(output.value.clone()))).collect();
                ui.json(&Value::Object(map))?;
            } else {
                ui.out(&text(&outputs, ui))?;
                session.tell_local_urls(&outputs).await?;
            }
        }
        Ok(Exit::Done)
    })
}

/// `KEY="value"`, a line each: upper case with underscores between words, quoted so that no shell reads more into it.
fn env(outputs: &[Output]) -> String {
    outputs.iter().fold(String::new(), |mut text, output| {
        let mut name = String::new();
        let mut before_lower = false;
        for c in output.key.chars() {
            if c.is_ascii_uppercase() && before_lower {
                name.push('_');
            }
            before_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            name.push(c.to_ascii_uppercase());
        }
        let value = output.value.replace('\'', r"'\''");
        let _ = writeln!(text, "{name}='{value}'");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_lines_mean_their_value_to_a_shell() {
        let output = |key: &str, value: &str| Output {
            key: key.to_owned(),
            value: value.to_owned(),
            description: None,
            export: None,
        };
        let said = env(&[output("PostersApiUrl", "https://x/$HOME"), output("A1b", "it's")]);
        assert_eq!(said, "POSTERS_API_URL='https://x/$HOME'\nA1B='it'\\''s'\n");
    }
}
