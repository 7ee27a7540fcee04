//! Which characters drive a terminal instead of showing themselves.

/// Whether a character does something else than show itself: control characters, and those that turn the direction of what
/// follows or end a line for some readers.
pub fn drives_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
