//! Use cases that take outputs of others: in which order they go, what is read from where, and who still needs what.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Connection;
use super::session::Session;
use crate::aws::{Clients, Target};
use crate::dependency_order::DependencyOrder;
use crate::engine::{self, Claim, Desired, USE_CASE_TAG};
use crate::finding::{Finding, Place, code};
use crate::render::NeededOutput;
use crate::spec::LoadedSpec;

/// What a use case takes and gives, as far as its spec says.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// The outputs it takes, each with the place of the need.
    pub needs: Vec<(NeededOutput, Option<Place>)>,
    /// The outputs it gives; none when it does not render.
    pub outputs: Option<BTreeSet<String>>,
}

impl Dependencies {
    /// Those of a rendered spec.
    pub(super) fn from_rendered(spec: &LoadedSpec, rendered: &crate::render::Rendered) -> Self {
        let place = |need: &NeededOutput| spec.key_place(&format!("/needs/{}", need.alias));
        let outputs = rendered.template.value().get("Outputs").and_then(serde_json::Value::as_object);
        Self {
            needs: rendered.needs.iter().map(|need| (need.clone(), place(need))).collect(),
            outputs: Some(outputs.map(|outputs| outputs.keys().cloned().collect()).unwrap_or_default()),
        }
    }
}

/// What a check can say of the dependencies between use cases: outputs that nobody gives, and circles.
pub(super) fn offline(session: &Session, checked: &BTreeMap<String, Dependencies>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut others: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
    for (need, place) in checked.values().flat_map(|dependencies| &dependencies.needs) {
        let given = match checked.get(&need.use_case) {
            Some(dependencies) => dependencies.outputs.as_ref(),
            None => {
                let outputs = others.entry(need.use_case.clone());
                outputs.or_insert_with(|| outputs_of(session, &need.use_case)).as_ref()
            }
        };
        // Of a use case that is not in the project, or does not render, nothing is known.
        if let Some(given) = given.filter(|given| !given.contains(&need.output)) {
            findings.push(
                Finding::error(code::D052, format!("`{}` has no output `{}`", need.use_case, need.output))
                    .at(place.clone())
                    .help(crate::spec::suggest(&need.output, given.iter().map(String::as_str), "its outputs are")),
            );
        }
    }
    let stage = &session.globals.stage;
    let edges = checked.iter().map(|(name, dependencies)| {
        let needs = dependencies.needs.iter().filter(|(need, _)| need.stage == *stage);
        (name.as_str(), needs.map(|(need, _)| need.use_case.as_str()).collect())
    });
    if let Err(cycle) = sorted(&edges.collect::<Vec<_>>()) {
        let place = cycle.first().and_then(|name| checked.get(name)?.needs.first()?.1.clone());
        findings.push(cycle_finding(&cycle, place));
    }
    findings
}

/// The outputs of a use case of the project that is not among those checked.
fn outputs_of(session: &Session, name: &str) -> Option<BTreeSet<String>> {
    let spec = in_project(session, name)?;
    Dependencies::from_rendered(&spec, &session.render(&spec).ok()?).outputs
}

fn in_project(session: &Session, name: &str) -> Option<LoadedSpec> {
    session.project().ok()?.resolve(name).ok()?.load().ok()
}

/// Use cases in the order they are deployed: each after those it needs, else as they came.
///
/// # Errors
/// A cycle among them.
pub(super) fn in_order(session: &Session, specs: Vec<LoadedSpec>) -> Result<Vec<LoadedSpec>, Vec<Finding>> {
    let stage = &session.globals.stage;
    let edges: Vec<(&str, BTreeSet<&str>)> =
        specs.iter().map(|spec| (spec.spec.name.as_str(), needed_at(spec, stage))).collect();
    let order = match sorted(&edges) {
        Ok(order) => order,
        Err(cycle) => {
            let spec = specs.iter().find(|spec| cycle.first() == Some(&spec.spec.name));
            return Err(vec![cycle_finding(&cycle, spec.and_then(|spec| spec.key_place("/needs")))]);
        }
    };
    let mut left: Vec<Option<LoadedSpec>> = specs.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| left.get_mut(index)?.take()).collect())
}

/// The use cases that a spec needs at the stage it is deployed to.
fn needed_at<'a>(spec: &'a LoadedSpec, stage: &str) -> BTreeSet<&'a str> {
    let here = spec.spec.needs.iter().filter(|(_, need)| need.stage.as_deref().is_none_or(|other| other == stage));
    here.map(|(alias, need)| need.use_case.as_deref().unwrap_or(alias)).collect()
}

/// The places of names in an order that has each after what it needs, or a cycle of names.
fn sorted(edges: &[(&str, BTreeSet<&str>)]) -> Result<Vec<usize>, Vec<String>> {
    let places: BTreeMap<&str, usize> = edges.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    let place = |name: &&str| places.get(name).copied();
    let needs: Vec<BTreeSet<usize>> = edges.iter().map(|(_, needs)| needs.iter().filter_map(place).collect()).collect();
    let order = DependencyOrder::new(&needs);
    let named = |place: &usize| edges.get(*place).map(|(name, _)| (*name).to_owned());
    match order.cycles.first() {
        Some(cycle) => Err(cycle.iter().filter_map(named).collect()),
        None => Ok(order.sequence),
    }
}

fn cycle_finding(cycle: &[String], place: Option<Place>) -> Finding {
    let shown: Vec<String> = cycle.iter().chain(cycle.first()).map(|name| format!("`{name}`")).collect();
    Finding::error(code::D053, format!("use cases need one another in a cycle: {}", shown.join(" → ")))
        .at(place)
        .help("none of them can be deployed first: put what two of them share into a use case that both need")
}

