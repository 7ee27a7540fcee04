//! What a template made elsewhere names locally, as what is deployed: parameters in the place of paths, with the files that
//! their values will be the keys of. Nested templates take the same parameters, and so change no more than their parent does
//! when code does.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::digest::short;
use super::rendered::{
    ARTIFACT_BUCKET, ArtifactComponent, ArtifactParameter, NestedTemplate, PackagedFile, PackagedSource,
};
use crate::cfn::Template;
use crate::facts::{AddressForm, PackagedProperty};
use crate::finding::{Finding, code};
use crate::spec::{Asset, ElsewhereTemplate, LocalFile, LocalPath, escape};

/// A template made elsewhere, ready to be deployed.
#[derive(Debug, Default)]
pub(super) struct PackagedTemplate {
    /// The template.
    pub(super) value: Value,
    /// The parameters it takes for what is packaged.
    pub(super) artifacts: Vec<ArtifactParameter>,
    /// The templates nested in it.
    pub(super) nested: Vec<NestedTemplate>,
    /// What cannot be packaged.
    pub(super) findings: Vec<Finding>,
    /// How many nested templates were packaged: one of an assembly may name any other, and itself.
    tried: usize,
}

/// The most of them, and how deep they may be in each other.
const MOST_NESTED: usize = 50;
const DEPTH: usize = 8;

/// Packages a template; `value` is what it holds.
pub(super) fn package(template: &ElsewhereTemplate, value: Value) -> PackagedTemplate {
    let mut done = PackagedTemplate::default();
    let level = Level {
        assets: &template.assets,
        component: "template".to_owned(),
        bucket: ARTIFACT_BUCKET.to_owned(),
        depth: 0,
    };
    let (value, wanted) = level.package(template, value, &mut done);
    done.artifacts = wanted
        .into_iter()
        .map(|(parameter, file)| ArtifactParameter { parameter, component: ArtifactComponent::Packaged(file) })
        .collect();
    done.value = value;
    done
}

/// One template of several within each other.
struct Level<'a> {
    /// The assets of the assembly.
    assets: &'a [Asset],
    /// How it is told of, such as `template.Child`.
    component: String,
    /// The parameter that takes the bucket.
    bucket: String,
    /// How many are around it.
    depth: usize,
}

/// A parameter of a template, and the file whose key it takes.
type Wanted = Vec<(String, PackagedFile)>;

