//! What all expressions share: the cursor over their tokens, document paths, reserved words.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::super::attribute::Attribute;
use super::super::error::DynamoDbError;
use super::path::{Path, PathStep};
use super::placeholders::Placeholders;
use super::tokens::{Token, tokens};

/// The longest expression, in bytes. Source: quotas in the DynamoDB developer guide.
const LONGEST: usize = 4096;
/// How deep an expression may nest; DynamoDB sets no limit but that of its length and operators.
const DEPTH: usize = 64;

#[derive(Deserialize)]
struct Reserved {
    words: BTreeSet<String>,
}

static RESERVED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let read: Result<Reserved, _> =
        serde_json::from_str(include_str!("../../../../../schemas/local/dynamodb-words.json"));
    read.map(|reserved| reserved.words).unwrap_or_default()
});

/// A cursor over one expression.
pub(super) struct ExpressionParser<'a> {
    /// The parameter it is the value of, such as `ConditionExpression`.
    parameter: &'static str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    placeholders: &'a Placeholders,
}

impl<'a> ExpressionParser<'a> {
    pub(super) fn new(
        parameter: &'static str,
        text: &str,
        placeholders: &'a Placeholders,
    ) -> Result<Self, DynamoDbError> {
        let parser = Self { parameter, tokens: tokens(text), at: 0, depth: 0, placeholders };
        if parser.tokens.is_empty() {
            return Err(parser.invalid("The expression can not be empty;"));
        }
        if text.len() > LONGEST {
            return Err(parser.invalid(&format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        Ok(parser)
    }

    pub(super) fn invalid(&self, message: &str) -> DynamoDbError {
        DynamoDbError::invalid(format!("Invalid {}: {message}", self.parameter))
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn peek_after(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1)
    }

    /// Everything from the cursor on.
    pub(super) fn ahead(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().skip(self.at)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// The token at the cursor is not what may stand there.
    pub(super) fn syntax(&self) -> DynamoDbError {
        let near = self.tokens.iter().skip(self.at.saturating_sub(1)).take(3).map(Token::text).collect::<Vec<_>>();
        let token = self.peek().map_or_else(|| "<EOF>".to_owned(), Token::text);
        self.invalid(&format!("Syntax error; token: \"{token}\", near: \"{}\"", near.join(" ")))
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(at)) if *at == sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_keyword(keyword));
        self.at += usize::from(found);
        found
    }

    pub(super) fn sign(&mut self, sign: &str) -> Result<(), DynamoDbError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.syntax()) }
    }

    pub(super) fn end(&self) -> Result<(), DynamoDbError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.syntax()) }
    }

    /// Carries work out one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, DynamoDbError>,
    ) -> Result<T, DynamoDbError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.invalid("The expression is nested too deep"));
        }
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// The name of a function at the cursor: a word with a parenthesis after it.
    pub(super) fn function(&self) -> Option<String> {
        match (self.peek(), self.peek_after()) {
            (Some(Token::Word(word)), Some(Token::Sign("("))) => Some(word.clone()),
            _ => None,
        }
    }

    /// A `:value`, if one is at the cursor.
    pub(super) fn value(&mut self) -> Result<Option<Attribute>, DynamoDbError> {
        let Some(Token::Value(name)) = self.peek() else { return Ok(None) };
        let value = self.placeholders.value(name).ok_or_else(|| {
            self.invalid(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {name}"
            ))
        })?;
        self.skip();
        Ok(Some(value))
    }

    /// A document path.
    pub(super) fn path(&mut self) -> Result<Path, DynamoDbError> {
        let mut steps = vec![PathStep::Name(self.step_name()?)];
        loop {
            if self.take_sign(".") {
                steps.push(PathStep::Name(self.step_name()?));
            } else if self.take_sign("[") {
                let Some(Token::Digits(digits)) = self.peek() else { return Err(self.syntax()) };
                let index = digits.parse().map_err(|_| {
                    self.invalid(&format!("List index is not within the allowable range; index: [{digits}]"))
                })?;
                self.skip();
                self.sign("]")?;
                steps.push(PathStep::Index(index));
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn step_name(&mut self) -> Result<String, DynamoDbError> {
        let name = match self.peek() {
            Some(Token::Word(word)) if RESERVED.contains(&word.to_ascii_uppercase()) => {
                return Err(self.invalid(&format!("Attribute name is a reserved keyword; reserved keyword: {word}")));
            }
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Name(name)) => self.placeholders.name(name).ok_or_else(|| {
                self.invalid(&format!(
                    "An expression attribute name used in the document path is not defined; attribute name: {name}"
                ))
            })?,
            _ => return Err(self.syntax()),
        };
        self.skip();
        Ok(name)
    }
}

/// The paths of a `ProjectionExpression`.
///
/// # Errors
///
/// When it can't be read, or two of them overlap.
pub fn projection(text: &str, placeholders: &Placeholders) -> Result<Vec<Path>, DynamoDbError> {
    let mut parser = ExpressionParser::new("ProjectionExpression", text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.take_sign(",") {
        paths.push(parser.path()?);
    }
    parser.end()?;
    super::path::apart(&paths).map_err(|words| parser.invalid(&words))?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::aws_json::JsonError as _;

    #[test]
    fn reserved_words_are_known() {
        assert_eq!(RESERVED.len(), 573);
        let words = Placeholders::default();
        let error = projection("id, name", &words).expect_err("`name` is reserved");
        assert_eq!(
            error.answer().1["message"],
            "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name"
        );
    }

    #[test]
    fn paths_are_read_with_their_placeholders() {
        let names = json!({"ExpressionAttributeNames": {"#n": "a.b"}});
        let names = Placeholders::read(&names, &[("ProjectionExpression", true)]).expect("names");
        let paths = projection("id, #n.c[2][0] , x_1", &names).expect("paths");
        let shown: Vec<String> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["[id]", "[a.b, c, [2], [0]]", "[x_1]"]);
        names.all_used().expect("used");
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_place() {
        let none = Placeholders::default();
        for (text, words) in [
            ("", "can not be empty"),
            ("id,", "token: \"<EOF>\", near: \",\""),
            ("a b", "token: \"b\", near: \"a b\""),
            ("a[x]", "token: \"x\""),
            ("a[99999999999999999999999]", "List index"),
            ("#n", "is not defined; attribute name: #n"),
            ("id, id", "Two document paths overlap"),
            ("m.a, m", "Two document paths overlap"),
            ("a;b", "token: \";\""),
        ] {
            let error = projection(text, &none).expect_err(text);
            let message = error.answer().1["message"].to_string().replace("\\\"", "\"");
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
