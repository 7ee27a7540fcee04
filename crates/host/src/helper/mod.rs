//! Helper processes: the Pythons that make layers (by pip) and run functions on the local target. This is the only module that
//! starts a program.
//!
//! A project may be a stranger's, and whoever runs this program has credentials. So a helper process is chosen outside the
//! project, works in an empty folder, sees what of the environment is on a list, and ends with everything it has started.
//!
//! | file | holds |
//! | --- | --- |
//! | `project_tree` | what belongs to the project |
//! | `search` | which program is run |
//! | `environment` | what it is told of the environment |
//! | `script` | a script, run to its end |
//! | `supervise.py` | what looks after a script and ends what it has started |

mod environment;
mod project_tree;
mod script;
mod search;

pub use environment::environment;
pub use project_tree::ProjectTree;
pub use script::{Ended, Script};
pub use search::{CHOICE, Search};

/// A script behind the text that looks after it. Its descriptor 0 must be a pipe or socket whose other end lies with whoever
/// starts it: closing that ends the script and all it has started.
pub fn supervised(script: &str) -> String {
    format!("{}\n{script}", include_str!("supervise.py"))
}
