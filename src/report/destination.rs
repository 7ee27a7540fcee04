//! The first line of every verb that goes somewhere: where, and as whom.

use super::findings::on_one_line;
use super::reporter::{Look, VerbReport};
use super::style::paint;

/// Where a verb goes.
#[derive(Debug)]
pub struct DestinationReport<'a> {
    /// The verb.
    pub verb: &'a str,
    /// What it is about, such as a stack.
    pub what: &'a str,
    /// The address, unless it is the local target.
    pub place: Option<&'a str>,
    /// Services that answer elsewhere: the host each has at AWS, and the address in its place.
    pub own: Vec<(String, String)>,
    /// The account.
    pub account: &'a str,
    /// Who is asking there, as AWS names them.
    pub identity: &'a str,
    /// The region.
    pub region: &'a str,
    /// Where the credentials are from, unless it goes to the local target.
    pub credentials: Option<String>,
}

impl VerbReport for DestinationReport<'_> {
    fn progress(&self, look: &Look) -> String {
        let own: Vec<String> = self.own.iter().map(|(host, url)| format!("{host} at {url}")).collect();
        let own = if own.is_empty() { String::new() } else { format!(" ({})", own.join(", ")) };
        let whose = self.credentials.as_ref().map_or_else(String::new, |source| format!(", {source}"));
        let mut said = format!(
            "{} {} → {}{own}, account {}, {}{whose}",
            self.verb,
            paint(look.styles.strong, self.what),
            self.place.unwrap_or("the local target"),
            on_one_line(self.account),
            self.region
        );
        if look.verbose {
            said.push_str(&format!("\n  as {}", on_one_line(self.identity)));
        }
        said
    }
}
