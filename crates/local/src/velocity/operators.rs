//! Arithmetic and comparison.

use std::cmp::Ordering;

use super::evaluate::{Evaluator, truth};
use super::input::VelocityError;
use super::syntax::{Expression, Operator};
use super::value::Value;

impl Evaluator<'_> {
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        line: usize,
    ) -> Result<Value, VelocityError> {
        let left = self.value(left, line)?;
        match operator {
            Operator::Or if truth(&left) => return Ok(Value::Bool(true)),
            Operator::And if !truth(&left) => return Ok(Value::Bool(false)),
            _ => {}
        }
        let right = self.value(right, line)?;
        Ok(match operator {
            Operator::Or | Operator::And => Value::Bool(truth(&right)),
            Operator::Equal => Value::Bool(self.equal(&left, &right, line)?),
            Operator::Unequal => Value::Bool(!self.equal(&left, &right, line)?),
            Operator::Less => compared(&left, &right, Ordering::is_lt),
            Operator::LessOrEqual => compared(&left, &right, Ordering::is_le),
            Operator::Greater => compared(&left, &right, Ordering::is_gt),
            Operator::GreaterOrEqual => compared(&left, &right, Ordering::is_ge),
            Operator::Add if matches!(left, Value::Text(_)) || matches!(right, Value::Text(_)) => {
                if [&left, &right].into_iter().any(|side| matches!(side, Value::Null | Value::Nothing)) {
                    return Ok(Value::Null);
                }
                let mut text = self.print(&left, line)?;
                text.push_str(&self.print(&right, line)?);
                Value::Text(text)
            }
            _ => arithmetic(operator, &left, &right),
        })
    }

    /// Numbers by value, values of two kinds by how they print.
    pub(super) fn equal(&mut self, left: &Value, right: &Value, line: usize) -> Result<bool, VelocityError> {
        self.labour(left.size().min(right.size()), line)?;
        Ok(match (left, right) {
            (Value::Null | Value::Nothing, Value::Null | Value::Nothing) => true,
            (Value::Nothing, Value::Text(text)) | (Value::Text(text), Value::Nothing) => text.is_empty(),
            (Value::Null | Value::Nothing, _) | (_, Value::Null | Value::Nothing) => false,
            (Value::Int(left), Value::Int(right)) => left == right,
            (Value::Text(left), Value::Text(right)) => left == right,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            _ => match (number(left), number(right)) {
                (Some(left), Some(right)) => left.partial_cmp(&right) == Some(Ordering::Equal),
                _ => self.print(left, line)? == self.print(right, line)?,
            },
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "Java widens a long to a double just so")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(whole) => Some(*whole as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// Only numbers have an order.
fn compared(left: &Value, right: &Value, holds: fn(Ordering) -> bool) -> Value {
    let ordering = match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        _ => number(left).zip(number(right)).and_then(|(left, right)| left.partial_cmp(&right)),
    };
    Value::Bool(ordering.is_some_and(holds))
}

/// Null for what has no result, as Velocity has it.
fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Divide => return left.checked_div(*right).map_or(Value::Null, Value::Int),
            Operator::Remainder => return left.checked_rem(*right).map_or(Value::Null, Value::Int),
            _ => None,
        };
        if let Some(whole) = whole {
            return Value::Int(whole);
        }
    }
    let (Some(left), Some(right)) = (number(left), number(right)) else { return Value::Null };
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if right != 0.0 => left / right,
        Operator::Remainder if right != 0.0 => left % right,
        _ => return Value::Null,
    };
    Value::Float(result)
}
