//! Carrying updates out.

use super::super::attribute::{Attribute, Item};
use super::super::error::DynamoDbError;
use super::path::{Path, PathStep};
use super::update::{NewValue, Update, UpdateSource};

impl Update {
    /// The item after it. Every value is worked out from the item as it was.
    ///
    /// # Errors
    ///
    /// In DynamoDB's words.
    pub fn apply(&self, before: &Item) -> Result<Item, DynamoDbError> {
        let mut item = before.clone();
        let sets = self.sets.iter().map(|(path, value)| Ok((path, value.of(before)?)));
        for (path, value) in sets.collect::<Result<Vec<_>, DynamoDbError>>()? {
            set(&mut item, path, value)?;
        }
        // From the end of a list to its beginning: what is removed must not shift what is to be removed.
        let mut removes: Vec<&Path> = self.removes.iter().collect();
        removes.sort();
        for path in removes.into_iter().rev() {
            remove(&mut item, path)?;
        }
        for (path, added) in &self.adds {
            let sum = match (path.find(before), added) {
                (None, added) => added.clone(),
                (Some(Attribute::N(has)), Attribute::N(more)) => {
                    Attribute::N(has.plus(more).map_err(DynamoDbError::invalid)?)
                }
                (Some(Attribute::Ss(has)), Attribute::Ss(more)) => Attribute::Ss(has | more),
                (Some(Attribute::Ns(has)), Attribute::Ns(more)) => Attribute::Ns(has | more),
                (Some(Attribute::Bs(has)), Attribute::Bs(more)) => Attribute::Bs(has | more),
                _ => return Err(wrong_type()),
            };
            set(&mut item, path, sum)?;
        }
        for (path, deleted) in &self.deletes {
            let (rest, is_empty) = match (path.find(before), deleted) {
                (None, _) => continue,
                (Some(Attribute::Ss(has)), Attribute::Ss(less)) => (Attribute::Ss(has - less), has.is_subset(less)),
                (Some(Attribute::Ns(has)), Attribute::Ns(less)) => (Attribute::Ns(has - less), has.is_subset(less)),
                (Some(Attribute::Bs(has)), Attribute::Bs(less)) => (Attribute::Bs(has - less), has.is_subset(less)),
                _ => return Err(wrong_type()),
            };
            // There are no empty sets.
            if is_empty { remove(&mut item, path)? } else { set(&mut item, path, rest)? }
        }
        Ok(item)
    }
}

impl NewValue {
    fn of(&self, item: &Item) -> Result<Attribute, DynamoDbError> {
        match self {
            Self::One(source) => source.of(item),
            Self::Sum(one, two) | Self::Difference(one, two) => {
                let (Attribute::N(a), Attribute::N(b)) = (one.of(item)?, two.of(item)?) else {
                    return Err(wrong_type());
                };
                let result = if matches!(self, Self::Sum(..)) { a.plus(&b) } else { a.minus(&b) };
                result.map(Attribute::N).map_err(DynamoDbError::invalid)
            }
        }
    }
}

impl UpdateSource {
    fn of(&self, item: &Item) -> Result<Attribute, DynamoDbError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.find(item).cloned().ok_or_else(|| {
                DynamoDbError::invalid("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::IfNotExists(path, source) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => source.of(item),
            },
            Self::ListAppend(one, two) => match (one.of(item)?, two.of(item)?) {
                (Attribute::L(mut one), Attribute::L(two)) => {
                    one.extend(two);
                    Ok(Attribute::L(one))
                }
                _ => Err(wrong_type()),
            },
        }
    }
}

fn wrong_type() -> DynamoDbError {
    DynamoDbError::invalid("An operand in the update expression has an incorrect data type")
}

fn no_such_path() -> DynamoDbError {
    DynamoDbError::invalid("The document path provided in the update expression is invalid for update")
}

/// What holds the last step of a path, and that step; for a top-level attribute there is nothing above.
fn above<'i>(item: &'i mut Item, path: &Path) -> Result<Option<&'i mut Attribute>, DynamoDbError> {
    let mut steps = path.0.iter();
    let _last = steps.next_back();
    let Some(PathStep::Name(first)) = steps.next() else { return Ok(None) };
    let mut at = item.get_mut(first).ok_or_else(no_such_path)?;
    for step in steps {
        at = match (at, step) {
            (Attribute::M(entries), PathStep::Name(name)) => entries.get_mut(name),
            (Attribute::L(entries), PathStep::Index(index)) => entries.get_mut(*index),
            _ => None,
        }
        .ok_or_else(no_such_path)?;
    }
    Ok(Some(at))
}

