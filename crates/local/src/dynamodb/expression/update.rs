//! Reading updates.

use super::super::attribute::Attribute;
use super::super::error::DynamoDbError;
use super::parser::ExpressionParser;
use super::path::{Path, apart};
use super::placeholders::Placeholders;
use super::tokens::Token;

/// An update of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    pub(super) sets: Vec<(Path, NewValue)>,
    pub(super) removes: Vec<Path>,
    pub(super) adds: Vec<(Path, Attribute)>,
    pub(super) deletes: Vec<(Path, Attribute)>,
}

/// What a `SET` sets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NewValue {
    One(UpdateSource),
    Sum(UpdateSource, UpdateSource),
    Difference(UpdateSource, UpdateSource),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UpdateSource {
    Path(Path),
    Value(Attribute),
    IfNotExists(Path, Box<UpdateSource>),
    ListAppend(Box<UpdateSource>, Box<UpdateSource>),
}

impl Update {
    /// Reads an `UpdateExpression`.
    ///
    /// # Errors
    ///
    /// In DynamoDB's words.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, DynamoDbError> {
        let mut parser = ExpressionParser::new("UpdateExpression", text, placeholders)?;
        let mut update = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(token) = parser.peek() {
            let Some(clause) = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|it| token.is_keyword(it)) else {
                return Err(parser.syntax());
            };
            if seen.contains(&clause) {
                return Err(
                    parser.invalid(&format!("The \"{clause}\" section can only be used once in an update expression;"))
                );
            }
            seen.push(clause);
            parser.skip();
            loop {
                match clause {
                    "SET" => {
                        let path = parser.path()?;
                        parser.sign("=")?;
                        update.sets.push((path, new_value(&mut parser)?));
                    }
                    "REMOVE" => update.removes.push(parser.path()?),
                    "ADD" => update.adds.push(changed(&mut parser, "ADD", &["N", "SS", "NS", "BS"])?),
                    _ => update.deletes.push(changed(&mut parser, "DELETE", &["SS", "NS", "BS"])?),
                }
                if !parser.take_sign(",") {
                    break;
                }
            }
        }
        apart(&update.paths()).map_err(|words| parser.invalid(&words))?;
        Ok(update)
    }

    /// Every path it changes.
    pub fn paths(&self) -> Vec<Path> {
        let sets = self.sets.iter().map(|(path, _)| path);
        let others = self.adds.iter().chain(&self.deletes).map(|(path, _)| path);
        sets.chain(&self.removes).chain(others).cloned().collect()
    }
}

fn new_value(parser: &mut ExpressionParser<'_>) -> Result<NewValue, DynamoDbError> {
    let one = source(parser)?;
    if parser.take_sign("+") {
        return Ok(NewValue::Sum(one, source(parser)?));
    }
    if parser.take_sign("-") {
        return Ok(NewValue::Difference(one, source(parser)?));
    }
    Ok(NewValue::One(one))
}

fn source(parser: &mut ExpressionParser<'_>) -> Result<UpdateSource, DynamoDbError> {
    if let Some(value) = parser.value()? {
        return Ok(UpdateSource::Value(value));
    }
    let Some(function) = parser.function() else { return Ok(UpdateSource::Path(parser.path()?)) };
    let known = ["if_not_exists", "list_append"];
    if !known.contains(&function.as_str()) {
        return Err(parser.invalid(&if matches!(parser.peek(), Some(Token::Word(word)) if is_of_conditions(word)) {
            format!("The function is not allowed in an update expression; function: {function}")
        } else {
            format!("Invalid function name; function: {function}")
        }));
    }
    parser.skip();
    parser.deeper(|parser| {
        parser.sign("(")?;
        let read = if function == "if_not_exists" {
            if !matches!(parser.peek(), Some(Token::Word(_) | Token::Name(_))) || parser.function().is_some() {
                return Err(parser
                    .invalid("Operator or function requires a document path; operator or function: if_not_exists"));
            }
            let path = parser.path()?;
            parser.sign(",")?;
            UpdateSource::IfNotExists(path, Box::new(source(parser)?))
        } else {
            let one = source(parser)?;
            parser.sign(",")?;
            UpdateSource::ListAppend(Box::new(one), Box::new(source(parser)?))
        };
        parser.sign(")")?;
        Ok(read)
    })
}

fn is_of_conditions(word: &str) -> bool {
    ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"].contains(&word)
}

/// A path and the value that is added to it or deleted from it.
fn changed(
    parser: &mut ExpressionParser<'_>,
    operator: &str,
    kinds: &[&str],
) -> Result<(Path, Attribute), DynamoDbError> {
    let path = parser.path()?;
    let Some(value) = parser.value()? else { return Err(parser.syntax()) };
    if !kinds.contains(&value.kind()) {
        return Err(parser.invalid(&format!(
            "Incorrect operand type for operator or function; operator: {operator}, operand type: {}, typeSet: {}",
            value.kind(),
            if operator == "ADD" { "ALLOWED_FOR_ADD_OPERAND" } else { "ALLOWED_FOR_DELETE_OPERAND" }
        )));
    }
    Ok((path, value))
}
