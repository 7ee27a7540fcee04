//! JSONPath as far as mapping templates use it: names, indexes, slices, wildcards, descent, and simple filters.

use serde_json::Value as Json;

/// How many values a path may look at.
const MAX_VISITS: usize = 1_000_000;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum JsonPathStep {
    Names(Vec<String>),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    Descend,
    Filter(Filter),
    Length,
}

/// `[?(@.name op value)]`, or only that there is such a name.
#[derive(Debug, Clone, PartialEq)]
struct Filter {
    path: Vec<String>,
    test: Option<(String, Json)>,
}

/// What a path finds: nothing where it leads nowhere, a list where it may find many.
///
/// # Errors
/// For a path that can't be read.
pub fn find(json: &Json, path: &str) -> Result<Option<Json>, String> {
    let steps = Reader { text: path.trim(), at: 0 }
        .steps()
        .ok_or_else(|| format!("the JSON path `{path}` can't be read, or is not simulated by the local target"))?;
    let many = steps.iter().any(|step| match step {
        JsonPathStep::Names(names) => names.len() > 1,
        JsonPathStep::Indexes(indexes) => indexes.len() > 1,
        JsonPathStep::Slice(..) | JsonPathStep::All | JsonPathStep::Descend | JsonPathStep::Filter(_) => true,
        JsonPathStep::Length => false,
    });
    let mut found: Vec<Json> = Vec::new();
    let mut at: Vec<&Json> = vec![json];
    let mut visits = 0_usize;
    for step in &steps {
        if *step == JsonPathStep::Length {
            let [one] = *at else { return Ok(None) };
            let length = match one {
                Json::Array(items) => items.len(),
                Json::Object(entries) => entries.len(),
                Json::String(text) => text.encode_utf16().count(),
                _ => return Ok(None),
            };
            return Ok(Some(Json::from(length)));
        }
        let mut next = Vec::new();
        for value in at {
            take(step, value, &mut next);
        }
        visits += next.len();
        if visits > MAX_VISITS {
            return Err(format!("the JSON path `{path}` finds too much"));
        }
        at = next;
    }
    if !many {
        return Ok(at.first().map(|value| (*value).clone()));
    }
    found.extend(at.into_iter().cloned());
    Ok(Some(Json::Array(found)))
}

fn take<'a>(step: &JsonPathStep, value: &'a Json, next: &mut Vec<&'a Json>) {
    match (step, value) {
        (JsonPathStep::Names(names), Json::Object(entries)) => {
            next.extend(names.iter().filter_map(|name| entries.get(name)))
        }
        (JsonPathStep::Indexes(indexes), Json::Array(items)) => {
            next.extend(indexes.iter().filter_map(|index| items.get(place(*index, items.len())?)));
        }
        (JsonPathStep::Slice(from, to), Json::Array(items)) => {
            let bound = |at: &Option<i64>, absent: usize| match at {
                None => absent,
                Some(at) if *at < 0 => place(*at, items.len()).unwrap_or(0),
                Some(at) => usize::try_from(*at).unwrap_or(usize::MAX).min(items.len()),
            };
            next.extend(items.get(bound(from, 0)..bound(to, items.len())).unwrap_or_default());
        }
        (JsonPathStep::All, Json::Array(items)) => next.extend(items),
        (JsonPathStep::All, Json::Object(entries)) => next.extend(entries.values()),
        (JsonPathStep::Descend, _) => {
            // The value itself and everything in it, outermost first.
            next.push(value);
            match value {
                Json::Array(items) => items.iter().for_each(|item| take(step, item, next)),
                Json::Object(entries) => entries.values().for_each(|item| take(step, item, next)),
                _ => {}
            }
        }
        (JsonPathStep::Filter(filter), Json::Array(items)) => {
            next.extend(items.iter().filter(|item| filter.lets(item)))
        }
        (JsonPathStep::Filter(filter), Json::Object(_)) if filter.lets(value) => next.push(value),
        _ => {}
    }
}

fn place(index: i64, count: usize) -> Option<usize> {
    if index < 0 { count.checked_add_signed(isize::try_from(index).ok()?) } else { usize::try_from(index).ok() }
}

