//! Where everything in a document stands: JSON pointer → line and column.

use std::collections::HashMap;
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
    /// The children of nodes that have many, made when first needed: a list's in order, a mapping's by key.
    wide: OnceLock<HashMap<usize, Vec<u32>>>,
}

/// One value of a document and where it stands, as [`Positions::nodes`] gives it.
#[derive(Debug, Clone, Copy)]
pub struct PlacedNode<'p> {
    /// The index of the list or mapping it is in; none for the document's own value.
    pub parent: Option<usize>,
    /// Its key in a mapping; none for a list's item.
    pub key: Option<&'p str>,
    /// Its place in a list, from 0; for a mapping's values, how many come before it.
    pub index: usize,
    /// Line and column of its key; of itself where it has none.
    pub key_place: (usize, usize),
    /// Line and column of the value.
    pub place: (usize, usize),
    /// The index just past its last descendant.
    pub end: usize,
}

/// From so many nodes below a node on, its children are looked up instead of walked along.
const WIDE: usize = 64;

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

    /// Line and column of a key of a mapping that is still open.
    pub(super) fn key_place(&self, mapping: usize, key: &str) -> Option<(usize, usize)> {
        let mut index = mapping + 1;
        while let Some(node) = self.nodes.get(index) {
            if self.key(index as u32) == key {
                return Some(widen(node.key_place));
            }
            index = (node.end as usize).max(index + 1);
        }
        None
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
        if parent.end as usize - parent_index > WIDE
            && let Some(children) = self.wide().get(&parent_index)
        {
            let listed = children.first().and_then(|first| self.nodes.get(*first as usize))?.key.is_none();
            let position = match listed {
                true => segment.parse().ok()?,
                false => children.binary_search_by(|child| self.key(*child).cmp(segment)).ok()?,
            };
            let index = *children.get(position)? as usize;
            return Some((index, *self.nodes.get(index)?));
        }
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

impl Tree {
    fn key(&self, node: u32) -> &str {
        let key = self.nodes.get(node as usize).and_then(|node| node.key);
        key.and_then(|(start, end)| self.keys.get(start as usize..end as usize)).unwrap_or_default()
    }

    /// Every node with its parent, in the document's order.
    fn nodes(&self) -> Vec<PlacedNode<'_>> {
        let mut nodes: Vec<PlacedNode<'_>> = Vec::with_capacity(self.nodes.len());
        // The lists and mappings that are open, each with how many children it has had.
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            while open.last().is_some_and(|(parent, _)| nodes.get(*parent).is_none_or(|parent| parent.end <= at)) {
                open.pop();
            }
            let (parent, index) = match open.last_mut() {
                Some((parent, children)) => {
                    *children += 1;
                    (Some(*parent), *children - 1)
                }
                None => (None, 0),
            };
            let key = node.key.and_then(|(start, end)| self.keys.get(start as usize..end as usize));
            let (key_place, place, end) = (widen(node.key_place), widen(node.place), node.end as usize);
            nodes.push(PlacedNode { parent, key, index, key_place, place, end });
            open.push((at, 0));
        }
        nodes
    }

    /// The children of every node that has many: each node is looked at once, as the child of its parent.
    fn wide(&self) -> &HashMap<usize, Vec<u32>> {
        self.wide.get_or_init(|| {
            let mut wide = HashMap::new();
            for (index, node) in self.nodes.iter().enumerate() {
                let end = node.end as usize;
                if end - index <= WIDE {
                    continue;
                }
                let mut children = Vec::new();
                let mut next = index + 1;
                while let Some(child) = self.nodes.get(next).filter(|_| next < end) {
                    children.push(next as u32);
                    next = child.end as usize;
                }
                if children.first().and_then(|first| self.nodes.get(*first as usize)).is_some_and(|it| it.key.is_some())
                {
                    children.sort_by(|a, b| self.key(*a).cmp(self.key(*b)));
                }
                wide.insert(index, children);
            }
            wide
        })
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

    /// Every value of the document in its order, for who goes through all of them.
    pub fn nodes(&self) -> Vec<PlacedNode<'_>> {
        self.tree().nodes()
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
