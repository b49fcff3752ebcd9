//! Ordered sets with exact counts, read from the greatest entry down: a page costs the same at any size.
//!
//! An index is a B-tree. Its root is a document, and whoever writes the next version of that changes the set; the nodes
//! on the way to the entry are written anew beside the old ones, in the same step. So an entry is in it once or not at
//! all, the counts in the branches are those of the entries, and a reader who began with an older root finds a whole
//! older tree, or begins again. `docs/decisions/0010-ordered-indexes.md` has the alternatives.

use kv_schema::Id;
use kv_schema::shape::{Index, IndexChild, IndexEntry, IndexNode, IndexRoot, Versioned};

use crate::{Clock, Store, StoreError, document, pair, read, read_many};

/// Entries in a leaf and children of a branch: a node stays far below the largest value, three levels hold two million.
const MOST: usize = 128;

/// Steps down, and beginnings anew, after which a tree is taken for damaged.
const MOST_TRIES: u32 = 1_000;

/// What an index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries.
    pub count: u64,
    /// The sum of their weights.
    pub weight: u64,
}

/// Adds an entry, or changes its weight. Says whether that changed anything.
///
/// # Errors
/// [`StoreError`]; the index is as before then, or changed.
pub async fn insert(
    store: &impl Store,
    clock: &impl Clock,
    index: &Index,
    key: &str,
    weight: u64,
) -> Result<bool, StoreError> {
    change(store, clock, index, key, Some(weight)).await
}

/// Takes an entry out. Says whether it was there.
///
/// # Errors
/// As [`insert`].
pub async fn remove(store: &impl Store, clock: &impl Clock, index: &Index, key: &str) -> Result<bool, StoreError> {
    change(store, clock, index, key, None).await
}

/// How much an index holds, in one read.
///
/// # Errors
/// [`StoreError`].
pub async fn totals(store: &impl Store, index: &Index) -> Result<Totals, StoreError> {
    Ok(totals_many(store, std::slice::from_ref(index)).await?[0])
}

/// How much each of several indexes holds, in one read.
///
/// # Errors
/// [`StoreError`].
pub async fn totals_many(store: &impl Store, indexes: &[Index]) -> Result<Vec<Totals>, StoreError> {
    let keys: Vec<_> = indexes.iter().map(|index| index.root().current()).collect();
    let roots = read_many(store, &keys).await?;
    Ok(roots.into_iter().map(|root| root.map_or_else(Totals::default, |root| sum(&root.value.top))).collect())
}

/// The entries below `before` (none: from the greatest), in falling order: `limit` of them, fewer only at the end.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    store: &impl Store,
    index: &Index,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<IndexEntry>, StoreError> {
    for _ in 0..MOST_TRIES {
        let Some(root) = document::get(store, &index.root()).await? else { return Ok(Vec::new()) };
        if let Some(entries) = page_of(store, index, &root, before, limit).await? {
            return Ok(entries);
        }
    }
    Err(StoreError::Contended(index.name().to_owned()))
}

/// Items chosen from an index of ids, and where to go on.
#[derive(Debug)]
pub struct Chosen<T> {
    /// What was chosen, in falling order of the ids.
    pub items: Vec<T>,
    /// Go on below this id; none at the end.
    pub next: Option<Id>,
}

/// Walks over an index of ids below `before` and chooses `limit` items. `read` reads what belongs to some ids, each as
/// an item or none; `is_over` ends the walk at an id. After some thousand ids the walk pauses, with what was chosen.
///
/// # Errors
/// [`StoreError`].
pub async fn choose<T>(
    store: &impl Store,
    index: &Index,
    mut before: Option<Id>,
    limit: usize,
    is_over: impl Fn(&Id) -> bool,
    read: impl AsyncFn(&[Id]) -> Result<Vec<Option<T>>, StoreError>,
) -> Result<Chosen<T>, StoreError> {
    /// When few of the ids have an item, a page may be short, and is not the last.
    const MOST_EXAMINED: usize = 1_000;
    let mut items = Vec::with_capacity(limit);
    let mut n_examined = 0;
    loop {
        // One more than is wanted tells whether there is a next page.
        let wanted = limit + 1 - items.len();
        let entries = page(store, index, before.as_ref().map(Id::as_str), wanted).await?;
        let is_end = entries.len() < wanted;
        n_examined += entries.len();
        let ids: Vec<Id> = entries.iter().filter_map(|entry| Id::parse(&entry.0).ok()).collect();
        let found = read(&ids).await?;
        for (id, item) in ids.into_iter().zip(found) {
            if is_over(&id) {
                return Ok(Chosen { items, next: None });
            }
            if items.len() == limit {
                return Ok(Chosen { items, next: before });
            }
            items.extend(item);
            before = Some(id);
        }
        if is_end {
            return Ok(Chosen { items, next: None });
        }
        if n_examined >= MOST_EXAMINED {
            return Ok(Chosen { items, next: before });
        }
    }
}

