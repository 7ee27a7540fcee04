//! Into whose account and to whose address a run may go: what is asked, what is refused, and what was sent by then.

use crate::recorder::{Recorder, on_terminal};
use crate::support::{Project, Run};

const SPEC: &str = "bedplate: 1\nname: x\nregion: us-west-2\nresources:\n  Jobs: { Type: AWS::SQS::Queue }\nsmoke:\n  - invoke: functions.f\n\
    functions:\n  f: { code: f/, handler: a.b, runtime: python3.13 }\n";

/// A project, and a folder of its user outside it.
struct Somewhere {
    project: Project,
    user: Project,
}

impl Somewhere {
    fn new(settings: &str) -> Self {
        let (project, user) = (Project::empty(), Project::empty());
        project.write("bedplate.yaml", settings);
        project.write("stacks/x/usecase.yaml", SPEC);
        project.write("stacks/x/f/a.py", "def b(event, context): return 1\n");
        // By `AKIA` and a digit the recording address tells the account.
        let keys =
            |profile: &str, id: &str| format!("[{profile}]\naws_access_key_id = {id}\naws_secret_access_key = hush\n");
        user.write("credentials", keys("four", "AKIA4444444444444444") + &keys("five", "AKIA5555555555555555"));
        Self { project, user }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.user.path().join(name).to_string_lossy().into_owned();
        vec![
            ("HOME", path("home")),
            ("XDG_STATE_HOME", path("state")),
            ("AWS_SHARED_CREDENTIALS_FILE", path("credentials")),
            ("AWS_CONFIG_FILE", path("nothing")),
        ]
    }

    fn run_with(&self, args: &[&str], more: &[(&str, &str)]) -> Run {
        let own = self.variables();
        let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        let run = self.project.run_with(args, &all);
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("hush"));
        run
    }

    fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[])
    }

    fn on_terminal(&self, args: &[&str], answers: &str) -> (i32, String) {
        let own = self.variables();
        let all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        on_terminal(&self.project, args, &all, answers)
    }
}

const CHANGING: [&[&str]; 5] = [
    &["deploy", "x", "--yes"],
    &["destroy", "x", "--yes"],
    &["bootstrap"],
    &["bootstrap", "--remove", "--yes"],
    &["smoke", "x"],
];

#[test]
fn an_account_that_nobody_named_is_not_changed_without_a_question() {
    let somewhere = Somewhere::new("");
    let recorder = Recorder::knowing_only_who_asks();
    let to = ["--target", "aws", "--endpoint-url", &recorder.url, "--profile", "four"];
    for verb in CHANGING {
        let run = somewhere.run(&[verb, &to].concat());
        assert_eq!(run.code, 1, "{}", run.session());
        for said in [
            "error[C023]",
            "444444444444",
            "arn:aws:iam::444444444444:user/ann",
            "profile `four`",
            "--account 444444444444",
        ] {
            assert!(run.stderr.contains(said), "{said}: {}", run.session());
        }
        let actions = recorder.actions();
        assert!(
            !actions.is_empty() && actions.iter().all(|action| action == "GetCallerIdentity"),
            "{verb:?}: {actions:?}"
        );
    }
    // What only reads is not asked about.
    for verb in [&["plan", "x"][..], &["status", "x"], &["outputs", "x"], &["logs", "x"], &["list"]] {
        let run = somewhere.run(&[verb, &to].concat());
        assert!(!run.stderr.contains("C023") && run.stderr.contains("C009"), "{}", run.session());
    }
    assert!(!somewhere.user.path().join("state").exists(), "nothing was agreed to");
}

