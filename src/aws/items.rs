//! DynamoDB: rows of a table, put where they are not there yet.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::clients::Clients;
use super::error::CallError;

/// The most keys one `BatchGetItem` takes. Source: its page in the DynamoDB API reference.
const KEYS_AT_ONCE: usize = 100;
/// How often what comes back unprocessed is asked for again, waiting longer each time.
const ATTEMPTS: u32 = 8;
/// The first of those waits.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemValue {
    /// Text.
    Text(String),
    /// A number, as decimal text.
    Number(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// True or false.
    Boolean(bool),
    /// Null.
    Null,
    /// A list.
    List(Vec<ItemValue>),
    /// A map.
    Map(BTreeMap<String, ItemValue>),
}

/// Attributes by name.
pub type Item = BTreeMap<String, ItemValue>;

impl Clients {
    /// How many of some keys have an item; each key is given once.
    ///
    /// # Errors
    /// When a call fails, or keys stay unprocessed.
    pub async fn present_items(&self, table: &str, keys: &[Item]) -> Result<usize, CallError> {
        const ACTION: &str = "dynamodb:BatchGetItem";
        let mut present = 0;
        for chunk in keys.chunks(KEYS_AT_ONCE) {
            let mut left: Vec<HashMap<String, AttributeValue>> = chunk.iter().map(attributes).collect();
            for attempt in 0.. {
                let wanted = self.keys_only(std::mem::take(&mut left))?;
                let answer = self.inner.dynamodb.batch_get_item().request_items(table, wanted).send().await;
                let answer = answer.map_err(|error| self.error(ACTION, error))?;
                present += answer.responses.unwrap_or_default().values().map(Vec::len).sum::<usize>();
                let unprocessed = answer.unprocessed_keys.unwrap_or_default().into_values();
                left = unprocessed.flat_map(|keys| keys.keys).collect();
                if left.is_empty() {
                    break;
                }
                if attempt >= ATTEMPTS {
                    return Err(self.unreadable(ACTION, "keys stay unprocessed"));
                }
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
            }
        }
        Ok(present)
    }

    /// A request that reads no more than the keys themselves.
    fn keys_only(&self, keys: Vec<HashMap<String, AttributeValue>>) -> Result<KeysAndAttributes, CallError> {
        let mut names: Vec<String> = keys.first().into_iter().flat_map(|key| key.keys().cloned()).collect();
        names.sort();
        // Names may be reserved words.
        let stands_for = names.iter().enumerate().map(|(number, name)| (format!("#k{number}"), name.clone())).collect();
        let projection: Vec<String> = (0..names.len()).map(|number| format!("#k{number}")).collect();
        KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .projection_expression(projection.join(", "))
            .set_expression_attribute_names(Some(stands_for))
            .build()
            .map_err(|_| self.unreadable("dynamodb:BatchGetItem", "the batch is not well formed"))
    }

    /// Puts an item unless there is one of its key; `key` is the table's partition key. Gives whether it was put.
    ///
    /// # Errors
    /// When the call fails for another reason.
    pub async fn put_item_if_absent(&self, table: &str, key: &str, item: &Item) -> Result<bool, CallError> {
        let call = self
            .inner
            .dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(attributes(item)))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", key);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(self.error("dynamodb:PutItem", error)),
        }
    }
}

fn attributes(item: &Item) -> HashMap<String, AttributeValue> {
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &ItemValue) -> AttributeValue {
    match value {
        ItemValue::Text(text) => AttributeValue::S(text.clone()),
        ItemValue::Number(text) => AttributeValue::N(text.clone()),
        ItemValue::Binary(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        ItemValue::Boolean(flag) => AttributeValue::Bool(*flag),
        ItemValue::Null => AttributeValue::Null(true),
        ItemValue::List(entries) => AttributeValue::L(entries.iter().map(attribute).collect()),
        ItemValue::Map(entries) => AttributeValue::M(attributes(entries)),
    }
}
