//! The rows a table starts with: a YAML, JSON or CSV file beside the spec, read into typed values and held against the
//! table's keys.
//!
//! YAML and JSON hold a list of mappings. The first line of a CSV file names the attributes; what is no key is text there,
//! and an empty cell is an attribute the row does not have.

mod number;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::loaded::LoadedSpec;
use super::types::{KeyType, Table};
use super::words::{escape, found};
use crate::finding::{Finding, Place, code};
use crate::yaml;

/// The largest item DynamoDB takes, in bytes. Source: quotas in the DynamoDB developer guide.
const LARGEST_ROW: usize = 400 * 1024;
/// Findings about one file, at most.
const MOST: usize = 20;
/// The most rows of a file: a deploy asks for each of them, and all are held at once.
const MOST_ROWS: usize = 100_000;
/// The most columns of a CSV file; no item of DynamoDB's is that wide.
const MOST_COLUMNS: usize = 10_000;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeedValue {
    /// Text.
    Text(String),
    /// A number, as decimal text without what does not count.
    Number(String),
    /// Bytes; keys only.
    Binary(Vec<u8>),
    /// True or false.
    Boolean(bool),
    /// Null.
    Null,
    /// A list.
    List(Vec<SeedValue>),
    /// A mapping.
    Mapping(BTreeMap<String, SeedValue>),
}

/// A row: attributes by name.
pub type SeedRow = BTreeMap<String, SeedValue>;

/// The rows a table of a spec starts with; none when it has no seed, or the spec was read from text alone.
///
/// # Errors
/// Everything that is wrong with the file, at its place there. Loading a spec tells it first.
pub fn seed_rows(loaded: &LoadedSpec, name: &str) -> Result<Vec<SeedRow>, Vec<Finding>> {
    let Some(table) = loaded.spec.tables.get(name) else { return Ok(Vec::new()) };
    let Some(path) = &table.seed else { return Ok(Vec::new()) };
    match loaded.files.get(&pointer(name)) {
        Some(text) => rows(table, text, path, &beside(&loaded.file, path)),
        None => Ok(Vec::new()),
    }
}

/// Where the path of a table's seed stands.
pub(super) fn pointer(name: &str) -> String {
    format!("/tables/{}/seed", escape(name))
}

