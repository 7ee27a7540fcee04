//! The provider schemas' findings, at the line of the spec they come from.

use serde_json::Value;

use crate::cfn::validate;
use crate::finding::Finding;
use crate::render::Rendered;
use crate::spec::LoadedSpec;

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, region: Option<&str>, findings: &mut Vec<Finding>) {
    for finding in validate(&rendered.template, region) {
        let place = finding.template_path.as_deref().and_then(|path| rendered.place(loaded, path));
        findings.push(match place {
            Some(place) => finding.at(Some(place)),
            None => finding,
        });
    }
}
<<<<<<< HEAD

/// The place in the spec of a path in the template, such as `Resources/DesignFunction/Properties/Timeout`.
pub(super) fn place(loaded: &LoadedSpec, rendered: &Rendered, path: &str) -> Option<Place> {
    let mut segments = path.trim_start_matches('/').split('/');
    let section = segments.next()?;
    if section == "Description" {
        return loaded.place("/description");
    }
    let id = segments.next()?;
    let origin = rendered.origins.get(id).filter(|_| ["Resources", "Parameters"].contains(&section))?;
    if origin.starts_with("/resources/") {
        // A raw resource stands in the spec as it stands in the template.
        let rest: String = segments.map(|segment| format!("/{segment}")).collect();
        return match rest.is_empty() {
            true => loaded.key_place(origin),
            false => loaded.place(&format!("{origin}{rest}")),
        };
    }
    let rest: Vec<&str> = segments.skip_while(|segment| *segment == "Properties").collect();
    let type_ = rendered.template.resource(id).map_or("", |resource| resource.type_);
    match field(type_, &rest).map(|key| format!("{origin}/{key}")) {
        Some(pointer) => loaded.place(&pointer),
        None => loaded.key_place(origin),
    }
}

/// A template made elsewhere, whose findings have lines of its own file.
struct Outside {
    file: String,
    value: Value,
    positions: Positions,
}

impl Outside {
    /// The template of a spec that has one.
    fn of(loaded: &LoadedSpec) -> Option<Self> {
        let path = loaded.spec.template.as_ref()?;
        let document = yaml::parse_cloudformation(loaded.files.get("/template")?).ok()?;
        Some(Self { file: loaded.beside(path), value: document.value, positions: document.positions })
    }

    /// The place of what came from it.
    fn place(&self, rendered: &Rendered, path: &str) -> Option<Place> {
        let path = path.trim_start_matches('/');
        let mut segments = path.split('/');
        let (section, id) = (segments.next()?, segments.next()?);
        let from_here = match section {
            "Resources" | "Parameters" => rendered.origins.get(id).is_some_and(|origin| origin == "/template"),
            // What it has of these sections no component has: the same name twice would have been refused.
            _ => self.value.pointer(&format!("/{section}/{id}")).is_some(),
        };
        let (line, column) = self.positions.at(&format!("/{path}")).filter(|_| from_here)?;
        Some(Place { file: self.file.clone(), line, column })
    }
}

fn field(type_: &str, path: &[&str]) -> Option<String> {
    FIELDS.iter().find_map(|(of, property, key)| {
        let property: Vec<&str> = property.split('/').collect();
        let rest = path.strip_prefix(property.as_slice()).filter(|_| *of == type_)?;
        Some(match (key.ends_with('/'), rest.first()) {
            (true, Some(next)) => format!("{key}{}", escape(next)),
            _ => key.trim_end_matches('/').to_owned(),
        })
    })
}
=======
>>>>>>> main
