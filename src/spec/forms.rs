//! The forms of names that a spec, a project file and the command line all take.

/// What a use case may be called, as a hint.
pub const USE_CASE_NAME: &str = "use letters, digits and hyphens, starting with a letter, at most 64 characters";

/// Whether a text can be the name of a use case, see [`USE_CASE_NAME`]. It is also a folder's name.
pub fn is_use_case_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The stage deployed to where none is named.
pub const USUAL_STAGE: &str = "dev";

/// Whether a text can be the name of a stage: letters, digits and hyphens, a letter first and no hyphen last, at most 32. It
/// becomes part of the stack's name, and of names that may not end with a hyphen.
pub fn is_stage_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('-')
        && text.len() <= 32
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a text has the form of an account's number: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has the form of a region's name, such as `us-west-2` or `us-gov-east-1`; whether there is such a region
/// is a fact that ages.
pub fn is_region_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [area, middle @ .., number] => {
            area.len() == 2
                && letters(area)
                && (1..=2).contains(&middle.len())
                && middle.iter().all(letters)
                && matches!(number.as_bytes(), [b'1'..=b'9'])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_by_their_form() {
        for good in ["us-west-2", "us-gov-east-1", "ap-southeast-4"] {
            assert!(is_region_name(good), "{good}");
        }
        for bad in ["", "bogus", "us west;2", "us-west-", "US-west-2", "us-west-12"] {
            assert!(!is_region_name(bad), "{bad}");
        }
    }

    #[test]
    fn stages_become_part_of_a_stack_name() {
        for good in ["dev", "prod", "v2", "Team-1"] {
            assert!(is_stage_name(good), "{good}");
        }
        for bad in ["", "a b", "x_y", "ä", "2nd", "-x", "dev-"] {
            assert!(!is_stage_name(bad), "{bad}");
        }
        assert!(!is_stage_name(&"s".repeat(33)));
    }
}
