//! How a model is called from a region: by its own id, or through an inference profile.
//!
//! The facts are those of `schemas/models.json`, which `scripts/make-models` takes from public tables of what Bedrock lists in
//! each region. What one of them says alone is [`Calling::Unknown`] here: nothing is refused for it.

use std::collections::BTreeSet;

use super::models::{Model, Models};

/// The profile that goes to any region: it is named last where there are others, for data stays nearer with those.
const EVERYWHERE: &str = "global";

/// How a model is called from a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calling {
    /// By its own id.
    OnDemand,
    /// Only through one of these inference profiles, by their ids.
    Profile(Vec<String>),
    /// Not at all.
    NotOffered,
    /// The table does not say.
    Unknown,
}

impl Models {
    /// How a model is called from a region.
    pub fn calling(&self, model: &Model, region: &str) -> Calling {
        let named = |regions: &[String]| regions.iter().any(|known| known == region);
        let Some(own) = &model.in_region else { return Calling::Unknown };
        if named(own) {
            return Calling::OnDemand;
        }
        if named(&model.in_region_unsure) || !named(&self.regions) {
            return Calling::Unknown;
        }
        let ids = self.profiles_from(model, region);
        if !ids.is_empty() {
            Calling::Profile(ids)
        } else if model.profiles_unsure.values().any(|regions| named(regions)) {
            Calling::Unknown
        } else {
            Calling::NotOffered
        }
    }

    /// The ids of the inference profiles by which a model is called from a region, the one that goes everywhere last.
    pub fn profiles_from(&self, model: &Model, region: &str) -> Vec<String> {
        let from = |regions: &[String]| regions.iter().any(|known| known == region);
        let mut prefixes: Vec<&str> =
            model.profiles.iter().filter(|(_, regions)| from(regions)).map(|(prefix, _)| prefix.as_str()).collect();
        prefixes.sort_by_key(|prefix| *prefix == EVERYWHERE);
        prefixes.into_iter().map(|prefix| format!("{prefix}.{}", model.id)).collect()
    }

    /// Whether a model's inference profile can be called from a region; nothing when the table does not say.
    pub fn profile_serves(&self, prefix: &str, model: &Model, region: &str) -> Option<bool> {
        let named = |regions: &[String]| regions.iter().any(|known| known == region);
        if model.profiles.get(prefix).is_some_and(|regions| named(regions)) {
            return Some(true);
        }
        let perhaps = model.profiles_unsure.get(prefix).is_some_and(|regions| named(regions));
        if perhaps || !named(&self.regions) {
            return None;
        }
        // Of a model nobody has looked at, the geography says which profiles it cannot have here.
        let nobody_knows = model.in_region.is_none() && self.geography(prefix).contains(region);
        (!nobody_knows).then_some(false)
    }

    /// The regions from which any model at all is called by profiles of a prefix.
    pub fn geography(&self, prefix: &str) -> BTreeSet<&str> {
        let of_models = self.models.iter().filter_map(|model| model.profiles.get(prefix));
        of_models.flatten().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models;

    fn calling(id: &str, region: &str) -> Calling {
        let table = models();
        table.calling(table.get(id).unwrap_or_else(|| panic!("{id} is in no row")), region)
    }

    #[test]
    fn a_model_is_called_by_its_own_id_or_a_profile() {
        assert_eq!(calling("amazon.nova-lite-v1:0", "us-east-1"), Calling::OnDemand);
        let through = |ids: &[&str]| Calling::Profile(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(calling("amazon.nova-lite-v1:0", "eu-west-1"), through(&["eu.amazon.nova-lite-v1:0"]));
        assert_eq!(
            calling("amazon.nova-2-lite-v1:0", "us-west-2"),
            through(&["us.amazon.nova-2-lite-v1:0", "global.amazon.nova-2-lite-v1:0"])
        );
        assert_eq!(calling("stability.stable-image-core-v1:1", "eu-central-1"), Calling::NotOffered);
    }

    #[test]
    fn what_nobody_or_one_alone_has_seen_is_not_known() {
        assert_eq!(calling("anthropic.claude-mythos-5-1", "us-east-1"), Calling::Unknown);
        assert_eq!(calling("amazon.nova-lite-v1:0", "xx-nowhere-1"), Calling::Unknown);
        let table = models();
        let alone = table.models.iter().flat_map(|model| model.in_region_unsure.iter().map(move |r| (model, r)));
        for (model, region) in alone {
            assert_eq!(table.calling(model, region), Calling::Unknown, "{} in {region}", model.id);
        }
    }

    #[test]
    fn a_profile_is_called_from_its_own_part_of_the_world() {
        let table = models();
        let nova = table.get("amazon.nova-2-lite-v1:0").expect("a row");
        assert_eq!(table.profile_serves("us", nova, "us-west-2"), Some(true));
        assert_eq!(table.profile_serves("eu", nova, "us-west-2"), Some(false));
        assert_eq!(table.profile_serves("au", nova, "ap-southeast-2"), Some(false), "there is no such profile");
        let mythos = table.get("anthropic.claude-mythos-5-1").expect("a row");
        assert_eq!(table.profile_serves("us", mythos, "us-east-1"), None);
        assert_eq!(table.profile_serves("eu", mythos, "us-east-1"), Some(false));
    }
}
