//! What the program says: findings, plans and events as text, JSON lines and GitHub annotations. Nothing here decides
//! anything, and nothing here prints: every report is a string the command line writes where it belongs.

pub mod changes;
pub mod destroy_plan;
pub mod findings;
pub mod plan;
pub mod progress;
pub mod smoke;
pub mod style;
