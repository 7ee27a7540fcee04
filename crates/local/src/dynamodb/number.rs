//! DynamoDB's numbers: decimal, 38 significant digits, positive and negative from 1E-130 to 9.99…E+125.
//! Source: "Data types" in the DynamoDB developer guide.

use std::cmp::Ordering;
use std::fmt;

/// The most significant digits.
const DIGITS: usize = 38;
/// The greatest exponent of the first digit.
const GREATEST: i32 = 125;
/// The least exponent of the first digit.
const LEAST: i32 = -130;

/// A number: `0.d₁d₂…dₙ × 10^exponent`, with neither leading nor trailing zeros; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Number {
    /// Reads a number as DynamoDB takes it.
    ///
    /// # Errors
    ///
    /// DynamoDB's words for text that is no number, and for one of too many digits or out of range.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("The parameter cannot be converted to a numeric value: {text}");
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return Err(wrong());
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let exponent = i64::from(exponent) + i64::try_from(whole.len()).unwrap_or(i64::MAX);
        Self::of(negative, digits, exponent)
    }

    /// Takes zeros away and holds it against the limits.
    fn of(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Result<Self, String> {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        exponent -= i64::try_from(leading).unwrap_or(i64::MAX);
        if digits.is_empty() {
            return Ok(Self { negative: false, digits, exponent: 0 });
        }
        if digits.len() > DIGITS {
            return Err("Attempting to store more than 38 significant digits in a Number".to_owned());
        }
        if exponent - 1 > i64::from(GREATEST) {
            return Err(
                "Number overflow. Attempting to store a number with magnitude larger than supported range".to_owned()
            );
        }
        if exponent - 1 < i64::from(LEAST) {
            return Err(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range".to_owned()
            );
        }
        Ok(Self { negative, digits, exponent: i32::try_from(exponent).unwrap_or(i32::MAX) })
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// As [`Number::parse`], when the sum is beyond a limit.
    pub fn plus(&self, other: &Self) -> Result<Self, String> {
        let end = |number: &Self| number.exponent - i32::try_from(number.digits.len()).unwrap_or(i32::MAX);
        let (low, high) = (end(self).min(end(other)), self.exponent.max(other.exponent) + 1);
        let places = usize::try_from(high - low).unwrap_or(0);
        // Least significant digit first, one digit of room for the carry.
        let column = |number: &Self| -> Vec<i8> {
            let mut column = vec![0_i8; places];
            let start = usize::try_from(end(number) - low).unwrap_or(0);
            for (place, digit) in column.iter_mut().skip(start).zip(number.digits.iter().rev()) {
                let digit = i8::try_from(*digit).unwrap_or(0);
                *place = if number.negative { -digit } else { digit };
            }
            column
        };
        let mut sum: Vec<i8> = column(self).iter().zip(column(other)).map(|(a, b)| a + b).collect();
        let negative = sum.iter().rev().find(|digit| **digit != 0).is_some_and(|digit| *digit < 0);
        let mut carry = 0;
        for digit in &mut sum {
            let value = if negative { -*digit } else { *digit } + carry;
            carry = value.div_euclid(10);
            *digit = value.rem_euclid(10);
        }
        let digits = sum.iter().rev().map(|digit| u8::try_from(*digit).unwrap_or(0)).collect();
        Self::of(negative, digits, i64::from(high))
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// As [`Number::plus`].
    pub fn minus(&self, other: &Self) -> Result<Self, String> {
        self.plus(&Self { negative: !other.negative && !other.digits.is_empty(), ..other.clone() })
    }

    /// Bytes that compare as the numbers do.
    pub fn sortable(&self) -> Vec<u8> {
        if self.digits.is_empty() {
            return vec![1];
        }
        // From -129 to 126: one byte holds it.
        let exponent = u8::try_from(self.exponent + 129).unwrap_or(u8::MAX);
        let magnitude = std::iter::once(exponent).chain(self.digits.iter().map(|digit| digit + 1));
        if self.negative {
            // The end sorts above every digit, as the shorter of two is the greater.
            std::iter::once(0).chain(magnitude.map(|byte| u8::MAX - byte)).chain([u8::MAX]).collect()
        } else {
            std::iter::once(2).chain(magnitude).collect()
        }
    }

    /// Its share of an item's size, in bytes.
    pub fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sortable().cmp(&other.sortable())
    }
}

impl fmt::Display for Number {
    /// Without an exponent, as DynamoDB gives numbers back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.negative { "-" } else { "" };
        let Ok(whole) = usize::try_from(self.exponent) else {
            let zeros = usize::try_from(-self.exponent).unwrap_or(0);
            return write!(f, "{sign}0.{}{digits}", "0".repeat(zeros));
        };
        match digits.split_at_checked(whole) {
            Some(("", fraction)) => write!(f, "{sign}0.{fraction}"),
            Some((whole, "")) => write!(f, "{sign}{whole}"),
            Some((whole, fraction)) => write!(f, "{sign}{whole}.{fraction}"),
            None => write!(f, "{sign}{digits}{}", "0".repeat(whole - digits.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect(text)
    }

    #[test]
    fn numbers_come_back_without_what_does_not_count() {
        for (given, back) in [
            ("007.500", "7.5"),
            ("-0", "0"),
            ("1e2", "100"),
            ("12.5E-3", "0.0125"),
            (".5", "0.5"),
            ("+5.", "5"),
            ("0.1", "0.1"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(number(given).to_string(), back);
        }
        assert_eq!(number("9.9e125").to_string().len(), 126);
    }

    #[test]
    fn what_is_no_number_or_beyond_the_limits_is_refused() {
        for (text, words) in [
            ("", "numeric value"),
            ("abc", "numeric value"),
            ("1.2.3", "numeric value"),
            ("--1", "numeric value"),
            ("1e", "numeric value"),
            ("NaN", "numeric value"),
            ("123456789012345678901234567890123456789", "38 significant"),
            ("1e126", "overflow"),
            ("-1e126", "overflow"),
            ("1e-131", "underflow"),
            ("1e99999999999", "numeric value"),
        ] {
            let error = Number::parse(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn sums_and_differences_are_exact() {
        for (a, b, sum, difference) in [
            ("0.1", "0.2", "0.3", "-0.1"),
            ("999", "1", "1000", "998"),
            ("-5", "5", "0", "-10"),
            ("1", "1000", "1001", "-999"),
            ("10", "0.001", "10.001", "9.999"),
            ("0", "7", "7", "-7"),
            ("-2.5", "-2.5", "-5", "0"),
        ] {
            assert_eq!(number(a).plus(&number(b)).expect("a sum").to_string(), sum);
            assert_eq!(number(a).minus(&number(b)).expect("a difference").to_string(), difference);
        }
        let error = number("1e100").plus(&number("1")).expect_err("101 digits");
        assert!(error.contains("38 significant"), "{error}");
    }

    #[test]
    fn order_is_that_of_the_numbers() {
        let ordered = [
            "-1e125", "-100", "-12", "-10.5", "-10", "-0.02", "-1e-130", "0", "1e-130", "0.2", "0.25", "1", "10",
            "10.01", "9e125",
        ];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }
}
