//! Helper processes: what of a stranger's project is run (nothing), what they are told, and that they end.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::artifacts::wheel;
use crate::support::Project;

/// A use case whose layer pip makes of a wheel.
pub const SPEC: &str = "bedplate: 1
name: tiny
layers:
  tiny: { requirements: [bedplate-tiny], runtimes: [python3.13] }
functions:
  use:
    code: function/
    handler: app.handler
    runtime: python3.13
    layers: [tiny]
smoke:
  - invoke: functions.use
    expect: { body: { contains: first } }
";

/// A project with a function and a layer that pip makes of a wheel; the variables that lead pip to it.
fn project(requirement: &str) -> (Project, Vec<(String, String)>) {
    let project = Project::empty();
    project.write("stacks/tiny/usecase.yaml", SPEC.replace("[bedplate-tiny]", &format!("[{requirement:?}]")));
    project.write(
        "stacks/tiny/function/app.py",
        "import bedplate_tiny\n\ndef handler(event, context):\n    return bedplate_tiny.MARKER\n",
    );
    let links = project.cache().join("links");
    wheel(&links, "1.0", "first");
    let variables =
        vec![("PIP_NO_INDEX".to_owned(), "1".to_owned()), ("PIP_FIND_LINKS".to_owned(), links.display().to_string())];
    (project, variables)
}