#[test]
fn an_account_that_is_named_must_be_the_one() {
    let recorder = Recorder::knowing_only_who_asks();
    let to = ["deploy", "x", "--yes", "--target", "aws", "--endpoint-url", &recorder.url, "--profile", "four"];
    for (settings, flag, said, sent) in [
        ("", Some("444444444444"), "C009", true),
        ("", Some("555555555555"), "C014", true),
        ("444444444444", None, "C009", true),
        ("444444444444", Some("444444444444"), "C009", true),
        ("555555555555", None, "C014", true),
        ("555555555555", Some("444444444444"), "C024", false),
    ] {
        let settings = if settings.is_empty() {
            String::new()
        } else {
            format!("stages: {{ dev: {{ account: \"{settings}\" }} }}\n")
        };
        let somewhere = Somewhere::new(&settings);
        let flags: Vec<&str> = flag.iter().flat_map(|account| ["--account", account]).collect();
        let run = somewhere.run(&[&to[..], &flags].concat());
        assert!(run.code == 1 && run.stderr.contains(said), "{settings}{flag:?}: {}", run.session());
        let actions = recorder.actions();
        assert_eq!(!actions.is_empty(), sent, "{settings}{flag:?}: {actions:?}");
        let only_asked = actions.iter().all(|action| action == "GetCallerIdentity");
        assert_eq!(only_asked, said != "C009", "{settings}{flag:?}: {actions:?}");
    }
    let somewhere = Somewhere::new("");
    let usage = somewhere.run(&[&to[..], &["--account", "1234"]].concat());
    assert!(usage.code == 2 && usage.stderr.contains("twelve digits"), "{}", usage.session());
    // On the local target, too, a number that is named is the one it must be.
    let local = somewhere.run(&["list", "--account", "444444444444"]);
    assert!(local.code == 1 && local.stderr.contains("C014"), "{}", local.session());
    let _ = somewhere.run(&["list", "--account", "123456789012"]).ok();
}

