//! Everything there is in an account and region, as far as a run of the program can change it.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::direct::{Direct, Element};

/// How long operations of CloudFormation may go on after a run.
const PATIENCE: Duration = Duration::from_secs(90);

/// One thing that there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A stack by its name.
    Stack(String),
    /// A resource of a stack by its logical id.
    Resource(String, String),
    /// A change set of a stack.
    ChangeSet(String, String),
    /// A bucket.
    Bucket(String),
    /// A version of an object: its bucket, key and version; or a delete marker.
    Object(String, String, String),
    /// An upload that is not finished: its bucket, key and id.
    Upload(String, String, String),
    /// A table.
    Table(String),
    /// A row: its table, and all it holds.
    Row(String, String),
    /// A function.
    Function(String),
    /// A log group.
    LogGroup(String),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Stack(name) => write!(f, "stack {name}"),
            Thing::Resource(stack, id) => write!(f, "resource {stack}/{id}"),
            Thing::ChangeSet(stack, name) => write!(f, "change set {stack}/{name}"),
            Thing::Bucket(name) => write!(f, "bucket {name}"),
            Thing::Object(bucket, key, version) => write!(f, "object {bucket}/{key} version {version}"),
            Thing::Upload(bucket, key, id) => write!(f, "upload {bucket}/{key} {id}"),
            Thing::Table(name) => write!(f, "table {name}"),
            Thing::Row(table, row) => write!(f, "row {table} {row}"),
            Thing::Function(name) => write!(f, "function {name}"),
            Thing::LogGroup(name) => write!(f, "log group {name}"),
        }
    }
}

/// A stack, for what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its status.
    pub status: String,
    /// Its template.
    pub template: String,
    /// What its resources are called, by their logical ids.
    pub resources: BTreeMap<String, String>,
}

/// What there is at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every thing, with all that is known of it.
    pub things: BTreeMap<Thing, String>,
    /// The stacks by their names.
    pub stacks: BTreeMap<String, Stack>,
    /// What the objects of buckets hold, the newest version of each.
    contents: BTreeMap<String, BTreeMap<String, String>>,
}

/// How a thing differs between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another.
    Changed,
}

impl Inventory {
    /// Takes an inventory.
    pub fn of(direct: &Direct) -> Self {
        let mut inventory = Self::default();
        inventory.add_stacks(direct);
        inventory.add_buckets(direct);
        inventory.add_tables(direct);
        let (_, functions) = direct.rest("lambda", "GET", "/2015-03-31/functions/", "");
        let functions: Value = serde_json::from_str(&functions).expect("JSON");
        for function in functions["Functions"].as_array().expect("functions") {
            let (name, known) = (text(&function["FunctionName"]), [&function["CodeSha256"], &function["Environment"]]);
            inventory.put(Thing::Function(name), format!("{known:?}"));
        }
        let groups = direct.json("logs", "Logs_20140328.DescribeLogGroups", &json!({}));
        for group in groups["logGroups"].as_array().expect("log groups") {
            inventory.put(Thing::LogGroup(text(&group["logGroupName"])), group["creationTime"].to_string());
        }
        inventory
    }

    fn put(&mut self, thing: Thing, known: String) {
        self.things.insert(thing, known);
    }

    fn add_stacks(&mut self, direct: &Direct) {
        for stack in stacks(direct) {
            let (name, id, status) = (stack.get("StackName"), stack.get("StackId"), stack.get("StackStatus"));
            let parts = ["Tags", "Parameters", "Outputs", "EnableTerminationProtection"];
            let parts = parts.iter().flat_map(|part| stack.all(part)).map(Element::written).collect::<String>();
            let template = direct.cloudformation("GetTemplate", &[("StackName", id)]);
            let template = template.map(|answer| answer.all("TemplateBody").first().map(|body| body.written()));
            let template = template.ok().flatten().unwrap_or_default();
            self.put(Thing::Stack(name.to_owned()), format!("{id} {status} {parts} {template}"));
            for set in change_sets(direct, id) {
                let known = format!("{} {}", set.get("Status"), set.get("ExecutionStatus"));
                self.put(Thing::ChangeSet(name.to_owned(), set.get("ChangeSetName").to_owned()), known);
            }
            let mut resources = BTreeMap::new();
            let answer = direct.cloudformation("DescribeStackResources", &[("StackName", id)]).unwrap_or_default();
            for resource in answer.all("member") {
                let (logical, physical) = (resource.get("LogicalResourceId"), resource.get("PhysicalResourceId"));
                resources.insert(logical.to_owned(), physical.to_owned());
                let known = format!("{physical} {}", resource.get("ResourceStatus"));
                self.put(Thing::Resource(name.to_owned(), logical.to_owned()), known);
            }
            let stack = Stack { id: id.to_owned(), status: status.to_owned(), template, resources };
            self.stacks.insert(name.to_owned(), stack);
        }
    }

