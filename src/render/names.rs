//! Logical ids: readable, stable, letters and digits only.

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
    fn paths_become_words() {
        assert_eq!(path_words("/moviePosterDesign"), "MoviePosterDesign");
        assert_eq!(path_words("/items/{id}/parts"), "ItemsIdParamParts");
        assert_eq!(path_words("/{proxy+}"), "ProxyParam");
        assert_eq!(path_words("/"), "");
        assert_eq!(method_word("GET"), "Get");
    }
}
