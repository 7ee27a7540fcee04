//! Logical ids: readable, stable, letters and digits only. And the names that services want.

use super::digest;

/// A key of the spec as the words of a logical id: `movie-poster` becomes `MoviePoster`.
///
/// Different keys can give the same words (`a-b` and `aB`); whoever puts resources together reports that.
pub(super) fn pascal(key: &str) -> String {
    key.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| {
            let mut chars = word.chars();
            chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect()
}

/// A path such as `/posters/{id}` as the words of a logical id: `PostersIdParam`. The root gives nothing.
pub(super) fn path_words(path: &str) -> String {
    path.split('/').map(segment_words).collect()
}

fn segment_words(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(parameter) => pascal(parameter) + "Param",
        None => pascal(segment),
    }
}

/// A method as a word: `GET` becomes `Get`.
pub(super) fn method_word(method: &str) -> String {
    pascal(&method.to_ascii_lowercase())
}

/// The words of a name as a service takes it: letters and digits with single hyphens between the words, at most `most`
/// characters. What is cut off to fit leaves the start of its digest behind, so that two long names stay two.
pub(super) fn service_name(words: &[&str], most: usize) -> String {
    let mut name = String::new();
    for word in words.iter().flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric())) {
        if !word.is_empty() {
            if !name.is_empty() {
                name.push('-');
            }
            name.push_str(word);
        }
    }
    if name.len() > most {
        let digest = digest::short(&name);
        name.truncate(most.saturating_sub(digest.len() + 1));
        name = format!("{}-{digest}", name.trim_end_matches('-'));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_words() {
        assert_eq!(pascal("posters"), "Posters");
        assert_eq!(pascal("movie-poster_2"), "MoviePoster2");
        assert_eq!(pascal("moviePosterDesign"), "MoviePosterDesign");
        assert_eq!(pascal("--"), "");
        assert_eq!(pascal("größe"), "GrE", "what is no letter of ASCII separates words");
    }

    #[test]
    fn services_get_names_they_take() {
        assert_eq!(service_name(&["movie-poster", "dev", "bank"], 100), "movie-poster-dev-bank");
        assert_eq!(service_name(&["a--b-", "d_e"], 100), "a-b-d-e");
        let (one, other) = (service_name(&["course", &"x".repeat(60)], 32), service_name(&["course", &"x".repeat(61)], 32));
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }

    #[test]
    fn paths_become_words() {
        assert_eq!(path_words("/moviePosterDesign"), "MoviePosterDesign");
        assert_eq!(path_words("/items/{id}/parts"), "ItemsIdParamParts");
        assert_eq!(path_words("/{proxy+}"), "ProxyParam");
        assert_eq!(path_words("/"), "");
        assert_eq!(method_word("GET"), "Get");
    }
}
