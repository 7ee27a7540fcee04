//! Where a run goes: the target, the clients for it, and the word of the account that it is.

use tempfile::TempDir;

use super::consent::{Asker, Destination, NamedBy};
use super::globals::TargetName;
use super::local_target::{LocalTarget, unavailable_because};
use super::session::Session;
use crate::aws::{Clients, CredentialFacts, Identity, Target, TargetKind, endpoint_address};
use crate::finding::{Finding, code};
use crate::report::destination::DestinationReport;
use crate::spec::{self, StageSettings};

/// An open connection to a target.
pub struct Connection {
    /// Clients for its services.
    pub clients: Clients,
    local: Option<LocalTarget>,
    /// The state of a local target that only was looked at and never had any: it goes with the connection.
    _nothing: Option<TempDir>,
}

impl Connection {
    /// Ends the connection; a local target finishes what is under way.
    pub async fn close(self) {
        if let Some(running) = self.local {
            running.shutdown().await;
        }
    }
}

impl Session {
    /// Which target this run goes to.
    pub fn target_kind(&self) -> Result<TargetKind, Vec<Finding>> {
        let asked = match self.globals.target {
            Some(TargetName::Aws) => Some(TargetKind::Aws),
            Some(TargetName::Local) => Some(TargetKind::Local),
            // An endpoint is somebody else's, so it is not the one in this program.
            None => self.globals.endpoint_url.as_ref().map(|_| TargetKind::Aws),
        };
        Ok(match asked {
            Some(kind) => kind,
            None => match self.stage()?.target.unwrap_or_default() {
                spec::StageTarget::Local => TargetKind::Local,
                spec::StageTarget::Aws => TargetKind::Aws,
            },
        })
    }

    /// Opens the target and says where this run goes, before anything is sent that matters.
    pub async fn connect(&self, verb: &str, what: &str, region: Option<String>) -> Result<Connection, Vec<Finding>> {
        let stage = self.stage()?;
        let mut nothing = None;
        let (target, local) = match self.target_kind()? {
            TargetKind::Local => {
                if self.globals.endpoint_url.is_some() {
                    return Err(vec![
                        Finding::error(code::P026, "`--target local` and `--endpoint-url` exclude each other")
                            .help("leave `--target local` out to use the endpoint"),
                    ]);
                }
                let mut dir = self.local_dir()?;
                if MAKES_STATE.contains(&verb) {
                    dir = self.own_local_dir()?;
                } else if !dir.exists() {
                    let empty = tempfile::tempdir().map_err(|error| unavailable_because(&error))?;
                    dir = empty.path().to_owned();
                    nothing = Some(empty);
                }
                let running = LocalTarget::start(dir).await?;
                let region = region.unwrap_or_else(LocalTarget::default_region);
                let target = Target { account: self.globals.account.clone(), ..Target::local(running.url(), region) };
                (target, Some(running))
            }
            TargetKind::Aws => (self.aws_target(stage.clone(), region).await?, None),
        };
        let clients = Clients::connect(&target).await.map_err(|finding| vec![finding])?;
        // The environment or the profile may have said it.
        self.must_be_a_region(clients.region(), None)?;
        let facts = clients.credentials().await.map_err(|finding| vec![finding])?;
        self.consent.warn_of_plain_http(&self.reporters, &clients, &facts);
        let identity = clients.identity().await.map_err(|finding| vec![finding])?;
        self.tell_destination(verb, what, &clients, identity, &facts)?;
        if target.kind == TargetKind::Aws {
            let by_flag = self.globals.account.as_ref().map(|_| NamedBy::Flag);
            let to = Destination {
                verb,
                project: &self.project()?.root,
                stage: &self.globals.stage,
                named: by_flag.or(stage.account.as_ref().map(|_| NamedBy::Stage)),
                yes: self.globals.yes,
                profile_of_project: self.globals.profile.is_none() && stage.profile.is_some(),
            };
            self.consent.to_account(&self.asker(), &to, &clients, identity, &facts).await?;
        }
        Ok(Connection { clients, local, _nothing: nothing })
    }

    /// AWS, or another endpoint, as flags and the stage's settings name it; an address that only the project names is one
    /// that the user has agreed to.
    async fn aws_target(&self, stage: StageSettings, region: Option<String>) -> Result<Target, Vec<Finding>> {
        let globals = &self.globals;
        if let (Some(asked), Some(pinned)) = (&globals.account, &stage.account)
            && asked != pinned
        {
            let message =
                format!("the stage `{}` belongs to account `{pinned}` and `--account` says `{asked}`", globals.stage);
            let help = "leave `--account` out, or correct the stage's `account` in `bedplate.yaml`";
            return Err(vec![Finding::error(code::C024, message).help(help)]);
        }
        let profile = globals.profile.clone().or(stage.profile);
        let endpoint_url = match (&globals.endpoint_url, stage.endpoint_url) {
            (Some(asked), _) => Some(asked.clone()),
            (None, Some(proposed)) => {
                endpoint_address(&proposed).map_err(|finding| vec![finding])?;
                self.consent.to_address(&self.asker(), &proposed, &globals.allow_endpoint, profile.as_deref()).await?;
                Some(proposed)
            }
            (None, None) => None,
        };
        let account = globals.account.clone().or(stage.account);
        Ok(Target { endpoint_url, region, profile, account, ..Target::aws() })
    }

    /// The first line of every verb: where it goes, and as whom.
    fn tell_destination(
        &self,
        verb: &str,
        what: &str,
        clients: &Clients,
        identity: &Identity,
        facts: &CredentialFacts,
    ) -> Result<(), Vec<Finding>> {
        let is_aws = clients.target().kind == TargetKind::Aws;
        self.reporters.result(&DestinationReport {
            verb,
            what,
            place: is_aws.then(|| clients.endpoint().unwrap_or("AWS")),
            own: clients.endpoints().own().iter().map(|(host, url)| (host.to_string(), url.to_string())).collect(),
            account: &identity.account,
            identity: &identity.arn,
            region: clients.region(),
            credentials: is_aws.then(|| facts.source.to_string()),
        })
    }

    /// Opens the target, unless the user interrupts.
    pub async fn connect_unless_interrupted(
        &self,
        verb: &str,
        what: &str,
        region: Option<String>,
    ) -> Result<Option<Connection>, Vec<Finding>> {
        self.unless_interrupted(what, self.connect(verb, what, region)).await
    }

    fn asker(&self) -> Asker<'_> {
        Asker { ui: self.ui, reporters: &self.reporters, cancel: self.interrupted() }
    }
}

/// The verbs that may leave something on the local target; the others do not even make its state folder.
const MAKES_STATE: [&str; 2] = ["deploy", "bootstrap"];
