//! Which values a partial has written where: each `{{json …}}`, and what stands there because of a block, is found again in
//! the YAML that was read, by the place where it was written. Nothing is added to the text, so nothing in it can forge this.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use handlebars::PathAndJson;
use serde_json::Value;

use crate::render::data::{Rows, row, rows_below};
use crate::spec::push_segment;
use crate::yaml::{PlacedNode, Positions};

/// The most values and blocks that are followed in one partial. What is written after them has the place of its component;
/// without an end, loops in loops would spend more on their places than on what they write.
const MOST_MARKS: usize = 20_000;

/// What one rendering of a partial has written so far.
#[derive(Debug)]
pub(super) struct Trace<'r> {
    rows: &'r Rows,
    /// How many bytes.
    written: AtomicUsize,
    marks: Mutex<Vec<Mark>>,
}

/// A stretch of the text that comes from a place of the spec.
#[derive(Debug)]
struct Mark {
    start: usize,
    what: What,
    /// The place, and those of what is within, by the way from there.
    places: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// A text, a number and the like.
    Scalar,
    /// A list or a mapping.
    Collection,
    /// Everything up to here: the inside of a block.
    Block(usize),
}

impl<'r> Trace<'r> {
    pub(super) fn new(rows: &'r Rows) -> Self {
        Self { rows, written: AtomicUsize::new(0), marks: Mutex::default() }
    }

    /// Tells how long the text is now.
    pub(super) fn written(&self, bytes: usize) {
        self.written.store(bytes, Ordering::Relaxed);
    }

    /// Tells that a value of the data is written next.
    pub(super) fn value(&self, value: &PathAndJson<'_>) {
        if self.is_full() {
            return;
        }
        let Some(pointer) = value.context_path().map(|path| pointer(path)) else { return };
        let own = row(self.rows, &pointer).map(|place| (String::new(), place));
        let below = rows_below(self.rows, &pointer).map(|(within, place)| (within.to_owned(), place.to_owned()));
        let places: Vec<(String, String)> = own.into_iter().chain(below).collect();
        let what = match value.value() {
            Value::Array(_) | Value::Object(_) => What::Collection,
            _ => What::Scalar,
        };
        self.mark(what, places);
    }

    /// Tells that a block begins which is there because of a value, such as the rounds of a loop. What is given back is for
    /// [`Trace::end`].
    pub(super) fn begin(&self, value: &PathAndJson<'_>, round: Option<&str>) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let mut pointer = pointer(value.context_path()?);
        if let Some(round) = round {
            push_segment(&mut pointer, round);
        }
        let place = row(self.rows, &pointer)?;
        self.mark(What::Block(0), vec![(String::new(), place)])
    }

    /// Tells that a block ends.
    pub(super) fn end(&self, begun: Option<usize>) {
        let end = self.written.load(Ordering::Relaxed);
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mark) = begun.and_then(|at| marks.get_mut(at)) {
            mark.what = What::Block(end);
        }
    }

    fn is_full(&self) -> bool {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).len() >= MOST_MARKS
    }

    fn mark(&self, what: What, places: Vec<(String, String)>) -> Option<usize> {
        if places.is_empty() {
            return None;
        }
        let start = self.written.load(Ordering::Relaxed);
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.push(Mark { start, what, places });
        Some(marks.len() - 1)
    }

    /// The parts of what was read from the text, with where each comes from: JSON pointers of both. What is written later
    /// is further within, and holds.
    pub(super) fn found(self, text: &str, positions: &Positions) -> BTreeMap<String, String> {
        let marks = self.marks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut found = BTreeMap::new();
        if marks.is_empty() {
            return found;
        }
        let lines = Lines::of(text);
        let nodes = positions.nodes();
        for mark in marks {
            match mark.what {
                What::Block(end) => {
                    let Some((_, place)) = mark.places.first() else { continue };
                    for node in outermost(&nodes, lines.place(mark.start), lines.place(end)) {
                        found.insert(path(&nodes, node), place.clone());
                    }
                }
                What::Scalar | What::Collection => {
                    let scalar = matches!(mark.what, What::Scalar);
                    let Some(node) = written_at(&nodes, &lines, mark.start, scalar) else { continue };
                    let at = path(&nodes, node);
                    found.extend(mark.places.into_iter().map(|(within, place)| (format!("{at}{within}"), place)));
                }
            }
        }
        found
    }
}