fn command(project: &Project, args: &[&str], variables: &[(String, String)]) -> Command {
    let mut command = project.command(args);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs the program to its end: exit code and both outputs.
fn run(mut command: Command) -> (i32, String) {
    let output = command.output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// The first Python of this machine's PATH, as a whole path.
fn python() -> PathBuf {
    let output =
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("Python runs");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

#[test]
fn nothing_of_a_project_is_run_by_check_plan_and_deploy() {
    let (project, mut variables) = project("bedplate-tiny");
    let marker = project.path().join("was-run");
    let code = format!("open({:?}, 'a').write(__file__)\n", marker.display().to_string());
    let shell = format!("#!/bin/sh\necho \"$0\" >> '{}'\nexit 1\n", marker.display());
    let folders = ["", "stacks/", "stacks/tiny/", "lib/"];
    let modules = ["pip", "runpy", "ctypes", "select", "signal", "sitecustomize", "usercustomize", "os", "site"];
    for folder in folders {
        for module in modules {
            project.write(&format!("{folder}{module}.py"), &code);
        }
        project.write(&format!("{folder}pip/__main__.py"), &code);
        for name in ["python3", "python", "python3.13", "env", "sh", "node", "npm"] {
            program(&project.path().join(format!("{folder}bin/{name}")), &shell);
            program(&project.path().join(format!("{folder}{name}")), &shell);
        }
        project.write(&format!("{folder}pip.conf"), "[install]\nrequirement = evil.txt\n");
        project.write(&format!("{folder}.python-version"), "../../../../bin\n");
    }
    project.write("setup.py", &code);
    project.write("pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = 'pip'\n");
    let (here, path) = (project.path().display().to_string(), std::env::var("PATH").expect("a PATH"));
    let more = [
        ("PATH", format!(".::bin:{here}/bin:{here}/lib/bin:./stacks/tiny:{path}")),
        ("PYTHONPATH", format!("{here}:{here}/lib")),
        ("PYTHONSTARTUP", format!("{here}/pip.py")),
        ("PYTHONHOME", format!("{here}/lib")),
        ("PIP_CONFIG_FILE", format!("{here}/pip.conf")),
        ("PIP_TARGET", format!("{here}/lib")),
        ("VIRTUAL_ENV", here.clone()),
        ("TMPDIR", here.clone()),
    ];
    variables.extend(more.map(|(name, value)| (name.to_owned(), value)));
    for folder in folders {
        for verb in [&["check", "tiny"][..], &["plan", "tiny"], &["lock", "tiny"], &["deploy", "tiny", "--yes"]] {
            let mut command = command(&project, verb, &variables);
            command.current_dir(project.path().join(folder));
            let (code, said) = run(command);
            assert_eq!(code, 0, "{verb:?} in `{folder}`: {said}");
            assert!(
                !marker.exists(),
                "{verb:?} in `{folder}` ran {}",
                std::fs::read_to_string(&marker).expect("a file")
            );
        }
    }
}

#[test]
fn pip_is_told_what_is_on_the_list_and_works_in_an_empty_folder() {
    let (project, mut variables) = project("bedplate-tiny");
    let (told, bin) = (project.cache().join("told"), project.cache().join("bin"));
    // A Python of the caller's own that tells what it was told, and then does as it was asked.
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *run_module*) (echo \"PWD $(pwd)\"; ls -A | sed 's/^/FILE /') >> '{told}';; esac\nenv >> '{told}'\n\
         exec '{python}' \"$@\"\n",
        told = told.display(),
        python = python().display()
    );
    program(&bin.join("python3"), &script);
    let secrets = [
        ("AWS_ACCESS_KEY_ID", "AKIAWHATEVER"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "hunter2"),
        ("AWS_PROFILE", "hunter2"),
        ("GITHUB_TOKEN", "hunter2"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2"),
        ("CI_JOB_TOKEN", "hunter2"),
        ("NPM_TOKEN", "hunter2"),
        ("LD_AUDIT", "hunter2"),
        ("NODE_OPTIONS", "hunter2"),
        ("PIP_REQUIREMENT", "hunter2"),
    ];
    variables.extend(secrets.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    variables.push(("PATH".to_owned(), path));
    variables.push(("HTTPS_PROXY".to_owned(), "http://proxy.example:1".to_owned()));
    let (code, said) = run(command(&project, &["plan", "tiny"], &variables));
    assert_eq!(code, 0, "{said}");
    let told = std::fs::read_to_string(&told).expect("it was run");
    assert!(!told.contains("hunter2") && !told.contains("AWS_") && !told.contains("AKIA"), "{told}");
    assert!(told.contains("HTTPS_PROXY=http://proxy.example:1") && told.contains("PIP_NO_INDEX=1"), "{told}");
    assert!(!told.contains("FILE "), "it works in an empty folder: {told}");
    let worked = told.lines().find_map(|line| line.strip_prefix("PWD ")).expect("a folder");
    assert!(!Path::new(worked).starts_with(project.path()), "{worked}");
}

#[test]
fn the_caller_may_choose_a_python_and_the_project_is_named_that_tried() {
    let (project, variables) = project("bedplate-tiny");
    program(&project.path().join("venv/bin/python3"), "#!/bin/sh\nexit 1\n");
    let venv = project.path().join("venv/bin").display().to_string();
    let mut only = variables.clone();
    only.push(("PATH".to_owned(), venv.clone()));
    let (code, said) = run(command(&project, &["plan", "tiny"], &only));
    assert!(code == 1 && said.contains("error[A020]"), "{said}");
    assert!(
        said.contains("venv/bin/python3` is on PATH and was passed over") && said.contains("BEDPLATE_PYTHON"),
        "{said}"
    );
    only.push(("BEDPLATE_PYTHON".to_owned(), python().display().to_string()));
    let (code, said) = run(command(&project, &["plan", "tiny"], &only));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn no_package_is_built_from_source_and_no_file_taken_for_one() {
    let (project, variables) = project("bedplate-evil");
    let marker = project.path().join("was-run");
    let setup = format!(
        "open({:?}, 'w')\nfrom setuptools import setup\nsetup(name='bedplate-evil', version='1.0')\n",
        marker.display()
    );
    let archive = |path: &Path| {
        let mut zip = zip::ZipWriter::new(std::fs::File::create(path).expect("a file"));
        zip.start_file("bedplate-evil-1.0/setup.py", zip::write::SimpleFileOptions::default()).expect("an entry");
        std::io::Write::write_all(&mut zip, setup.as_bytes()).expect("its content");
        zip.finish().expect("a zip");
    };
    archive(&project.cache().join("links/bedplate-evil-1.0.zip"));
    let (code, said) = run(command(&project, &["plan", "tiny"], &variables));
    assert!(code == 1 && said.contains("error[A021]"), "{said}");
    archive(&project.path().join("evil.zip"));
    for requirement in ["evil.zip", "./evil.zip", "-r requirements.txt", "x @ file:evil.zip", "x; a --find-links=."] {
        project.write("stacks/tiny/usecase.yaml", SPEC.replace("[bedplate-tiny]", &format!("[{requirement:?}]")));
        let (code, said) = run(command(&project, &["plan", "tiny"], &variables));
        assert!(code == 1 && said.contains("error[S029]"), "{requirement}: {said}");
    }
    assert!(!marker.exists(), "nothing of it was run");
}

#[test]
fn without_building_a_plan_says_what_is_not_built_and_a_deploy_refuses() {
    let (project, variables) = project("bedplate-tiny");
    let mut nothing = variables.clone();
    nothing.push(("PATH".to_owned(), "/nowhere".to_owned()));
    let (code, said) = run(command(&project, &["plan", "tiny", "--no-build"], &nothing));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("warning[A032]: `layers.tiny` is not built"), "{said}");
    assert!(said.contains("layers.tiny: to build, what it holds is not known"), "{said}");
    assert!(
        said.contains("functions.use: ") && said.contains("to upload"),
        "code is zipped, which runs nothing: {said}"
    );
    let (code, said) = run(command(&project, &["deploy", "tiny", "--no-build", "--yes"], &nothing));
    assert!(code == 1 && said.contains("error[A031]: `layers.tiny` is not in the cache"), "{said}");
    let (_, said) = run(command(&project, &["status", "tiny"], &nothing));
    assert!(!said.contains("COMPLETE"), "nothing was sent: {said}");

    let (code, said) = run(command(&project, &["deploy", "tiny", "--yes"], &variables));
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(command(&project, &["plan", "tiny", "--no-build"], &nothing));
    assert!(code == 0 && said.contains("nothing would change"), "what is in the cache is used: {said}");
    // Of a layer that is not built it is not known whether it changes: taken for changed.
    project.write("stacks/tiny/usecase.yaml", SPEC.replace("[bedplate-tiny]", "['bedplate-tiny>=1']"));
    let (code, said) = run(command(&project, &["plan", "tiny", "--no-build", "--exit-code"], &nothing));
    assert!(code == 3 && said.contains("to build") && said.contains("replace"), "{said}");
    let (code, said) = run(command(&project, &["plan", "tiny", "--no-build", "--format", "json"], &nothing));
    assert!(code == 0 && said.contains("\"to_build\":true") && said.contains("layers.tiny-not-built.zip"), "{said}");
}

/// A package index that takes a request and never answers; the connection of whoever asked.
fn silent_index() -> (String, std::thread::JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/simple", listener.local_addr().expect("an address"));
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let mut request = [0; 512];
        assert!(stream.read(&mut request).expect("a request") > 0);
        stream
    });
    (url, asked)
}

/// Waits for the other side to be gone.
fn ends(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn pip_ends_with_the_program_however_that_ends() {
    for (verb, name) in [("deploy", "INT"), ("plan", "TERM"), ("lock", "INT"), ("deploy", "KILL")] {
        let (project, _) = project("bedplate-tiny");
        let (url, asked) = silent_index();
        let variables = [("PIP_INDEX_URL".to_owned(), url), ("NO_PROXY".to_owned(), "*".to_owned())];
        let mut command = command(&project, &[verb, "tiny", "--yes"], &variables);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stream = asked.join().expect("pip asks");
        let began = Instant::now();
        signal(&child, name);
        let status = child.wait().expect("it ends");
        assert!(began.elapsed() < Duration::from_secs(5), "{verb} {name}: {:?}", began.elapsed());
        assert!(ends(stream), "{verb} {name}: pip is gone");
        if name == "KILL" {
            continue;
        }
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert_eq!(status.code(), Some(130), "{verb} {name}: {said}");
        let own = std::fs::read_dir(project.cache().join("bedplate")).expect("the cache").flatten().next();
        let tmp = own.expect("the project's").path().join("tmp");
        assert_eq!(std::fs::read_dir(tmp).expect("a folder").count(), 0, "nothing half-made stays");
    }
}

#[test]
fn what_a_killed_build_left_goes_with_the_next() {
    let (project, variables) = project("bedplate-tiny");
    let (url, asked) = silent_index();
    let silent = [("PIP_INDEX_URL".to_owned(), url), ("NO_PROXY".to_owned(), "*".to_owned())];
    let mut killed = command(&project, &["plan", "tiny"], &silent);
    let mut child = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let stream = asked.join().expect("pip asks");
    signal(&child, "KILL");
    child.wait().expect("it ends");
    assert!(ends(stream));
    let own = std::fs::read_dir(project.cache().join("bedplate")).expect("the cache").flatten().next();
    let tmp = own.expect("the project's").path().join("tmp");
    assert_eq!(std::fs::read_dir(&tmp).expect("a folder").count(), 1);
    let (code, said) = run(command(&project, &["plan", "tiny"], &variables));
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::read_dir(&tmp).expect("a folder").count(), 0);
}

#[test]
fn modules_beside_the_code_may_have_names_of_the_standard_library() {
    let project = Project::empty();
    project.write(
        "stacks/names/usecase.yaml",
        "bedplate: 1\nname: names\nfunctions:\n  f: { code: function/, handler: app.handler, runtime: python3.13 }\n  \
         q: { code: function/, handler: queue.handler, runtime: python3.13 }\nsmoke:\n  - invoke: functions.f\n    \
         expect: { body: { contains: 'stdlib own' } }\n  - invoke: functions.q\n    expect: { body: { contains: mine } }\n",
    );
    project.write(
        "stacks/names/function/app.py",
        "import json, logging, enum, time, traceback, threading\nimport ctypes, queue, select, signal, resource, helper\n\n\
         def handler(event, context):\n    \
         theirs = [m for m in (json, logging, enum, time, traceback, threading) if hasattr(m, 'OWN')]\n    \
         ours = [m for m in (ctypes, queue, select, signal, resource, helper) if not hasattr(m, 'OWN')]\n    \
         logging.getLogger().warning('logged')\n    return ' '.join(['own' if theirs else 'stdlib', 'stdlib' if ours else 'own'])\n",
    );
    for name in [
        "ctypes",
        "json",
        "logging",
        "enum",
        "time",
        "traceback",
        "threading",
        "queue",
        "select",
        "signal",
        "resource",
        "helper",
    ] {
        project.write(
            &format!("stacks/names/function/{name}.py"),
            "OWN = True\n\ndef handler(event, context):\n    return 'mine'\n",
        );
    }
    let run = project.run(&["deploy", "names", "--yes"]).ok();
    assert!(run.stderr.contains("2 of 2 smoke tests passed"), "{}", run.session());
}
