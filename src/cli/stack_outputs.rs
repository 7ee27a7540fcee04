//! What a stack gives back, as far as verbs ask for it.

use super::local_target::served_at;
use super::session::Session;
use crate::aws::{Output, TargetKind};
use crate::finding::{Finding, code};
use crate::local_address::{gateway_url, local_url};
use crate::report::outputs::LocalAddresses;

/// The finding for a stack that is not there.
pub(super) fn not_deployed(stack: &str, use_case: &str) -> Finding {
    Finding::error(code::P028, format!("`{stack}` is not deployed there"))
        .help(format!("run `bedplate deploy {use_case}`, or name the stage and target it is on"))
}

impl Session {
    /// Where the APIs and gateways of a stack on the local target answer; none elsewhere.
    pub(super) async fn local_addresses(&self, outputs: &[Output]) -> Result<LocalAddresses, Vec<Finding>> {
        if self.target_kind()? != TargetKind::Local {
            return Ok(LocalAddresses { served: false, addresses: Vec::new() });
        }
        let served = served_at(&self.local_dir()?).await;
        let endpoint = served.as_deref().unwrap_or(NOT_SERVED);
        let here = outputs.iter().filter_map(|output| {
            let url = local_url(&output.value, endpoint).or_else(|| gateway_url(&output.value, endpoint));
            Some((output.key.clone(), url?))
        });
        Ok(LocalAddresses { served: served.is_some(), addresses: here.collect() })
    }
}

/// Where `bedplate local serve` serves unless told otherwise.
const NOT_SERVED: &str = "http://127.0.0.1:4599";