#[test]
fn an_answer_is_kept_for_the_project_the_stage_and_the_account() {
    let somewhere = Somewhere::new("stages:\n  dev: { target: aws, profile: four }\n");
    let recorder = Recorder::knowing_only_who_asks();
    let endpoint = ["--endpoint-url", recorder.url.as_str()];
    let deploy = [&["deploy", "x"][..], &endpoint].concat();
    let asked = |shown: &str| shown.contains("Is this the right account?");

    let (code, shown) = somewhere.on_terminal(&deploy, "n");
    assert!(code == 4 && asked(&shown) && shown.contains("note[C025]: declined"), "{shown}");
    for said in
        ["444444444444", "arn:aws:iam::444444444444:user/ann", "us-west-2", "profile `four`, named by bedplate.yaml"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(recorder.actions().iter().all(|action| action == "GetCallerIdentity"));

    let (code, shown) = somewhere.on_terminal(&deploy, "y");
    assert!(code == 1 && asked(&shown) && shown.contains("C009"), "it went on: {shown}");
    let (code, shown) = somewhere.on_terminal(&deploy, "");
    assert!(code == 1 && !asked(&shown) && shown.contains("C009"), "asked once: {shown}");
    // From then on no terminal is needed, for any verb.
    let run = somewhere.run(&[&["destroy", "x", "--yes"][..], &endpoint].concat());
    assert!(run.stderr.contains("C009") && !run.stderr.contains("C023"), "{}", run.session());

    // Another stage, another project, another account and another place are asked about by themselves.
    let settings = "stages:\n  dev: { target: aws, profile: five }\n  prod: { target: aws, profile: four }\n";
    somewhere.project.write("bedplate.yaml", settings);
    let prod = somewhere.run(&[&["deploy", "x", "--yes", "--stage", "prod"][..], &endpoint].concat());
    assert!(prod.stderr.contains("C023") && !prod.stderr.contains("C027"), "{}", prod.session());
    let five = somewhere.run(&[&["deploy", "x", "--yes"][..], &endpoint].concat());
    assert!(five.stderr.contains("C023") && five.stderr.contains("warning[C027]"), "{}", five.session());
    assert!(five.stderr.contains("went to account `444444444444` before, now to `555555555555`"), "{}", five.session());
    let elsewhere = Recorder::knowing_only_who_asks();
    let other = ["deploy", "x", "--yes", "--profile", "four", "--endpoint-url", &elsewhere.url];
    let run = somewhere.run(&other);
    assert!(run.stderr.contains("C023"), "{}", run.session());
    let copy = Somewhere::new("stages:\n  dev: { target: aws, profile: four }\n");
    let run = Somewhere { project: copy.project, user: somewhere.user }
        .run(&[&["deploy", "x", "--yes"][..], &endpoint].concat());
    assert!(run.stderr.contains("C023"), "{}", run.session());
}

#[test]
fn an_account_named_by_the_user_is_known_from_then_on_and_one_named_by_the_project_is_not() {
    let recorder = Recorder::knowing_only_who_asks();
    let deploy = ["deploy", "x", "--yes", "--target", "aws", "--profile", "four", "--endpoint-url", &recorder.url];
    let somewhere = Somewhere::new("");
    let _ = somewhere.run(&[&deploy[..], &["--account", "444444444444"]].concat());
    let run = somewhere.run(&deploy);
    assert!(run.stderr.contains("C009"), "{}", run.session());

    let somewhere = Somewhere::new("stages: { dev: { account: \"444444444444\" } }\n");
    let _ = somewhere.run(&deploy);
    somewhere.project.write("bedplate.yaml", "");
    let run = somewhere.run(&deploy);
    assert!(run.stderr.contains("C023"), "{}", run.session());
    // What a run goes to is known all the same, so that a change is told.
    let run = somewhere.run(&[
        "deploy",
        "x",
        "--yes",
        "--target",
        "aws",
        "--profile",
        "five",
        "--endpoint-url",
        &recorder.url,
    ]);
    assert!(run.stderr.contains("warning[C027]"), "{}", run.session());
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_the_users_own_and_never_the_projects() {
    use std::os::unix::fs::PermissionsExt as _;
    let recorder = Recorder::knowing_only_who_asks();
    let deploy = ["deploy", "x", "--yes", "--target", "aws", "--profile", "four", "--endpoint-url", &recorder.url];
    let somewhere = Somewhere::new("");
    let _ = somewhere.run(&[&deploy[..], &["--account", "444444444444"]].concat());
    let folder = somewhere.user.path().join("state/bedplate/accounts");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    let files: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!((files.len(), mode(&folder), mode(&files[0])), (1, 0o700, 0o600));
    let text = std::fs::read_to_string(&files[0]).expect("a file");
    assert!(text.contains("444444444444") && !text.contains("AKIA") && !text.contains("hush"), "{text}");
    assert!(!somewhere.project.path().join(".bedplate/accounts").exists());

    // The same file inside the project counts for nothing, even where the user's state folder is said to be there.
    let inside = somewhere.project.path().join("state");
    let name = files[0].file_name().expect("a name").to_string_lossy().into_owned();
    somewhere.project.write(&format!("state/bedplate/accounts/{name}"), &text);
    let inside = inside.to_string_lossy().into_owned();
    let run = somewhere.run_with(&deploy, &[("XDG_STATE_HOME", &inside)]);
    assert!(run.stderr.contains("C023"), "{}", run.session());
    // A relative path is none.
    let run = somewhere.run_with(&deploy, &[("XDG_STATE_HOME", "state")]);
    assert!(run.stderr.contains("C023"), "{}", run.session());
}

#[test]
fn an_emulator_on_this_machine_is_not_asked_about() {
    let (somewhere, home) = (Somewhere::new("owner: everybody\n"), Project::empty());
    let served = home.serve(&[]);
    let deploy = ["deploy", "x", "--yes", "--no-smoke", "--endpoint-url", &served.url];
    let _ = somewhere.run(&deploy).ok();
    // Keys that AWS could not have given anybody, as emulators' documentation has them.
    let _ = somewhere.run_with(&deploy, &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]).ok();
    // Real looking ones may pass through to a real account.
    let real = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hush")];
    let run = somewhere.run_with(&deploy, &real);
    assert!(run.stderr.contains("C023") && run.stderr.contains("--account 123456789012"), "{}", run.session());
    // An account that is none is an emulator's, whatever the keys.
    let nobody = Recorder::knowing_only_who_asks();
    let zero = [("AWS_ACCESS_KEY_ID", "AKIA0000000000000000"), ("AWS_SECRET_ACCESS_KEY", "hush")];
    let run = somewhere.run_with(&["deploy", "x", "--yes", "--endpoint-url", &nobody.url], &zero);
    assert!(run.stderr.contains("account 000000000000") && run.stderr.contains("C009"), "{}", run.session());
    assert!(!somewhere.user.path().join("state").exists(), "nothing had to be kept");
    let _ = somewhere.run(&["deploy", "x", "--yes", "--no-smoke"]).ok();
}

/// The commands of a recorded session in a page, each with what it said: what follows a line that begins with `$ `.
fn recorded(page: &str, title: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(crate::support::repository().join(page)).expect("the page");
    let (_, rest) = text.split_once(&format!("<!-- session: {title} -->\n```console\n")).expect("the session");
    let session = rest.split("\n```").next().expect("its end");
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in session.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, said))) => *said += &format!("{line}\n"),
            (None, None) => panic!("a session begins with a command"),
        }
    }
    commands
}

