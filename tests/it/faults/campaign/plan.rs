//! What happens in a session: what was done before, which run is hit, and by what.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::dice::Dice;
use super::scene::{Step, Victim};
use crate::faults::{Fault, Proxy, ServiceError, When};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody ends the program.
    Interrupt,
    /// Something goes wrong on the way to the services, or in them.
    Fault,
}

/// A course of events, of which the last run is the one that is hit.
struct Course {
    /// How often it is chosen among all.
    weight: usize,
    before: &'static [Step],
    hit: Step,
    /// How many requests the last run usually sends.
    requests: usize,
    /// Operations among them.
    operations: &'static [&'static str],
}

impl Course {
    /// Whether it takes place among stacks of others: the artifact bucket stays where there are some.
    fn others(&self, dice: &mut Dice) -> bool {
        match self.hit {
            Step::Deploy("taken" | "lent", _) | Step::Destroy("taken" | "lent") => true,
            Step::RemoveBootstrap if self.before == [Step::Bootstrap] => false,
            _ => dice.once_in(4),
        }
    }
}

use Step::{Bootstrap, Deploy, Destroy, RemoveBootstrap, Smoke};

const FIRST: Step = Deploy("notes", 1);
const SECOND: Step = Deploy("notes", 2);

const LOOKING: &[&str] = &["GetCallerIdentity", "DescribeStacks"];
const TRYING: &[&str] = &["DescribeStacks", "ListStackResources", "Invoke", "CallApi"];
const BOOTSTRAPPING: &[&str] = &["HeadBucket", "CreateStack", "DescribeStackEvents"];
const REFUSED: &[&str] = &["CreateChangeSet", "DescribeChangeSet", "DescribeEvents", "ListChangeSets", "DeleteStack"];
const FAILING: &[&str] = &["CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStackEvents"];
const UP_TO_DATE: &[&str] = &[
    "CreateChangeSet",
    "DescribeChangeSet",
    "DeleteChangeSet",
    "ListStackResources",
    "ListObjectsV2",
    "HeadObject",
    "BatchGetItem",
];
const CREATING: &[&str] = &[
    "DescribeStacks",
    "GetBucketTagging",
    "CreateChangeSet",
    "DescribeChangeSet",
    "PutObject",
    "ExecuteChangeSet",
    "DescribeStackEvents",
    "ListObjectsV2",
    "PutItem",
    "Invoke",
    "CallApi",
];
const ROLLING_BACK: &[&str] =
    &["CreateChangeSet", "GetTemplate", "ListStackResources", "PutObject", "ExecuteChangeSet", "DescribeStackEvents"];
const UPDATING: &[&str] = &[
    "DescribeStacks",
    "CreateChangeSet",
    "DescribeChangeSet",
    "GetTemplate",
    "ListStackResources",
    "ListObjectsV2",
    "PutObject",
    "ExecuteChangeSet",
    "DescribeStackEvents",
    "BatchGetItem",
    "Invoke",
];
/// Operations that most courses have twice at least which have them at all.
const REPEATED: &[&str] = &["DescribeStacks", "DescribeStackEvents", "ListObjectVersions"];
const REMOVING: &[&str] = &["ListStackResources", "GetTemplate", "DeleteStack", "DescribeStackEvents", "HeadBucket"];
const DESTROYING: &[&str] = &[
    "DescribeStacks",
    "GetBucketTagging",
    "ListStackResources",
    "ListObjectVersions",
    "ListMultipartUploads",
    "DeleteObjects",
    "DeleteStack",
    "DescribeStackEvents",
];

