//! What a user is asked before a run goes somewhere: an address that the project chose, and an account that nobody named.
//!
//! A project may come from somebody else. What its `bedplate.yaml` says of where to go, and with whose credentials, is a
//! proposal; flags, the environment and the AWS configuration files are the user's own word.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::approved_accounts::ApprovedAccounts;
use super::ui::Ui;
use crate::aws::{AddressKind, Clients, CredentialFacts, CredentialSource, Identity, address_kind, is_plain};
use crate::engine::ExitCode;
use crate::finding::{Finding, code};
use crate::report::Reporters;
use crate::report::findings::on_one_line;

/// The verbs that change something, or call what costs; the others only read.
const CHANGES: [&str; 4] = ["deploy", "destroy", "bootstrap", "smoke"];

/// The account that emulators on this machine have when none is named; no account of AWS has this number.
/// Source: LocalStack's documentation, "Credentials", and the defaults of ministack 1.5.33, 2026-11-29.
const NO_ACCOUNT: &str = "000000000000";

/// What was agreed to in this run.
#[derive(Debug, Default)]
pub struct Consent {
    agreed: Mutex<BTreeSet<String>>,
}

/// Who is asked, and who is told why.
pub(super) struct Asker<'a> {
    /// Who can be asked.
    pub ui: Ui,
    /// Who is told.
    pub reporters: &'a Reporters,
    /// The user interrupts.
    pub cancel: CancellationToken,
}

impl Asker<'_> {
    /// Asks; an interrupt is an answer too.
    async fn ask(&self, question: &str) -> Result<(), Vec<Finding>> {
        let (ui, question) = (self.ui, question.to_owned());
        let answer = tokio::task::spawn_blocking(move || ui.confirm(&question));
        let said = tokio::select! {
            said = answer => said.unwrap_or(false),
            () = self.cancel.cancelled() => {
                return Err(vec![Finding::note(code::C029, "interrupted before there was an answer")]);
            }
        };
        if said { Ok(()) } else { Err(vec![Finding::note(code::C025, "declined")]) }
    }
}

/// Where a run goes that has to be agreed to.
pub(super) struct Destination<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The project's folder.
    pub project: &'a Path,
    /// The stage.
    pub stage: &'a str,
    /// The account was named: by the flag, or by the stage's settings.
    pub named: Option<NamedBy>,
    /// `--yes` was given.
    pub yes: bool,
    /// The profile is the project's choice: the stage's settings name it.
    pub profile_of_project: bool,
}

/// Who named the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// The user, with `--account`.
    Flag,
    /// The project, with the stage's `account`.
    Stage,
}

/// The exit code of what was not agreed to; none for all other findings.
pub(super) fn exit_of(findings: &[Finding]) -> Option<ExitCode> {
    match findings {
        [finding] if finding.code == code::C025 => Some(ExitCode::Declined),
        [finding] if finding.code == code::C029 => Some(ExitCode::Interrupted),
        _ => None,
    }
}

impl Consent {
    /// Sees to it that the address which `bedplate.yaml` names for a stage is AWS's, this machine's, or one that the user
    /// allowed; before anything is sent.
    ///
    /// # Errors
    /// C022 where nobody can be asked, C025 where the answer is no.
    pub(super) async fn to_address(
        &self,
        asker: &Asker<'_>,
        url: &str,
        allowed: &[String],
        profile: Option<&str>,
    ) -> Result<(), Vec<Finding>> {
        if address_kind(url) != AddressKind::Elsewhere || allowed.iter().any(|one| one == url) || self.has(url) {
            return Ok(());
        }
        let whose = match profile {
            Some(name) => format!("with the credentials of your profile `{name}`"),
            None => "with your AWS credentials".to_owned(),
        };
        let what = format!("`bedplate.yaml` sends all requests, signed {whose}, to `{url}`");
        if !asker.ui.interactive {
            return Err(vec![
                Finding::error(code::C022, format!("{what}, which is neither AWS nor this machine"))
                    .help(format!("if that is intended, add `--allow-endpoint {url}`")),
            ]);
        }
        asker
            .reporters
            .say(&format!("{what}.\nThat is neither AWS nor this machine. Who runs it sees everything that is sent."));
        asker.ask("Send it there?").await?;
        self.add(url);
        Ok(())
    }

