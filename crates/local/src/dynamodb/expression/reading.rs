//! Reading conditions.

use std::cmp::Ordering;

use super::super::attribute::Attribute;
use super::super::error::DynamoDbError;
use super::condition::{Comparator, Condition, Operand};
use super::parser::ExpressionParser;
use super::placeholders::Placeholders;
use super::tokens::Token;

/// The types `attribute_type` asks for.
const TYPES: &[&str] = &["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"];

impl Condition {
    /// Reads one. `parameter` is what it is the value of.
    ///
    /// # Errors
    ///
    /// In DynamoDB's words.
    pub fn parse(parameter: &'static str, text: &str, placeholders: &Placeholders) -> Result<Self, DynamoDbError> {
        let mut parser = ExpressionParser::new(parameter, text, placeholders)?;
        let condition = any(&mut parser)?;
        parser.end()?;
        Ok(condition)
    }
}

/// A condition of any form, from the cursor on.
pub(super) fn any(parser: &mut ExpressionParser<'_>) -> Result<Condition, DynamoDbError> {
    let mut some = vec![all(parser)?];
    while parser.take_keyword("OR") {
        some.push(all(parser)?);
    }
    Ok(single(some, Condition::Or))
}

fn all(parser: &mut ExpressionParser<'_>) -> Result<Condition, DynamoDbError> {
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

fn negated(parser: &mut ExpressionParser<'_>) -> Result<Condition, DynamoDbError> {
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
fn is_wrapped(parser: &ExpressionParser<'_>) -> bool {
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

fn simple(parser: &mut ExpressionParser<'_>) -> Result<Condition, DynamoDbError> {
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

fn operand(parser: &mut ExpressionParser<'_>) -> Result<Operand, DynamoDbError> {
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

fn function(parser: &mut ExpressionParser<'_>, name: &str) -> Result<Condition, DynamoDbError> {
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
    let not_a_path = |parser: &ExpressionParser<'_>| {
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
