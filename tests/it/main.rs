//! The one integration binary: one file a room or a side of the program.

mod apis;
mod artifacts;
mod cfn;
mod cfn_diff;
mod cfn_laws;
mod cfn_lint;
mod cfn_speed;
mod check;
mod cli;
mod docs_examples;
mod engine;
mod iam_page;
mod iam_rules;
mod judges;
mod local_cfn;
mod local_s3;
mod render;
mod render_errors;
mod render_laws;
mod render_partials;
mod rendered;
mod spec;
mod support;
mod use_case_table;
mod use_cases;
mod yaml;
