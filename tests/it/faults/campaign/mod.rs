//! Campaigns: many random sessions in which one run of the program is interrupted or meets a fault, and what it says at
//! its end is held against what there is.
//!
//! A session is known by its kind and its number: the same number is the same session on every machine, but for what
//! depends on how fast the machine is. `scripts/faults` runs many of them; the tests here a few.
//!
//! | file | holds |
//! | --- | --- |
//! | `dice` | numbers that look random |
//! | `plan` | what happens in a session |
//! | `scene` | the local target, foreign things, the project, the program |
//! | `direct` | asking the endpoint itself, without the program's code |
//! | `inventory` | everything there is |
//! | `truth` | whether what a run says is true |
//! | `session` | a session from its beginning to its end |

mod dice;
mod direct;
mod inventory;
mod plan;
mod scene;
mod session;
mod truth;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use self::plan::{Kind, Plan};
use self::session::{Failing, Session};

/// The seed of the campaigns unless another is given.
const SEED: u64 = 9;
/// Sessions at once: they wait for the program more than they compute.
const AT_ONCE: usize = 4;

/// What came of many sessions.
#[derive(Debug, Default)]
struct Tally {
    sessions: u64,
    hit: u64,
    failing: BTreeMap<Failing, u64>,
    operations: BTreeMap<String, u64>,
    told: String,
}

impl Tally {
    fn count(&self, failing: Failing) -> u64 {
        self.failing.get(&failing).copied().unwrap_or(0)
    }

    fn row(&self, name: &str) -> String {
        let [untrue, foreign, stuck] = Failing::ALL.map(|failing| self.count(failing));
        format!("| {name} | {} | {} | {untrue} | {foreign} | {stuck} |", self.sessions, self.hit)
    }
}

const HEAD: &str = "| campaign | sessions | of these hit | untrue endings | foreign things touched | not picked up |\n\
                    | --- | --- | --- | --- | --- | --- |";

/// Runs sessions, several at once.
fn campaign(seed: u64, kind: Kind, numbers: impl Iterator<Item = u64>) -> Tally {
    let numbers = Mutex::new(numbers.collect::<Vec<_>>().into_iter());
    let tally = Mutex::new(Tally::default());
    let next = || numbers.lock().expect("no session takes the lock down").next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(number) = next() {
                    let session = Session::run(&Plan::of(seed, kind, number));
                    let mut tally = tally.lock().expect("no session takes the lock down");
                    tally.sessions += 1;
                    tally.hit += u64::from(!session.hit.is_empty());
                    for operation in session.hit.iter().collect::<std::collections::BTreeSet<_>>() {
                        *tally.operations.entry(operation.clone()).or_default() += 1;
                    }
                    for failing in session.failing() {
                        *tally.failing.entry(failing).or_default() += 1;
                    }
                    if let Some(told) = session.told() {
                        let _ = writeln!(tally.told, "== {kind:?} session {number} of seed {seed}\n{told}");
                    }
                }
            });
        }
    });
    tally.into_inner().expect("no session takes the lock down")
}

/// A short campaign: nothing may be wrong in it, and most of its sessions must have hit something.
fn short(kind: Kind, numbers: std::ops::Range<u64>) {
    let tally = campaign(SEED, kind, numbers);
    assert!(tally.told.is_empty(), "{}\n{HEAD}\n{}", tally.told, tally.row("short"));
    assert!(tally.hit * 3 >= tally.sessions * 2, "only {} of {} were hit", tally.hit, tally.sessions);
}

#[test]
fn interrupted_runs_say_what_is_true_and_are_picked_up() {
    short(Kind::Interrupt, 0..12);
}

#[test]
fn runs_that_meet_faults_say_what_is_true_and_are_picked_up() {
    short(Kind::Fault, 0..12);
}

/// An oracle that finds nothing is only worth something when it finds what is wrong.
#[test]
fn a_word_that_is_not_true_is_found() {
    for plan in Plan::falsified() {
        let session = Session::run(&plan);
        assert_eq!(session.told(), None);
        assert!(session.falsified.len() >= 11, "{:?}", session.falsified);
        let missed: Vec<_> = session.falsified.iter().filter(|(_, found)| found.is_empty()).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }
}

/// A number from the environment.
fn given(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// The long campaign, for `scripts/faults`.
#[test]
#[ignore = "takes minutes; scripts/faults runs it"]
fn the_long_campaign() {
    let seed = given("BEDPLATE_FAULTS_SEED", SEED);
    let mut table = HEAD.to_owned();
    let mut told = String::new();
    for (name, kind, variable) in [
        ("interrupts", Kind::Interrupt, "BEDPLATE_FAULTS_INTERRUPTS"),
        ("faults", Kind::Fault, "BEDPLATE_FAULTS_FAULTS"),
    ] {
        let count = given(variable, 200);
        let first = given("BEDPLATE_FAULTS_FIRST", 0);
        let began = std::time::Instant::now();
        let tally = campaign(seed, kind, first..first + count);
        let _ = write!(table, "\n{}", tally.row(name));
        told.push_str(&tally.told);
        eprintln!("{name}: {:?}; hit: {:?}", began.elapsed(), tally.operations);
    }
    println!("{told}\n{table}");
    assert!(told.is_empty(), "something above is wrong");
}

/// Every course of events undisturbed: what is asked of what, and that everything said is true then.
#[test]
#[ignore = "shows how many requests each course sends; for whoever changes the courses"]
fn the_courses_undisturbed() {
    static WRONG: AtomicU64 = AtomicU64::new(0);
    let courses = Mutex::new(Plan::undisturbed().into_iter());
    let next = || courses.lock().expect("no session takes the lock down").next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((plan, expected)) = next() {
                    let session = Session::run(&plan);
                    println!(
                        "{:?} {:?}: {} requests (expected {expected}), {} {:?}",
                        plan.before,
                        plan.hit,
                        session.requests.len(),
                        session.outcome,
                        session.requests
                    );
                    if let Some(told) = session.told() {
                        println!("{told}");
                        WRONG.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(WRONG.load(Ordering::SeqCst), 0);
}