impl Level<'_> {
    fn package(&self, template: &ElsewhereTemplate, mut value: Value, done: &mut PackagedTemplate) -> (Value, Wanted) {
        let mut names = Names::of(&value);
        let mut wanted = Wanted::new();
        // The innermost first: one may become part of another.
        for include in template.includes.iter().rev() {
            match &include.content {
                Ok(content) => {
                    if let Some(Value::Object(around)) = value.pointer_mut(&include.pointer) {
                        around.shift_remove("Fn::Transform");
                        around.extend(content.clone());
                    }
                }
                Err(problem) => done.findings.push(problem.finding(template.place(&include.pointer))),
            }
        }
        for path in &template.paths {
            match &path.leads_to {
                Ok(LocalFile::Template(child)) => self.nest(path, child, &mut value, &mut names, &mut wanted, done),
                Ok(file) => {
                    let parameter =
                        names.take(&format!("{}{}Key", path.logical_id, path.property.property.replace('.', "")));
                    wanted.extend(self.file(&path.logical_id, file).map(|file| (parameter.clone(), file)));
                    put(&mut value, &path.pointer, self.address(path.property, &parameter));
                }
                Err(problem) => {
                    done.findings.push(problem.finding(template.place(&path.pointer)));
                    // What stands there is told already.
                    put(&mut value, &path.pointer, nowhere(path.property));
                }
            }
        }
        if template.assembled {
            self.assemble(&mut value, &mut names, &mut wanted, done);
        }
        (value, wanted)
    }

    /// Something local as what is packaged.
    fn file(&self, what: &str, file: &LocalFile) -> Option<PackagedFile> {
        let (source, shown) = match file {
            LocalFile::Folder(path, shown) => (PackagedSource::Folder(path.clone()), shown),
            LocalFile::Zipped(path, shown) => (PackagedSource::Zipped(path.clone()), shown),
            LocalFile::File(path, shown) => (PackagedSource::File(path.clone()), shown),
            LocalFile::Template(_) => return None,
        };
        Some(PackagedFile { component: format!("{}.{what}", self.component), source, shown: shown.clone() })
    }

    /// What stands in the place of a path.
    fn address(&self, property: &PackagedProperty, parameter: &str) -> Value {
        match property.form {
            AddressForm::Text => json!({ "Fn::Sub": format!("s3://${{{}}}/${{{parameter}}}", self.bucket) }),
            AddressForm::Template => self.url(parameter),
            AddressForm::Object => Value::Object(Map::from_iter([
                (property.bucket.clone(), json!({ "Ref": self.bucket })),
                (property.key.clone(), json!({ "Ref": parameter })),
            ])),
        }
    }

    fn url(&self, parameter: &str) -> Value {
        json!({ "Fn::Sub": format!("https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{}}}/${{{parameter}}}", self.bucket) })
    }

    /// Packages a template that a property names, and gives it its parameters.
    fn nest(
        &self,
        path: &LocalPath,
        child: &ElsewhereTemplate,
        value: &mut Value,
        names: &mut Names,
        wanted: &mut Wanted,
        done: &mut PackagedTemplate,
    ) {
        let resource = format!("/Resources/{}", escape(&path.logical_id));
        let Some((parameter, needed)) = self.child(&path.logical_id, child, names, wanted, done) else { return };
        put(value, &path.pointer, self.url(&parameter));
        hand_down(value, &resource, needed);
    }

    /// A nested template as what is packaged: its parameter here, and what it is to be given.
    fn child(
        &self,
        logical_id: &str,
        child: &ElsewhereTemplate,
        names: &mut Names,
        wanted: &mut Wanted,
        done: &mut PackagedTemplate,
    ) -> Option<(String, Map<String, Value>)> {
        let component = format!("{}.{logical_id}", self.component);
        let document = match &child.document {
            Ok(document) => document,
            Err(finding) => {
                done.findings.push(finding.clone());
                return None;
            }
        };
        done.tried += 1;
        if done.tried > MOST_NESTED || self.depth >= DEPTH {
            let message =
                format!("`{}` nests too deep, or there are more than {MOST_NESTED} nested templates", child.file);
            let finding = Finding::error(code::T292, message).at(child.place(""));
            done.findings.push(finding.help("look whether one of them names itself"));
            return None;
        }
        let bucket = Names::of(&document.value).take(ARTIFACT_BUCKET);
        let level =
            Level { assets: self.assets, component: component.clone(), bucket: bucket.clone(), depth: self.depth + 1 };
        let (mut inner, inner_wanted) = level.package(child, document.value.clone(), done);
        let mut given = Map::new();
        if !inner_wanted.is_empty() || inner.to_string().contains(&format!("\"{bucket}\"")) && child.assembled {
            given.insert(bucket.clone(), json!({ "Ref": self.bucket }));
        }
        for (parameter, file) in inner_wanted {
            let own = names.take(&format!("{logical_id}{parameter}"));
            given.insert(parameter, json!({ "Ref": own }));
            wanted.push((own, file));
        }
        declare(&mut inner, given.keys());
        match Template::from_value(inner.clone()) {
            Ok(template) => done.nested.push(NestedTemplate { template, source: child.clone() }),
            Err(findings) => done.findings.extend(findings.into_iter().map(|finding| {
                let pointer = finding.template_path.as_ref().map(|path| format!("/{path}"));
                let place = pointer.and_then(|pointer| child.place(&pointer)).or_else(|| child.place(""));
                finding.at(place)
            })),
        }
        let parameter = names.take(&format!("{logical_id}TemplateKey"));
        let source = PackagedSource::Text(format!("{inner:#}\n"));
        wanted.push((parameter.clone(), PackagedFile { component, source, shown: child.file.clone() }));
        Some((parameter, given))
    }

    /// Puts our bucket and our keys in the place of those that `cdk deploy` would fill.
    fn assemble(&self, value: &mut Value, names: &mut Names, wanted: &mut Wanted, done: &mut PackagedTemplate) {
        if let Some(Value::Object(parameters)) = value.get_mut("Parameters") {
            parameters.shift_remove("BootstrapVersion");
        }
        if let Some(Value::Object(rules)) = value.get_mut("Rules") {
            rules.shift_remove("CheckBootstrapVersion");
        }
        let mut replacement = Replacement { bucket: &self.bucket, buckets: Vec::new(), keys: Vec::new() };
        let mut nests = Vec::new();
        let text = value.to_string();
        for asset in self.assets {
            if !replacement.buckets.contains(&asset.bucket.as_str()) {
                replacement.buckets.push(&asset.bucket);
            }
            if !text.contains(&asset.object_key) || replacement.keys.iter().any(|(key, _)| *key == asset.object_key) {
                continue;
            }
            let digest = short(&asset.object_key);
            match &asset.leads_to {
                Ok(LocalFile::Template(child)) => {
                    let resources = value.get("Resources").and_then(Value::as_object);
                    let names_it = |it: &Value| it.to_string().contains(&asset.object_key);
                    let nested = resources
                        .into_iter()
                        .flatten()
                        .find(|(_, resource)| resource.pointer("/Properties/TemplateURL").is_some_and(names_it));
                    let Some(logical_id) = nested.map(|(id, _)| id.clone()) else { continue };
                    let child = ElsewhereTemplate { assembled: true, ..(**child).clone() };
                    if let Some((parameter, needed)) = self.child(&logical_id, &child, names, wanted, done) {
                        replacement.keys.push((&asset.object_key, parameter));
                        nests.push((format!("/Resources/{}", escape(&logical_id)), needed));
                    }
                }
                Ok(file) => {
                    let parameter = names.take(&format!("Asset{digest}Key"));
                    wanted.extend(self.file(&format!("Asset{digest}"), file).map(|file| (parameter.clone(), file)));
                    replacement.keys.push((&asset.object_key, parameter));
                }
                Err(problem) => done.findings.push(problem.finding(None)),
            }
        }
        replacement.apply(value);
        for (resource, needed) in nests {
            hand_down(value, &resource, needed);
        }
    }
}

