//! Throttles and quotas, counted by this process for as long as it runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// How many requests are let through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Throttle {
    /// Requests a second.
    pub rate: f64,
    /// Requests at once.
    pub burst: f64,
}

/// How many requests in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// So many.
    pub limit: u64,
    /// Fewer by so many in the first period.
    pub offset: u64,
    /// In so long a time.
    pub period: Period,
}

/// The time of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

/// A bucket that fills at a rate and holds a burst.
#[derive(Debug, Clone, Copy)]
struct TokenBucket {
    tokens: f64,
    at: Timestamp,
}

/// Everything counted.
#[derive(Debug, Default)]
pub(super) struct Limits {
    buckets: Mutex<HashMap<String, TokenBucket>>,
    counts: Mutex<HashMap<String, (String, u64)>>,
}

impl Limits {
    /// Whether one more request fits a throttle.
    pub fn lets(&self, name: &str, throttle: Throttle, now: Timestamp) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // A rate or a burst of nothing lets nothing through.
        if throttle.burst < 1.0 || throttle.rate <= 0.0 {
            return false;
        }
        let bucket = buckets.entry(name.to_owned()).or_insert(TokenBucket { tokens: throttle.burst, at: now });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * throttle.rate).min(throttle.burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Whether one more request fits a quota; it is counted when it does.
    pub fn counts(&self, name: &str, quota: Quota, now: Timestamp) -> bool {
        let period = period_of(quota.period, now);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(name.to_owned()).or_insert_with(|| (period.clone(), quota.offset));
        if count.0 != period {
            *count = (period, 0);
        }
        if count.1 >= quota.limit {
            return false;
        }
        count.1 += 1;
        true
    }
}

/// The day, the week or the month a moment is in, in UTC.
fn period_of(period: Period, now: Timestamp) -> String {
    let date = now.to_zoned(TimeZone::UTC).date();
    match period {
        Period::Day => date.to_string(),
        Period::Week => {
            let back = date.weekday().since(Weekday::Monday);
            date.saturating_sub(jiff::Span::new().days(i64::from(back))).to_string()
        }
        Period::Month => format!("{}-{}", date.year(), date.month()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_throttle_lets_its_burst_through_and_fills_at_its_rate() {
        let limits = Limits::default();
        let throttle = Throttle { rate: 1.0, burst: 2.0 };
        let start = at("2026-01-01T00:00:00Z");
        assert!(limits.lets("a", throttle, start) && limits.lets("a", throttle, start));
        assert!(!limits.lets("a", throttle, start));
        assert!(limits.lets("b", throttle, start));
        assert!(limits.lets("a", throttle, at("2026-01-01T00:00:01Z")));
        assert!(!limits.lets("a", throttle, at("2026-01-01T00:00:01.5Z")));
        assert!(!limits.lets("c", Throttle { rate: 0.0, burst: 5.0 }, start));
    }

    #[test]
    fn a_quota_begins_again_with_each_period() {
        let limits = Limits::default();
        let quota = Quota { limit: 1, offset: 0, period: Period::Week };
        // The first of January 2026 is a Thursday.
        assert!(limits.counts("a", quota, at("2026-01-01T00:00:00Z")));
        assert!(!limits.counts("a", quota, at("2026-01-04T23:00:00Z")));
        assert!(limits.counts("a", quota, at("2026-01-05T00:00:00Z")));
        assert_eq!(period_of(Period::Month, at("2026-02-28T00:00:00Z")), "2026-2");
    }
}
