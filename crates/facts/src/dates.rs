//! Days as the tables write them.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A day, `2026-11-30`, or a month, `2027-07`, whose first day it then is. Days compare in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// Reads `2026-11-30` or `2027-07`.
    pub fn parse(text: &str) -> Option<Self> {
        let full = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
        full.parse().ok().map(Day)
    }

    /// Days from `self` to `other`; negative when `other` is earlier.
    pub fn days_until(self, other: Day) -> i64 {
        self.0.until(other.0).map_or(0, |span| i64::from(span.get_days()))
    }
}

impl From<jiff::civil::Date> for Day {
    fn from(date: jiff::civil::Date) -> Self {
        Day(date)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Day::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a day such as `2026-11-30`")))
    }
}
