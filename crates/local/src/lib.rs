//! The local target: an AWS-compatible endpoint on loopback, its state in one folder.
//!
//! [`start`] serves any AWS client (this program's own engine, `boto3`, the AWS CLI) from inside the caller's runtime.
//! There is no daemon and no leader: all truth is in the [`store`], and any number of processes may serve the same
//! folder at once. What is not simulated is refused by name, never by silence.
//!
//! Every type's name is there once. Each folder may import those of its row and no others; the server alone knows all services, and what something below it
//! needs of them is handed in.
//!
//! | folder | holds | may import |
//! | --- | --- | --- |
//! | [`ground`] | what every service is given: the state, the clock, errors, who asks | – |
//! | [`protocol`] | how requests and answers are written | ground |
//! | [`identity`] | who asks, and whether they may | ground |
//! | [`resources`] | what the resources of stacks are, and the rule for most of them | ground |
//! | [`velocity`] | API Gateway's mapping templates | – |
//! | [`sts`] | who am I | ground, protocol, identity |
//! | [`s3`] | buckets and objects | ground, protocol, identity |
//! | [`dynamodb`] | items of tables | ground, protocol |
//! | [`logs`] | log groups and what is written to them | ground, protocol |
//! | [`cognito`] | user pools: people, and the tokens they sign in for | ground, protocol |
//! | [`secretsmanager`] | secrets and their values | ground, protocol |
//! | [`ssm`] | parameters of Parameter Store | ground, protocol |
//! | [`lambda`] | functions, run by Python processes | ground, protocol, identity, s3, logs |
//! | [`execute_api`] | API Gateway's data plane | ground, protocol, identity, velocity, cognito, lambda |
//! | [`bedrock`] | models' stand-ins, knowledge bases, guardrails, agents | ground, protocol, identity, velocity, s3, cognito, lambda |
//! | [`cloudformation`] | stacks: the API and its engine | ground, protocol, resources, s3, logs, secretsmanager, ssm, lambda |
//! | [`handlers`] | the behaviour of resource types that are not like all others | ground, identity, resources, s3, dynamodb, logs, cognito, secretsmanager, ssm, lambda, execute_api, bedrock |
//! | [`server`] | the listener, who may ask, and which service a request is for | all |
//! | [`serving`] | where it is being served, told to other processes | ground |
//! | `inventory` | what a state folder holds | ground |

pub mod bedrock;
pub mod cloudformation;
pub mod cognito;
pub mod dynamodb;
pub mod execute_api;
pub mod ground;
pub mod handlers;
pub mod identity;
mod inventory;
pub mod lambda;
pub mod logs;
pub mod protocol;
pub mod resources;
pub mod s3;
pub mod secretsmanager;
pub mod server;
pub mod serving;
pub mod ssm;
pub mod sts;
pub mod velocity;

pub use ground::{
    ACCOUNT_ID, Clock, DEFAULT_REGION, Host, Ids, Injection, LOCAL_KEY, LocalError, LocalOptions, errors, options,
    store,
};
pub use inventory::{Inventory, StoredBucket, StoredStack, StoredTable};
pub use protocol::{aws_json, query, xml};
pub use server::{Running, start};

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use regex::Regex;

    /// The rows of the table above: the folder, and what it may import.
    fn table() -> BTreeMap<String, BTreeSet<String>> {
        let lines = include_str!("lib.rs").lines().map(|line| line.trim_start_matches("//!").trim());
        let rows = lines.skip_while(|line| !line.starts_with("| folder |")).skip(2);
        rows.take_while(|line| line.starts_with('|'))
            .map(|row| {
                let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
                let name = cells[0].trim_matches(['[', ']', '`']).to_owned();
                (name, cells[2].split(", ").filter(|name| *name != "–").map(str::to_owned).collect())
            })
            .collect()
    }

    fn sources(path: &Path) -> Vec<PathBuf> {
        if path.is_file() {
            return vec![path.to_owned()];
        }
        let entries = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.flat_map(|path| sources(&path)).filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
    }

    #[test]
    fn a_folder_imports_what_its_row_allows_and_nothing_else() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let table = table();
        let there: BTreeSet<String> = std::fs::read_dir(&src)
            .expect("the crate")
            .filter_map(|entry| entry.expect("an entry").path().file_stem()?.to_str().map(str::to_owned))
            .filter(|name| name != "lib")
            .collect();
        assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), there, "every folder has a row, every row a folder");
        let import = Regex::new(r"\bcrate::(?:(\w+)|\{([^}]*)\})").expect("a pattern");
        let comment = Regex::new(r"//[^\n]*").expect("a pattern");
        let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
        for (folder, allowed) in &table {
            let path = Some(src.join(folder)).filter(|path| path.is_dir());
            for file in sources(&path.unwrap_or_else(|| src.join(format!("{folder}.rs")))) {
                let text = std::fs::read_to_string(&file).expect("a source");
                let text = comment.replace_all(text.split("#[cfg(test)]\nmod ").next().unwrap_or_default(), "");
                for found in import.captures_iter(&text) {
                    let names = found.get(1).or_else(|| found.get(2)).map_or("", |names| names.as_str());
                    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty() && name != folder) {
                        used.insert((folder.clone(), name.to_owned()));
                        if !allowed.contains(name) && !allowed.contains("all") {
                            wrong.push(format!("{}: `{folder}` may not import `{name}`", file.display()));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // A permission that nothing needs is one too many.
        let rows = table.iter().flat_map(|(folder, allowed)| allowed.iter().map(|name| (folder.clone(), name.clone())));
        let idle: Vec<_> = rows.filter(|pair| pair.1 != "all" && !used.contains(pair)).collect();
        assert!(idle.is_empty(), "not imported though allowed: {idle:?}");
    }

    #[test]
    fn no_folder_is_below_itself() {
        let mut left = table();
        while !left.is_empty() {
            let free: Vec<String> = left
                .iter()
                .filter(|(_, allowed)| !allowed.contains("all") && allowed.iter().all(|name| !left.contains_key(name)))
                .map(|(folder, _)| folder.clone())
                .collect();
            if free.is_empty() {
                break;
            }
            left.retain(|folder, _| !free.contains(folder));
        }
        // Of all that is left only the server may import everything.
        assert_eq!(left.keys().map(String::as_str).collect::<Vec<_>>(), ["server"]);
    }
}
