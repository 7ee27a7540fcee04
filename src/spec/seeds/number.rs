//! Numbers as DynamoDB keeps them.

/// The most significant digits. Source: "Data types" in the DynamoDB developer guide.
const DIGITS: usize = 38;
/// Between which powers of ten the first digit lies. Source: as above.
const POWERS: std::ops::RangeInclusive<i64> = -130..=125;

/// A decimal number without an exponent and without zeros that do not count, so that equal numbers are equal texts.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let wrong = || "it is not a number".to_owned();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return Ok("0".to_owned());
    }
    if significant.len() > DIGITS {
        return Err("a number has 38 significant digits at most".to_owned());
    }
    // How many digits stand before the point.
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let before = i64::from(exponent) + length(whole) - i64::try_from(leading).unwrap_or(i64::MAX);
    if !POWERS.contains(&(before - 1)) {
        return Err("the number is beyond what DynamoDB holds".to_owned());
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let split = usize::try_from(before).ok().and_then(|at| significant.split_at_checked(at));
    Ok(match split {
        Some(("", fraction)) => format!("{sign}0.{fraction}"),
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None if before < 0 => format!("{sign}0.{}{significant}", zeros(-before)),
        None => format!("{sign}{significant}{}", zeros(before - length(significant))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_equal_texts() {
        for (given, text) in [
            ("7", "7"),
            ("007.0", "7"),
            ("70e-1", "7"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("0.00250", "0.0025"),
            ("12.5", "12.5"),
            ("+.5", "0.5"),
            ("100", "100"),
        ] {
            assert_eq!(canonical(given).as_deref(), Ok(text), "{given}");
        }
    }

    #[test]
    fn what_dynamodb_does_not_hold_is_refused() {
        for text in ["", "-", "one", "1.2.3", "1e", "1e126", "1e-131", "0x10", &"1".repeat(39)] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }
}
