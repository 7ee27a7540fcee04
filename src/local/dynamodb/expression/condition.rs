//! Conditions and filters.

use std::cmp::Ordering;

use super::super::attribute::{Attribute, Item};
use super::super::error::Refused;
use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::tokens::Token;

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

/// The types `attribute_type` asks for.
const TYPES: &[&str] = &["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"];

impl Condition {
    /// Reads one. `parameter` is what it is the value of.
    ///
    /// # Errors
    ///
    /// In DynamoDB's words.
    pub fn parse(parameter: &'static str, text: &str, placeholders: &Placeholders) -> Result<Self, Refused> {
        let mut parser = Parser::new(parameter, text, placeholders)?;
        let condition = any(&mut parser)?;
        parser.end()?;
        Ok(condition)
    }

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

fn any(parser: &mut Parser<'_>) -> Result<Condition, Refused> {
    let mut some = vec![all(parser)?];
    while parser.take_keyword("OR") {
        some.push(all(parser)?);
    }
    Ok(single(some, Condition::Or))
}

fn all(parser: &mut Parser<'_>) -> Result<Condition, Refused> {
    let mut all = vec![negated(parser)?];
    while parser.take_keyword("AND") {
        all.push(negated(parser)?);
    }
    Ok(single(all, Condition::And))
}

fn single(mut conditions: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(one), true) => one,
        (Some(last), false) => {
            conditions.push(last);
            several(conditions)
        }
        (None, _) => several(conditions),
    }
}

fn negated(parser: &mut Parser<'_>) -> Result<Condition, Refused> {
    if parser.take_keyword("NOT") {
        return parser.deeper(|parser| Ok(Condition::Not(Box::new(negated(parser)?))));
    }
    if parser.take_sign("(") {
        if matches!(parser.peek(), Some(Token::Sign("("))) && is_wrapped(parser) {
            return Err(parser.invalid("The expression has redundant parentheses;"));
        }
        return parser.deeper(|parser| {
            let condition = any(parser)?;
            parser.sign(")")?;
            Ok(condition)
        });
    }
    simple(parser)
}

/// Whether the parenthesis at the cursor is closed right before another closing one.
fn is_wrapped(parser: &Parser<'_>) -> bool {
    let mut open = 0_usize;
    let mut ahead = parser.ahead().peekable();
    while let Some(token) = ahead.next() {
        match token {
            Token::Sign("(") => open += 1,
            Token::Sign(")") => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return matches!(ahead.peek(), Some(Token::Sign(")")));
                }
            }
            _ => {}
        }
    }
    false
}

fn simple(parser: &mut Parser<'_>) -> Result<Condition, Refused> {
    match parser.function().as_deref() {
        None | Some("size") => {}
        Some(name) => return function(parser, name),
    }
    let one = operand(parser)?;
    if parser.take_keyword("BETWEEN") {
        let low = operand(parser)?;
        if !parser.take_keyword("AND") {
            return Err(parser.syntax());
        }
        let high = operand(parser)?;
        if let (Operand::Value(low), Operand::Value(high)) = (&low, &high)
            && low.order(high).is_some_and(Ordering::is_gt)
        {
            return Err(parser.invalid(&format!(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
                 operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
                low.json(),
                high.json()
            )));
        }
        return Ok(Condition::Between(one, low, high));
    }
    if parser.take_keyword("IN") {
        parser.sign("(")?;
        let mut several = vec![operand(parser)?];
        while parser.take_sign(",") {
            several.push(operand(parser)?);
        }
        parser.sign(")")?;
        // Source: the comparator reference in the developer guide.
        if several.len() > 100 {
            return Err(parser.invalid(&format!(
                "Invalid number of operands for operator or function; operator or function: IN, number of operands: {}",
                several.len() + 1
            )));
        }
        return Ok(Condition::In(one, several));
    }
    let comparators = [
        ("=", Comparator::Equal),
        ("<>", Comparator::NotEqual),
        ("<=", Comparator::LessOrEqual),
        ("<", Comparator::Less),
        (">=", Comparator::GreaterOrEqual),
        (">", Comparator::Greater),
    ];
    for (sign, comparator) in comparators {
        if parser.take_sign(sign) {
            return Ok(Condition::Compare(comparator, one, operand(parser)?));
        }
    }
    Err(parser.syntax())
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, Refused> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    match parser.function().as_deref() {
        Some("size") => {
            parser.skip();
            parser.sign("(")?;
            let path = parser.path()?;
            parser.sign(")")?;
            Ok(Operand::Size(path))
        }
        Some(name) => Err(parser
            .invalid(&format!("The function is not allowed to be used this way in an expression; function: {name}"))),
        None => Ok(Operand::Path(parser.path()?)),
    }
}

fn function(parser: &mut Parser<'_>, name: &str) -> Result<Condition, Refused> {
    let known = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];
    if !known.contains(&name) {
        return Err(parser.invalid(&format!("Invalid function name; function: {name}")));
    }
    parser.skip();
    parser.sign("(")?;
    let mut operands = vec![operand(parser)?];
    while parser.take_sign(",") {
        operands.push(operand(parser)?);
    }
    parser.sign(")")?;
    let number = operands.len();
    let mut operands = operands.into_iter();
    let not_a_path = |parser: &Parser<'_>| {
        parser.invalid(&format!("Operator or function requires a document path; operator or function: {name}"))
    };
    match (name, operands.next(), operands.next(), operands.next()) {
        ("attribute_exists", Some(Operand::Path(path)), None, _) => Ok(Condition::Exists(path)),
        ("attribute_not_exists", Some(Operand::Path(path)), None, _) => Ok(Condition::NotExists(path)),
        ("attribute_type", Some(Operand::Path(path)), Some(Operand::Value(Attribute::S(kind))), None) => {
            if TYPES.contains(&kind.as_str()) {
                Ok(Condition::Type(path, kind))
            } else {
                Err(parser.invalid(&format!(
                    "Invalid attribute type name found; type: {kind}, valid types: {{{}}}",
                    TYPES.join(",")
                )))
            }
        }
        ("begins_with", Some(one), Some(Operand::Value(start)), None)
            if !matches!(start, Attribute::S(_) | Attribute::B(_)) =>
        {
            let _ = one;
            Err(parser.invalid(&format!(
                "Incorrect operand type for operator or function; operator or function: begins_with, operand type: {}",
                start.kind()
            )))
        }
        ("begins_with", Some(one), Some(start), None) => Ok(Condition::BeginsWith(one, start)),
        ("contains", Some(one), Some(part), None) => Ok(Condition::Contains(one, part)),
        ("attribute_exists" | "attribute_not_exists", Some(_), None, _)
        | ("attribute_type", Some(_), Some(_), None) => Err(not_a_path(parser)),
        _ => Err(parser.invalid(&format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: \
             {number}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::attribute::read_item;
    use super::*;

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
