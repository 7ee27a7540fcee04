//! Every text of a spec that may hold references, with who owns it and what it may name.

use std::collections::BTreeMap;

use crate::spec::text::Text;
use crate::spec::types::{Grant, UseCase};
use crate::spec::words::escape;

/// A text and where it stands.
pub(super) struct Site<'a> {
    /// JSON pointer.
    pub pointer: String,
    pub text: &'a Text,
    /// The component it belongs to, as section and name.
    pub owner: Option<(&'static str, &'a str)>,
    /// The route whose request it describes.
    pub route: Option<RouteOf<'a>>,
}

/// What a request text needs to know of its route.
#[derive(Clone, Copy)]
pub(super) struct RouteOf<'a> {
    /// `METHOD /path`.
    pub key: &'a str,
    /// Query-string parameters a request must have.
    pub query: &'a [String],
    /// Headers a request must have.
    pub headers: &'a [String],
}

/// All of them.
pub(super) fn sites(spec: &UseCase) -> Vec<Site<'_>> {
    let mut sites = Vec::new();
    for (name, bucket) in &spec.buckets {
        let owner = Some(("buckets", name.as_str()));
        optional(&mut sites, &bucket.name, format!("/buckets/{}/name", escape(name)), owner);
    }
    for (name, function) in &spec.functions {
        let owner = Some(("functions", name.as_str()));
        let base = format!("/functions/{}", escape(name));
        optional(&mut sites, &function.name, format!("{base}/name"), owner);
        map(&mut sites, &function.environment, &format!("{base}/environment"), owner, None);
        for (index, grant) in function.uses.iter().enumerate() {
            let Grant::Statement(statement) = grant else { continue };
            for (at, text) in statement.resources.iter().enumerate() {
                let pointer = format!("{base}/uses/{index}/statement/resources/{at}");
                sites.push(Site { pointer, text, owner, route: None });
            }
        }
    }
    for (name, api) in &spec.apis {
        let owner = Some(("apis", name.as_str()));
        let base = format!("/apis/{}", escape(name));
        optional(&mut sites, &api.name, format!("{base}/name"), owner);
        optional(&mut sites, &api.stage, format!("{base}/stage"), owner);
        for (index, route) in api.routes.iter().enumerate() {
            for (key, body) in &route.0 {
                let route = RouteOf { key, query: &body.require.query, headers: &body.require.headers };
                let Some(request) = &body.request else { continue };
                let pointer = format!("{base}/routes/{index}/{}/request", escape(key));
                map(&mut sites, request, &pointer, owner, Some(route));
            }
        }
    }
    map(&mut sites, &spec.outputs, "/outputs", None, None);
    sites
}

type Owner<'a> = Option<(&'static str, &'a str)>;

fn optional<'a>(sites: &mut Vec<Site<'a>>, text: &'a Option<Text>, pointer: String, owner: Owner<'a>) {
    if let Some(text) = text {
        sites.push(Site { pointer, text, owner, route: None });
    }
}

fn map<'a>(
    sites: &mut Vec<Site<'a>>,
    texts: &'a BTreeMap<String, Text>,
    base: &str,
    owner: Owner<'a>,
    route: Option<RouteOf<'a>>,
) {
    for (key, text) in texts {
        sites.push(Site { pointer: format!("{base}/{}", escape(key)), text, owner, route });
    }
}
