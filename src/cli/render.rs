//! `bedplate render`: the CloudFormation template a spec makes.

use std::path::PathBuf;

use super::globals::Format;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::files::Manner;
use crate::finding::{Finding, code};
use crate::render::Rendered;

/// Print the CloudFormation template of a spec; offline.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate render movie-poster | cfn-lint\n  bedplate render --out templates-out\n  bedplate render movie-poster --template-format json --stage prod"
)]
pub struct RenderArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// Write `<use-case>-<stage>.template.yaml` files into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The template's own format: YAML, or JSON with `--format json`, unless said
    #[arg(long, value_name = "FORMAT")]
    template_format: Option<TemplateFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TemplateFormat {
    Yaml,
    Json,
}

impl TemplateFormat {
    fn text(self, rendered: &Rendered) -> String {
        match self {
            TemplateFormat::Yaml => rendered.template.to_yaml(),
            TemplateFormat::Json => rendered.template.to_json(),
        }
    }

    fn extension(self) -> &'static str {
        match self {
            TemplateFormat::Yaml => "yaml",
            TemplateFormat::Json => "json",
        }
    }
}

pub(super) fn run(session: &Session, args: &RenderArgs) -> VerbResult {
    let specs = session.load(&args.use_cases)?;
    let format = args.template_format.unwrap_or(match session.globals.format {
        Format::Json => TemplateFormat::Json,
        Format::Text | Format::Github => TemplateFormat::Yaml,
    });
    let Some(dir) = &args.out else {
        if specs.len() > 1 {
            return Err(vec![
                Finding::error(code::P024, format!("{} use cases cannot share standard output", specs.len()))
                    .help("name one, or write them into a folder with `--out DIR`"),
            ]);
        }
        for spec in &specs {
            session.reporters.data(&format.text(&session.render(spec)?))?;
        }
        return Ok(ExitCode::Done);
    };
    // All are rendered before the first is written: a fault in one leaves the folder as it was.
    let rendered = specs
        .iter()
        .map(|spec| Ok((session.stack_name(spec), session.render(spec)?)))
        .collect::<Result<Vec<_>, Vec<Finding>>>()?;
    for (stack, rendered) in rendered {
        let path = dir.join(format!("{stack}.template.{}", format.extension()));
        let text = format.text(&rendered);
        session.write(
            &path,
            text.as_bytes(),
            Manner::MakeFolders,
            code::P021,
            "check its permissions and the free space",
        )?;
        session.reporters.progress(&format!("Wrote {}", path.display()));
    }
    Ok(ExitCode::Done)
}