fn pointer(path: &[String]) -> String {
    let mut pointer = String::with_capacity(64);
    path.iter().for_each(|segment| push_segment(&mut pointer, segment));
    pointer
}

/// The lines of a text, to have a byte's place in it as YAML counts: line and column from 1, columns in characters.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Of every so many bytes, how many characters come before them: a line may be as long as the text.
    characters: Vec<usize>,
}

/// After how many bytes characters are counted anew.
const STRIDE: usize = 256;
/// The most characters that tags between a node's place and its value are looked for in.
const MOST_TAGS: usize = 1024;

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut count = 0;
        let mut characters = vec![0];
        for stretch in text.as_bytes().chunks(STRIDE) {
            count += stretch.iter().filter(|byte| begins_character(**byte)).count();
            characters.push(count);
        }
        Self { text, starts, characters }
    }

    /// How many characters come before a byte.
    fn characters_before(&self, at: usize) -> usize {
        let before = self.characters.get(at / STRIDE).copied().unwrap_or_default();
        let rest = self.text.as_bytes().get(at / STRIDE * STRIDE..at).unwrap_or_default();
        before + rest.iter().filter(|byte| begins_character(**byte)).count()
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or_default();
        (line, self.characters_before(at).saturating_sub(self.characters_before(start)) + 1)
    }

    /// Whether the so many characters before a byte are tags and spaces.
    fn are_tags(&self, at: usize, count: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.char_indices().rev().take(count).last().map_or(at, |(start, _)| start);
        count <= MOST_TAGS
            && before.get(start..).unwrap_or_default().split_whitespace().all(|word| word.starts_with('!'))
    }
}

/// Whether a byte is the first of a character in UTF-8.
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The node that a value was written as; none for a value that became a key. A short form such as `!Ref` stands before it.
fn written_at(nodes: &[PlacedNode<'_>], lines: &Lines<'_>, at: usize, scalar: bool) -> Option<usize> {
    let (line, column) = lines.place(at);
    let index = nodes.partition_point(|node| node.place <= (line, column)).checked_sub(1)?;
    let node = nodes.get(index)?;
    let same_line = node.place.0 == line;
    let here = same_line && lines.are_tags(at, column.saturating_sub(node.place.1));
    // A mapping in block style begins where its first key does.
    let fits = !scalar || node.end == index + 1;
    (here && fits).then_some(index)
}

/// The nodes, each with all that is below it, from one place up to another.
fn outermost(nodes: &[PlacedNode<'_>], start: (usize, usize), end: (usize, usize)) -> Vec<usize> {
    let mut found = Vec::new();
    let mut index = nodes.partition_point(|node| node.key_place < start);
    while let Some(node) = nodes.get(index).filter(|node| node.key_place < end) {
        let last = node.end.checked_sub(1).and_then(|last| nodes.get(last));
        if last.is_some_and(|last| last.place <= end) {
            found.push(index);
            index = node.end.max(index + 1);
        } else {
            index += 1;
        }
    }
    found
}

/// A node's JSON pointer.
fn path(nodes: &[PlacedNode<'_>], index: usize) -> String {
    let mut path = String::with_capacity(64);
    write_path(nodes, index, &mut path);
    path
}

/// Goes no deeper than YAML is read.
fn write_path(nodes: &[PlacedNode<'_>], index: usize, path: &mut String) {
    let Some(node) = nodes.get(index) else { return };
    let Some(parent) = node.parent else { return };
    write_path(nodes, parent, path);
    match node.key {
        Some(key) => push_segment(path, key),
        None => path.push_str(&format!("/{}", node.index)),
    }
}
