//! What a stack gives back, as verbs show it.

use std::fmt::Write as _;

use super::local_target::served_at;
use super::session::Session;
use super::ui::Ui;
use crate::aws::{Output, TargetKind};
use crate::finding::{Finding, code};
use crate::local_address::{gateway_url, local_url};
use crate::report::findings::on_one_line;
use crate::report::style::paint;

/// The finding for a stack that is not there.
pub(super) fn not_deployed(stack: &str, use_case: &str) -> Finding {
    Finding::error(code::P028, format!("`{stack}` is not deployed there"))
        .help(format!("run `bedplate deploy {use_case}`, or name the stage and target it is on"))
}

/// `Key = value`, a line each.
pub(super) fn text(outputs: &[Output], ui: &Ui) -> String {
    outputs.iter().fold(String::new(), |mut text, output| {
        let key = paint(ui.out_styles.strong, on_one_line(&output.key));
        let _ = writeln!(text, "{key} = {}", on_one_line(&output.value));
        text
    })
}

impl Session {
    /// Says where the APIs and gateways of a stack on the local target answer: AWS's addresses lead nowhere for them.
    pub(super) async fn print_local_urls(&self, outputs: &[Output]) -> Result<(), Vec<Finding>> {
        if self.target_kind()? != TargetKind::Local {
            return Ok(());
        }
        let served = served_at(&self.local_dir()?).await;
        let endpoint = served.as_deref().unwrap_or(NOT_SERVED);
        let here: Vec<(&str, String)> = outputs
            .iter()
            .filter_map(|output| {
                let url = local_url(&output.value, endpoint).or_else(|| gateway_url(&output.value, endpoint));
                Some((output.key.as_str(), url?))
            })
            .collect();
        if here.is_empty() {
            return Ok(());
        }
        let why = if served.is_some() {
            "Its APIs answer here:"
        } else {
            "Once `bedplate local serve` runs, its APIs answer here:"
        };
        self.ui.status(why);
        for (key, url) in here {
            self.ui.status(&format!("  {}: {}", on_one_line(key), on_one_line(&url)));
        }
        Ok(())
    }
}

/// Where `bedplate local serve` serves unless told otherwise.
const NOT_SERVED: &str = "http://127.0.0.1:4599";
