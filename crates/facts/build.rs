//! Reads the tables of `schemas/` with the code of the crate, so that one of the wrong shape fails the build.

#[allow(dead_code, unused_imports, reason = "the build script only reads the tables")]
#[path = "src/lib.rs"]
mod facts;

fn main() {
    // The tables are part of this script: when one changes, it is built and run again.
    println!("cargo::rerun-if-changed=build.rs");
    facts::read_all();
}