/// A page of one version of the tree; none when a later one has taken a node of it away.
async fn page_of(
    store: &impl Store,
    index: &Index,
    root: &Versioned<IndexRoot>,
    before: Option<&str>,
    limit: usize,
) -> Result<Option<Vec<IndexEntry>>, StoreError> {
    let is_below = |key: &str| before.is_none_or(|before| key < before);
    // Nodes that are still to be looked at; the last one is next.
    let mut open = vec![root.value.top.clone()];
    let mut waiting: Vec<Vec<u64>> = Vec::new();
    let mut entries = Vec::with_capacity(limit);
    loop {
        match open.pop() {
            Some(IndexNode::Leaf(leaf)) => {
                let wanted = limit - entries.len();
                entries.extend(leaf.into_iter().rev().filter(|entry| is_below(&entry.0)).take(wanted));
            }
            Some(IndexNode::Branch(children)) => {
                waiting.push(reachable(&children, before));
            }
            None => {}
        }
        if entries.len() == limit {
            return Ok(Some(entries));
        }
        if !open.is_empty() {
            continue;
        }
        while waiting.last().is_some_and(Vec::is_empty) {
            waiting.pop();
        }
        let Some(node) = waiting.last_mut().and_then(Vec::pop) else { return Ok(Some(entries)) };
        match read(store, &index.node(node)).await? {
            Some(node) => open.push(node),
            // Replaced by a later version, or lost: in a lost node there is nothing to be found.
            None if is_current(store, index, root).await? => {}
            None => return Ok(None),
        }
    }
}

/// The children below which something may stand that is below `before`; the greatest last.
fn reachable(children: &[IndexChild], before: Option<&str>) -> Vec<u64> {
    let is_reachable =
        |(at, child): &(usize, &IndexChild)| *at == 0 || before.is_none_or(|before| child.first.as_str() < before);
    children.iter().enumerate().filter(is_reachable).map(|(_, child)| child.node).collect()
}

async fn is_current(store: &impl Store, index: &Index, root: &Versioned<IndexRoot>) -> Result<bool, StoreError> {
    Ok(document::get(store, &index.root()).await?.is_some_and(|now| now.version == root.version))
}

/// Brings one entry to `weight` (none: out of the index), and says whether it was not so before.
async fn change(
    store: &impl Store,
    clock: &impl Clock,
    index: &Index,
    key: &str,
    weight: Option<u64>,
) -> Result<bool, StoreError> {
    for _ in 0..MOST_TRIES {
        let current = document::get(store, &index.root()).await?;
        let version = current.as_ref().map_or(0, |current| current.version) + 1;
        let root = current.map(|current| current.value).unwrap_or_default();
        let Some(edit) = Edit::draw(store, index, &root, key, weight).await? else { return Ok(false) };
        // The version before last has been out of use since the last one was written.
        let stale: Vec<String> = root.stale.iter().map(|&node| index.node(node).name().to_owned()).collect();
        store.delete_many(&stale).await?;
        let mut entries = Vec::with_capacity(edit.nodes.len());
        for (number, node) in &edit.nodes {
            entries.push(pair(&index.node(*number), node)?);
        }
        let next = Versioned { version, value: edit.root };
        if document::write_next(store, clock, &index.root(), next, &entries).await?.is_some() {
            return Ok(true);
        }
    }
    Err(StoreError::Contended(index.name().to_owned()))
}

/// A change worked out: the next root, and the nodes that are new in it.
struct Edit {
    root: IndexRoot,
    nodes: Vec<(u64, IndexNode)>,
}

impl Edit {
    async fn draw(
        store: &impl Store,
        index: &Index,
        root: &IndexRoot,
        key: &str,
        weight: Option<u64>,
    ) -> Result<Option<Self>, StoreError> {
        // Down to the leaf, keeping the way.
        let mut way: Vec<(Vec<IndexChild>, usize)> = Vec::new();
        let mut stale = Vec::new();
        let mut node = root.top.clone();
        let leaf = loop {
            match node {
                IndexNode::Leaf(leaf) => break leaf,
                IndexNode::Branch(children) => {
                    let at = children.partition_point(|child| child.first.as_str() <= key).saturating_sub(1);
                    let Some(child) = children.get(at) else { break Vec::new() };
                    stale.push(child.node);
                    // One that is lost is begun anew; its parent's counts follow.
                    node = read(store, &index.node(child.node)).await?.unwrap_or_default();
                    way.push((children, at));
                }
            }
        };
        let Some(leaf) = with_entry(leaf, key, weight) else { return Ok(None) };
        let mut edit =
            Self { root: IndexRoot { top: IndexNode::default(), next: root.next, stale }, nodes: Vec::new() };
        let is_last = leaf.last().is_some_and(|entry| entry.0 == key);
        let mut parts: Vec<IndexNode> = split(leaf, is_last).into_iter().map(IndexNode::Leaf).collect();
        while let Some((mut children, at)) = way.pop() {
            let is_last = at + 1 == children.len();
            let parts_of_child: Vec<IndexChild> =
                parts.drain(..).filter(|part| !is_empty(part)).map(|part| edit.keep(part)).collect();
            children.splice(at..=at, parts_of_child);
            parts = split(children, is_last).into_iter().map(IndexNode::Branch).collect();
        }
        edit.root.top = match <[IndexNode; 1]>::try_from(parts) {
            Ok([top]) => edit.lower(store, index, top).await?,
            Err(parts) => IndexNode::Branch(parts.into_iter().map(|part| edit.keep(part)).collect()),
        };
        Ok(Some(edit))
    }