const COURSES: &[Course] = &[
    Course { weight: 6, before: &[], hit: FIRST, requests: 34, operations: CREATING },
    Course { weight: 2, before: &[Bootstrap], hit: FIRST, requests: 32, operations: CREATING },
    Course { weight: 5, before: &[FIRST], hit: SECOND, requests: 44, operations: UPDATING },
    Course { weight: 2, before: &[FIRST], hit: FIRST, requests: 15, operations: UP_TO_DATE },
    Course { weight: 2, before: &[FIRST, SECOND], hit: FIRST, requests: 36, operations: UPDATING },
    Course { weight: 3, before: &[FIRST], hit: Deploy("notes", 3), requests: 26, operations: ROLLING_BACK },
    Course { weight: 6, before: &[FIRST], hit: Destroy("notes"), requests: 31, operations: DESTROYING },
    Course { weight: 3, before: &[FIRST, SECOND], hit: Destroy("notes"), requests: 30, operations: DESTROYING },
    Course { weight: 1, before: &[FIRST, Destroy("notes")], hit: Destroy("notes"), requests: 5, operations: LOOKING },
    Course { weight: 2, before: &[FIRST, Destroy("notes")], hit: SECOND, requests: 33, operations: CREATING },
    Course { weight: 2, before: &[FIRST], hit: Smoke("notes"), requests: 5, operations: TRYING },
    Course { weight: 2, before: &[], hit: Bootstrap, requests: 8, operations: BOOTSTRAPPING },
    Course { weight: 3, before: &[Bootstrap], hit: RemoveBootstrap, requests: 14, operations: DESTROYING },
    Course { weight: 1, before: &[FIRST], hit: RemoveBootstrap, requests: 3, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Deploy("greedy", 1), requests: 9, operations: REFUSED },
    Course { weight: 2, before: &[], hit: Deploy("doomed", 1), requests: 9, operations: FAILING },
    Course { weight: 2, before: &[Deploy("doomed", 1)], hit: Deploy("doomed", 1), requests: 15, operations: FAILING },
    Course { weight: 2, before: &[Deploy("doomed", 1)], hit: Destroy("doomed"), requests: 16, operations: REMOVING },
    Course { weight: 1, before: &[], hit: Deploy("taken", 1), requests: 2, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Destroy("taken"), requests: 2, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Deploy("lent", 1), requests: 2, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Destroy("lent"), requests: 2, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Deploy("review", 1), requests: 4, operations: LOOKING },
    Course { weight: 1, before: &[], hit: Destroy("review"), requests: 4, operations: LOOKING },
];

/// Which request is hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The nth of all.
    Nth(usize),
    /// The nth of an operation.
    Of(&'static str, usize),
}

impl Place {
    fn once(&self) -> When {
        match self {
            Place::Nth(n) => When::any().nth(*n),
            Place::Of(operation, n) => When::operation(operation).nth(*n),
        }
    }

    fn since(&self) -> When {
        match self {
            Place::Nth(n) => When::any().from(*n),
            Place::Of(operation, n) => When::operation(operation).from(*n),
        }
    }
}

/// When during a request a signal is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the service gets it.
    Before,
    /// Once it was carried out, before the answer goes back.
    After,
    /// Once the answer went back.
    Passed,
}

/// What a run is hit by.
#[derive(Debug, Clone)]
pub enum Blow {
    /// Nothing.
    None,
    /// A signal, and a second one so many requests later where there is to be one; with none in between a moment later.
    Signal(Place, Moment, Signal, Option<usize>),
    /// A fault of one request.
    Once(Place, Fault),
    /// A fault of a request and of all after it, of the same operation where the place names one.
    FromThenOn(Place, Fault),
    /// The credentials expire: what is hit is refused, and everything after it.
    Expires(Place),
}

impl Blow {
    /// Whether the program is killed, and so has no last word.
    pub fn kills(&self) -> bool {
        matches!(self, Blow::Signal(_, _, signal, _) if *signal == Signal::KILL)
    }

    /// Whether no answer is lost by it: what is refused so was certainly not done.
    pub fn loses_nothing(&self) -> bool {
        match self {
            Blow::None | Blow::Expires(_) => true,
            Blow::Once(_, fault) | Blow::FromThenOn(_, fault) => {
                matches!(fault, Fault::Refuse(ServiceError::Denied) | Fault::Delay(_))
            }
            Blow::Signal(..) => false,
        }
    }

    /// Prepares it.
    pub fn prepare(&self, proxy: &Proxy, victim: &Victim) {
        match self {
            Blow::None => {}
            Blow::Once(place, fault) => {
                proxy.rule(place.once(), fault.clone());
            }
            Blow::FromThenOn(place, fault) => {
                proxy.rule(place.since(), fault.clone());
            }
            Blow::Expires(place) => {
                proxy.rule(place.since(), Fault::Refuse(ServiceError::Expired));
                if let Place::Of(operation, _) = place {
                    proxy.rule(When::any().after(operation), Fault::Refuse(ServiceError::Expired));
                }
            }
            Blow::Signal(place, moment, signal, second) => {
                let (target, signal, second, rules) = (victim.clone(), *signal, *second, proxy.clone());
                let first = move || {
                    target.send(signal);
                    match second {
                        None => {}
                        Some(0) => {
                            // Two signals at once are one; this is how fast somebody presses a key twice.
                            thread::sleep(Duration::from_millis(40));
                            target.send(signal);
                        }
                        Some(gap) => {
                            let target = target.clone();
                            rules.rule(When::any().nth(gap), Fault::before(move || target.send(signal)));
                        }
                    }
                };
                let fault = match moment {
                    Moment::Before => Fault::before(first),
                    Moment::After => Fault::after(first),
                    Moment::Passed => Fault::passed(first),
                };
                proxy.rule(place.once(), fault);
            }
        }
    }
}