impl Filter {
    fn lets(&self, item: &Json) -> bool {
        let found = self.path.iter().try_fold(item, |value, name| value.get(name));
        let Some((operator, wanted)) = &self.test else { return found.is_some() };
        let Some(found) = found else { return false };
        let order = match (found, wanted) {
            (Json::Number(a), Json::Number(b)) => a.as_f64().zip(b.as_f64()).and_then(|(a, b)| a.partial_cmp(&b)),
            (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
            _ => (found == wanted).then_some(std::cmp::Ordering::Equal),
        };
        match &**operator {
            "==" => order.is_some_and(std::cmp::Ordering::is_eq),
            "!=" => !order.is_some_and(std::cmp::Ordering::is_eq),
            "<" => order.is_some_and(std::cmp::Ordering::is_lt),
            "<=" => order.is_some_and(std::cmp::Ordering::is_le),
            ">" => order.is_some_and(std::cmp::Ordering::is_gt),
            _ => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, text: &str) -> bool {
        let hit = self.rest().starts_with(text);
        if hit {
            self.at += text.len();
        }
        hit
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn steps(mut self) -> Option<Vec<JsonPathStep>> {
        let mut steps = Vec::new();
        // A path may leave `$.` out.
        if !self.eat("$") && !self.rest().is_empty() && !self.rest().starts_with('[') {
            steps.push(JsonPathStep::Names(vec![self.name()?]));
        }
        while !self.rest().is_empty() {
            if self.eat("..") {
                steps.push(JsonPathStep::Descend);
                if self.rest().starts_with('[') {
                    continue;
                }
            } else if self.rest().starts_with('[') {
                self.at += 1;
                steps.push(self.bracket()?);
                continue;
            } else if !self.eat(".") {
                return None;
            }
            if self.eat("*") {
                steps.push(JsonPathStep::All);
            } else if self.eat("length()") {
                steps.push(JsonPathStep::Length);
            } else if !self.rest().starts_with('[') {
                steps.push(JsonPathStep::Names(vec![self.name()?]));
            }
        }
        Some(steps)
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(['.', '[', '(', ')', ' ', '=', '<', '>', '!', ']']).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
    }

    fn bracket(&mut self) -> Option<JsonPathStep> {
        self.skip_space();
        if self.eat("*") {
            self.skip_space();
            return self.eat("]").then_some(JsonPathStep::All);
        }
        if self.eat("?(") {
            return self.filter();
        }
        let quoted = self.rest().starts_with(['\'', '"']);
        let mut names = Vec::new();
        let mut indexes = Vec::new();
        let mut slice = None;
        loop {
            self.skip_space();
            if quoted {
                names.push(self.quotation()?);
            } else {
                let first = self.number();
                if self.eat(":") {
                    slice = Some((first, self.number()));
                } else {
                    indexes.push(first?);
                }
            }
            self.skip_space();
            if self.eat("]") {
                break;
            }
            if !self.eat(",") {
                return None;
            }
        }
        Some(match slice {
            Some((from, to)) if indexes.is_empty() => JsonPathStep::Slice(from, to),
            Some(_) => return None,
            None if quoted => JsonPathStep::Names(names),
            None => JsonPathStep::Indexes(indexes),
        })
    }

    fn quotation(&mut self) -> Option<String> {
        let quote = self.rest().chars().next()?;
        self.at += 1;
        let mut text = String::new();
        loop {
            let next = self.rest().chars().next()?;
            self.at += next.len_utf8();
            match next {
                '\\' => {
                    let quoted = self.rest().chars().next()?;
                    self.at += quoted.len_utf8();
                    text.push(quoted);
                }
                c if c == quote => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        let number = rest.get(..end)?.parse().ok()?;
        self.at += end;
        Some(number)
    }

    fn filter(&mut self) -> Option<JsonPathStep> {
        self.skip_space();
        if !self.eat("@") {
            return None;
        }
        let mut path = Vec::new();
        loop {
            if self.eat(".") {
                path.push(self.name()?);
            } else if self.eat("[") {
                path.push(self.quotation()?);
                if !self.eat("]") {
                    return None;
                }
            } else {
                break;
            }
        }
        self.skip_space();
        let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|operator| self.eat(operator));
        let test = match operator {
            None => None,
            Some(operator) => {
                self.skip_space();
                let wanted = if self.rest().starts_with(['\'', '"']) {
                    Json::String(self.quotation()?)
                } else {
                    let rest = self.rest();
                    let end = rest.find(')')?;
                    self.at += end;
                    serde_json::from_str(rest.get(..end)?.trim()).ok()?
                };
                Some((operator.to_owned(), wanted))
            }
        };
        self.skip_space();
        self.eat(")]").then_some(JsonPathStep::Filter(Filter { path, test }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_what_jsonpath_finds() {
        let json = json!({ "a": { "b": [1, 2, 3], "c d": "x" }, "l": [{ "n": "p", "v": 1 }, { "n": "q", "v": 2 }] });
        for (path, found) in [
            ("$", Some(json.clone())),
            ("", Some(json.clone())),
            ("$.a.b", Some(json!([1, 2, 3]))),
            ("a.b[0]", Some(json!(1))),
            ("$.a.b[-1]", Some(json!(3))),
            ("$.a.b[1:]", Some(json!([2, 3]))),
            ("$.a.b[:1]", Some(json!([1]))),
            ("$.a.b[0,2]", Some(json!([1, 3]))),
            ("$['a']['c d']", Some(json!("x"))),
            ("$.a.b.length()", Some(json!(3))),
            ("$.l[*].n", Some(json!(["p", "q"]))),
            ("$..v", Some(json!([1, 2]))),
            ("$.l[?(@.v > 1)].n", Some(json!(["q"]))),
            ("$.l[?(@.n == 'p')].v", Some(json!([1]))),
            ("$.nope", None),
            ("$.a.b[9]", None),
            ("$.nope[*]", Some(json!([]))),
        ] {
            assert_eq!(find(&json, path), Ok(found), "{path}");
        }
    }

    #[test]
    fn a_path_that_is_none_is_an_error() {
        for path in ["$.", "$[", "$[a]", "$x", "$['a", "$.l[?(x)]", "$[1:2,3]"] {
            assert!(find(&json!({}), path).is_err(), "{path}");
        }
    }
}