    /// Warns of credentials on their way through a network in the clear.
    pub(super) fn warn_of_plain_http(&self, reporters: &Reporters, clients: &Clients, facts: &CredentialFacts) {
        let Some(url) = clients.endpoint().filter(|url| is_plain(url) && facts.can_be_real) else { return };
        if clients.address_kind() == AddressKind::ThisMachine || self.has(&format!("plain {url}")) {
            return;
        }
        self.add(&format!("plain {url}"));
        reporters.findings(&[Finding::warning(
            code::C026,
            format!("`{url}` is not encrypted, and the credentials seem to be real"),
        )
        .help("anybody on the way can read what is sent, a session token included; use an `https://` address")]);
    }

    /// Sees to it that the account is one that somebody named or agreed to, for verbs that change something.
    ///
    /// # Errors
    /// C023 where nobody can be asked, C025 where the answer is no.
    pub(super) async fn to_account(
        &self,
        asker: &Asker<'_>,
        to: &Destination<'_>,
        clients: &Clients,
        identity: &Identity,
        facts: &CredentialFacts,
    ) -> Result<(), Vec<Finding>> {
        let account = identity.account.as_str();
        if !CHANGES.contains(&to.verb) || is_emulator(clients, account, facts) {
            return Ok(());
        }
        let place = clients.endpoint().unwrap_or("AWS");
        let key = format!("{} {place} {account}", to.stage);
        if self.has(&key) {
            return Ok(());
        }
        let mut known = ApprovedAccounts::load(to.project, to.stage, place);
        if let Some(last) = known.changed_from(account) {
            let message =
                format!("this project's stage `{}` went to account `{last}` before, now to `{account}`", to.stage);
            asker.reporters.findings(&[Finding::warning(code::C027, message)
                .help(format!("its stacks are still in `{last}`; this run uses {}", facts.source))]);
        }
        let agreed = match to.named {
            Some(by) => by == NamedBy::Flag,
            None if known.holds(account) => true,
            None if asker.ui.interactive && !to.yes => {
                asker.reporters.say(&Self::question(to, clients, identity, facts));
                asker.ask("Is this the right account? The answer is kept for this project and stage.").await?;
                true
            }
            None => return Err(vec![unnamed(to, identity, facts)]),
        };
        self.add(&key);
        if let Err(reason) = known.keep(account, agreed) {
            // Who names the account every time has nothing to be remembered.
            if to.named.is_none() {
                asker.reporters.findings(&[Finding::warning(code::C028, format!("the answer is not kept: {reason}"))
                    .help("name the account with `--account`, or as the stage's `account` in `bedplate.yaml`")]);
            }
        }
        Ok(())
    }

    fn question(to: &Destination<'_>, clients: &Clients, identity: &Identity, facts: &CredentialFacts) -> String {
        let place = clients.endpoint().unwrap_or("AWS");
        let by = if to.profile_of_project { ", named by bedplate.yaml" } else { "" };
        format!(
            "Nothing of this project's stage `{}` was changed in this account from here before:\n  account      {}\n  \
             identity     {}\n  region       {}\n  credentials  {}{by}\n  place        {}",
            on_one_line(to.stage),
            on_one_line(&identity.account),
            on_one_line(&identity.arn),
            on_one_line(clients.region()),
            on_one_line(&facts.source.to_string()),
            on_one_line(place),
        )
    }

    fn has(&self, what: &str) -> bool {
        self.agreed.lock().is_ok_and(|agreed| agreed.contains(what))
    }

    fn add(&self, what: &str) {
        if let Ok(mut agreed) = self.agreed.lock() {
            agreed.insert(what.to_owned());
        }
    }
}

/// Whether what answers can only be an emulator: on this machine, and with made-up credentials or no real account.
fn is_emulator(clients: &Clients, account: &str, facts: &CredentialFacts) -> bool {
    facts.source == CredentialSource::StandIn
        || (clients.address_kind() == AddressKind::ThisMachine && (!facts.can_be_real || account == NO_ACCOUNT))
}

fn unnamed(to: &Destination<'_>, identity: &Identity, facts: &CredentialFacts) -> Finding {
    let Identity { account, arn } = identity;
    let message = format!(
        "the account was not named: `{account}` (`{arn}`, {}) for this project's stage `{}`",
        facts.source, to.stage
    );
    Finding::error(code::C023, message).help(format!(
        "if it is the right one, run the command with `--account {account}`, or write `account: \
         \"{account}\"` for the stage in `bedplate.yaml`"
    ))
}
