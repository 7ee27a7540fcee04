//! Keys and indexes of a table, as its stack set it up.

use rusqlite::Connection;
use serde_json::Value;

use super::attribute::{Attribute, Item};
use super::error::DynamoDbError;
use crate::ground::resource_table::{self, StoredResource};

/// The resource type that makes tables.
pub const TYPE: &str = "AWS::DynamoDB::Table";
/// The longest partition key, in bytes. Source: quotas in the DynamoDB developer guide.
const LONGEST_HASH: usize = 2048;
/// The longest sort key, in bytes. Source: as above.
const LONGEST_RANGE: usize = 1024;

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Its name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKeys {
    /// The partition key.
    pub hash: KeyPart,
    /// The sort key.
    pub range: Option<KeyPart>,
}

impl TableKeys {
    /// Its parts, the partition key first.
    pub fn parts(&self) -> impl Iterator<Item = &KeyPart> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    /// Whether an attribute is part of it.
    pub fn has(&self, name: &str) -> bool {
        self.parts().any(|part| part.name == name)
    }

    /// The sortable bytes of an item's key; none when it lacks a part, or has one of another type.
    pub fn of(&self, item: &Item) -> Option<(Vec<u8>, Vec<u8>)> {
        let bytes = |part: &KeyPart| {
            item.get(&part.name).filter(|value| value.kind() == part.kind).and_then(Attribute::sortable)
        };
        let hash = bytes(&self.hash)?;
        let range = match &self.range {
            Some(part) => bytes(part)?,
            None => Vec::new(),
        };
        Some((hash, range))
    }

    /// The key's attributes of an item.
    pub fn pick(&self, item: &Item) -> Item {
        self.parts().filter_map(|part| Some((part.name.clone(), item.get(&part.name)?.clone()))).collect()
    }
}

/// What an index holds beside keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Everything.
    All,
    /// Nothing.
    KeysOnly,
    /// These attributes.
    Include(Vec<String>),
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its keys; none when it has more than two, which is not simulated.
    pub keys: Option<TableKeys>,
    /// Whether it is a global one.
    pub global: bool,
    /// What it holds.
    pub projection: Projection,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its keys.
    pub keys: TableKeys,
    /// Its indexes, local ones first.
    pub indexes: Vec<Index>,
    /// The resource it was made by.
    pub thing: StoredResource,
}

impl Table {
    /// A table by its name or its ARN.
    ///
    /// # Errors
    ///
    /// When there is none, or the state can't be read.
    pub fn find(db: &Connection, region: &str, name: &str) -> Result<Self, DynamoDbError> {
        let bare = match name.split_once(":table/") {
            Some((_, bare)) if name.starts_with("arn:") => bare,
            _ => name,
        };
        let thing = resource_table::find(db, TYPE, region, bare)?.ok_or_else(DynamoDbError::no_table)?;
        Self::of(thing).ok_or_else(DynamoDbError::no_table)
    }

    /// What a resource's properties say; none when they don't hold a key, which its making refuses.
    pub fn of(thing: StoredResource) -> Option<Self> {
        let properties = &thing.properties;
        let keys = keys(properties, properties)?;
        let mut indexes = Vec::new();
        for (section, global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
            for index in properties.get(section).and_then(Value::as_array).into_iter().flatten() {
                indexes.push(Index {
                    name: index.get("IndexName").and_then(Value::as_str)?.to_owned(),
                    keys: self::keys(properties, index),
                    global,
                    projection: projection(index),
                });
            }
        }
        Some(Self { name: thing.id.clone(), region: thing.region.clone(), keys, indexes, thing })
    }

    /// Whether an attribute is a key of the table or of an index, and of which type.
    fn key_part(&self, name: &str) -> Option<(&KeyPart, Option<&Index>)> {
        let own = self.keys.parts().map(|part| (part, None));
        let indexed = self
            .indexes
            .iter()
            .flat_map(|index| index.keys.iter().flat_map(TableKeys::parts).map(move |part| (part, Some(index))));
        own.chain(indexed).find(|(part, _)| part.name == name)
    }

    /// Holds the keys of a whole item against the table's and its indexes' schema.
    ///
    /// # Errors
    ///
    /// A key that is missing, of another type, empty or too long.
    pub fn check_item(&self, item: &Item) -> Result<(), DynamoDbError> {
        for part in self.keys.parts() {
            if !item.contains_key(&part.name) {
                return Err(DynamoDbError::values(format!("Missing the key {} in the item", part.name)));
            }
        }
        for (name, value) in item {
            if let Some((part, index)) = self.key_part(name) {
                check_key(part, value, index)?;
            }
        }
        self.check_lengths(item)
    }

