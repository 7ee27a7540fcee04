//! Conditions on keys.

use std::cmp::Ordering;

use super::super::attribute::Attribute;
use super::super::error::DynamoDbError;
use super::super::table::{KeyPart, TableKeys};
use super::condition::{Comparator, Condition, Operand};
use super::placeholders::Placeholders;

/// What a query asks of the keys.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyCondition {
    /// The partition key.
    pub hash: Attribute,
    /// What the sort key must be.
    pub range: Option<RangeCondition>,
}

/// What a sort key must be.
#[derive(Debug, Clone, PartialEq)]
pub enum RangeCondition {
    /// In this order to a value.
    Compare(Comparator, Attribute),
    /// Between two values.
    Between(Attribute, Attribute),
    /// Beginning with a value.
    BeginsWith(Attribute),
}

impl KeyCondition {
    /// Reads a `KeyConditionExpression` for the keys of a table or an index.
    ///
    /// # Errors
    ///
    /// In DynamoDB's words.
    pub fn parse(text: &str, keys: &TableKeys, placeholders: &Placeholders) -> Result<Self, DynamoDbError> {
        let all = match Condition::parse("KeyConditionExpression", text, placeholders)? {
            Condition::And(all) => all,
            one => vec![one],
        };
        let mut hash = None;
        let mut range = None;
        for condition in all {
            let (name, of_key) = Self::one(condition)?;
            let twice = || {
                DynamoDbError::invalid(
                    "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
                )
            };
            if name == keys.hash.name {
                let RangeCondition::Compare(Comparator::Equal, value) = of_key else {
                    return Err(DynamoDbError::invalid("Query key condition not supported"));
                };
                if hash.replace(fitting(&keys.hash, value)?).is_some() {
                    return Err(twice());
                }
            } else if let Some(part) = keys.range.as_ref().filter(|part| part.name == name) {
                if range.replace(of_key.fitting(part)?).is_some() {
                    return Err(twice());
                }
            } else {
                let missed = keys.parts().find(|part| match part.name == keys.hash.name {
                    true => hash.is_none(),
                    false => range.is_none(),
                });
                let missed = missed.map_or(keys.hash.name.as_str(), |part| part.name.as_str());
                return Err(DynamoDbError::invalid(format!("Query condition missed key schema element: {missed}")));
            }
        }
        let hash = hash.ok_or_else(|| {
            DynamoDbError::invalid(format!("Query condition missed key schema element: {}", keys.hash.name))
        })?;
        Ok(Self { hash, range })
    }

    /// One condition, with the attribute it is about.
    fn one(condition: Condition) -> Result<(String, RangeCondition), DynamoDbError> {
        let unsupported = || DynamoDbError::invalid("Query key condition not supported");
        let name = |operand: Operand| match operand {
            Operand::Path(path) if path.0.len() == 1 => Ok(path.attribute().to_owned()),
            Operand::Path(_) => Err(DynamoDbError::invalid(
                "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
            )),
            _ => Err(unsupported()),
        };
        let value = |operand: Operand| match operand {
            Operand::Value(value) => Ok(value),
            _ => Err(DynamoDbError::invalid(
                "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
            )),
        };
        match condition {
            Condition::Compare(Comparator::NotEqual, ..) => Err(DynamoDbError::invalid(
                "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>",
            )),
            Condition::Compare(comparator, Operand::Value(one), two @ Operand::Path(_)) => {
                Ok((name(two)?, RangeCondition::Compare(turned(comparator), one)))
            }
            Condition::Compare(comparator, one, two) => {
                Ok((name(one)?, RangeCondition::Compare(comparator, value(two)?)))
            }
            Condition::Between(one, low, high) => Ok((name(one)?, RangeCondition::Between(value(low)?, value(high)?))),
            Condition::BeginsWith(one, start) => Ok((name(one)?, RangeCondition::BeginsWith(value(start)?))),
            Condition::Or(_) => Err(operator("OR")),
            Condition::Not(_) => Err(operator("NOT")),
            Condition::In(..) => Err(operator("IN")),
            Condition::Contains(..) => Err(operator("contains")),
            Condition::Exists(_) => Err(operator("attribute_exists")),
            Condition::NotExists(_) => Err(operator("attribute_not_exists")),
            Condition::Type(..) => Err(operator("attribute_type")),
            Condition::And(_) => Err(unsupported()),
        }
    }
}

fn operator(name: &str) -> DynamoDbError {
    DynamoDbError::invalid(format!(
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: {name}"
    ))
}

/// The comparator with its sides exchanged.
fn turned(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        same => same,
    }
}

fn fitting(part: &KeyPart, value: Attribute) -> Result<Attribute, DynamoDbError> {
    if value.kind() != part.kind {
        return Err(DynamoDbError::values("Condition parameter type does not match schema type"));
    }
    if value.size() == Some(0) {
        return Err(DynamoDbError::invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: {}",
            part.name
        )));
    }
    Ok(value)
}

impl RangeCondition {
    fn fitting(self, part: &KeyPart) -> Result<Self, DynamoDbError> {
        Ok(match self {
            Self::Compare(comparator, value) => Self::Compare(comparator, fitting(part, value)?),
            Self::Between(low, high) => Self::Between(fitting(part, low)?, fitting(part, high)?),
            Self::BeginsWith(start) if start.kind() == part.kind => Self::BeginsWith(start),
            Self::BeginsWith(start) => Self::BeginsWith(fitting(part, start)?),
        })
    }

    /// Whether a sort key fits.
    pub fn holds(&self, value: &Attribute) -> bool {
        let order = |other: &Attribute| value.order(other).unwrap_or(Ordering::Less);
        match self {
            Self::Compare(comparator, other) => match comparator {
                Comparator::Equal => order(other).is_eq(),
                Comparator::NotEqual => order(other).is_ne(),
                Comparator::Less => order(other).is_lt(),
                Comparator::LessOrEqual => order(other).is_le(),
                Comparator::Greater => order(other).is_gt(),
                Comparator::GreaterOrEqual => order(other).is_ge(),
            },
            Self::Between(low, high) => order(low).is_ge() && order(high).is_le(),
            Self::BeginsWith(start) => match (value, start) {
                (Attribute::S(text), Attribute::S(start)) => text.starts_with(start),
                (Attribute::B(bytes), Attribute::B(start)) => bytes.starts_with(start),
                _ => false,
            },
        }
    }
}