/// How findings name a file beside the spec.
pub(super) fn beside(spec: &str, path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    match spec.rsplit_once(['/', std::path::MAIN_SEPARATOR]) {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

/// A row that is not judged yet, with its place.
struct Raw {
    at: (usize, usize),
    values: SeedRow,
}

/// Reads the rows of a seed's text; `path` tells its format, `shown` is how findings name the file.
pub(super) fn rows(table: &Table, text: &str, path: &str, shown: &str) -> Result<Vec<SeedRow>, Vec<Finding>> {
    let raw = match path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("yaml" | "yml" | "json") => from_yaml(text, shown)?,
        Some("csv") => from_csv(text, shown, &key_types(table))?,
        _ => {
            return Err(vec![
                Finding::error(code::S070, format!("`{shown}` is not a file of rows"))
                    .at(place(shown, (1, 1)))
                    .help("end its name in `.yaml`, `.yml`, `.json` or `.csv`, and let it hold that"),
            ]);
        }
    };
    judge(table, raw, shown)
}

fn place(file: &str, (line, column): (usize, usize)) -> Option<Place> {
    Some(Place { file: file.to_owned(), line, column })
}

/// The keys of the table and its indexes that have a type.
fn key_types(table: &Table) -> BTreeMap<&str, KeyType> {
    let indexed = table.indexes.values().flat_map(|index| std::iter::once(&index.partition_key).chain(&index.sort_key));
    let own = std::iter::once(&table.partition_key).chain(&table.sort_key);
    indexed.chain(own).map(|key| (key.name.as_str(), key.r#type)).collect()
}

fn from_yaml(text: &str, shown: &str) -> Result<Vec<Raw>, Vec<Finding>> {
    let document = yaml::parse(text).map_err(|error| vec![error.finding(shown)])?;
    let at = |pointer: &str| document.positions.at(pointer).unwrap_or((1, 1));
    let Value::Array(list) = &document.value else {
        let message = format!("`{shown}` holds {}, and rows are a list of mappings", found(&document.value));
        let help = "write each row as an entry of a list, such as `- AccountID: 5555`";
        return Err(vec![Finding::error(code::S070, message).at(place(shown, at(""))).help(help)]);
    };
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    if list.len() > MOST_ROWS {
        return Err(vec![too_many(MOST_ROWS, "rows", shown)]);
    }
    for (index, row) in list.iter().enumerate() {
        let at = at(&format!("/{index}"));
        let values = match row {
            Value::Object(map) => map.iter().map(|(name, value)| Ok((name.clone(), typed(value)?))).collect(),
            other => Err(format!("it is {}, and a row is a mapping", found(other))),
        };
        match values {
            Ok(values) => rows.push(Raw { at, values }),
            Err(why) => findings.push(wrong(index, &why, shown, at)),
        }
        if findings.len() >= MOST {
            break;
        }
    }
    if findings.is_empty() { Ok(rows) } else { Err(findings) }
}

fn typed(value: &Value) -> Result<SeedValue, String> {
    Ok(match value {
        Value::Null => SeedValue::Null,
        Value::Bool(flag) => SeedValue::Boolean(*flag),
        Value::Number(number) => SeedValue::Number(number::canonical(&number.to_string())?),
        Value::String(text) => SeedValue::Text(text.clone()),
        Value::Array(entries) => SeedValue::List(entries.iter().map(typed).collect::<Result<_, _>>()?),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| Ok((name.clone(), typed(value)?)));
            SeedValue::Mapping(entries.collect::<Result<_, String>>()?)
        }
    })
}

fn from_csv(text: &str, shown: &str, types: &BTreeMap<&str, KeyType>) -> Result<Vec<Raw>, Vec<Finding>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let unreadable = |error: &csv::Error| {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(1));
        let why = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the row has {len} cells, and the first line names {expected_len} attributes")
            }
            _ => error.to_string(),
        };
        let help = "quote cells with commas or line ends in them, and give every row the same number";
        vec![Finding::error(code::S070, why).at(place(shown, (line, 1))).help(help)]
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| unreadable(&error))?.clone();
    if headers.len() > MOST_COLUMNS {
        return Err(vec![too_many(MOST_COLUMNS, "columns", shown)]);
    }
    let mut seen = BTreeSet::new();
    for (column, name) in headers.iter().enumerate() {
        let again = !seen.insert(name);
        if name.is_empty() || again {
            let what = if again { "occurs twice" } else { "has no name" };
            let message = format!("column {} of `{shown}` {what}", column + 1);
            let help = "let the first line name each attribute once";
            return Err(vec![Finding::error(code::S070, message).at(place(shown, (1, 1))).help(help)]);
        }
    }
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    for (index, record) in reader.records().enumerate() {
        if index >= MOST_ROWS {
            return Err(vec![too_many(MOST_ROWS, "rows", shown)]);
        }
        let record = record.map_err(|error| unreadable(&error))?;
        let line = record.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(1));
        let cells = headers.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        let values = cells.map(|(name, cell)| {
            let value = match types.get(name) {
                Some(KeyType::Number) => {
                    SeedValue::Number(number::canonical(cell.trim()).map_err(|why| format!("`{name}`: {why}"))?)
                }
                _ => SeedValue::Text(cell.to_owned()),
            };
            Ok((name.to_owned(), value))
        });
        match values.collect::<Result<SeedRow, String>>() {
            Ok(values) => rows.push(Raw { at: (line, 1), values }),
            Err(why) => findings.push(wrong(index, &why, shown, (line, 1))),
        }
        if findings.len() >= MOST {
            break;
        }
    }
    if findings.is_empty() { Ok(rows) } else { Err(findings) }
}

