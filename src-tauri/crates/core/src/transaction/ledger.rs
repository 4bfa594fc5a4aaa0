//! What in the gateway's configuration is ours, over all changes that are in effect.
//!
//! Every committed change carries the whole ledger as it is afterwards, so the newest one tells everything and nothing
//! is lost when old journals are pruned. The items are inverse edits of one value each: applying them all leaves the
//! configuration as it was before Gatehouse ever touched it. A value is owned once, however often it was asked for.

use std::collections::BTreeSet;

use gatehouse_openclaw::config::{Edit, KeyPath};
use serde::{Deserialize, Serialize};

/// What is ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Inverse edits of one value each.
    #[serde(default)]
    items: Vec<Edit>,
    /// Origins among them that the user asked for by name: opening differently leaves them, closing does not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    chosen: BTreeSet<String>,
}

impl Ledger {
    /// Takes note of a change by its inverse.
    pub(crate) fn absorb(&mut self, inverse: &[Edit]) {
        for edit in inverse {
            match edit {
                Edit::RemoveFromArray { path, values } => {
                    for value in values {
                        self.add(Edit::RemoveFromArray { path: path.clone(), values: vec![value.clone()] });
                    }
                }
                Edit::Restore { path, ours, before } => match self.restoring(path) {
                    Some(Edit::Restore { ours: noted, .. }) => *noted = ours.clone(),
                    Some(_) | None => self.add(Edit::Restore {
                        path: path.clone(),
                        ours: ours.clone(),
                        before: before.clone(),
                    }),
                },
                Edit::Reinsert { path, removed } => {
                    for entry in removed {
                        self.forget_value(path, &entry.value);
                    }
                }
                Edit::Prune { .. } => self.add(edit.clone()),
                Edit::AddToArray { .. } | Edit::Set { .. } | Edit::Replace { .. } | Edit::Remove { .. } => {}
            }
        }
    }

    /// Takes back what one change did to the ledger, whatever else happened since.
    pub(crate) fn without(&self, before: &Self, after: &Self) -> Self {
        let mut items: Vec<Edit> = self
            .items
            .iter()
            .filter(|item| before.items.contains(item) || !after.items.contains(item))
            .cloned()
            .collect();
        for item in &before.items {
            if !after.items.contains(item) && !items.contains(item) {
                items.push(item.clone());
            }
        }
        let left = |origin: &&String| before.chosen.contains(*origin) || !after.chosen.contains(*origin);
        let again = before.chosen.difference(&after.chosen);
        let chosen = self.chosen.iter().filter(left).chain(again).cloned().collect();
        Self { items, chosen }
    }

    /// Notes that the user asked for an origin by name.
    pub(crate) fn choose(&mut self, origin: &str) {
        self.chosen.insert(origin.to_owned());
    }

    /// Whether the user asked for the origin by name.
    pub(crate) fn is_chosen(&self, origin: &str) -> bool {
        self.chosen.contains(origin)
    }

    /// The edits that take everything back for which `include` says yes: values first, then the containers that were
    /// made for them, innermost first.
    pub(crate) fn removal(&self, include: impl Fn(&KeyPath) -> bool) -> Vec<Edit> {
        let (mut prunes, mut edits): (Vec<Edit>, Vec<Edit>) = self
            .items
            .iter()
            .filter(|item| include(path_of(item)))
            .cloned()
            .partition(|item| matches!(item, Edit::Prune { .. }));
        prunes.sort_by_key(|item| std::cmp::Reverse(path_of(item).keys().len()));
        edits.append(&mut prunes);
        edits
    }

    /// What is left once [`Self::removal`] with the same `include` was applied.
    pub(crate) fn retained(&self, include: impl Fn(&KeyPath) -> bool) -> Self {
        let items: Vec<Edit> = self.items.iter().filter(|item| !include(path_of(item))).cloned().collect();
        Self { items, chosen: BTreeSet::new() }
    }

    /// The values of an array that are ours.
    pub(crate) fn values<'a>(&'a self, array: &'a KeyPath) -> impl Iterator<Item = &'a str> {
        self.items.iter().filter_map(move |item| match item {
            Edit::RemoveFromArray { path, values } if path == array => values.first().map(String::as_str),
            Edit::RemoveFromArray { .. }
            | Edit::Restore { .. }
            | Edit::Prune { .. }
            | Edit::Reinsert { .. }
            | Edit::AddToArray { .. }
            | Edit::Set { .. }
            | Edit::Replace { .. }
            | Edit::Remove { .. } => None,
        })
    }

    fn add(&mut self, item: Edit) {
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    fn restoring(&mut self, path: &KeyPath) -> Option<&mut Edit> {
        self.items.iter_mut().find(|item| matches!(item, Edit::Restore { path: at, .. } if at == path))
    }

    fn forget_value(&mut self, array: &KeyPath, value: &str) {
        self.items.retain(|item| {
            !matches!(item, Edit::RemoveFromArray { path, values }
                if path == array && values.iter().any(|ours| ours == value))
        });
        self.chosen.remove(value);
    }
}

fn path_of(edit: &Edit) -> &KeyPath {
    match edit {
        Edit::AddToArray { path, .. }
        | Edit::RemoveFromArray { path, .. }
        | Edit::Set { path, .. }
        | Edit::Replace { path, .. }
        | Edit::Remove { path }
        | Edit::Restore { path, .. }
        | Edit::Reinsert { path, .. }
        | Edit::Prune { path } => path,
    }
}

#[cfg(test)]
mod tests;