fn set(item: &mut Item, path: &Path, value: Attribute) -> Result<(), DynamoDbError> {
    match (above(item, path)?, path.0.last()) {
        (None, Some(PathStep::Name(name))) => drop(item.insert(name.clone(), value)),
        (Some(Attribute::M(entries)), Some(PathStep::Name(name))) => drop(entries.insert(name.clone(), value)),
        (Some(Attribute::L(entries)), Some(PathStep::Index(index))) => match entries.get_mut(*index) {
            Some(entry) => *entry = value,
            // Beyond the end: at the end.
            None => entries.push(value),
        },
        _ => return Err(no_such_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), DynamoDbError> {
    match (above(item, path)?, path.0.last()) {
        (None, Some(PathStep::Name(name))) => drop(item.remove(name)),
        (Some(Attribute::M(entries)), Some(PathStep::Name(name))) => drop(entries.remove(name)),
        (Some(Attribute::L(entries)), Some(PathStep::Index(index))) => {
            if *index < entries.len() {
                entries.remove(*index);
            }
        }
        _ => return Err(no_such_path()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::attribute::{item_json, read_item};
    use super::super::placeholders::Placeholders;
    use super::*;
    use crate::protocol::aws_json::JsonError as _;

    fn applied(expression: &str, values: Value, item: Value) -> Result<Value, String> {
        let words = |refused: DynamoDbError| refused.answer().1["message"].as_str().unwrap_or_default().to_owned();
        let request = if values.is_null() { json!({}) } else { json!({ "ExpressionAttributeValues": values }) };
        let placeholders = Placeholders::read(&request, &[("UpdateExpression", true)]).map_err(words)?;
        let update = Update::parse(expression, &placeholders).map_err(words)?;
        placeholders.all_used().map_err(words)?;
        let item = read_item(&item).map_err(words)?;
        update.apply(&item).map(|item| item_json(&item)).map_err(words)
    }

    #[test]
    fn clauses_change_the_item_as_it_was() {
        let item = json!({"n": {"N": "1"}, "l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}]}, "s": {"SS": ["x", "y"]}});
        let cases = [
            ("SET n = n + :i, m = n", json!({":i": {"N": "0.5"}}), json!({"n": {"N": "1.5"}, "m": {"N": "1"}})),
            ("SET n = :i - n", json!({":i": {"N": "3"}}), json!({"n": {"N": "2"}})),
            ("SET k = if_not_exists(k, :i)", json!({":i": {"N": "3"}}), json!({"k": {"N": "3"}})),
            ("SET n = if_not_exists(n, :i) + :i", json!({":i": {"N": "3"}}), json!({"n": {"N": "4"}})),
            (
                "set l = list_append(if_not_exists(l, :l), :l)",
                json!({":l": {"L": [{"S": "d"}]}}),
                json!({"l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}, {"S": "d"}]}}),
            ),
            (
                "SET l[9] = :v",
                json!({":v": {"S": "d"}}),
                json!({"l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}, {"S": "d"}]}}),
            ),
            ("REMOVE l[0], l[2]", Value::Null, json!({"l": {"L": [{"S": "b"}]}})),
            ("ADD n :i, c :i", json!({":i": {"N": "2"}}), json!({"n": {"N": "3"}, "c": {"N": "2"}})),
            ("ADD s :s", json!({":s": {"SS": ["y", "z"]}}), json!({"s": {"SS": ["x", "y", "z"]}})),
            ("DELETE s :s", json!({":s": {"SS": ["y", "z"]}}), json!({"s": {"SS": ["x"]}})),
        ];
        for (expression, values, changed) in cases {
            let mut expected = item.clone();
            for (name, value) in changed.as_object().expect("changes") {
                expected[name] = value.clone();
            }
            assert_eq!(applied(expression, values, item.clone()).as_ref(), Ok(&expected), "{expression}");
        }
        let none = applied("DELETE s :s", json!({":s": {"SS": ["x", "y"]}}), item).expect("an item");
        assert!(none.get("s").is_none(), "an empty set is none: {none}");
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let one = json!({":v": {"S": "a"}});
        let cases = [
            ("SET a.b = :v", one.clone(), "The document path provided"),
            ("SET a = b", Value::Null, "does not exist in the item"),
            ("SET n = n + :v", one.clone(), "incorrect data type"),
            ("SET n = list_append(n, :v)", one.clone(), "incorrect data type"),
            ("ADD n :v", one.clone(), "Incorrect operand type"),
            ("SET a = :v SET b = :v", one.clone(), "can only be used once"),
            ("SET a = :v REMOVE a", one.clone(), "overlap"),
            ("SET a = size(n)", Value::Null, "not allowed in an update"),
            ("SET a = nonsense(n)", Value::Null, "Invalid function name"),
            ("SET a = if_not_exists(:v, :v)", one.clone(), "requires a document path"),
            ("a = :v", one.clone(), "Syntax error"),
            ("SET a = :w", one.clone(), "attribute value: :w"),
            ("REMOVE a", one, "unused in expressions: keys: {:v}"),
        ];
        for (expression, values, words) in cases {
            let error = applied(expression, values, json!({"n": {"N": "1"}})).expect_err(expression);
            assert!(error.contains(words), "{expression}: {error}");
        }
    }
}
