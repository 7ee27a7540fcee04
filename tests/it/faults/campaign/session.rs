//! A session from its beginning to its end: what was done before, the run that is hit, its words held against what there
//! is, the same again without a fault, and everything taken away.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::inventory::{Change, Inventory, Thing};
use super::plan::{Blow, Plan};
use super::scene::{Ending, Scene, Step, Victim};
use super::truth::{Judged, missing_content};

/// In what a session went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failing {
    /// Something that was said is not true.
    Untrue,
    /// Something of somebody else's was changed.
    Foreign,
    /// The same again did not reach its goal, or something could not be taken away.
    NotPickedUp,
}

impl Failing {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Failing::Untrue, Failing::Foreign, Failing::NotPickedUp];
}

/// What came of a session.
#[derive(Debug, Default)]
pub struct Session {
    /// Operations that something was done to.
    pub hit: Vec<String>,
    /// The requests of the run that was hit, with what was done to each.
    pub requests: Vec<String>,
    /// How that run says it ended.
    pub outcome: String,
    /// What the oracle finds untrue when the ending is falsified, by the falsification; for tests of the oracle.
    pub falsified: Vec<(&'static str, Vec<String>)>,
    wrong: Vec<(Failing, String)>,
    plan: String,
    words: String,
}

impl Session {
    /// Runs a session.
    pub fn run(plan: &Plan) -> Self {
        let mut session = Self { plan: format!("{plan:?}"), ..Self::default() };
        if let Err(broken) = session.go(plan) {
            session.wrong.push((Failing::NotPickedUp, broken));
        }
        session
    }

    /// In what it went wrong.
    pub fn failing(&self) -> Vec<Failing> {
        Failing::ALL.into_iter().filter(|failing| self.wrong.iter().any(|(of, _)| of == failing)).collect()
    }

    /// Everything there is to know of a session that went wrong.
    pub fn told(&self) -> Option<String> {
        if self.wrong.is_empty() {
            return None;
        }
        let mut told = format!("plan: {}\n", self.plan);
        for (failing, what) in &self.wrong {
            let _ = writeln!(told, "  {failing:?}: {what}");
        }
        let _ = writeln!(told, "requests: {}\n{}", self.requests.join(" "), self.words);
        Some(told)
    }

    fn go(&mut self, plan: &Plan) -> Result<(), String> {
        let scene = Scene::new(plan.others);
        let nobody = Victim::default();
        for step in plan.before {
            let ending = scene.run(*step, true, &nobody)?;
            if !reached(*step, plan.before, plan.others, &ending) {
                return Err(format!("{step:?}, before anything was hit, ended so:\n{}", words(&ending)));
            }
        }
        let before = scene.inventory()?;
        scene.proxy.forget();
        let victim = Victim::default();
        plan.blow.prepare(&scene.proxy, &victim);
        let ending = scene.run(plan.hit, plan.json, &victim)?;
        scene.proxy.clear();
        let after = scene.inventory()?;
        let log = scene.proxy.log();
        self.hit = log.iter().filter(|it| it.fault.is_some()).map(|it| it.operation.clone()).collect();
        self.requests = log
            .iter()
            .map(|it| match &it.fault {
                Some(fault) => format!("[{} {fault}]", it.operation),
                None => it.operation.clone(),
            })
            .collect();
        self.outcome = ending.outcome();
        self.words = words(&ending);
        let judged = Judged {
            direct: &scene.direct,
            step: plan.hit,
            blow: &plan.blow,
            json: plan.json,
            hit: &self.hit,
            ending: &ending,
            before: &before,
            after: &after,
        };
        let untrue = judged.untrue();
        let falsified = if plan.falsify { falsified(&ending) } else { Vec::new() };
        let falsified = falsified.into_iter().map(|(how, ending)| (how, judged.but(&ending).untrue())).collect();
        self.falsified = falsified;
        self.note(Failing::Untrue, untrue);
        self.note(Failing::Foreign, touched(&scene.foreign, &after));
        self.pick_up(plan, &scene, &after)
    }

    /// The same again, which must reach its goal, and everything away.
    fn pick_up(&mut self, plan: &Plan, scene: &Scene, before: &Inventory) -> Result<(), String> {
        let nobody = Victim::default();
        let ending = scene.run(plan.hit, true, &nobody)?;
        let after = scene.inventory()?;
        let mut course = plan.before.to_vec();
        course.push(plan.hit);
        if !reached(plan.hit, &course, plan.others, &ending) {
            self.note(Failing::NotPickedUp, vec![format!("{:?} again ended so:\n{}", plan.hit, words(&ending))]);
        }
        if let (Step::Deploy("notes", version @ 1..=2), true) = (plan.hit, ending.exit == Ok(0)) {
            self.note(Failing::NotPickedUp, missing_content(&after, version));
        }
        let judged = Judged {
            direct: &scene.direct,
            step: plan.hit,
            blow: &Blow::None,
            json: true,
            hit: &[],
            ending: &ending,
            before,
            after: &after,
        };
        let untrue = judged.untrue().into_iter().map(|what| format!("the second time: {what}\n{}", words(&ending)));
        self.note(Failing::Untrue, untrue.collect());
        self.note(Failing::Foreign, touched(&scene.foreign, &after));
        let own = |use_case: &str| course.iter().any(|step| step.stack() == format!("{use_case}-dev"));
        let use_cases = ["notes", "greedy", "doomed"].into_iter();
        let mut away: Vec<Step> = use_cases.filter(|it| own(it)).map(Step::Destroy).collect();
        away.push(Step::RemoveBootstrap);
        for step in away.clone() {
            let ending = scene.run(step, true, &nobody)?;
            if !reached(step, &away, plan.others, &ending) {
                self.note(Failing::NotPickedUp, vec![format!("{step:?} at the end ended so:\n{}", words(&ending))]);
            }
        }
        let left = scene.inventory()?;
        let more = scene.foreign.difference(&left).into_iter().filter(|(_, change)| *change == Change::Added);
        // What others still use has to stay.
        let kept = |thing: &Thing| plan.others && thing.to_string().contains("bedplate-artifacts");
        let more = more.filter(|(thing, _)| !kept(thing));
        self.note(Failing::NotPickedUp, more.map(|(thing, _)| format!("{thing} is left")).collect());
        self.note(Failing::Foreign, touched(&scene.foreign, &left));
        Ok(())
    }

