//! Who approves of what a run does: a yes given beforehand, as far as it goes, or a person at the terminal.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::session::Session;
use super::ui::Ui;
use crate::engine::{Approver, Proposal};
use crate::finding::{Code, Finding, code};
use crate::plan::{Plan, Risk, RiskKind};
use crate::spec::Allowance;

/// What of a run is said to be meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AllowArgs {
    /// What `--yes` covers beside harmless changes; separated by commas, or repeated. On a stack that exists: `data-loss`,
    /// `replacement` of what holds data, `rights`: new permissions, `public` exposure. In a protected stage: `destroy`
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = allowances())]
    pub allow: Vec<Allowance>,
}

fn allowances() -> impl clap::builder::TypedValueParser<Value = Allowance> {
    PossibleValuesParser::new(Allowance::ALL.map(Allowance::as_str)).map(|said| {
        let all = Allowance::ALL.into_iter();
        // The parser lets nothing else through.
        all.into_iter().find(|it| it.as_str() == said).unwrap_or(Allowance::Destroy)
    })
}

/// Reasons of one kind about one resource that a finding lists; the plan has them all.
const REASONS_SHOWN: usize = 3;

/// Answers from `--yes`, as far as it goes, or from the person at the terminal; where there is neither, the answer is no.
pub(super) struct PromptApprover {
    yes: bool,
    allowed: BTreeSet<Allowance>,
    /// The stage, where it is protected.
    protected: Option<String>,
    ui: Ui,
}

impl Session {
    /// Whoever approves on this run.
    pub(super) fn approver(&self, args: &AllowArgs) -> Result<PromptApprover, Vec<Finding>> {
        let stage = self.stage()?;
        Ok(PromptApprover {
            yes: self.globals.yes,
            allowed: stage.allow.iter().chain(&args.allow).copied().collect(),
            protected: stage.protected.then(|| self.globals.stage.clone()),
            ui: self.ui,
        })
    }
}

impl PromptApprover {
    /// The same with a yes given beforehand: whoever says `--rm` has approved of it.
    pub(super) fn with_yes(self) -> Self {
        Self { yes: true, ..self }
    }

    /// What stands against deleting a stack of a protected stage without anybody being asked.
    pub(super) fn protects(&self, stack: &str) -> Option<Finding> {
        let stage = self.protected.as_ref().filter(|_| !self.allowed.contains(&Allowance::Destroy))?;
        let message = format!("`{stack}` belongs to the stage `{stage}`, which is protected in bedplate.yaml");
        let help = "to delete it without being asked add `--allow destroy`; on a terminal, leave `--yes` out and type its name";
        Some(Finding::error(code::D114, message).help(help))
    }

    /// The kinds that a plan needs and neither the stage nor the command line allows.
    pub(super) fn needs(&self, plan: &Plan) -> Vec<&'static str> {
        plan.risk_kinds().into_iter().filter(|kind| !self.allows(*kind)).map(RiskKind::as_str).collect()
    }

    fn allows(&self, kind: RiskKind) -> bool {
        self.allowed.contains(&allowance(kind))
    }

    fn not_allowed<'p>(&self, plan: &'p Plan) -> Vec<&'p Risk> {
        plan.risks.iter().filter(|risk| !self.allows(risk.kind)).collect()
    }
}

fn allowance(kind: RiskKind) -> Allowance {
    match kind {
        RiskKind::DataLoss => Allowance::DataLoss,
        RiskKind::Replacement => Allowance::Replacement,
        RiskKind::Rights => Allowance::Rights,
        RiskKind::Public => Allowance::Public,
    }
}

fn code_of(kind: RiskKind) -> Code {
    match kind {
        RiskKind::DataLoss => code::D110,
        RiskKind::Replacement => code::D111,
        RiskKind::Rights => code::D112,
        RiskKind::Public => code::D113,
    }
}

/// The kinds of risks, as `--allow` takes them.
fn kinds(risks: &[&Risk]) -> String {
    let kinds: BTreeSet<RiskKind> = risks.iter().map(|risk| risk.kind).collect();
    kinds.into_iter().map(RiskKind::as_str).collect::<Vec<_>>().join(",")
}

/// One finding a resource and kind.
fn findings(risks: &[&Risk]) -> Vec<Finding> {
    let mut grouped: BTreeMap<(RiskKind, &str), Vec<&Risk>> = BTreeMap::new();
    for risk in risks {
        grouped.entry((risk.kind, risk.resource.as_str())).or_default().push(risk);
    }
    let flag = kinds(risks);
    let finding = |((kind, resource), risks): ((RiskKind, &str), Vec<&Risk>)| {
        let first = risks.first();
        let what: Vec<&str> =
            first.iter().flat_map(|it| [it.resource_type.as_deref(), it.physical.as_deref()]).flatten().collect();
        let what = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
        let mut reasons: Vec<&str> = risks.iter().take(REASONS_SHOWN).map(|risk| risk.reason.as_str()).collect();
        let more = format!("and {} more", risks.len().saturating_sub(REASONS_SHOWN));
        reasons.extend((risks.len() > REASONS_SHOWN).then_some(more.as_str()));
        Finding::error(code_of(kind), format!("{kind}: `{resource}`{what}: {}", reasons.join("; ")))
            .at(first.and_then(|risk| risk.place.clone()))
            .help(format!("`--yes` does not cover it: if it is intended, add `--allow {flag}`"))
    };
    grouped.into_iter().map(finding).collect()
}

#[async_trait]
impl Approver for PromptApprover {
    fn uncovered(&self, proposal: &Proposal<'_>) -> Vec<Finding> {
        if !self.yes {
            return Vec::new();
        }
        match proposal {
            Proposal::Deploy(plan) => findings(&self.not_allowed(plan)),
            Proposal::Destroy(destroy_plan) => self.protects(&destroy_plan.stack).into_iter().collect(),
        }
    }

    async fn approve(&self, proposal: Proposal<'_>) -> bool {
        if self.yes {
            return true;
        }
        let (question, name) = match proposal {
            Proposal::Deploy(plan) => {
                let risks = self.not_allowed(plan);
                let kinds = kinds(&risks).replace(',', ", ");
                let with = if kinds.is_empty() { String::new() } else { format!(" It means: {kinds}.") };
                let typed = self.protected.is_some() && !risks.is_empty();
                (format!("Deploy {}?{with}", plan.stack), typed.then(|| plan.stack.clone()))
            }
            Proposal::Destroy(destroy_plan) => {
                let typed = self.protects(&destroy_plan.stack).map(|_| destroy_plan.stack.clone());
                (format!("Delete {} and everything in it?", destroy_plan.stack), typed)
            }
        };
        let stage = self.protected.clone().unwrap_or_default();
        let ui = self.ui;
        let ask = move || match name {
            Some(name) => ui.confirm_by_name(&format!("{question} The stage `{stage}` is protected"), &name),
            None => ui.confirm(&question),
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or(false)
    }
}
