//! What a machine refuses: a full disk, a folder that is gone, a file in a folder's place. Each is a finding of its own, and
//! nothing panics.

use std::process::{Command, Stdio};

use crate::support::{Project, Run};

const TINY: &str = "bedplate: 1\nname: tiny\nregion: us-west-2\nbuckets: { files: {} }\n";

fn tiny() -> Project {
    let project = Project::empty();
    project.write("usecase.yaml", TINY);
    project
}

/// The program is refused something and says so.
fn refused(run: &Run, code: &str) {
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains(&format!("error[{code}]: ")), "{code}: {}", run.session());
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_told() {
    let project = tiny();
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a device");
    let mut command = project.command(&["render", "usecase.yaml"]);
    let output = command.stdout(Stdio::from(full)).output().expect("the program starts");
    refused(&Run::of(&project, &output), "P020");
    // The manual's folder is a file.
    refused(&project.run(&["man", "--out", "usecase.yaml"]), "P021");
}

#[test]
fn a_use_case_that_cannot_be_written_is_told() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks", "a file where the folder of use cases would be");
    refused(&project.run(&["new", "letters"]), "P042");
}

#[cfg(unix)]
#[test]
fn a_current_folder_that_is_gone_and_a_machine_without_room_are_told() {
    let project = tiny();
    let in_shell = |script: &str, args: &[&str]| {
        let asked = project.command(args);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(asked.get_program()).args(asked.get_args());
        shell.env_clear().envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = shell.current_dir(project.path()).stdin(Stdio::null()).output().expect("a shell");
        Run::of(&project, &output)
    };
    refused(&in_shell("mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$@\"", &["check"]), "P022");
    // So few files may be open that no thread can wait for more; how many that is differs from machine to machine.
    let started: Vec<String> = (4..16)
        .map(|most| in_shell(&format!("ulimit -n {most} && exec \"$0\" \"$@\""), &["destroy", "usecase.yaml"]).stderr)
        .collect();
    assert!(started.iter().any(|said| said.contains("error[P023]: ")), "{started:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_of_use_cases_that_leads_out_of_the_project_is_not_read() {
    let (project, outside) = (Project::empty(), Project::empty());
    outside.write("tiny/usecase.yaml", TINY);
    project.write("bedplate.yaml", "");
    std::os::unix::fs::symlink(outside.path(), project.path().join("stacks")).expect("a link");
    for args in [&["check"][..], &["check", "tiny"], &["list"]] {
        refused(&project.run(args), "P060");
    }
}

#[test]
fn folders_of_the_users_own_that_cannot_be_written_are_told() {
    let project = tiny();
    project.write("file", "");
    let file = project.path().join("file").to_string_lossy().into_owned();
    let deploy = ["deploy", "usecase.yaml", "--yes"];
    refused(&project.run_with(&deploy, &[("XDG_STATE_HOME", &file)]), "A039");
}