/// What happens in a session.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is done before.
    pub before: &'static [Step],
    /// What is hit.
    pub hit: Step,
    /// Whether there are stacks of others.
    pub others: bool,
    /// By what.
    pub blow: Blow,
    /// Whether the run that is hit tells events in JSON, or words.
    pub json: bool,
    /// Whether the oracle is tried with words that are not true.
    pub falsify: bool,
}

impl Plan {
    /// The plan of a session.
    pub fn of(seed: u64, kind: Kind, number: u64) -> Self {
        let mut dice = Dice::of(seed, kind as u64 + 1, number);
        let total: usize = COURSES.iter().map(|course| course.weight).sum();
        let mut left = dice.below(total);
        let mut course = &COURSES[0];
        for one in COURSES {
            course = one;
            if left < one.weight {
                break;
            }
            left -= one.weight;
        }
        let place = if dice.once_in(2) {
            Place::Nth(1 + dice.below(course.requests))
        } else {
            let operation = dice.pick(course.operations);
            let again = dice.once_in(2) && REPEATED.contains(&operation);
            Place::Of(operation, 1 + usize::from(again))
        };
        let blow = match kind {
            Kind::Interrupt => interrupt(&mut dice, place),
            Kind::Fault => fault(&mut dice, place),
        };
        let json = !dice.once_in(4);
        Self { before: course.before, hit: course.hit, others: course.others(&mut dice), blow, json, falsify: false }
    }

    /// A deploy and a destroy that nothing happens to, but that their words are falsified.
    pub fn falsified() -> [Self; 2] {
        let plan = Self { before: &[], hit: FIRST, others: false, blow: Blow::None, json: true, falsify: true };
        [plan.clone(), Self { before: &[FIRST, SECOND], hit: Destroy("notes"), ..plan }]
    }

    /// Every course of events without any fault, to see how many requests each sends and which.
    pub fn undisturbed() -> Vec<(Self, usize)> {
        let plan = |course: &Course| {
            let others = course.others(&mut Dice::of(0, 0, 0));
            let plan =
                Self { before: course.before, hit: course.hit, others, blow: Blow::None, json: true, falsify: false };
            (plan, course.requests)
        };
        COURSES.iter().map(plan).collect()
    }
}

fn interrupt(dice: &mut Dice, place: Place) -> Blow {
    let moment = dice.pick(&[Moment::Before, Moment::After, Moment::Passed]);
    let (signal, second) = match dice.below(8) {
        0 | 1 => (Signal::INT, None),
        2 | 3 => (Signal::TERM, None),
        4 => (Signal::INT, Some(dice.below(3))),
        5 => (Signal::TERM, Some(dice.below(3))),
        _ => (Signal::KILL, None),
    };
    Blow::Signal(place, moment, signal, second)
}

fn fault(dice: &mut Dice, place: Place) -> Blow {
    let failing = dice.pick(&[ServiceError::Internal, ServiceError::Unavailable, ServiceError::Throttled]);
    match dice.below(15) {
        0 => Blow::Once(place, Fault::LoseRequest),
        1 => Blow::FromThenOn(place, Fault::LoseRequest),
        2 | 3 => Blow::Once(place, Fault::LoseAnswer),
        4 => Blow::FromThenOn(place, Fault::LoseAnswer),
        5 => Blow::Once(place, Fault::Refuse(failing)),
        6 => Blow::FromThenOn(place, Fault::Refuse(failing)),
        7 => Blow::Once(place, Fault::RefuseAfter(ServiceError::Internal)),
        8 => Blow::FromThenOn(place, Fault::RefuseAfter(ServiceError::Internal)),
        9 => Blow::Once(place, Fault::CutAnswer(dice.pick(&[10, 120, 300]))),
        10 => Blow::FromThenOn(place, Fault::CutAnswer(dice.pick(&[10, 120, 300]))),
        11 => Blow::Once(place, Fault::Delay(Duration::from_millis(300))),
        12 => Blow::Expires(place),
        13 => Blow::Once(place, Fault::Refuse(ServiceError::Denied)),
        _ => Blow::FromThenOn(place, Fault::Refuse(ServiceError::Denied)),
    }
}
