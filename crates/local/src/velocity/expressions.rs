//! Reading references and expressions.

use super::input::VelocityError;
use super::parser::TemplateParser;
use super::syntax::{Expression, Operator, ReferenceStep, VelocityReference};

/// Operators by how tightly they bind, loosest first, longer spellings before their beginnings.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[("==", Operator::Equal), ("eq", Operator::Equal), ("!=", Operator::Unequal), ("ne", Operator::Unequal)],
    &[
        ("<=", Operator::LessOrEqual),
        ("le", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::Greater),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

impl TemplateParser<'_> {
    /// The reference here, and whether it is quiet; nothing when this `$` is text.
    pub(super) fn reference(&mut self) -> Result<Option<(VelocityReference, bool)>, VelocityError> {
        let start = self.at;
        if !self.eat("$") {
            return Ok(None);
        }
        let line = self.line();
        let quiet = self.eat("!");
        let braced = self.eat("{");
        let Some(name) = self.name() else {
            self.at = start;
            return Ok(None);
        };
        self.deeper()?;
        let mut steps = Vec::new();
        loop {
            let before = self.at;
            if self.eat(".") {
                let Some(name) = self.name() else {
                    self.at = before;
                    break;
                };
                if self.eat("(") {
                    steps.push(ReferenceStep::Method(name, self.list(")")?));
                } else {
                    steps.push(ReferenceStep::Property(name));
                }
            } else if self.eat("[") {
                // `$x[` that is no index is a text that goes on.
                match self.index() {
                    Ok(index) => steps.push(index),
                    Err(_) if !braced => {
                        self.at = before;
                        break;
                    }
                    Err(error) => return Err(error),
                }
            } else {
                break;
            }
        }
        self.depth -= 1;
        if braced && !self.eat("}") {
            // Velocity takes what it can't read for text.
            self.at = start;
            return Ok(None);
        }
        Ok(Some((VelocityReference { name, steps, line }, quiet)))
    }

    fn index(&mut self) -> Result<ReferenceStep, VelocityError> {
        let depth = self.depth;
        let index = self.expression().and_then(|index| self.expect("]").map(|()| index));
        self.depth = depth;
        Ok(ReferenceStep::Index(Box::new(index?)))
    }

    /// Expressions up to a closing mark.
    fn list(&mut self, close: &str) -> Result<Vec<Expression>, VelocityError> {
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            self.skip_space();
            if self.eat(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    /// An expression.
    pub(super) fn expression(&mut self) -> Result<Expression, VelocityError> {
        self.deeper()?;
        let expression = self.binary(0)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn binary(&mut self, level: usize) -> Result<Expression, VelocityError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut chained = 0;
        loop {
            self.skip_space();
            let Some(operator) = self.operator(operators) else { return Ok(left) };
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new((left, right)));
            // A chain is as deep as it is long.
            chained += 1;
            if chained > 200 {
                return Err(self.error("an expression has more than 200 operators in a row"));
            }
        }
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        let rest = self.rest();
        let (word, operator) = operators.iter().find(|(word, _)| {
            rest.strip_prefix(*word).is_some_and(|after| {
                !word.starts_with(|c: char| c.is_ascii_alphabetic())
                    || !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            })
        })?;
        self.at += word.len();
        Some(*operator)
    }

    fn unary(&mut self) -> Result<Expression, VelocityError> {
        self.skip_space();
        let rest = self.rest();
        let word_not = rest.strip_prefix("not").is_some_and(|after| after.starts_with([' ', '(', '$']));
        if word_not {
            self.at += 3;
        }
        if word_not || (!rest.starts_with("!=") && self.eat("!")) {
            self.deeper()?;
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expression, VelocityError> {
        match self.peek() {
            Some('$') => match self.reference()? {
                Some((reference, _)) => Ok(Expression::Reference(reference)),
                None => Err(self.error("a `$` in an expression begins a reference")),
            },
            Some('(') => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(quote @ ('"' | '\'')) => {
                let text = self.quotation(quote)?;
                if quote == '"' { self.quoted(&text) } else { Ok(Expression::Text(text)) }
            }
            Some('[') => self.list_or_range(),
            Some('{') => self.map(),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '.' => self.number(),
            _ => match self.name().as_deref() {
                Some("true") => Ok(Expression::Bool(true)),
                Some("false") => Ok(Expression::Bool(false)),
                Some("null") => Ok(Expression::Null),
                _ => Err(self.error("a value is missing")),
            },
        }
    }

    /// The inside of a quotation; its quote doubled stands for itself.
    fn quotation(&mut self, quote: char) -> Result<String, VelocityError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(quote) else { return Err(self.error(format!("a closing `{quote}` is missing"))) };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            if self.peek() != Some(quote) {
                return Ok(text);
            }
            text.push(quote);
            self.at += 1;
        }
    }

    fn list_or_range(&mut self) -> Result<Expression, VelocityError> {
        self.at += 1;
        self.skip_space();
        if self.eat("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.expression()?;
        self.skip_space();
        if self.eat("..") {
            let last = self.expression()?;
            self.expect("]")?;
            return Ok(Expression::Range(Box::new((first, last))));
        }
        let mut items = vec![first];
        if !self.eat("]") {
            self.expect(",")?;
            items.extend(self.list("]")?);
        }
        Ok(Expression::List(items))
    }

    fn map(&mut self) -> Result<Expression, VelocityError> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.eat("}") {
            return Ok(Expression::Map(entries));
        }
        loop {
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            entries.push((key, value));
            self.skip_space();
            if self.eat("}") {
                return Ok(Expression::Map(entries));
            }
            self.expect(",")?;
        }
    }

    fn number(&mut self) -> Result<Expression, VelocityError> {
        let start = self.at;
        self.eat("-");
        let digits = |parser: &mut Self| {
            let rest = parser.rest();
            parser.at += rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        };
        digits(self);
        let mut whole = true;
        // `[1..3]` is a range, not a fraction.
        if self.rest().starts_with('.') && !self.rest().starts_with("..") {
            self.at += 1;
            digits(self);
            whole = false;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number = if whole {
            text.parse().ok().map(Expression::Int)
        } else {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Expression::Float)
        };
        number.ok_or_else(|| self.error(format!("`{text}` is not a number")))
    }
}