/// Reads the outputs a use case takes, as they are now, into its parameters.
///
/// # Errors
/// Every output that is not there, with what to deploy first.
pub(super) async fn fill(
    session: &Session,
    connection: &Connection,
    spec: &LoadedSpec,
    desired: &mut Desired,
) -> Result<(), Vec<Finding>> {
    let mut findings = Vec::new();
    let mut stacks: BTreeMap<String, Option<BTreeMap<String, String>>> = BTreeMap::new();
    for need in desired.needs.clone() {
        let stack = format!("{}-{}", need.use_case, need.stage);
        if !stacks.contains_key(&stack) {
            stacks.insert(stack.clone(), read(session, connection, &need, &stack).await?);
        }
        let place = spec.key_place(&format!("/needs/{}", need.alias));
        let stage = match need.stage == session.globals.stage {
            true => String::new(),
            false => format!(" --stage {}", need.stage),
        };
        match stacks.get(&stack).and_then(Option::as_ref) {
            None => findings.push(
                Finding::error(
                    code::D050,
                    format!("`{}` needs the stack `{stack}`, which does not exist", spec.spec.name),
                )
                .at(place)
                .help(format!("deploy it first: `bedplate deploy {}{stage}`", need.use_case)),
            ),
            Some(outputs) => match outputs.get(&need.output) {
                Some(value) => {
                    desired.parameters.insert(need.parameter.clone(), value.clone());
                }
                None => findings.push(
                    Finding::error(code::D051, format!("the stack `{stack}` has no output `{}`", need.output))
                        .at(place)
                        .help(format!(
                            "correct the name, or deploy what has it: `bedplate deploy {}{stage}`; {}",
                            need.use_case,
                            crate::spec::suggest(&need.output, outputs.keys().map(String::as_str), "the stack has")
                        )),
                ),
            },
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// The outputs of a stack, in the region its use case belongs to.
async fn read(
    session: &Session,
    connection: &Connection,
    need: &NeededOutput,
    stack: &str,
) -> Result<Option<BTreeMap<String, String>>, Vec<Finding>> {
    let here = &connection.clients;
    // `--region` is about the use cases that are deployed, not about where others are.
    let other = in_project(session, &need.use_case);
    let region = other.as_ref().and_then(|other| other.spec.region.clone());
    let region = match region {
        Some(region) => Some(region),
        None if other.is_some() => {
            session.project()?.stage(&need.stage).region.or_else(|| session.globals.region.clone())
        }
        None => None,
    };
    let claim = Claim { use_case: Some(need.use_case.clone()), stage: Some(need.stage.clone()), ..Claim::default() };
    let outputs = match region.filter(|region| region != here.region()) {
        Some(region) => {
            let target = Target { region: Some(region), ..here.target().clone() };
            let there = Clients::connect(&target).await.map_err(|finding| vec![finding])?;
            engine::outputs(&there, stack, &claim).await
        }
        None => engine::outputs(here, stack, &claim).await,
    };
    let outputs = outputs.map_err(|finding| vec![finding])?;
    Ok(outputs.map(|outputs| outputs.into_iter().map(|output| (output.key, output.value)).collect()))
}

/// Who of the project is deployed in this account and region, needs a use case at this stage, and is not going too.
///
/// # Errors
/// When the stacks cannot be listed.
pub(super) async fn dependents(
    session: &Session,
    connection: &Connection,
    use_case: &str,
    going: &BTreeSet<String>,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let stage = &session.globals.stage;
    let files = session.project()?.use_cases()?;
    let needing: Vec<LoadedSpec> = files
        .iter()
        .filter(|file| !going.contains(&file.name))
        .filter_map(|file| file.load().ok())
        .filter(|spec| spec.spec.needs.iter().any(|(alias, need)| need.use_case.as_ref().unwrap_or(alias) == use_case))
        .collect();
    if needing.is_empty() {
        return Ok(Vec::new());
    }
    let stacks = engine::list(&connection.clients).await.map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    for spec in &needing {
        let name = &spec.spec.name;
        for stack in stacks.iter().filter(|stack| stack.tags.get(USE_CASE_TAG) == Some(name)) {
            let at = stack.name.strip_prefix(&format!("{name}-")).unwrap_or_default();
            let needs = spec.spec.needs.iter().any(|(alias, need)| {
                need.use_case.as_ref().unwrap_or(alias) == use_case && need.stage.as_deref().unwrap_or(at) == stage
            });
            if needs {
                findings.push(
                    Finding::error(
                        code::D054,
                        format!("`{}` takes outputs of `{use_case}-{stage}` and is deployed", stack.name),
                    )
                    .at(spec.key_place("/needs"))
                    .help(format!("destroy it first, or both at once: `bedplate destroy {name} {use_case}`")),
                );
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_after_what_it_needs() {
        let edges = [
            ("app", BTreeSet::from(["bank", "elsewhere"])),
            ("bank", BTreeSet::from(["base"])),
            ("base", BTreeSet::new()),
            ("alone", BTreeSet::new()),
        ];
        assert_eq!(sorted(&edges), Ok(vec![2, 3, 1, 0]));
    }

    #[test]
    fn a_circle_is_told_without_those_that_wait_for_it() {
        let edges = [("a", BTreeSet::from(["b"])), ("b", BTreeSet::from(["c"])), ("c", BTreeSet::from(["b"]))];
        assert_eq!(sorted(&edges), Err(vec!["b".to_owned(), "c".to_owned()]));
    }
}
