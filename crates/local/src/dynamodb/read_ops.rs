//! Queries and scans.

use std::ops::ControlFlow;

use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::arguments::DynamoDbRequest;
use super::attribute::{Item, item_json, item_size, read_item};
use super::error::DynamoDbError;
use super::expression::{Condition, KeyCondition, Path, Placeholders, project, projection};
use super::rows::{self, ItemKey, Walk, hashed};
use super::table::{Index, Projection, Table, TableKeys};

/// Bytes that are read for one page. Source: "Query" and "Scan" in the DynamoDB developer guide.
const PAGE: usize = 1 << 20;
/// Most segments of a parallel scan. Source: `Scan` in the DynamoDB API reference.
const SEGMENTS: u32 = 1_000_000;

/// What a query and a scan have in common.
struct Reading {
    table: Table,
    index: Option<Index>,
    /// The keys that are walked through.
    keys: TableKeys,
    filter: Option<Condition>,
    paths: Option<Vec<Path>>,
    count_only: bool,
    limit: Option<u32>,
    start: Option<(ItemKey, ItemKey)>,
}

pub(super) fn query(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("Query", &["AttributesToGet", "KeyConditions", "QueryFilter", "ConditionalOperator"])?;
    let text = call.text("KeyConditionExpression")?.ok_or_else(|| {
        DynamoDbError::invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        )
    })?;
    let placeholders = placeholders(call, &["KeyConditionExpression", "FilterExpression", "ProjectionExpression"])?;
    let reading = Reading::of(db, call, &placeholders)?;
    let condition = KeyCondition::parse(text, &reading.keys, &placeholders)?;
    placeholders.all_used()?;
    if let Some(name) =
        reading.filter.as_ref().and_then(|filter| filter.mentions(&|attribute| reading.keys.has(attribute)))
    {
        return Err(DynamoDbError::invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        )));
    }
    let hash = hashed(&condition.hash.sortable().unwrap_or_default());
    let start = reading.start.as_ref();
    if start.is_some_and(|(place, _)| place.hash != hash) {
        return Err(DynamoDbError::invalid(
            "The provided starting key is outside query boundaries based on provided conditions",
        ));
    }
    let backward = call.get("ScanIndexForward").is_some() && !call.flag("ScanIndexForward")?;
    let walk = Walk { hash: Some(hash), after: reading.start.clone(), backward };
    let range = reading.keys.range.clone();
    reading.page(db, &walk, &|_, item| match (&condition.range, &range) {
        (Some(wanted), Some(part)) => item.get(&part.name).is_some_and(|value| wanted.holds(value)),
        _ => true,
    })
}

pub(super) fn scan(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("Scan", &["AttributesToGet", "ScanFilter", "ConditionalOperator"])?;
    let segments = call.number("TotalSegments", 1)?;
    let segment = call.number("Segment", 0)?;
    let part = match (segment, segments) {
        (None, None) => None,
        (Some(segment), Some(segments)) if segment < segments && segments <= SEGMENTS => Some((segment, segments)),
        (Some(segment), Some(segments)) if segments <= SEGMENTS => {
            return Err(DynamoDbError::invalid(format!(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} \
                 is not less than TotalSegments: {segments}"
            )));
        }
        (Some(_), Some(segments)) => {
            return Err(super::arguments::constraint(
                &segments.to_string(),
                "TotalSegments",
                "Member must have value less than or equal to 1000000",
            ));
        }
        (None, Some(_)) => {
            return Err(DynamoDbError::invalid(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
                 present",
            ));
        }
        (Some(_), None) => {
            return Err(DynamoDbError::invalid(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
                 present",
            ));
        }
    };
    let placeholders = placeholders(call, &["FilterExpression", "ProjectionExpression"])?;
    let reading = Reading::of(db, call, &placeholders)?;
    placeholders.all_used()?;
    let walk = Walk { after: reading.start.clone(), ..Walk::default() };
    reading.page(db, &walk, &|place, _| part.is_none_or(|(segment, segments)| place.segment(segments) == segment))
}

fn placeholders(call: &DynamoDbRequest, expressions: &[&str]) -> Result<Placeholders, DynamoDbError> {
    let given: Vec<(&str, bool)> = expressions.iter().map(|name| (*name, call.get(name).is_some())).collect();
    Placeholders::read(&call.value(), &given)
}

impl Reading {
    fn of(db: &Connection, call: &DynamoDbRequest, placeholders: &Placeholders) -> Result<Self, DynamoDbError> {
        let table = call.table(db)?;
        let index = match call.text("IndexName")? {
            None => None,
            Some(name) => Some(table.indexes.iter().find(|index| index.name == name).cloned().ok_or_else(|| {
                DynamoDbError::invalid(format!("The table does not have the specified index: {name}"))
            })?),
        };
        let keys = match &index {
            None => table.keys.clone(),
            Some(index) => index
                .keys
                .clone()
                .ok_or_else(|| DynamoDbError::not_simulated("an index of more than one partition or sort key"))?,
        };
        if call.flag("ConsistentRead")? && index.as_ref().is_some_and(|index| index.global) {
            return Err(DynamoDbError::invalid("Consistent reads are not supported on global secondary indexes"));
        }
        let filter = call.text("FilterExpression")?;
        let filter = filter.map(|text| Condition::parse("FilterExpression", text, placeholders)).transpose()?;
        let paths = call.text("ProjectionExpression")?;
        let paths = paths.map(|text| projection(text, placeholders)).transpose()?;
        let mut reading =
            Self { table, index, keys, filter, paths, count_only: false, limit: call.number("Limit", 1)?, start: None };
        reading.count_only = reading.selected(call)?;
        reading.start = reading.start_key(call)?;
        Ok(reading)
    }