#[test]
fn the_sessions_of_the_documentation_are_what_is_said() {
    let somewhere = Somewhere::new(
        "stages:\n  dev: { target: aws }\n  evil: { target: aws, endpoint-url: \"https://evil.example\" }\n",
    );
    let keys =
        |profile: &str, id: &str| format!("[{profile}]\naws_access_key_id = {id}\naws_secret_access_key = hush\n");
    somewhere
        .user
        .write("credentials", keys("sandbox", "AKIA4444444444444444") + &keys("work", "AKIA6666666666666666"));
    let recorder = Recorder::with_nothing_deployed();
    let commands = recorded("docs/deploying.md", "accounts");
    assert!(commands.len() > 5);
    for (command, said) in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let ["bedplate", args @ ..] = words.as_slice() else { continue };
        let environment = [
            ("AWS_ENDPOINT_URL", recorder.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIA5555555555555555"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
        ];
        let own = somewhere.variables();
        let variables: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).chain(environment).collect();
        let real = if said.contains("[y/N]") {
            on_terminal(&somewhere.project, args, &variables, "y").1
        } else {
            // Both streams in the order in which they were written.
            let asked = somewhere.project.command(args);
            let mut both = std::process::Command::new("sh");
            both.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(asked.get_program()).args(asked.get_args());
            both.current_dir(somewhere.project.path()).env_clear();
            both.envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?)))).envs(variables);
            String::from_utf8_lossy(&both.output().expect("a run").stdout).into_owned()
        };
        assert_eq!(real.replace(&recorder.url, "http://127.0.0.1:4566").trim_end(), said.trim_end(), "{command}");
    }
}

/// Addresses that the project may not choose by itself. None resolves; the last is this machine by a name that does not
/// say so.
const STRANGE: [&str; 8] = [
    "https://evil.example",
    "http://evil.example:8080/base",
    "https://sts.amazonaws.com.evil.example",
    "https://evil.example/sts.amazonaws.com",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "https://an-api.execute-api.us-west-2.amazonaws.com",
    "http://2130706433:9",
];

#[test]
fn an_address_of_the_projects_choice_gets_nothing_unless_it_is_allowed() {
    for url in STRANGE {
        let somewhere =
            Somewhere::new(&format!("stages:\n  dev: {{ target: aws, profile: four, endpoint-url: \"{url}\" }}\n"));
        for verb in [&["plan", "x"][..], &["deploy", "x", "--yes"], &["list"], &["destroy", "x", "--yes"]] {
            let run = somewhere.run(verb);
            assert!(run.code == 1 && run.stderr.contains("error[C022]"), "{url}: {}", run.session());
            assert!(
                run.stderr.contains("profile `four`") && run.stderr.contains(&format!("--allow-endpoint {url}")),
                "{}",
                run.session()
            );
            assert!(!run.stderr.contains('→'), "{}", run.session());
        }
        // Another one than that is not it.
        let other = somewhere.run(&["list", "--allow-endpoint", &format!("{url}x")]);
        assert!(other.stderr.contains("error[C022]"), "{}", other.session());
    }
    // What cannot be an endpoint at all is refused with the file.
    for url in [
        "https://sts.amazonaws.com@evil.example",
        "https://x@sts.amazonaws.com@evil.example",
        "file:///etc/passwd",
        "https://evil.example/?a",
        "https://evil.example/$(id)",
        "https://ѕts.amazonaws.com",
    ] {
        let somewhere = Somewhere::new(&format!("stages:\n  dev: {{ target: aws, endpoint-url: \"{url}\" }}\n"));
        let run = somewhere.run(&["list"]);
        assert!(
            run.code == 1 && (run.stderr.contains("C012") || run.stderr.contains("P006")),
            "{url}: {}",
            run.session()
        );
    }
}

