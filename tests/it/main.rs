//! The one integration binary: one file a room or a side of the program.

mod agents;
mod apis;
mod artifacts;
mod bedrock;
mod cfn;
mod cfn_diff;
mod cfn_laws;
mod cfn_lint;
mod cfn_speed;
mod check;
mod cli;
mod docs_examples;
mod engine;
mod finishers;
mod functions;
mod iam_page;
mod iam_rules;
mod judges;
<<<<<<< HEAD
mod knowledge;
mod language_laws;
=======
mod local_api;
>>>>>>> 32f5341 (Answer calls of deployed APIs: REST, HTTP and WebSocket)
mod local_cfn;
mod local_dynamodb;
mod local_lambda;
mod local_s3;
mod network;
mod outside;
mod render;
mod render_errors;
mod render_laws;
mod render_partials;
mod rendered;
mod roles;
mod spec;
mod support;
mod tables;
mod use_case_table;
mod use_cases;
mod yaml;