    /// Whether only a count is wanted.
    fn selected(&self, call: &DynamoDbRequest) -> Result<bool, DynamoDbError> {
        let choices = ["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"];
        let select = call.choice("Select", &choices)?;
        let said = call.get("Select").is_some();
        if said && self.paths.is_some() && select != "SPECIFIC_ATTRIBUTES" {
            return Err(DynamoDbError::invalid(format!(
                "Cannot specify the ProjectionExpression when choosing to get {select}"
            )));
        }
        if select == "SPECIFIC_ATTRIBUTES" && self.paths.is_none() {
            return Err(DynamoDbError::invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ));
        }
        match &self.index {
            None if select == "ALL_PROJECTED_ATTRIBUTES" => {
                return Err(DynamoDbError::values(
                    "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
                ));
            }
            Some(index) if index.global && index.projection != Projection::All => {
                if said && select == "ALL_ATTRIBUTES" {
                    return Err(DynamoDbError::values(format!(
                        "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its \
                         projection type is not ALL",
                        index.name
                    )));
                }
                let beyond: Vec<&str> = self.paths.iter().flatten().map(Path::attribute).collect();
                let beyond: Vec<&str> = beyond.into_iter().filter(|name| !self.holds(index, name)).collect();
                if !beyond.is_empty() {
                    return Err(DynamoDbError::values(format!(
                        "Global secondary index {} does not project [{}]",
                        index.name,
                        beyond.join(", ")
                    )));
                }
            }
            _ => {}
        }
        Ok(select == "COUNT")
    }

    /// Whether an index holds an attribute.
    fn holds(&self, index: &Index, attribute: &str) -> bool {
        self.table.keys.has(attribute)
            || self.keys.has(attribute)
            || match &index.projection {
                Projection::All => true,
                Projection::KeysOnly => false,
                Projection::Include(names) => names.iter().any(|name| name == attribute),
            }
    }

    fn start_key(&self, call: &DynamoDbRequest) -> Result<Option<(ItemKey, ItemKey)>, DynamoDbError> {
        let Some(given) = call.get("ExclusiveStartKey") else { return Ok(None) };
        let key = read_item(given)?;
        let invalid = || DynamoDbError::invalid("The provided starting key is invalid");
        let known = |name: &String| self.keys.has(name) || self.table.keys.has(name);
        match (ItemKey::of(&self.keys, &key), ItemKey::of(&self.table.keys, &key)) {
            (Some(place), Some(own)) if key.keys().all(known) => Ok(Some((place, own))),
            _ => Err(invalid()),
        }
    }

    /// What an index holds of an item; a local one fetches the rest from the table when it is asked for.
    fn visible(&self, item: Item) -> Item {
        match &self.index {
            Some(index) if index.projection != Projection::All && (index.global || self.paths.is_none()) => {
                item.into_iter().filter(|(name, _)| self.holds(index, name)).collect()
            }
            _ => item,
        }
    }

    /// One page: what is walked through until a limit, of which the filter lets some through.
    fn page(
        &self,
        db: &Connection,
        walk: &Walk,
        wanted: &dyn Fn(&ItemKey, &Item) -> bool,
    ) -> Result<Value, DynamoDbError> {
        let mut items = Vec::new();
        let (mut count, mut scanned, mut size) = (0_u32, 0_u32, 0_usize);
        let mut last = None;
        let index = self.index.as_ref().map(|_| &self.keys);
        rows::walk(db, &self.table, index, walk, |place, item| {
            if !wanted(&place, &item) {
                return Ok(ControlFlow::Continue(()));
            }
            let mut key = self.table.keys.pick(&item);
            key.extend(self.keys.pick(&item));
            let item = self.visible(item);
            scanned += 1;
            size += item_size(&item);
            if self.filter.as_ref().is_none_or(|filter| filter.holds(&item)) {
                count += 1;
                if !self.count_only {
                    items.push(match &self.paths {
                        Some(paths) => item_json(&project(&item, paths)),
                        None => item_json(&item),
                    });
                }
            }
            if self.limit.is_some_and(|limit| scanned >= limit) || size >= PAGE {
                last = Some(item_json(&key));
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut answer = json!({ "Count": count, "ScannedCount": scanned });
        if !self.count_only {
            answer["Items"] = Value::Array(items);
        }
        if let Some(last) = last {
            answer["LastEvaluatedKey"] = last;
        }
        Ok(answer)
    }
}
