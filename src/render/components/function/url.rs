//! The URL of a function, and who may call it.

use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::ids::{alias_id, function_id};
use crate::render::references::{References, function_target};
use crate::spec::{Cors, Function, UrlAuth};

pub(super) fn url_id(name: &str) -> String {
    function_id(name) + "Url"
}

/// With IAM, the callers' own policies say who may call within the account; a URL open to all needs the function's word
/// for the URL and, by it, for the function.
pub(super) fn add(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    name: &str,
    function: &Function,
    pointer: &str,
) {
    let Some(url) = &function.url else { return };
    let id = url_id(name);
    let auth = match url.auth {
        UrlAuth::Iam => "AWS_IAM",
        UrlAuth::None => "NONE",
    };
    let alias = format!("{pointer}/alias");
    let pointer = format!("{pointer}/url");
    let data = PartialData::new(&pointer)
        .made("function_id", function_id(name))
        .said("alias_id", &alias, function.alias.as_ref().map(|_| alias_id(name)))
        .said("alias", &alias, &function.alias)
        .made("target", function_target(references, name).value())
        .said("auth", "auth", auth)
        .said("open", "auth", url.auth == UrlAuth::None)
        .part("cors", url.cors.as_ref().map(|it| cors(&format!("{pointer}/cors"), it)))
        .made("permission_id", format!("{id}Permission"))
        .made("call_permission_id", format!("{id}CallPermission"))
        .made("output_id", &id)
        .made("id", &id);
    assembly.add("function-url", data);
}

fn cors(pointer: &str, cors: &Cors) -> PartialData {
    let methods = if cors.methods.is_empty() { &ALL } else { &cors.methods };
    let lists = [
        ("AllowOrigins", "origins", &cors.origins),
        ("AllowMethods", "methods", methods),
        ("AllowHeaders", "headers", &cors.headers),
    ];
    let lists = lists.into_iter().filter(|(_, _, items)| !items.is_empty());
    let data = lists.fold(PartialData::new(pointer), |data, (name, key, items)| data.said(name, key, items));
    match cors.max_age {
        Some(age) => data.said("MaxAge", "max-age", age.0),
        None => data,
    }
}

/// A function's URL has no routes to take the methods from.
static ALL: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| vec!["*".to_owned()]);
