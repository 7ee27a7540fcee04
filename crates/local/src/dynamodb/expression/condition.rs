//! Conditions and filters.

use std::cmp::Ordering;

use super::super::attribute::{Attribute, Item};
use super::path::Path;

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// What is at a path.
    Path(Path),
    /// A value of the request.
    Value(Attribute),
    /// The size of what is at a path.
    Size(Path),
}

/// How two are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A condition on an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison.
    Compare(Comparator, Operand, Operand),
    /// Not below the second and not above the third.
    Between(Operand, Operand, Operand),
    /// Equal to one of them.
    In(Operand, Vec<Operand>),
    /// `attribute_exists`
    Exists(Path),
    /// `attribute_not_exists`
    NotExists(Path),
    /// `attribute_type`
    Type(Path, String),
    /// `begins_with`
    BeginsWith(Operand, Operand),
    /// `contains`
    Contains(Operand, Operand),
}

impl Condition {
    /// Whether it holds for an item; one that is not there has no attributes.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(item)),
            Self::Or(some) => some.iter().any(|one| one.holds(item)),
            Self::Not(one) => !one.holds(item),
            Self::Compare(comparator, one, two) => {
                match (one.value(item), two.value(item)) {
                    (Some(one), Some(two)) => compare(*comparator, &one, &two),
                    // Something that is not there differs from everything, and compares with nothing.
                    _ => *comparator == Comparator::NotEqual,
                }
            }
            Self::Between(one, low, high) => match (one.value(item), low.value(item), high.value(item)) {
                (Some(one), Some(low), Some(high)) => {
                    one.order(&low).is_some_and(Ordering::is_ge) && one.order(&high).is_some_and(Ordering::is_le)
                }
                _ => false,
            },
            Self::In(one, several) => {
                one.value(item).is_some_and(|one| several.iter().any(|other| other.value(item).as_ref() == Some(&one)))
            }
            Self::Exists(path) => path.find(item).is_some(),
            Self::NotExists(path) => path.find(item).is_none(),
            Self::Type(path, kind) => path.find(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(one, start) => match (one.value(item), start.value(item)) {
                (Some(Attribute::S(text)), Some(Attribute::S(start))) => text.starts_with(&start),
                (Some(Attribute::B(bytes)), Some(Attribute::B(start))) => bytes.starts_with(&start),
                _ => false,
            },
            Self::Contains(one, part) => match (one.value(item), part.value(item)) {
                (Some(one), Some(part)) => contains(&one, &part),
                _ => false,
            },
        }
    }

    /// The first path in it that begins with one of these attributes.
    pub fn mentions(&self, attribute: &dyn Fn(&str) -> bool) -> Option<String> {
        let of = |operands: &[&Operand]| {
            operands.iter().find_map(|operand| match operand {
                Operand::Path(path) | Operand::Size(path) if attribute(path.attribute()) => {
                    Some(path.attribute().to_owned())
                }
                _ => None,
            })
        };
        match self {
            Self::And(several) | Self::Or(several) => several.iter().find_map(|one| one.mentions(attribute)),
            Self::Not(one) => one.mentions(attribute),
            Self::Compare(_, one, two) | Self::BeginsWith(one, two) | Self::Contains(one, two) => of(&[one, two]),
            Self::Between(one, low, high) => of(&[one, low, high]),
            Self::In(one, several) => of(&[one]).or_else(|| of(&several.iter().collect::<Vec<_>>())),
            Self::Exists(path) | Self::NotExists(path) | Self::Type(path, _) => {
                attribute(path.attribute()).then(|| path.attribute().to_owned())
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Item) -> Option<Attribute> {
        match self {
            Self::Path(path) => path.find(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => {
                let size = path.find(item)?.size()?;
                super::super::number::Number::parse(&size.to_string()).ok().map(Attribute::N)
            }
        }
    }
}

fn compare(comparator: Comparator, one: &Attribute, two: &Attribute) -> bool {
    let order = || one.order(two);
    match comparator {
        Comparator::Equal => one == two,
        Comparator::NotEqual => one != two,
        Comparator::Less => order().is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => order().is_some_and(Ordering::is_le),
        Comparator::Greater => order().is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
    }
}

fn contains(one: &Attribute, part: &Attribute) -> bool {
    match (one, part) {
        (Attribute::S(text), Attribute::S(part)) => text.contains(part.as_str()),
        (Attribute::B(bytes), Attribute::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part.as_slice())
        }
        (Attribute::Ss(set), Attribute::S(entry)) => set.contains(entry),
        (Attribute::Ns(set), Attribute::N(entry)) => set.contains(entry),
        (Attribute::Bs(set), Attribute::B(entry)) => set.contains(entry),
        (Attribute::L(entries), entry) => entries.contains(entry),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::attribute::read_item;
    use super::super::placeholders::Placeholders;
    use super::*;
    use crate::protocol::aws_json::JsonError as _;

    fn values() -> Value {
        json!({"ExpressionAttributeValues": {
            ":one": {"N": "1"}, ":two": {"N": "2"}, ":ten": {"N": "10"}, ":a": {"S": "a"}, ":s": {"S": "S"}, ":ab": {"S": "ab"}}})
    }

    fn read(text: &str) -> Result<Condition, String> {
        let placeholders = Placeholders::read(&values(), &[("FilterExpression", true)]).expect("values");
        Condition::parse("FilterExpression", text, &placeholders)
            .map_err(|refused| refused.answer().1["message"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn conditions_hold_as_the_developer_guide_says() {
        let item = json!({
            "n": {"N": "1.0"}, "t": {"S": "abc"}, "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "a"}}}]}, "s": {"SS": ["a"]}});
        let item = read_item(&item).expect("an item");
        for (text, holds) in [
            ("n = :one", true),
            ("n <> :one", false),
            ("n < :ten AND n >= :one", true),
            ("n = :a", false),
            ("n <> :a", true),
            ("gone = :one", false),
            ("gone <> :one", true),
            ("NOT gone = :one", true),
            ("n = :two OR n = :one AND t = :a", false),
            ("(n = :two OR n = :one) AND t <> :a", true),
            ("n between :one and :two", true),
            ("n BETWEEN :two AND :ten", false),
            ("n IN (:two, :one)", true),
            ("attribute_exists(l[1].x) AND attribute_not_exists(l[2])", true),
            ("attribute_type(t, :s)", true),
            ("begins_with(t, :ab)", true),
            ("contains(t, :ab)", true),
            ("contains(s, :a)", true),
            ("contains(l, :one)", true),
            ("l[1].x = :a", true),
            ("size(t) > :two", true),
            ("size(n) > :two", false),
        ] {
            assert_eq!(read(text).expect(text).holds(&item), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for (text, words) in [
            ("n =", "token: \"<EOF>\", near: \"=\""),
            ("n", "Syntax error"),
            ("n = :one n", "token: \"n\""),
            ("((n = :one))", "redundant parentheses"),
            ("status = :one", "reserved keyword: status"),
            ("n = :none", "attribute value: :none"),
            ("attribute_exists(:one)", "requires a document path"),
            ("exists(n)", "Invalid function name; function: exists"),
            ("begins_with(t)", "Incorrect number of operands"),
            ("begins_with(t, :one)", "Incorrect operand type"),
            ("attribute_type(t, :a)", "Invalid attribute type name"),
            ("n BETWEEN :ten AND :two", "upper bound"),
            ("size(t)", "Syntax error"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
        let deep = format!("{}n = :one", "NOT ".repeat(500));
        assert!(read(&deep).expect_err("deep").contains("nested too deep"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([a-z#:()\\[\\]., <>=+-]|NOT |AND |SET |size\\(|:a|é|[0-9]){0,60}") {
            let placeholders = Placeholders::read(&values(), &[("FilterExpression", true)]).expect("values");
            let item = read_item(&json!({"a": {"L": [{"M": {"b": {"N": "1"}}}]}})).expect("an item");
            if let Ok(condition) = Condition::parse("FilterExpression", &text, &placeholders) {
                condition.holds(&item);
            }
            if let Ok(update) = super::super::Update::parse(&text, &placeholders) {
                let _ = update.apply(&item);
            }
        }
    }
}