fn too_many(most: usize, what: &str, shown: &str) -> Finding {
    Finding::error(code::S233, format!("`{shown}` has more than {most} {what}"))
        .at(place(shown, (1, 1)))
        .help("a seed is what a table starts with: fill it with more by other means")
}

fn wrong(index: usize, why: &str, shown: &str, at: (usize, usize)) -> Finding {
    Finding::error(code::S071, format!("row {} of `{shown}`: {why}", index + 1))
        .at(place(shown, at))
        .help("DynamoDB would refuse it; correct the row")
}

/// Holds rows against the table's keys.
fn judge(table: &Table, raw: Vec<Raw>, shown: &str) -> Result<Vec<SeedRow>, Vec<Finding>> {
    let mut findings = Vec::new();
    let types = key_types(table);
    let mut seen: BTreeMap<Vec<SeedValue>, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (index, Raw { at, mut values }) in raw.into_iter().enumerate() {
        match fitting(table, &types, &mut values) {
            Err(why) => findings.push(wrong(index, &why, shown, at)),
            Ok(key) => {
                if let Some(first) = seen.get(&key) {
                    let message = format!("row {} of `{shown}` has the key of row {}", index + 1, first + 1);
                    let help = "there is one item for each key; remove one of the rows";
                    findings.push(Finding::error(code::S072, message).at(place(shown, at)).help(help));
                } else {
                    seen.insert(key, index);
                }
            }
        }
        rows.push(values);
        if findings.len() >= MOST {
            break;
        }
    }
    if findings.is_empty() { Ok(rows) } else { Err(findings) }
}

/// The key of a row, once its keys have the types they need and it is not too large.
fn fitting(table: &Table, types: &BTreeMap<&str, KeyType>, row: &mut SeedRow) -> Result<Vec<SeedValue>, String> {
    for (&name, &kind) in types {
        let Some(value) = row.get_mut(name) else { continue };
        let said = match value {
            SeedValue::Text(text) if text.is_empty() => {
                return Err(format!("`{name}` is a key and must not be empty"));
            }
            SeedValue::Text(text) if kind == KeyType::Binary => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
                *value = SeedValue::Binary(bytes.map_err(|_| format!("`{name}` holds bytes; write them in Base64"))?);
                continue;
            }
            SeedValue::Text(_) if kind == KeyType::String => continue,
            SeedValue::Number(_) if kind == KeyType::Number => continue,
            SeedValue::Text(_) | SeedValue::Binary(_) => "a text",
            SeedValue::Number(_) => "a number",
            SeedValue::Boolean(_) => "true or false",
            SeedValue::Null => "null",
            SeedValue::List(_) => "a list",
            SeedValue::Mapping(_) => "a mapping",
        };
        let wanted = match kind {
            KeyType::String => "a text: put it in quotes",
            KeyType::Number => "a number: write it without quotes",
            KeyType::Binary => "bytes: write them in Base64",
        };
        return Err(format!("`{name}` is {said}, and the key is {wanted}"));
    }
    if size_of(row) > LARGEST_ROW {
        return Err("it is larger than 400 KB, the most DynamoDB takes".to_owned());
    }
    let keys = std::iter::once(&table.partition_key).chain(&table.sort_key);
    keys.map(|key| row.get(&key.name).cloned().ok_or_else(|| format!("it has no `{}`, which is a key", key.name)))
        .collect()
}