/// What has the form of an address, in the place of a path that leads nowhere.
fn nowhere(property: &PackagedProperty) -> Value {
    match property.form {
        AddressForm::Text => json!("s3://unknown/unknown"),
        AddressForm::Template => json!("https://s3.amazonaws.com/unknown/unknown"),
        AddressForm::Object => Value::Object(Map::from_iter([
            (property.bucket.clone(), json!("unknown")),
            (property.key.clone(), json!("unknown")),
        ])),
    }
}

/// Gives a nested stack its parameters.
fn hand_down(value: &mut Value, resource: &str, needed: Map<String, Value>) {
    if needed.is_empty() {
        return;
    }
    if let Some(Value::Object(properties)) = value.pointer_mut(&format!("{resource}/Properties")) {
        let given = properties.entry("Parameters").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(given) = given {
            given.extend(needed);
        }
    }
}

/// Declares parameters that a template takes.
fn declare<'n>(value: &mut Value, names: impl Iterator<Item = &'n String>) {
    let Some(template) = value.as_object_mut() else { return };
    let mut names = names.peekable();
    if names.peek().is_none() {
        return;
    }
    let section = template.entry("Parameters").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(section) = section {
        section.extend(names.map(|name| (name.clone(), json!({ "Type": "String" }))));
    }
}

fn put(value: &mut Value, pointer: &str, new: Value) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = new;
    }
}

/// The names that a template has given to parameters and resources.
struct Names(BTreeSet<String>);

impl Names {
    fn of(value: &Value) -> Self {
        let sections = ["Parameters", "Resources"].iter().filter_map(|section| value.get(section)?.as_object());
        Self(sections.flat_map(|entries| entries.keys().cloned()).collect())
    }

    /// A name that is not taken yet, letters and digits only.
    fn take(&mut self, name: &str) -> String {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(200).collect();
        let free = (1..).map(|n: u32| if n == 1 { name.clone() } else { format!("{name}{n}") });
        let chosen = free.into_iter().find(|name| !self.0.contains(name)).unwrap_or(name);
        self.0.insert(chosen.clone());
        chosen
    }
}

/// Texts of a template that name a bucket of assets or the key of one.
struct Replacement<'a> {
    /// The parameter with our bucket.
    bucket: &'a str,
    /// Buckets as the assembly names them.
    buckets: Vec<&'a str>,
    /// Keys as the assembly names them, each with the parameter of ours.
    keys: Vec<(&'a str, String)>,
}

impl Replacement<'_> {
    fn apply(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(new) = self.text(text, false) {
                    *value = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(map) => {
                let sub = map.get("Fn::Sub").filter(|_| map.len() == 1);
                match sub {
                    Some(Value::String(text)) => {
                        if let Some(new) = self.text(text, true) {
                            *value = new;
                        }
                    }
                    Some(Value::Array(parts)) => {
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        let new = self.text(text, true);
                        let new = new.map(|new| {
                            new.get("Fn::Sub").cloned().unwrap_or_else(|| json!(format!("${{{}}}", name_of(&new))))
                        });
                        if let Some(Value::Array(parts)) = map.get_mut("Fn::Sub") {
                            parts.iter_mut().skip(1).for_each(|part| self.apply(part));
                            if let (Some(first), Some(new)) = (parts.first_mut(), new) {
                                *first = new;
                            }
                        }
                    }
                    _ => map.values_mut().for_each(|item| self.apply(item)),
                }
            }
            _ => {}
        }
    }

    /// What becomes of a text, when it names one of them.
    fn text(&self, text: &str, substituted: bool) -> Option<Value> {
        let names: Vec<(&str, &str)> = self
            .keys
            .iter()
            .map(|(key, parameter)| (*key, parameter.as_str()))
            .chain(self.buckets.iter().map(|bucket| (*bucket, self.bucket)))
            .filter(|(name, _)| text.contains(name))
            .collect();
        if let Some((_, parameter)) = names.iter().find(|(name, _)| *name == text) {
            return Some(json!({ "Ref": parameter }));
        }
        if names.is_empty() {
            return None;
        }
        let mut new = if substituted { text.to_owned() } else { text.replace("${", "${!") };
        for (name, parameter) in names {
            let name = if substituted { name.to_owned() } else { name.replace("${", "${!") };
            new = new.replace(&name, &format!("${{{parameter}}}"));
        }
        Some(json!({ "Fn::Sub": new }))
    }
}

/// The parameter that a `Ref` names.
fn name_of(reference: &Value) -> String {
    reference.get("Ref").and_then(Value::as_str).unwrap_or_default().to_owned()
}
