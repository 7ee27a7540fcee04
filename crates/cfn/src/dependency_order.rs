//! In which order things that depend on one another are dealt with, and which of them can't be because they depend on one
//! another in a cycle. Things are numbered from 0.
//!
//! Why this is not a graph crate: `docs/decisions/which-crates-are-used.md`.

use std::collections::BTreeSet;

/// The order of things of which each depends on others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyOrder {
    /// Each layer depends only on earlier ones; within a layer by number. What is in a cycle, or depends on one, is in none.
    pub layers: Vec<Vec<usize>>,
    /// Each after all it depends on, else as they came: by number, with what had to wait after what had not. What is in a
    /// cycle, or depends on one, is missing.
    pub sequence: Vec<usize>,
    /// Cycles, each as the things along it: each depends on the next, the last on the first. Every thing that is in no layer
    /// is on one of them or leads to one.
    pub cycles: Vec<Vec<usize>>,
}

impl DependencyOrder {
    /// The order of as many things as `needs` has entries, each entry with the numbers of what it depends on; a number beyond
    /// them counts for nothing.
    pub fn new(needs: &[BTreeSet<usize>]) -> Self {
        let mut needed_by = vec![Vec::new(); needs.len()];
        let mut waiting = vec![0_usize; needs.len()];
        for ((node, needs_of), waiting) in needs.iter().enumerate().zip(&mut waiting) {
            for &need in needs_of {
                if let Some(dependents) = needed_by.get_mut(need) {
                    dependents.push(node);
                    *waiting += 1;
                }
            }
        }
        let layers = layers(&needed_by, waiting);
        let sequence = sequence(needs, &layers.concat());
        let mut state = vec![Visit::Waiting; needs.len()];
        for &node in &sequence {
            set(&mut state, node, Visit::Done);
        }
        Self { layers, sequence, cycles: cycles(needs, state) }
    }
}

/// Takes what depends on nothing any more, layer by layer.
fn layers(needed_by: &[Vec<usize>], mut waiting: Vec<usize>) -> Vec<Vec<usize>> {
    let mut layers = Vec::new();
    let mut ready = free(&waiting);
    while !ready.is_empty() {
        let mut next: Vec<usize> = ready.iter().flat_map(|node| release(needed_by, &mut waiting, *node)).collect();
        next.sort_unstable();
        layers.push(std::mem::replace(&mut ready, next));
    }
    layers
}

/// Goes through the things by number, again and again, and takes each whose needs have been taken, those of the same round
/// among them: first all of the first round, then those of the second. `sorted` has each after what it depends on.
fn sequence(needs: &[BTreeSet<usize>], sorted: &[usize]) -> Vec<usize> {
    let mut rounds = vec![0_usize; needs.len()];
    for &node in sorted {
        let of_need = |need: &usize| rounds.get(*need).map(|round| round + usize::from(*need > node));
        let round = needs.get(node).into_iter().flatten().filter_map(of_need).max().unwrap_or(0);
        if let Some(own) = rounds.get_mut(node) {
            *own = round;
        }
    }
    let mut sequence = sorted.to_vec();
    sequence.sort_by_key(|node| (rounds.get(*node).copied(), *node));
    sequence
}

fn free(waiting: &[usize]) -> Vec<usize> {
    waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(node, _)| node).collect()
}

/// What depends on nothing any more once `node` is dealt with.
fn release(needed_by: &[Vec<usize>], waiting: &mut [usize], node: usize) -> Vec<usize> {
    let mut free = Vec::new();
    for &dependent in needed_by.get(node).into_iter().flatten() {
        if let Some(count) = waiting.get_mut(dependent) {
            *count -= 1;
            if *count == 0 {
                free.push(dependent);
            }
        }
    }
    free
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// In no layer, and not walked over yet.
    Waiting,
    /// On the trail, at this place.
    Trail(usize),
    /// In a layer, or walked over.
    Done,
}

fn set(state: &mut [Visit], node: usize, to: Visit) {
    if let Some(state) = state.get_mut(node) {
        *state = to;
    }
}

/// Walks from each thing that is left to what it depends on, without recursion: whatever is left depends on something that
/// is left, so that a walk ends in a cycle, or where an earlier one went.
fn cycles(needs: &[BTreeSet<usize>], mut state: Vec<Visit>) -> Vec<Vec<usize>> {
    let mut cycles = Vec::new();
    for start in 0..needs.len() {
        let mut trail: Vec<usize> = Vec::new();
        let mut next = (state.get(start) == Some(&Visit::Waiting)).then_some(start);
        while let Some(node) = next {
            if let Some(Visit::Trail(at)) = state.get(node) {
                cycles.push(trail.get(*at..).unwrap_or_default().to_vec());
                break;
            }
            set(&mut state, node, Visit::Trail(trail.len()));
            trail.push(node);
            let left = |need: &&usize| matches!(state.get(**need), Some(Visit::Waiting | Visit::Trail(_)));
            next = needs.get(node).into_iter().flatten().find(left).copied();
        }
        for node in trail {
            set(&mut state, node, Visit::Done);
        }
    }
    cycles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needs(edges: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        edges.iter().map(|needs| needs.iter().copied().collect()).collect()
    }

    #[test]
    fn things_come_after_what_they_depend_on_and_else_by_number() {
        let order = DependencyOrder::new(&needs(&[&[2], &[], &[3], &[], &[]]));
        assert_eq!(order.layers, [vec![1, 3, 4], vec![2], vec![0]]);
        assert_eq!(order.sequence, [1, 3, 4, 2, 0]);
        assert!(order.cycles.is_empty());
    }

    #[test]
    fn cycles_are_named_along_their_way_and_nothing_that_only_leads_to_one() {
        let order = DependencyOrder::new(&needs(&[&[1], &[2], &[3], &[1], &[4], &[0, 5], &[]]));
        assert_eq!(order.cycles, [vec![1, 2, 3], vec![4], vec![5]]);
        assert_eq!(order.sequence, [6]);
    }

    #[test]
    fn a_chain_as_long_as_a_project_may_be_takes_no_recursion() {
        let count = 200_000;
        let chain: Vec<BTreeSet<usize>> = (0..count).map(|node| BTreeSet::from([(node + 1) % count])).collect();
        assert_eq!(DependencyOrder::new(&chain).cycles.iter().map(Vec::len).collect::<Vec<_>>(), [count]);
    }

    proptest! {
        #[test]
        fn every_thing_is_in_order_or_leads_to_a_cycle(
            edges in prop::collection::vec(prop::collection::btree_set(0_usize..14, 0..4), 0..12)
        ) {
            let order = DependencyOrder::new(&edges);
            let known = |need: &&usize| **need < edges.len();
            for (place, node) in order.sequence.iter().enumerate() {
                let before = &order.sequence[..place];
                prop_assert!(edges[*node].iter().filter(known).all(|need| before.contains(need)));
            }
            let mut in_layers: Vec<usize> = order.layers.concat();
            in_layers.sort_unstable();
            let mut in_sequence = order.sequence.clone();
            in_sequence.sort_unstable();
            prop_assert_eq!(in_layers, in_sequence);
            for cycle in &order.cycles {
                for (node, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                    prop_assert!(edges[*node].contains(next));
                }
            }
            prop_assert_eq!(order.cycles.is_empty(), order.sequence.len() == edges.len());
        }
    }
}