    /// Gives a node a number and says what its parent says of it.
    fn keep(&mut self, node: IndexNode) -> IndexChild {
        let number = self.root.next;
        self.root.next += 1;
        let Totals { count, weight } = sum(&node);
        let first = match &node {
            IndexNode::Leaf(entries) => entries.first().map(|entry| entry.0.clone()),
            IndexNode::Branch(children) => children.first().map(|child| child.first.clone()),
        };
        self.nodes.push((number, node));
        IndexChild { first: first.unwrap_or_default(), node: number, count, weight }
    }

    /// A topmost branch with one child gives way to the child, one with none to an empty leaf.
    async fn lower(&mut self, store: &impl Store, index: &Index, mut top: IndexNode) -> Result<IndexNode, StoreError> {
        loop {
            let only = match &top {
                IndexNode::Branch(children) if children.is_empty() => return Ok(IndexNode::default()),
                IndexNode::Branch(children) if children.len() == 1 => children[0].node,
                _ => return Ok(top),
            };
            top = match self.nodes.iter().position(|(number, _)| *number == only) {
                Some(at) => self.nodes.swap_remove(at).1,
                None => {
                    self.root.stale.push(only);
                    read(store, &index.node(only)).await?.unwrap_or_default()
                }
            };
        }
    }
}

/// A leaf with the entry as it should be; none if it is so already.
fn with_entry(mut leaf: Vec<IndexEntry>, key: &str, weight: Option<u64>) -> Option<Vec<IndexEntry>> {
    let found = leaf.binary_search_by(|entry| entry.0.as_str().cmp(key));
    match (found, weight) {
        (Ok(at), Some(weight)) if leaf[at].1 == weight => return None,
        (Ok(at), Some(weight)) => leaf[at].1 = weight,
        (Ok(at), None) => drop(leaf.remove(at)),
        (Err(at), Some(weight)) => leaf.insert(at, IndexEntry(key.to_owned(), weight)),
        (Err(_), None) => return None,
    }
    Some(leaf)
}

/// One node's worth, or two. Entries mostly come in rising order: then the full node stays full.
fn split<T>(mut items: Vec<T>, grows_at_the_end: bool) -> Vec<Vec<T>> {
    if items.len() <= MOST {
        return vec![items];
    }
    let rest = items.split_off(if grows_at_the_end { MOST } else { items.len() / 2 });
    vec![items, rest]
}

fn is_empty(node: &IndexNode) -> bool {
    match node {
        IndexNode::Leaf(entries) => entries.is_empty(),
        IndexNode::Branch(children) => children.is_empty(),
    }
}

