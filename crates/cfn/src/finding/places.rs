//! Which line of its source each part of a template comes from.

use std::collections::BTreeMap;

use super::Place;

/// The places of the parts of a template in the file it was made from, by JSON pointers into the template. A part without
/// a place of its own has that of what it is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplatePlaces(BTreeMap<String, Place>);

impl TemplatePlaces {
    /// The place of the part at a JSON pointer such as `/Resources/DesignFunction/Properties/Timeout`.
    pub fn at(&self, pointer: &str) -> Option<&Place> {
        let mut rest = pointer;
        loop {
            if let Some(place) = self.0.get(rest) {
                return Some(place);
            }
            (rest, _) = rest.rsplit_once('/')?;
        }
    }

    /// The place of what a logical id names, a resource or else a parameter.
    pub fn of(&self, id: &str) -> Option<&Place> {
        self.0.get(&format!("/Resources/{id}")).or_else(|| self.0.get(&format!("/Parameters/{id}")))
    }
}

impl FromIterator<(String, Place)> for TemplatePlaces {
    fn from_iter<I: IntoIterator<Item = (String, Place)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_has_that_of_what_it_is_in() {
        let place = |line| Place { file: "usecase.yaml".into(), line, column: 1 };
        let places: TemplatePlaces =
            [("/Resources/A".to_owned(), place(1)), ("/Resources/A/Properties/B".to_owned(), place(2))]
                .into_iter()
                .collect();
        assert_eq!(places.at("/Resources/A/Properties/B/0"), Some(&place(2)));
        assert_eq!(places.at("/Resources/A/Properties/C"), Some(&place(1)));
        assert_eq!(places.at("/Resources/B"), None);
        assert_eq!((places.of("A"), places.of("B")), (Some(&place(1)), None));
    }
}
