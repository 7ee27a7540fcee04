//! A local target that cannot write its state: it says so at once, and goes on when it can.

use std::time::{Duration, Instant};

use crate::support::{Project, Run};

/// The longest a command may take to say it, in a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(30);

fn deploy(project: &Project, limit: u64) -> Run {
    let began = Instant::now();
    let limit = limit.to_string();
    let run = project.run_with(&["deploy", "guarded-chat", "--yes", "--no-smoke"], &[("BEDPLATE_LOCAL_LIMIT", &limit)]);
    assert!(began.elapsed() < SOON, "it took {:?}\n{}", began.elapsed(), run.session());
    run
}

#[test]
fn a_deploy_without_room_says_so_at_once_and_goes_on_when_there_is() {
    let project = Project::with("guarded-chat");
    let state = project.path().join(".bedplate/local");
    let _ = deploy(&project, 1 << 30).ok();
    let whole = std::fs::metadata(state.join("state.db")).expect("a database").len();
    let (mut codes, mut under_way) = (Vec::new(), 0);
    // From hardly a table to all but a few pages: in the middle of every step that a deploy has.
    for part in [3, 10, 30, 55, 65, 75, 82, 88, 92, 95, 97] {
        std::fs::remove_dir_all(&state).expect("removed");
        let run = deploy(&project, whole * part / 100);
        let said = run.session();
        if run.code == 0 {
            continue;
        }
        assert!(matches!(run.code, 1 | 10 | 11), "{said}");
        assert!(said.contains("no space left on the device"), "{part}: {said}");
        assert!(said.contains("has reached its limit of"), "{part}: {said}");
        codes.extend(["P029", "L160"].into_iter().filter(|code| said.contains(code)));
        under_way += i32::from(said.contains("CREATE_IN_PROGRESS guarded-chat-dev"));
        // With room again the same command ends well, from wherever it stopped.
        let again = deploy(&project, 1 << 30).ok();
        assert!(again.stdout.contains("ChatApiUrl"), "{}", again.session());
    }
    assert!(codes.contains(&"P029") && codes.contains(&"L160"), "{codes:?}");
    assert!(under_way > 0, "no operation was under way when the room ended");
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let project = Project::with("guarded-chat");
    let run = project.run_with(&["plan", "guarded-chat"], &[("BEDPLATE_LOCAL_LIMIT", "2GB")]);
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains("`2GB` is not a size; write for example `2GiB`"), "{}", run.session());
}