    fn add_buckets(&mut self, direct: &Direct) {
        let (_, buckets) = direct.rest("s3", "GET", "/", "");
        for bucket in Element::read(&buckets).all("Bucket") {
            let name = bucket.get("Name");
            let (_, tags) = direct.rest("s3", "GET", &format!("/{name}?tagging"), "");
            let tags: Vec<String> = Element::read(&tags).all("Tag").into_iter().map(Element::written).collect();
            self.put(Thing::Bucket(name.to_owned()), format!("{} {tags:?}", bucket.get("CreationDate")));
            let (_, versions) = direct.rest("s3", "GET", &format!("/{name}?versions"), "");
            let versions = Element::read(&versions);
            for version in versions.all("Version") {
                let (key, id) = (version.get("Key"), version.get("VersionId"));
                let (_, body) = direct.rest("s3", "GET", &format!("/{name}/{key}?versionId={id}"), "");
                if version.get("IsLatest") == "true" {
                    self.contents.entry(name.to_owned()).or_default().insert(key.to_owned(), body.clone());
                }
                let known = format!("{} {} {}", version.get("LastModified"), version.get("ETag"), body.trim_end());
                self.put(Thing::Object(name.to_owned(), key.to_owned(), id.to_owned()), known);
            }
            for marker in versions.all("DeleteMarker") {
                let (key, id) = (marker.get("Key"), marker.get("VersionId"));
                let version = format!("{id}, a delete marker");
                self.put(
                    Thing::Object(name.to_owned(), key.to_owned(), version),
                    marker.get("LastModified").to_owned(),
                );
            }
            let (_, uploads) = direct.rest("s3", "GET", &format!("/{name}?uploads"), "");
            for upload in Element::read(&uploads).all("Upload") {
                let (key, id) = (upload.get("Key"), upload.get("UploadId"));
                self.put(Thing::Upload(name.to_owned(), key.to_owned(), id.to_owned()), String::new());
            }
        }
    }

    fn add_tables(&mut self, direct: &Direct) {
        let tables = direct.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({}));
        for table in tables["TableNames"].as_array().expect("tables") {
            let described = direct.json("dynamodb", "DynamoDB_20120810.DescribeTable", &json!({ "TableName": table }));
            self.put(Thing::Table(text(table)), text(&described["Table"]["TableArn"]));
            let rows = direct.json("dynamodb", "DynamoDB_20120810.Scan", &json!({ "TableName": table }));
            for row in rows["Items"].as_array().expect("rows") {
                let sorted: BTreeMap<_, _> = row.as_object().expect("a row").iter().collect();
                self.put(Thing::Row(text(table), json!(sorted).to_string()), String::new());
            }
        }
    }

    /// What differs in a later inventory.
    pub fn difference<'a>(&'a self, later: &'a Inventory) -> Vec<(&'a Thing, Change)> {
        let mut found: Vec<_> = self
            .things
            .iter()
            .filter_map(|(thing, known)| match later.things.get(thing) {
                None => Some((thing, Change::Removed)),
                Some(other) if other != known => Some((thing, Change::Changed)),
                Some(_) => None,
            })
            .collect();
        found
            .extend(later.things.keys().filter(|thing| !self.things.contains_key(thing)).map(|it| (it, Change::Added)));
        found
    }

    /// The stack that has a resource of a name.
    pub fn owner(&self, physical_id: &str) -> Option<&str> {
        let has = |stack: &Stack| stack.resources.values().any(|id| id == physical_id);
        self.stacks.iter().find(|(_, stack)| has(stack)).map(|(name, _)| name.as_str())
    }

    /// What the objects of a bucket hold as they are now, by their keys.
    pub fn contents(&self, bucket: &str) -> BTreeMap<String, String> {
        self.contents.get(bucket).cloned().unwrap_or_default()
    }
}

/// The statuses of all stacks.
pub fn statuses(direct: &Direct) -> BTreeMap<String, String> {
    let status = |stack: &Element| (stack.get("StackName").to_owned(), stack.get("StackStatus").to_owned());
    stacks(direct).iter().map(status).collect()
}

/// Whether an operation is under way in a status.
pub fn is_under_way(status: &str) -> bool {
    status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
}

/// Waits until no operation is under way on any stack and no change set is being made.
pub fn at_rest(direct: &Direct) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let stacks = stacks(direct);
        let busy: Vec<String> = stacks
            .iter()
            .filter(|stack| {
                is_under_way(stack.get("StackStatus"))
                    || change_sets(direct, stack.get("StackId")).iter().any(|set| {
                        let status = set.get("Status");
                        status.ends_with("_PENDING") || status.ends_with("_IN_PROGRESS")
                    })
            })
            .map(|stack| format!("{} {}", stack.get("StackName"), stack.get("StackStatus")))
            .collect();
        if busy.is_empty() {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("still under way after {PATIENCE:?}: {busy:?}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Every event of every stack that has or had a name.
pub fn events(direct: &Direct, name: &str) -> Vec<Element> {
    let listed = direct.cloudformation("ListStacks", &[]).expect("stacks");
    let ids = listed.all("member").into_iter().filter(|stack| stack.get("StackName") == name);
    let ids: Vec<String> = ids.map(|stack| stack.get("StackId").to_owned()).collect();
    let mut found = Vec::new();
    for id in ids {
        let mut token = String::new();
        loop {
            let mut parameters = vec![("StackName", id.as_str())];
            if !token.is_empty() {
                parameters.push(("NextToken", &token));
            }
            let Ok(answer) = direct.cloudformation("DescribeStackEvents", &parameters) else { break };
            found.extend(answer.all("member").into_iter().cloned());
            token = answer.all("NextToken").first().map(|token| token.written()).unwrap_or_default();
            token = token.trim_start_matches("<NextToken>").to_owned();
            if token.is_empty() {
                break;
            }
        }
    }
    found
}

fn stacks(direct: &Direct) -> Vec<Element> {
    let answer = direct.cloudformation("DescribeStacks", &[]).expect("stacks");
    let lists = answer.all("Stacks");
    let members = lists.iter().flat_map(|list| list.all("member"));
    // The members of lists inside a stack have no status.
    members.filter(|member| !member.get("StackStatus").is_empty()).cloned().collect()
}

fn change_sets(direct: &Direct, stack: &str) -> Vec<Element> {
    let answer = direct.cloudformation("ListChangeSets", &[("StackName", stack)]);
    let answer = answer.unwrap_or_default();
    answer.all("member").into_iter().cloned().collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
