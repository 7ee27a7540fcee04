//! A cloud assembly, the folder that `cdk synth` writes: the template of one of its stacks, and the assets it uses.
//!
//! It is read as a stranger's: nothing outside its folder, and no more of it than the manifests and templates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::paths::{problem, read_at};
use super::{Asset, ElsewhereTemplate, LocalFile, MOST_BYTES, MOST_TEMPLATES, PathProblem, Reading};
use crate::files::Root;
use crate::finding::{Finding, Place, code};
use crate::spec::words::{cut, suggest};

/// The file that says what an assembly holds.
const MANIFEST: &str = "manifest.json";

/// The largest manifest or template, in bytes.
const LARGEST: u64 = 1 << 20;

/// The most assets of a stack.
const MOST_ASSETS: usize = 1_000;

/// Where a spec names an assembly.
pub(in crate::spec) struct AssemblyAt<'a> {
    /// The folder, as it is written.
    pub folder: &'a str,
    /// The folder of the spec.
    pub dir: &'a Path,
    /// The project.
    pub root: &'a Root,
    /// The stack asked for.
    pub stack: Option<&'a str>,
    /// How findings name a file of the folder, without its name.
    pub shown: String,
    /// The place of the key, and that of the stack's name.
    pub place: Option<Place>,
    /// The same of the name.
    pub stack_place: Option<Place>,
}

impl AssemblyAt<'_> {
    fn refuse(&self, message: impl Into<String>, help: impl Into<String>) -> Finding {
        Finding::error(code::R145, message).at(self.place.clone()).help(help)
    }
}

/// Reads the template of a stack, and what its assets are.
pub(in crate::spec) fn read(at: &AssemblyAt<'_>) -> Result<ElsewhereTemplate, Finding> {
    let folder = match at.root.resolve(&at.dir.join(at.folder)) {
        _ if Path::new(at.folder).is_absolute() => Err(at.refuse(
            format!("`{}` is not a folder beside the spec", cut(at.folder)),
            "write a path relative to the spec file, such as `cdk.out`",
        )),
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => {
            Err(at.refuse(format!("`{}` is not a folder", cut(at.folder)), "name the folder that `cdk synth` writes"))
        }
        Err(why) => {
            let why = problem(at.folder, &why);
            Err(at.refuse(why.message.replace(" beside the template", ""), "run `cdk synth`, or correct the path"))
        }
    }?;
    let mut reading = Reading { within: Some(folder.clone()), ..Reading::new(at.root) };
    let manifest = json(at, &folder, MANIFEST, &mut reading)?;
    let artifacts = manifest.get("artifacts").and_then(Value::as_object);
    let of_type = |kind: &str| {
        let all = artifacts.into_iter().flatten();
        let kind = kind.to_owned();
        all.filter(move |(_, it)| it.get("type").and_then(Value::as_str) == Some(&kind))
    };
    let stacks: Vec<(&String, &Value)> = of_type("aws:cloudformation:stack").collect();
    let names: Vec<&str> = stacks.iter().map(|(id, _)| id.as_str()).collect();
    let known = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let chosen = match (at.stack, stacks.as_slice()) {
        (_, []) => {
            return Err(
                at.refuse(format!("`{}` holds no stack", cut(at.folder)), "name a folder that `cdk synth` has written")
            );
        }
        (None, [one]) => *one,
        (None, _) => {
            let message = format!("`{}` holds {} stacks", cut(at.folder), stacks.len());
            return Err(at.refuse(message, format!("choose one with `stack:`: {}", known())));
        }
        (Some(asked), _) => {
            match stacks.iter().find(|(id, it)| *id == asked || text(it, "/displayName") == Some(asked)) {
                Some(found) => *found,
                None => {
                    let message = format!("`{}` holds no stack `{}`", cut(at.folder), cut(asked));
                    let help = suggest(asked, names, "it holds");
                    return Err(Finding::error(code::R145, message).at(at.stack_place.clone()).help(help));
                }
            }
        }
    };
    let (id, stack) = chosen;
    let Some(file) = text(stack, "/properties/templateFile") else {
        return Err(
            at.refuse(format!("the manifest names no template of the stack `{}`", cut(id)), "run `cdk synth` again")
        );
    };
    let body = string(at, &folder, file, &mut reading)?;
    let mut template = read_at(&body, format!("{}{file}", at.shown), &folder, &mut reading, 0);
    template.assembled = true;
    // The manifests of assets that the stack depends on; those of others have what it does not use.
    let needed: Vec<&str> = stack
        .pointer("/dependencies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (_, manifest) in of_type("cdk:asset-manifest").filter(|(id, _)| needed.contains(&id.as_str())) {
        let Some(file) = text(manifest, "/properties/file") else { continue };
        let assets = json(at, &folder, file, &mut reading)?;
        if let Some((name, _)) =
            assets.get("dockerImages").and_then(Value::as_object).and_then(|images| images.iter().next())
        {
            let message =
                format!("the stack `{}` has an image to be built, `{}`, and images are not built", cut(id), cut(name));
            return Err(at.refuse(
                message,
                "give the function its code as files (`Code.fromAsset`), or name an image that is in a registry",
            ));
        }
        for (_, asset) in assets.get("files").and_then(Value::as_object).into_iter().flatten() {
            if template.assets.len() < MOST_ASSETS {
                add(asset, &folder, &at.shown, &mut template, &mut reading);
            }
        }
    }
    Ok(template)
}