    /// Holds a key given by itself against the schema.
    ///
    /// # Errors
    ///
    /// When it is not exactly the table's key.
    pub fn check_key(&self, key: &Item) -> Result<(), DynamoDbError> {
        let fits = key.len() == self.keys.parts().count()
            && self.keys.parts().all(|part| key.get(&part.name).is_some_and(|value| value.kind() == part.kind));
        if !fits {
            return Err(DynamoDbError::invalid("The provided key element does not match the schema"));
        }
        for part in self.keys.parts() {
            if let Some(value) = key.get(&part.name) {
                check_key(part, value, None)?;
            }
        }
        self.check_lengths(key)
    }

    fn check_lengths(&self, item: &Item) -> Result<(), DynamoDbError> {
        let long = |part: &KeyPart, longest: usize| {
            item.get(&part.name).and_then(Attribute::size).is_some_and(|size| size > longest)
        };
        if long(&self.keys.hash, LONGEST_HASH) {
            return Err(DynamoDbError::values("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
        }
        if self.keys.range.as_ref().is_some_and(|part| long(part, LONGEST_RANGE)) {
            return Err(DynamoDbError::values(
                "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
            ));
        }
        Ok(())
    }
}

/// A key attribute has its type and is not empty.
fn check_key(part: &KeyPart, value: &Attribute, index: Option<&Index>) -> Result<(), DynamoDbError> {
    let of_index = index.map_or_else(String::new, |index| format!(" IndexName: {}", index.name));
    if value.kind() != part.kind {
        return Err(DynamoDbError::values(format!(
            "Type mismatch for{} key {} expected: {} actual: {}{of_index}",
            if index.is_some() { " Index" } else { "" },
            part.name,
            part.kind,
            value.kind()
        )));
    }
    if value.size() == Some(0) {
        let what = if part.kind == "B" { "binary" } else { "string" };
        let key = if index.is_some() {
            format!("IndexName: {}, IndexKey: {}", index.map_or("", |index| index.name.as_str()), part.name)
        } else {
            format!("Key: {}", part.name)
        };
        return Err(DynamoDbError::invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             {what} value. {key}"
        )));
    }
    Ok(())
}

fn keys(table: &Value, holder: &Value) -> Option<TableKeys> {
    let schema = holder.get("KeySchema").and_then(Value::as_array)?;
    let named = |role: &str| {
        let mut of_role = schema.iter().filter(|key| key.get("KeyType").and_then(Value::as_str) == Some(role));
        (of_role.next(), of_role.next())
    };
    let part = |key: &Value| {
        let name = key.get("AttributeName").and_then(Value::as_str)?;
        Some(KeyPart { name: name.to_owned(), kind: kind_of(table, name)?.to_owned() })
    };
    let ((hash, another_hash), (range, another_range)) = (named("HASH"), named("RANGE"));
    if another_hash.is_some() || another_range.is_some() {
        return None;
    }
    let range = match range {
        Some(key) => Some(part(key)?),
        None => None,
    };
    Some(TableKeys { hash: part(hash?)?, range })
}

fn kind_of<'v>(table: &'v Value, name: &str) -> Option<&'v str> {
    let mut definitions = table.get("AttributeDefinitions").and_then(Value::as_array)?.iter();
    let of_name = |one: &&Value| one.get("AttributeName").and_then(Value::as_str) == Some(name);
    definitions.find(of_name)?.get("AttributeType").and_then(Value::as_str)
}

fn projection(index: &Value) -> Projection {
    let projection = index.get("Projection").unwrap_or(&Value::Null);
    match projection.get("ProjectionType").and_then(Value::as_str) {
        Some("KEYS_ONLY") => Projection::KeysOnly,
        Some("INCLUDE") => {
            let names = projection.get("NonKeyAttributes").and_then(Value::as_array).into_iter().flatten();
            Projection::Include(names.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => Projection::All,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use bedplate_cfn::service_rules::keys_wrong;

    fn table(changes: &Value) -> Value {
        let mut table = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
        });
        for (name, value) in changes.as_object().expect("changes") {
            table[name] = value.clone();
        }
        table
    }

    #[test]
    fn definitions_are_exactly_the_key_attributes() {
        assert_eq!(keys_wrong(&table(&json!({}))), None);
        let extra = json!({"AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "N"}, {"AttributeName": "name", "AttributeType": "S"}]});
        assert!(keys_wrong(&table(&extra)).expect("wrong").contains("does not exactly match"));
        let missing = json!({"AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}]});
        assert!(keys_wrong(&table(&missing)).expect("wrong").contains("Keys: [id]"));
        let index = json!({"GlobalSecondaryIndexes": [{"IndexName": "by-name", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}]}]});
        assert!(keys_wrong(&table(&index)).expect("wrong").contains("Keys: [name]"));
    }

    #[test]
    fn capacity_goes_with_the_billing_mode() {
        let without = json!({"BillingMode": "PROVISIONED"});
        assert!(keys_wrong(&table(&without)).expect("wrong").contains("must both be specified"));
        let with = json!({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}});
        assert!(keys_wrong(&table(&with)).expect("wrong").contains("can be specified"));
    }
}
