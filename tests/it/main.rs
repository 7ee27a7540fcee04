//! The one integration binary: one file a room or a side of the program.

mod artifacts;
mod cfn;
mod cfn_diff;
mod cfn_laws;
mod cfn_lint;
mod cfn_speed;
mod check;
mod cli;
mod engine;
mod judges;
mod language_laws;
mod local_cfn;
mod local_s3;
mod render;
mod render_errors;
mod render_laws;
mod render_partials;
mod spec;
mod support;
mod yaml;
