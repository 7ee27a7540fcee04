//! The network: its addresses and zones, the services it reaches, and who is in it.

use super::context::Rules;
use crate::finding::code;
use crate::spec::words::cut;

/// A VPC's prefix is at least this long.
const WIDEST: u32 = 16;

/// A subnet is at least a /28, and there are four in a VPC.
const NARROWEST: u32 = 26;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    let Some(network) = &spec.network else { return };
    if let Some(cidr) = &network.cidr
        && let Some((why, help)) = problem(cidr)
    {
        rules.error(code::S212, "/network/cidr", format!("`{}` {why}", cut(cidr)), help);
    }
    if let Some(zones) = network.zones.filter(|zones| !(1..=3).contains(zones)) {
        let message = format!("a network cannot have subnets in {zones} zones here");
        rules.error(code::S212, "/network/zones", message, "write 1, 2 or 3");
    }
    let inside = spec.functions.values().any(|function| function.in_network);
    let private = spec.apis.values().any(|api| api.kind == crate::spec::types::ApiKind::Private);
    let document = rules.document.to_string();
    if !inside && !private && !document.contains("${network.") {
        let message = "nothing is inside the network".to_owned();
        let help = "write `in-network: true` in a function, or remove the network: its endpoints cost by the hour";
        if !rules.is_full() {
            let finding = crate::finding::Finding::warning(code::S213, message);
            rules.push(finding, rules.positions.key_at("/network"), help);
        }
    }
}

/// What is wrong with the addresses of a VPC, and what to do.
fn problem(cidr: &str) -> Option<(&'static str, &'static str)> {
    let example = "write them as `10.0.0.0/16`";
    let Some((address, prefix)) = cidr.split_once('/') else { return Some(("is not a CIDR block", example)) };
    let Ok(address) = address.parse::<std::net::Ipv4Addr>() else { return Some(("is not a CIDR block", example)) };
    let Ok(prefix) = prefix.parse::<u32>() else { return Some(("is not a CIDR block", example)) };
    if !(WIDEST..=NARROWEST).contains(&prefix) {
        return Some((
            "is too large or too small",
            "a VPC takes /16 at most, and with less than /26 its subnets have no room",
        ));
    }
    if u32::from(address).checked_shl(prefix).unwrap_or(0) != 0 {
        return Some((
            "does not begin at the start of its block",
            "set the bits behind the prefix to 0, as in `10.0.0.0/16`",
        ));
    }
    if !address.is_private() {
        return Some((
            "is not private: addresses of the internet could not be reached",
            "take them from `10.0.0.0/8`, `172.16.0.0/12` or `192.168.0.0/16`",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn a_vpc_has_private_addresses_with_room_for_subnets() {
        for good in ["10.0.0.0/16", "172.31.0.0/20", "192.168.4.0/26"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/28", "10.0.0.1/16", "8.8.0.0/16", "300.0.0.0/16", "10.0.0.0/x"]
        {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }
}
