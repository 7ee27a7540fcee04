//! Knowledge bases: a role, the store of the vectors, the knowledge base and its data sources.
//!
//! | file | its subject |
//! | --- | --- |
//! | `base` | what both know of the knowledge base, and its role |
//! | `store` | what each store adds: resources, rights, and how the knowledge base is told of it |
//! | `source` | data sources, and the rights to read them |

mod base;
mod source;
mod store;

use serde_json::json;

use self::base::KnowledgeBaseContext;
use self::store::{STORES, storage};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
use crate::render::ids::knowledge_base_id;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{KnowledgeBase, Store, escape};

pub(super) use base::{invoke, trust};

/// Knowledge bases.
pub(super) const KIND: Kind = Kind {
    section: "knowledge-bases",
    add: |assembly, references| {
        for (name, base) in &references.spec().knowledge_bases {
            add(assembly, references, name, base);
        }
    },
    attribute: |_, name, attribute| {
        let id = knowledge_base_id(name);
        Some(match attribute {
            "" | "id" => Expression::attribute(id, "KnowledgeBaseId"),
            "arn" => Expression::attribute(id, "KnowledgeBaseArn"),
            _ => return None,
        })
    },
    grant,
};

fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let arn = Expression::attribute(knowledge_base_id(ask.name), "KnowledgeBaseArn");
    let retrieve = Statement::allow(["bedrock:Retrieve"], [arn.value()]);
    match ask.verb {
        "retrieve" => Ok(vec![retrieve]),
        // RetrieveAndGenerate takes no resource; what is searched is checked as `bedrock:Retrieve`, and what words the
        // answer as `bedrock:InvokeModel`.
        "ask" => Ok(vec![retrieve, Statement::allow(["bedrock:RetrieveAndGenerate"], [json!("*")])]),
        _ => Err(references.cannot(ask)),
    }
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, base: &KnowledgeBase) {
    let pointer = format!("/knowledge-bases/{}", escape(name));
    let base = KnowledgeBaseContext { references, name, base, pointer, id: knowledge_base_id(name) };
    if let Err(finding) = base.add(assembly) {
        assembly.report(finding);
    }
}

impl KnowledgeBaseContext<'_> {
    fn add(&self, assembly: &mut Assembly<'_>) -> Result<(), Finding> {
        let embedding = self.embedding()?;
        let stored = self.store(assembly, embedding.as_ref())?;
        let mut asked = Asked::default();
        self.reading(&mut asked)?;
        if let Some(model) = &self.base.embedding {
            let pointer = format!("{}/embedding", self.pointer);
            let statements = invoke(self.references, model, &pointer)?;
            asked.add(pointer, statements);
        }
        asked.add(self.store_pointer(), stored.statements);
        let managed = self.base.store == Store::Managed;
        let told = embedding.as_ref().map(|it| (&it.arn, it.told.then_some(it.dimension)));
        // Whatever can only be changed by making the knowledge base anew is a part of its name: the new one is made while
        // the old one is still there, and two cannot have the same.
        let embedding = told.map(|(arn, dimensions)| json!({ "arn": arn, "dimensions": dimensions }));
        let said = stored.storage.as_ref().map(|said| said.clone().into_parts().0);
        let content = json!([managed, embedding, storage(stored.name, said), stored.content]).to_string();
        let name = self.own_name(&digest::short(&content))?;
        let mut first = stored.first;
        first.push(self.policy_id());
        first.sort();
        let embedding = told.map(|(arn, dimensions)| {
            PartialData::new(format!("{}/embedding", self.pointer)).made("arn", arn).said(
                "dimensions",
                &self.dimension_pointer(),
                dimensions,
            )
        });
        let stores = STORES.iter().fold(PartialData::new(self.store_pointer()), |stores, name| {
            stores.part(name, stored.storage.clone().filter(|_| *name == stored.name))
        });
        let data = PartialData::new(&self.pointer)
            .made("id", &self.id)
            .made("role_id", self.role_id())
            .made("policy_id", self.policy_id())
            .said("name", "name", name)
            .said("description", "description", &self.base.description)
            .made("role_description", self.role_description())
            .made("trust", trust("knowledge-base").to_value())
            .policy("policy", "", &asked)
            .made("policy_name", "uses")
            .said("managed", "store", managed)
            .part("embedding", embedding)
            .part("storage", Some(stores))
            .made("first", first)
            .made("output_id", format!("{}Id", self.id));
        assembly.add("knowledge-base", data);
        for (name, source) in &self.base.sources {
            self.add_source(assembly, name, source)?;
        }
        Ok(())
    }
}
