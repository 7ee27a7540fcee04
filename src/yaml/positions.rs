//! Where everything in a document stands: JSON pointer → line and column.

use std::sync::{Arc, OnceLock};

use super::{Dialect, scan};

/// The place of every key and value of a document.
///
/// What an alias stands for has the alias's place and none of its own below it, so the index is never larger than
/// the text it was made from.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    tree: OnceLock<Tree>,
    /// The text to work the places out from when first asked.
    text: Option<Arc<str>>,
}

/// The nodes of a document in the order they are met.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    keys: String,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Where its key lies in `Tree::keys`; none for a list's items.
    key: Option<(u32, u32)>,
    key_place: (u32, u32),
    place: (u32, u32),
    /// The index just past its last descendant.
    end: u32,
}

impl Tree {
    /// Adds a node; its children follow until [`Tree::close`].
    pub(super) fn open(&mut self, key: Option<(&str, (usize, usize))>, place: (usize, usize)) -> usize {
        let at = self.nodes.len();
        let place = narrow(place);
        let (key, key_place) = match key {
            Some((text, key_place)) => {
                let start = self.keys.len();
                self.keys.push_str(text);
                (Some((start as u32, self.keys.len() as u32)), narrow(key_place))
            }
            None => (None, place),
        };
        self.nodes.push(Node { key, key_place, place, end: at as u32 + 1 });
        at
    }

    /// Says that a node has no more children.
    pub(super) fn close(&mut self, node: usize) {
        let end = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(node) {
            node.end = end;
        }
    }

    /// The node at a pointer, or its nearest ancestor.
    fn find(&self, pointer: &str) -> Option<Node> {
        let mut index = 0;
        let mut node = *self.nodes.first()?;
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let Some((child_index, child)) = self.child(index, node, &segment) else { break };
            (index, node) = (child_index, child);
        }
        Some(node)
    }

    fn child(&self, parent_index: usize, parent: Node, segment: &str) -> Option<(usize, Node)> {
        let mut index = parent_index + 1;
        let mut count = 0_usize;
        while index < parent.end as usize {
            let node = *self.nodes.get(index)?;
            let same = match node.key {
                Some((start, end)) => self.keys.get(start as usize..end as usize) == Some(segment),
                None => segment.parse() == Ok(count),
            };
            if same {
                return Some((index, node));
            }
            count += 1;
            index = node.end as usize;
        }
        None
    }
}

/// Lines and columns of a text of at most 1 MiB fit.
fn narrow((line, column): (usize, usize)) -> (u32, u32) {
    (line as u32, column as u32)
}

fn widen((line, column): (u32, u32)) -> (usize, usize) {
    (line as usize, column as usize)
}

impl Positions {
    pub(super) fn of(tree: Tree) -> Self {
        Self { tree: OnceLock::from(tree), text: None }
    }

    /// Places worked out when first asked for.
    pub(super) fn lazy(text: &str) -> Self {
        Self { tree: OnceLock::new(), text: Some(Arc::from(text)) }
    }

    fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| {
            let scanned = self.text.as_deref().map(|text| scan::scan_tree(text, Dialect::CloudFormation));
            scanned.and_then(Result::ok).unwrap_or_default()
        })
    }

    /// Line and column, from 1, of the value at a JSON pointer such as `/functions/design/code`, or of the nearest
    /// thing around it; none only for a document without any content.
    pub fn at(&self, pointer: &str) -> Option<(usize, usize)> {
        self.tree().find(pointer).map(|node| widen(node.place))
    }

    /// Line and column, from 1, of the key of the value at a JSON pointer; a list's item has its own place.
    pub fn key_at(&self, pointer: &str) -> Option<(usize, usize)> {
        self.tree().find(pointer).map(|node| widen(node.key_place))
    }
}