#[test]
fn settings_that_could_trick_a_reader_are_refused() {
    for setting in ["profile: \"a\\u001b[2K\"", "profile: \"a\\u202eb\"", "profile: \"\"", "region: us-wset"] {
        let somewhere = Somewhere::new(&format!("stages: {{ dev: {{ target: aws, {setting} }} }}\n"));
        let run = somewhere.run(&["list"]);
        assert!(run.code == 1 && run.stderr.contains("P006"), "{setting}: {}", run.session());
        assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{setting}: {}", run.session());
    }
}

#[test]
fn an_address_that_is_allowed_or_agreed_to_is_asked() {
    // By the name of an address that is this machine's, without looking like it.
    let recorder = Recorder::knowing_only_who_asks();
    let port = recorder.url.rsplit(':').next().expect("a port");
    let url = format!("http://2130706433:{port}");
    let somewhere =
        Somewhere::new(&format!("stages:\n  dev: {{ target: aws, profile: four, endpoint-url: \"{url}\" }}\n"));
    let refused = somewhere.run(&["list"]);
    assert!(refused.stderr.contains("C022") && recorder.take().concat().is_empty(), "{}", refused.session());
    let (code, shown) = somewhere.on_terminal(&["list"], "n");
    assert!(code == 4 && shown.contains("profile `four`") && shown.contains(&url), "{shown}");
    // Control and C.
    let (code, shown) = somewhere.on_terminal(&["list"], "\u{3}");
    assert!(code == 130 && shown.contains("note[C029]: "), "{code}: {shown}");
    assert_eq!(recorder.take().concat(), "", "not even who it is was asked");
    let (_, shown) = somewhere.on_terminal(&["list"], "y");
    assert!(shown.contains(&format!("→ {url}, account 444444444444")), "{shown}");
    assert!(!recorder.take().concat().is_empty());
    let run = somewhere.run(&["list", "--allow-endpoint", &url]);
    assert!(run.stderr.contains(&format!("→ {url}, account 444444444444")), "{}", run.session());
    // It is neither encrypted nor known to be this machine.
    assert!(run.stderr.contains("warning[C026]"), "{}", run.session());
    // An answer to `--yes` is none to this.
    let yes = somewhere.run(&["deploy", "x", "--yes"]);
    assert!(yes.stderr.contains("C022"), "{}", yes.session());
    // What the user says is not asked about, and this machine is not either.
    let run = somewhere.run(&["list", "--endpoint-url", &url]);
    assert!(run.stderr.contains("account 444444444444"), "{}", run.session());
    somewhere.project.write(
        "bedplate.yaml",
        format!("stages: {{ dev: {{ target: aws, profile: four, endpoint-url: \"{}\" }} }}\n", recorder.url),
    );
    let run = somewhere.run(&["list"]);
    assert!(run.stderr.contains("account 444444444444") && !run.stderr.contains("C026"), "{}", run.session());
}

#[test]
fn an_answer_that_cannot_be_kept_is_told() {
    let recorder = Recorder::knowing_only_who_asks();
    let deploy = ["deploy", "x", "--target", "aws", "--profile", "four", "--endpoint-url", &recorder.url];
    let somewhere = Somewhere::new("");
    somewhere.user.write("state", "a file where the folder of answers would be");
    let (code, shown) = somewhere.on_terminal(&deploy, "y");
    assert!(code == 1 && shown.contains("warning[C028]: the answer is not kept: "), "{code}: {shown}");
    assert!(shown.contains("C009"), "it went on: {shown}");
}
