//! The stand-in for embedding models: texts that share words, or parts of words, get vectors that lie close together.

use super::text::words::{common, stem, words};

/// A vector of length 1; the same text always gets the same. A text without any word gets one, too.
pub(super) fn embed(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimension.max(1)];
    let mut any = false;
    for word in words(text) {
        any = true;
        add(&mut vector, "w", &stem(&word), if common(&word) { 0.05 } else { 1.0 });
        if !common(&word) {
            // Parts of words bring spellings and compounds together.
            let padded: Vec<char> = format!("<{word}>").chars().collect();
            for part in padded.windows(4) {
                add(&mut vector, "c", &part.iter().collect::<String>(), 0.3);
            }
        }
    }
    if !any {
        add(&mut vector, "e", text, 1.0);
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for x in &mut vector {
            *x /= length;
        }
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

/// The cosine of the angle between two vectors of length 1.
pub(super) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// A feature goes to two places, each with a sign of its own: two features seldom meet in both.
fn add(vector: &mut [f32], kind: &str, feature: &str, weight: f32) {
    let length = vector.len() as u64;
    for seed in [0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f] {
        let hash = hash(seed, kind, feature);
        let at = usize::try_from((hash >> 8) % length).unwrap_or(0);
        if let Some(place) = vector.get_mut(at) {
            *place += if hash & 1 == 0 { weight } else { -weight };
        }
    }
}

/// FNV-1a, then mixed: its low bits alone would follow the last character.
fn hash(seed: u64, kind: &str, feature: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in kind.bytes().chain([0]).chain(feature.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_the_size_asked_for_and_length_one() {
        for dimension in [256, 1024, 1536] {
            let vector = embed("A crack in the rotor hub", dimension);
            assert_eq!(vector.len(), dimension);
            assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
        }
        assert!((cosine(&embed("", 256), &embed("", 256)) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn similar_texts_are_nearer_than_others() {
        let near = |a: &str, b: &str| cosine(&embed(a, 1024), &embed(b, 1024));
        let question = "How many days of sick leave are there?";
        let right = "Employees have 12 days of paid sick leave a year.";
        let wrong = "The cafeteria opens at noon and serves soup.";
        assert!(
            near(question, right) > near(question, wrong) + 0.2,
            "{} {}",
            near(question, right),
            near(question, wrong)
        );
        assert!(near("colour photograph", "color photography") > near("colour photograph", "tax return"));
    }
}
