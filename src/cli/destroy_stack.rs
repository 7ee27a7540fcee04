//! A stack that is to go: what `destroy` does, and `deploy --rm` at its end.

use std::collections::BTreeSet;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::needs;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{self, Approver, Claim, ExitCode, Run};
use crate::report::conclusion::Conclusion;

/// A stack that is to go.
pub(super) struct StackToDestroy {
    /// Its name.
    pub stack: String,
    /// That of its use case.
    pub name: String,
    /// Where it is, as far as that is known.
    pub region: Option<String>,
    /// What is said of it.
    pub claim: Claim,
}

impl StackToDestroy {
    /// Takes the stack away, unless others than those that go as well need it.
    pub(super) async fn destroy_stack(
        &self,
        session: &Session,
        others: &BTreeSet<String>,
        approver: &dyn Approver,
        cancel: &CancellationToken,
    ) -> VerbResult {
        let connecting = session.connect_unless_interrupted("destroy", &self.stack, self.region.clone());
        let Some(connection) = connecting.await? else { return Ok(ExitCode::Interrupted) };
        let asking = needs::dependents(session, &connection, &self.name, others);
        let Some(needed) = session.unless_interrupted(&self.stack, asking).await? else {
            return Ok(ExitCode::Interrupted);
        };
        if !needed.is_empty() {
            connection.close().await;
            session.reporters.findings_of_run(&needed);
            return Ok(ExitCode::Failed);
        }
        let started = Instant::now();
        let run = Run::new(&connection.clients, &session.reporters, cancel.clone());
        session.reporters.start_stack(connection.clients.region(), run.ledger());
        let report = engine::destroy_claimed(&run, &self.stack, &self.claim, approver).await;
        connection.close().await;
        session.reporters.conclude(&Conclusion { report: &report, elapsed: started.elapsed() })
    }
}
