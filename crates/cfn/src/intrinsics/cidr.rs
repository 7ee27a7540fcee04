//! `Fn::Cidr`: a block cut into equal smaller ones.

use crate::finding::code;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Problem;

/// The most blocks `Fn::Cidr` gives (CloudFormation reference).
const MOST: u32 = 256;

/// The first `count` blocks of `bits` host bits within `block`, IPv4 or IPv6.
pub(super) fn cut(block: &str, count: u32, bits: u32) -> Result<Vec<String>, Problem> {
    let wrong = |why: String| Problem::new(code::T109, format!("Template error: Fn::Cidr {why}"));
    if !(1..=MOST).contains(&count) {
        return Err(wrong(format!("gives 1 to {MOST} blocks, not {count}")));
    }
    let parsed = block.split_once('/').and_then(|(address, prefix)| Some((address, prefix.parse::<u32>().ok()?)));
    let Some((address, prefix)) = parsed else {
        return Err(wrong(format!("needs a block such as `10.0.0.0/16`, not `{block}`")));
    };
    let (width, base) = if let Ok(v4) = address.parse::<Ipv4Addr>() {
        (32, u128::from(u32::from(v4)))
    } else if let Ok(v6) = address.parse::<Ipv6Addr>() {
        (128, u128::from(v6))
    } else {
        return Err(wrong(format!("needs a block such as `10.0.0.0/16`, not `{block}`")));
    };
    if prefix > width || bits == 0 || bits > width - prefix {
        return Err(wrong(format!("can't cut blocks of {bits} host bits from `{block}`")));
    }
    let room = width - prefix - bits;
    if room < 32 && u64::from(count) > 1_u64 << room {
        return Err(wrong(format!("can't cut {count} blocks of {bits} host bits from `{block}`")));
    }
    let first = if prefix == 0 { 0 } else { base >> (width - prefix) << (width - prefix) };
    let blocks = (0..u128::from(count)).map(|index| {
        let address = first.wrapping_add(if bits >= 128 { 0 } else { index << bits });
        if width == 32 {
            format!("{}/{}", Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX)), width - bits)
        } else {
            format!("{}/{}", Ipv6Addr::from(address), width - bits)
        }
    });
    Ok(blocks.collect())
}