    fn note(&mut self, failing: Failing, what: Vec<String>) {
        for what in what {
            if !self.wrong.iter().any(|(_, noted)| *noted == what) {
                self.wrong.push((failing, what));
            }
        }
    }
}

/// The same ending with words that are not true.
fn falsified(ending: &Ending) -> Vec<(&'static str, Ending)> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut lines = ending.lines();
        lines.last_mut().into_iter().for_each(change);
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        Ending { stdout: lines.join("\n"), ..ending.clone() }
    };
    let effects = |line: &Value| line["done"].as_array().map_or(0, Vec::len);
    let mut all = vec![
        ("another exit code", with(&|line| line["exit_code"] = json!(3))),
        ("no last line", Ending { stdout: String::new(), ..ending.clone() }),
        ("two last lines", Ending { stdout: format!("{0}\n{0}", ending.stdout), ..ending.clone() }),
        ("nothing was done", with(&|line| line["done"] = json!([]))),
        ("nothing was changed", with(&|line| line["message"] = json!("nothing was changed"))),
        ("somebody else", with(&|line| line["message"] = json!("it was changed by somebody else"))),
        (
            "the opposite",
            with(&|line| {
                line["outcome"] = json!(if line["outcome"] == "destroyed" { "deployed" } else { "destroyed" });
            }),
        ),
    ];
    for index in 0..effects(&ending.finished().unwrap_or_default()) {
        let without = with(&|line| {
            line["done"].as_array_mut().into_iter().for_each(|done| drop(done.remove(index)));
        });
        all.push(("one effect less", without));
        let more = with(&|line| {
            let count = line["done"][index]["count"].as_u64();
            if let Some(count) = count {
                line["done"][index]["count"] = json!(count + 1);
            } else {
                line["done"][index]["token"] = json!("nobody's");
                line["done"][index]["ended"] = json!("UPDATE_FAILED");
            }
        });
        all.push(("one effect that is not so", more));
    }
    all
}

/// What somebody else had and has no more, or not as it was.
fn touched(foreign: &Inventory, now: &Inventory) -> Vec<String> {
    // What a stack or bucket of somebody else's did not have before is told too.
    let theirs = |thing: &Thing| match thing {
        Thing::Resource(stack, _) | Thing::ChangeSet(stack, _) => foreign.stacks.contains_key(stack),
        Thing::Object(bucket, ..) | Thing::Upload(bucket, ..) => {
            foreign.things.contains_key(&Thing::Bucket(bucket.clone()))
        }
        Thing::Row(table, _) => foreign.things.contains_key(&Thing::Table(table.clone())),
        _ => false,
    };
    let differs = foreign.difference(now).into_iter();
    differs
        .filter(|(thing, change)| *change != Change::Added || theirs(thing))
        .map(|(thing, change)| format!("{thing} {change:?}"))
        .collect()
}

/// Whether a run without faults came to the end that it should, after what was done before.
fn reached(step: Step, course: &[Step], others: bool, ending: &Ending) -> bool {
    let outcome = ending.outcome();
    let outcome = outcome.as_str();
    let deployed = course.iter().rev().find_map(|step| match step {
        Step::Deploy("notes", _) => Some(true),
        Step::Destroy("notes") => Some(false),
        _ => None,
    });
    match step {
        Step::Deploy("notes", 1..=2) => matches!(outcome, "deployed" | "no-change"),
        Step::Deploy("notes" | "doomed", _) => outcome == "rolled-back",
        // The name that it wants is somebody else's, and CloudFormation says so at once.
        Step::Deploy("greedy", _) => outcome == "failed",
        Step::Destroy("notes" | "greedy" | "doomed") => matches!(outcome, "destroyed" | "absent"),
        // What is not the use case's own is left alone.
        Step::Deploy(..) | Step::Destroy(_) => outcome == "failed",
        Step::Smoke(_) => outcome == "tested",
        Step::Bootstrap => matches!(outcome, "ready" | "no-change"),
        Step::RemoveBootstrap if others || deployed == Some(true) => matches!(outcome, "failed" | "absent"),
        Step::RemoveBootstrap => matches!(outcome, "destroyed" | "absent"),
    }
}

fn words(ending: &Ending) -> String {
    // Events of resources say nothing of how it ended.
    let kept = ending.stdout.lines().filter(|line| !line.contains("\"kind\":\"resource\""));
    let kept: Vec<&str> = kept.collect();
    format!("exit {:?}\n{}\n{}", ending.exit, kept.join("\n"), ending.stderr)
}