/// Adds an asset, for each of its destinations.
fn add(asset: &Value, folder: &Path, shown: &str, template: &mut ElsewhereTemplate, reading: &mut Reading<'_>) {
    let Some(path) = text(asset, "/source/path") else { return };
    let leads_to = look(path, text(asset, "/source/packaging") == Some("zip"), folder, shown, reading);
    for (_, to) in asset.get("destinations").and_then(Value::as_object).into_iter().flatten() {
        if let (Some(bucket), Some(object_key)) = (text(to, "/bucketName"), text(to, "/objectKey"))
            && object_key.len() >= 8
            && template.assets.len() < MOST_ASSETS
            && !bucket.is_empty()
        {
            let (bucket, object_key) = (bucket.to_owned(), object_key.to_owned());
            template.assets.push(Asset { object_key, bucket, leads_to: leads_to.clone() });
        }
    }
}

fn look(
    path: &str,
    zipped: bool,
    folder: &Path,
    shown: &str,
    reading: &mut Reading<'_>,
) -> Result<LocalFile, PathProblem> {
    let real: PathBuf = reading.resolve(&folder.join(path)).map_err(|why| problem(path, &why))?;
    let name = format!("{shown}{path}");
    if real.is_dir() {
        return Ok(LocalFile::Folder(real, name));
    }
    // The template of a nested stack names assets, too.
    if !zipped && path.ends_with(".nested.template.json") {
        if reading.bytes > MOST_BYTES || reading.templates >= MOST_TEMPLATES {
            let message = format!(
                "the assembly has more than {MOST_TEMPLATES} templates, or more than {} MiB of them",
                MOST_BYTES >> 20
            );
            return Err(PathProblem::new(code::T292, message, "divide the app into more stacks"));
        }
        let bytes = reading.root.read(&real, LARGEST).map_err(|why| problem(path, &why))?;
        let nested = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(LocalFile::Template(Arc::new(read_at(&nested, name, folder, reading, 1))));
    }
    Ok(if zipped { LocalFile::Zipped(real, name) } else { LocalFile::File(real, name) })
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn string(at: &AssemblyAt<'_>, folder: &Path, file: &str, reading: &mut Reading<'_>) -> Result<String, Finding> {
    let shown = format!("{}{file}", at.shown);
    let real = reading.resolve(&folder.join(file));
    let bytes = real.and_then(|real| reading.root.read(&real, LARGEST));
    let bytes =
        bytes.map_err(|why| at.refuse(format!("`{}` cannot be read: {why}", cut(&shown)), "run `cdk synth` again"))?;
    reading.bytes = reading.bytes.saturating_add(bytes.len());
    if reading.bytes > MOST_BYTES {
        let message =
            format!("the files of `{}` that are read have more than {} MiB together", cut(at.folder), MOST_BYTES >> 20);
        return Err(at.refuse(message, "divide the app into more stacks"));
    }
    String::from_utf8(bytes)
        .map_err(|_| at.refuse(format!("`{}` is not UTF-8 text", cut(&shown)), "run `cdk synth` again"))
}

fn json(at: &AssemblyAt<'_>, folder: &Path, file: &str, reading: &mut Reading<'_>) -> Result<Value, Finding> {
    let text = string(at, folder, file, reading)?;
    serde_json::from_str(&text).map_err(|error| {
        let message = format!("`{}{}` is not JSON: {error}", at.shown, cut(file));
        at.refuse(message, "run `cdk synth` again")
    })
}
