//! A stack at the local target, driven beside the program under test.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
use serde_json::Value;

use crate::support::Served;

/// A denial, told by role, action and resource, and how often it was seen.
pub type Denials = BTreeMap<(String, String, String), i64>;

/// One stack.
pub struct Stack {
    served: Served,
    region: String,
    name: String,
    runtime: tokio::runtime::Runtime,
    /// How often its knowledge bases were to read their documents anew.
    rounds: usize,
    /// The template it has: to update to the same is refused.
    current: Option<Value>,
    /// The last document that all of them have read, to be forgotten next.
    known: Option<String>,
}

impl Stack {
    pub fn new(served: Served, region: String, name: String) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { served, region, name, runtime, rounds: 0, current: None, known: None }
    }

    pub fn url(&self) -> &str {
        &self.served.url
    }

    /// Goes on with another process on the same state.
    pub fn move_to(&mut self, served: Served) {
        self.served = served;
    }

    fn config(&self) -> aws_config::SdkConfig {
        aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
                "local", "local", None, None, "test",
            )))
            .endpoint_url(&self.served.url)
            .build()
    }

    fn client(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config())
    }

    /// The template it was deployed from.
    pub fn template(&mut self) -> Value {
        let got = self.runtime.block_on(self.client().get_template().stack_name(&self.name).send());
        let template: Value =
            serde_json::from_str(got.expect("a template").template_body().expect("a body")).expect("JSON");
        self.current = Some(template.clone());
        template
    }

    /// The stack's parameters, each with the value it has.
    fn parameters(&self, previous: bool) -> Vec<Parameter> {
        let described = self.runtime.block_on(self.client().describe_stacks().stack_name(&self.name).send());
        let described = described.expect("the stack");
        let parameters = described.stacks()[0].parameters().iter();
        parameters
            .filter_map(|parameter| {
                let own = Parameter::builder().parameter_key(parameter.parameter_key()?);
                Some(if previous {
                    own.use_previous_value(true).build()
                } else {
                    own.parameter_value(parameter.parameter_value()?).build()
                })
            })
            .collect()
    }

    /// Updates the stack to a template, everything else as it is.
    pub fn update(&mut self, template: &Value) {
        if self.current.as_ref() == Some(template) {
            return;
        }
        let parameters = self.parameters(true);
        let update = self.client().update_stack().stack_name(&self.name).template_body(template.to_string());
        let update = update.set_parameters(Some(parameters)).capabilities(Capability::CapabilityNamedIam);
        self.runtime.block_on(update.send()).expect("an update");
        let status = self.settled(&self.name);
        assert_eq!(status, StackStatus::UpdateComplete, "{}", self.name);
        self.current = Some(template.clone());
    }

    /// The status a stack comes to.
    fn settled(&self, name: &str) -> StackStatus {
        loop {
            let described = self.runtime.block_on(self.client().describe_stacks().stack_name(name).send());
            let status = described.expect("the stack").stacks()[0].stack_status().cloned().expect("a status");
            if !status.as_str().ends_with("IN_PROGRESS") {
                return status;
            }
        }
    }

    /// Makes a stack of the template beside this one, and takes it away again: why it could not be made.
    pub fn made_anew(&self, template: &Value) -> Option<String> {
        let name = format!("{}-anew", self.name);
        let create = self.client().create_stack().stack_name(&name).template_body(template.to_string());
        let create = create.set_parameters(Some(self.parameters(false))).capabilities(Capability::CapabilityNamedIam);
        self.runtime.block_on(create.send()).expect("a stack to make");
        let status = self.settled(&name);
        let events = self.runtime.block_on(self.client().describe_stack_events().stack_name(&name).send());
        let events = events.expect("events");
        let reason = events
            .stack_events()
            .iter()
            .filter_map(|event| event.resource_status_reason())
            .find(|reason| reason.contains("does not have permissions"));
        let reason = reason.map(str::to_owned);
        assert_eq!(reason.is_none(), status == StackStatus::CreateComplete, "{status}");
        self.runtime.block_on(self.client().delete_stack().stack_name(&name).send()).expect("a deletion");
        reason
    }

    /// The physical ids of the stack's resources of a type.
    fn ids(&self, kind: &str) -> Vec<String> {
        let described = self.runtime.block_on(self.client().describe_stack_resources().stack_name(&self.name).send());
        let described = described.expect("resources");
        let of_kind = described.stack_resources().iter().filter(|it| it.resource_type() == Some(kind));
        of_kind.filter_map(|it| it.physical_resource_id()).map(str::to_owned).collect()
    }

    /// Whether there is a document to forget, so that forgetting is tried too.
    pub fn can_forget(&self) -> bool {
        self.known.is_some()
    }

    /// Has each knowledge base read a new document and forget the last one: why it could not.
    pub fn ingested(&mut self) -> Option<String> {
        let sources = self.ids("AWS::Bedrock::DataSource");
        let bases = self.ids("AWS::Bedrock::KnowledgeBase");
        if sources.is_empty() {
            return None;
        }
        self.rounds += 1;
        let storage = aws_sdk_s3::config::Builder::from(&self.config()).force_path_style(true).build();
        let storage = aws_sdk_s3::Client::from_conf(storage);
        let agent = aws_sdk_bedrockagent::Client::new(&self.config());
        let bucket = &self.ids("AWS::S3::Bucket")[0];
        let (new, old) = (format!("round-{}.md", self.rounds), self.known.take());
        let failure = self.runtime.block_on(async {
            let text = format!("# Round {}\n\nNothing that anybody asks for.\n", self.rounds);
            storage
                .put_object()
                .bucket(bucket)
                .key(&new)
                .body(text.into_bytes().into())
                .send()
                .await
                .expect("an object");
            if let Some(old) = old {
                storage.delete_object().bucket(bucket).key(old).send().await.expect("a deletion");
            }
            for source in &sources {
                let (base, source) = source.split_once('|').unwrap_or((bases[0].as_str(), source));
                let started = agent
                    .start_ingestion_job()
                    .knowledge_base_id(base)
                    .data_source_id(source)
                    .send()
                    .await
                    .expect("a job");
                let job = started.ingestion_job().expect("a job").ingestion_job_id().to_owned();
                loop {
                    let got = agent.get_ingestion_job().knowledge_base_id(base).data_source_id(source);
                    let got = got.ingestion_job_id(&job).send().await.expect("the job");
                    let job = got.ingestion_job().expect("the job");
                    let failed = job.statistics().map_or(0, |it| it.number_of_documents_failed());
                    match job.status().as_str() {
                        "COMPLETE" if failed == 0 => break,
                        "COMPLETE" | "FAILED" => return Some(format!("{:?}", job.failure_reasons())),
                        _ => tokio::task::yield_now().await,
                    }
                }
            }
            None
        });
        self.known = failure.is_none().then_some(new);
        failure
    }

    /// Everything that was denied so far.
    pub fn denials(&self) -> Denials {
        let page: Value = serde_json::from_str(&self.served.get("/_bedplate/denials")).expect("JSON");
        let text = |denial: &Value, key: &str| denial[key].as_str().unwrap_or_default().to_owned();
        let denials = page["denials"].as_array().expect("denials").iter();
        denials
            .map(|it| ((text(it, "role"), text(it, "action"), text(it, "resource")), it["count"].as_i64().unwrap_or(0)))
            .collect()
    }

    /// The actions that a role, by its logical id, was denied since.
    pub fn denied_since(&self, before: &Denials, role: &str) -> Vec<String> {
        let described = self
            .runtime
            .block_on(self.client().describe_stack_resource().stack_name(&self.name).logical_resource_id(role).send());
        let described = described.expect("the role");
        let name = described.stack_resource_detail().and_then(|it| it.physical_resource_id()).expect("its name");
        self.since(before).filter(|(of, _, _)| of == name).map(|(_, action, _)| action).collect()
    }

    /// What any role was denied since.
    pub fn all_denied_since(&self, before: &Denials) -> Vec<String> {
        self.since(before).map(|(role, action, resource)| format!("{role} {action} {resource}")).collect()
    }

    fn since(&self, before: &Denials) -> impl Iterator<Item = (String, String, String)> {
        let now = self.denials();
        let new = now.into_iter().filter(|(denial, count)| before.get(denial).copied().unwrap_or(0) < *count);
        new.map(|(denial, _)| denial).collect::<Vec<_>>().into_iter()
    }
}
