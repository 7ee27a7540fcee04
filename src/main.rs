//! The thin binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bedplate::cli::main()
}
