//! IAM wildcards: `*` for any characters, `?` for one.

/// Whether a text fits a pattern. Takes time in the product of both lengths at worst.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut steps = usize::MAX;
    glob(pattern, text, &mut steps, |p, t| p == '?' || p == t)
}

/// Whether everything that fits `inner` fits `outer`. Says no where telling would need more than walking both once, such
/// as `outer` `*a*` over `inner` `?a`-like puzzles; a no only ever asks a person to look.
pub fn covers(outer: &str, inner: &str) -> bool {
    let mut steps = usize::MAX;
    covers_within(outer, inner, &mut steps)
}

/// As [`covers`], in no more than so many steps, which are taken off; a no also when they are used up.
pub(super) fn covers_within(outer: &str, inner: &str, steps: &mut usize) -> bool {
    // A `*` of the inner pattern is one character here that only a `*` of the outer one takes.
    glob(outer, inner, steps, |o, i| (o == '?' && i != '*') || (o == i && o != '*'))
}

fn glob(pattern: &str, text: &str, steps: &mut usize, same: impl Fn(char, char) -> bool) -> bool {
    *steps = steps.saturating_sub(pattern.len().saturating_add(text.len()));
    // Most pairs differ before the first wildcard.
    let literal = pattern.find(['*', '?']).and_then(|end| pattern.get(..end)).unwrap_or(pattern);
    if !text.starts_with(literal) {
        return false;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        let Some(left) = steps.checked_sub(1) else { return false };
        *steps = left;
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&wanted) if same(wanted, c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_match() {
        assert!(matches("s3:Get*", "s3:GetObject"));
        assert!(matches("arn:*:s3:::b/*.png", "arn:aws:s3:::b/x/y.png"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac"));
        assert!(!matches("s3:Get*", "s3:PutObject"));
        assert!(matches("*", ""));
    }

    #[test]
    fn wider_patterns_cover_narrower() {
        assert!(covers("*", "s3:*") && covers("s3:*", "s3:Get*") && covers("a/*", "a/b/*") && covers("a?", "ab"));
        assert!(!covers("s3:Get*", "s3:*") && !covers("a?", "a*") && !covers("a/b", "a/?") && !covers("ab*", "a*"));
    }

    proptest! {
        #[test]
        fn what_is_covered_matches(outer in "[ab*?]{0,6}", inner in "[ab*?]{0,6}", text in "[ab]{0,8}") {
            if covers(&outer, &inner) && matches(&inner, &text) {
                prop_assert!(matches(&outer, &text));
            }
        }
    }
}