fn size_of(row: &SeedRow) -> usize {
    fn size(value: &SeedValue) -> usize {
        match value {
            SeedValue::Text(text) => text.len(),
            SeedValue::Number(text) => text.len() / 2 + 2,
            SeedValue::Binary(bytes) => bytes.len(),
            SeedValue::Boolean(_) | SeedValue::Null => 1,
            SeedValue::List(entries) => 3 + entries.iter().map(|entry| 1 + size(entry)).sum::<usize>(),
            SeedValue::Mapping(entries) => 3 + entries.len() + size_of(entries),
        }
    }
    row.iter().map(|(name, one)| name.len() + size(one)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(yaml: &str) -> Table {
        serde_json::from_value(yaml::parse(yaml).expect("YAML").value).expect("a table")
    }

    fn accounts() -> Table {
        table("{ partition-key: { name: AccountID, type: number } }")
    }

    fn codes(result: Result<Vec<SeedRow>, Vec<Finding>>) -> Vec<(&'static str, usize)> {
        let findings = result.expect_err("findings");
        findings.iter().map(|finding| (finding.code.as_str(), finding.place.as_ref().expect("a place").line)).collect()
    }

    #[test]
    fn the_same_rows_come_from_every_format() {
        let yaml = "- AccountID: 5555\n  AccountName: John\n- { AccountID: 6666, AccountName: Thomas }\n";
        let json = r#"[{"AccountID": 5555, "AccountName": "John"}, {"AccountID": 6666.0, "AccountName": "Thomas"}]"#;
        let csv = "AccountID,AccountName,Note\r\n5555,John,\r\n\"6666\",Thomas,\n";
        let from = |text, path| rows(&accounts(), text, path, path).expect("rows");
        assert_eq!(from(yaml, "rows.yaml"), from(json, "rows.json"));
        assert_eq!(from(yaml, "rows.yml"), from(csv, "rows.CSV"));
        assert_eq!(from(yaml, "rows.yaml")[0]["AccountID"], SeedValue::Number("5555".to_owned()));
    }

    #[test]
    fn rows_that_dynamodb_would_refuse_are_told_with_their_line() {
        let text = "- AccountName: John\n- AccountID: \"5\"\n- AccountID: 7\n- AccountID: 7.0\n- 3\n";
        assert_eq!(codes(rows(&accounts(), text, "rows.yaml", "rows.yaml")), [("S071", 5)]);
        let text = "- AccountName: John\n- AccountID: \"5\"\n- AccountID: 7\n- AccountID: 7.0\n";
        assert_eq!(codes(rows(&accounts(), text, "a.yaml", "a.yaml")), [("S071", 1), ("S071", 2), ("S072", 4)]);
        let text = "AccountID,AccountName\n5,John\nfive,Jo\n";
        assert_eq!(codes(rows(&accounts(), text, "a.csv", "a.csv")), [("S071", 3)]);
        let text = "AccountID,AccountName\n5,John,more\n";
        assert_eq!(codes(rows(&accounts(), text, "a.csv", "a.csv")), [("S070", 2)]);
        assert_eq!(codes(rows(&accounts(), "a,a\n1,2\n", "a.csv", "a.csv")), [("S070", 1)]);
        assert_eq!(codes(rows(&accounts(), "AccountID: 1\n", "a.yaml", "a.yaml")), [("S070", 1)]);
        assert_eq!(codes(rows(&accounts(), "", "a.txt", "a.txt")), [("S070", 1)]);
        let large = format!("- AccountID: 1\n  Text: {}\n", "x".repeat(410_000));
        assert_eq!(codes(rows(&accounts(), &large, "a.yaml", "a.yaml")), [("S071", 1)]);
    }

    #[test]
    fn keys_of_indexes_have_their_types_where_they_are() {
        let table = table(
            "{ partition-key: { name: id }, indexes: { by-age: { partition-key: { name: age, type: number } } } }",
        );
        assert!(rows(&table, "- { id: a, age: 7 }\n- { id: b }\n", "a.yaml", "a.yaml").is_ok());
        assert_eq!(codes(rows(&table, "- { id: a, age: old }\n", "a.yaml", "a.yaml")), [("S071", 1)]);
    }

    #[test]
    fn a_file_is_named_from_where_the_spec_is() {
        assert_eq!(beside("stacks/bank/usecase.yaml", "./data/rows.csv"), "stacks/bank/data/rows.csv");
        assert_eq!(beside("usecase.yaml", "rows.csv"), "rows.csv");
    }
}
