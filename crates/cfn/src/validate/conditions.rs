//! Which conditions of a template can hold together: parameters are tried with the values that the conditions compare them
//! with, and one more.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Context;
use crate::intrinsics::plain;
use crate::template::canonical_text;

/// How large an expression is looked at, references to other conditions written out.
const MOST_PARTS: usize = 500;

/// How many combinations of values are tried; beyond that it is not known.
const MOST_COMBINATIONS: usize = 2_048;

/// A condition with the conditions it refers to written out.
enum Expression {
    Fixed(bool),
    /// A variable has the value of that number.
    Equals(usize, usize),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// What the conditions compare, with the values it is compared with.
struct Variable {
    values: Vec<String>,
    /// Whether it can have other values too.
    open: bool,
}

/// A set of conditions, as far as they can be decided.
struct Solver<'a> {
    context: &'a Context<'a>,
    variables: Vec<Variable>,
    numbers: BTreeMap<String, usize>,
    parts: usize,
}

/// Whether the template can be deployed so that each condition holds or not as wanted; `None` when that is not known.
pub(super) fn possible(context: &Context<'_>, wanted: &[(&str, bool)]) -> Option<bool> {
    let mut solver = Solver { context, variables: Vec::new(), numbers: BTreeMap::new(), parts: 0 };
    let mut all = Vec::new();
    for (name, holds) in wanted {
        let expression = solver.named(name)?;
        all.push(if *holds { expression } else { Expression::Not(Box::new(expression)) });
    }
    let sizes: Vec<usize> =
        solver.variables.iter().map(|variable| variable.values.len() + usize::from(variable.open)).collect();
    let combinations = sizes.iter().try_fold(1_usize, |product, size| {
        product.checked_mul(*size).filter(|product| *product <= MOST_COMBINATIONS)
    })?;
    Some((0..combinations).any(|mut number| {
        let values: Vec<usize> = sizes
            .iter()
            .map(|size| {
                let value = number % size.max(&1);
                number /= size.max(&1);
                value
            })
            .collect();
        all.iter().all(|expression| expression.holds(&values))
    }))
}

impl Expression {
    fn holds(&self, values: &[usize]) -> bool {
        match self {
            Self::Fixed(holds) => *holds,
            Self::Equals(variable, value) => values.get(*variable) == Some(value),
            Self::Not(inner) => !inner.holds(values),
            Self::And(parts) => parts.iter().all(|part| part.holds(values)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(values)),
        }
    }
}

impl Solver<'_> {
    fn named(&mut self, name: &str) -> Option<Expression> {
        let body = self.context.template.section("Conditions")?.get(name)?;
        self.expression(body)
    }

    fn expression(&mut self, value: &Value) -> Option<Expression> {
        // A condition that depends on itself is reported elsewhere; here it only uses up the parts.
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return None;
        }
        let (key, argument) = value.as_object().filter(|map| map.len() == 1)?.iter().next()?;
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (key.as_str(), parts) {
            ("Condition", _) => self.named(argument.as_str()?),
            ("Fn::Not", [inner]) => Some(Expression::Not(Box::new(self.expression(inner)?))),
            ("Fn::And", parts) => Some(Expression::And(self.all(parts)?)),
            ("Fn::Or", parts) => Some(Expression::Or(self.all(parts)?)),
            ("Fn::Equals", [left, right]) => Some(self.equals(left, right)),
            _ => None,
        }
    }

    fn all(&mut self, parts: &[Value]) -> Option<Vec<Expression>> {
        parts.iter().map(|part| self.expression(part)).collect()
    }

    fn equals(&mut self, left: &Value, right: &Value) -> Expression {
        match (plain(left), plain(right)) {
            (Some(left), Some(right)) => Expression::Fixed(left == right),
            (Some(constant), None) => self.variable(right, &constant),
            (None, Some(constant)) => self.variable(left, &constant),
            (None, None) => {
                let (left, right) = (canonical_text(left), canonical_text(right));
                if left == right {
                    return Expression::Fixed(true);
                }
                let (first, second) = if left < right { (left, right) } else { (right, left) };
                self.compared(format!("{first}={second}"), "", None)
            }
        }
    }

    fn variable(&mut self, value: &Value, constant: &str) -> Expression {
        let parameter = value.get("Ref").and_then(Value::as_str).and_then(|name| self.context.parameters.get(name));
        let allowed = parameter.and_then(|parameter| parameter.attribute("AllowedValues")).and_then(Value::as_array);
        let allowed = allowed.map(|allowed| allowed.iter().filter_map(plain).collect());
        self.compared(canonical_text(value), constant, allowed)
    }

    fn compared(&mut self, name: String, constant: &str, allowed: Option<Vec<String>>) -> Expression {
        let count = self.variables.len();
        let number = *self.numbers.entry(name).or_insert(count);
        if number == count {
            let open = allowed.is_none();
            self.variables.push(Variable { values: allowed.unwrap_or_default(), open });
        }
        let Some(variable) = self.variables.get_mut(number) else { return Expression::Fixed(false) };
        match variable.values.iter().position(|value| value == constant) {
            Some(value) => Expression::Equals(number, value),
            None if variable.open => {
                variable.values.push(constant.to_owned());
                Expression::Equals(number, variable.values.len() - 1)
            }
            None => Expression::Fixed(false),
        }
    }
}
