//! The words findings are written in.

use crate::suggestion::nearest_within;

/// The nearest of some names, or all of them, as a help text.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    const MOST_LISTED: usize = 25;
    let known: Vec<&str> = known.map(String::as_str).collect();
    match nearest_within(name, known.iter().copied(), 2.max(name.chars().count() / 3)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => {
            let list: Vec<String> = known.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
            let more = known.len().saturating_sub(MOST_LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("there is {}{more}", list.join(", "))
        }
    }
}