fn sum(node: &IndexNode) -> Totals {
    let add = |totals: Totals, count, weight: u64| Totals {
        count: totals.count + count,
        weight: totals.weight.saturating_add(weight),
    };
    match node {
        IndexNode::Leaf(entries) => entries.iter().fold(Totals::default(), |totals, entry| add(totals, 1, entry.1)),
        IndexNode::Branch(children) => {
            children.iter().fold(Totals::default(), |totals, child| add(totals, child.count, child.weight))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::executor::block_on;
    use futures::future::join_all;
    use kv_schema::image::Listing;

    use super::*;
    use crate::memory::{MemoryStore, TestClock};

    fn key(number: u64) -> String {
        format!("{number:026}")
    }

    /// Numbers without an order, the same in every run.
    fn shuffled(count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(move |number| number.wrapping_mul(7_919) % count)
    }

    #[track_caller]
    fn check(store: &MemoryStore, index: &Index, expected: &BTreeMap<String, u64>) {
        let totals = block_on(totals(store, index)).unwrap();
        assert_eq!((totals.count, totals.weight), (expected.len() as u64, expected.values().sum()));
        for limit in [1_usize, 7, 1_000] {
            let (mut found, mut before) = (Vec::new(), None::<String>);
            loop {
                let page = block_on(page(store, index, before.as_deref(), limit)).unwrap();
                let is_end = page.len() < limit;
                before = page.last().map(|entry| entry.0.clone());
                found.extend(page);
                if is_end || (limit == 1 && found.len() > 300) {
                    break;
                }
            }
            let wanted = expected.iter().rev().map(|(key, weight)| IndexEntry(key.clone(), *weight));
            assert!(found.iter().cloned().eq(wanted.take(found.len())), "limit {limit}");
            assert!(limit == 1 || found.len() == expected.len());
        }
    }

    #[test]
    fn holds_what_was_put_in_in_any_order_and_gives_it_back_in_one() {
        for count in [0, 1, 128, 129, 2_000] {
            let (store, clock, index) = (MemoryStore::default(), TestClock::default(), Listing::All.index());
            let mut expected = BTreeMap::new();
            for number in shuffled(count) {
                assert_eq!(block_on(insert(&store, &clock, &index, &key(number), number)), Ok(true));
                assert_eq!(block_on(insert(&store, &clock, &index, &key(number), number)), Ok(false));
                expected.insert(key(number), number);
            }
            check(&store, &index, &expected);
            for number in shuffled(count).filter(|number| number % 3 != 0) {
                assert_eq!(block_on(remove(&store, &clock, &index, &key(number))), Ok(true));
                assert_eq!(block_on(remove(&store, &clock, &index, &key(number))), Ok(false));
                expected.remove(&key(number));
            }
            check(&store, &index, &expected);
            for number in shuffled(count) {
                block_on(remove(&store, &clock, &index, &key(number))).unwrap();
            }
            check(&store, &index, &BTreeMap::new());
            assert!(store.keys("list:").len() <= 4, "{:?}", store.keys("list:"));
        }
    }

    #[test]
    fn a_page_costs_the_same_at_any_size_and_nodes_in_rising_order_are_full() {
        let (store, clock, index) = (MemoryStore::default(), TestClock::default(), Listing::All.index());
        for number in 0..20_000 {
            block_on(insert(&store, &clock, &index, &key(number), 0)).unwrap();
        }
        store.take_operations();
        assert_eq!(block_on(page(&store, &index, Some(&key(9_999)), 20)).unwrap().len(), 20);
        let operations = store.take_operations();
        assert!(operations.reads <= 4 && operations.writes == 0, "{operations:?}");
        assert!(store.keys("list:all:n:").len() < 20_000 / MOST + 10);
    }

    #[test]
    fn every_one_of_many_writers_is_heard_once() {
        let (store, clock, index) = (MemoryStore::default(), TestClock::default(), Listing::All.index());
        let writers = (0..400).map(|number| {
            let (store, clock, index) = (&store, &clock, &index);
            async move { insert(store, clock, index, &key(number % 200), 1).await }
        });
        let changed = block_on(join_all(writers)).into_iter().filter(|changed| *changed == Ok(true)).count();
        assert_eq!(changed, 200);
        check(&store, &index, &(0..200).map(|number| (key(number), 1)).collect());
    }

    #[test]
    fn a_change_that_was_cut_short_happened_or_did_not() {
        for cut in 0..8 {
            let (store, clock, index) = (MemoryStore::default(), TestClock::default(), Listing::All.index());
            let mut expected = BTreeMap::new();
            for number in 0..300 {
                block_on(insert(&store, &clock, &index, &key(2 * number), 1)).unwrap();
                expected.insert(key(2 * number), 1);
            }
            store.fail_after(Some(cut));
            let _ = block_on(insert(&store, &clock, &index, &key(301), 1));
            store.fail_after(None);
            let is_in = block_on(totals(&store, &index)).unwrap().count == 301;
            if is_in {
                expected.insert(key(301), 1);
            }
            check(&store, &index, &expected);
            block_on(insert(&store, &clock, &index, &key(301), 1)).unwrap();
            expected.insert(key(301), 1);
            check(&store, &index, &expected);
        }
    }

    #[test]
    fn what_was_lost_can_be_put_in_again() {
        let (store, clock, index) = (MemoryStore::default(), TestClock::default(), Listing::All.index());
        let expected: BTreeMap<String, u64> = (0..1_000).map(|number| (key(number), 1)).collect();
        for lost in ["list:all:n:", "list:all"] {
            for key in expected.keys() {
                block_on(insert(&store, &clock, &index, key, 1)).unwrap();
            }
            for key in store.keys(lost).iter().step_by(2) {
                block_on(crate::delete(&store, key)).unwrap();
            }
            block_on(page(&store, &index, None, 1_000)).unwrap();
            for key in expected.keys() {
                block_on(insert(&store, &clock, &index, key, 1)).unwrap();
            }
            check(&store, &index, &expected);
        }
    }
}
