//! What an edit does to a value, and what takes it back. Pure: both ways of writing share it.
//!
//! For any value and any edits, applying the inverse to the result gives the first value again (order of keys aside);
//! applied to a result that somebody changed meanwhile it touches nothing but our own entries.

use serde_json::{Map, Value};

use super::secret::{fingerprint, holds_redaction, holds_secret, shown};
use super::{Drift, Edit, Expected, KeyPath, OnDrift, Removed};

/// The result of edits.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) after: Value,
    pub(super) operations: Vec<Operation>,
    pub(super) inverse: Vec<Edit>,
    pub(super) changes: Vec<String>,
    pub(super) drift: Vec<Drift>,
}

/// The smallest steps, in order, for a writer that keeps everything else as it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operation {
    Insert { path: KeyPath, index: usize, value: String },
    Take { path: KeyPath, index: usize },
    Put { path: KeyPath, value: Value },
    Delete { path: KeyPath },
}

impl Operation {
    pub(super) fn path(&self) -> &KeyPath {
        match self {
            Self::Insert { path, .. }
            | Self::Take { path, .. }
            | Self::Put { path, .. }
            | Self::Delete { path } => path,
        }
    }
}

/// Why an edit is not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) at: KeyPath,
    pub(super) because: String,
}

pub(super) fn apply(before: &Value, edits: &[Edit], on_drift: OnDrift) -> Result<Applied, Refusal> {
    let mut work = Work { value: before.clone(), on_drift, ..Work::default() };
    for edit in edits {
        let undo = work.edit(edit)?;
        work.inverse.push(undo);
    }
    let inverse = work.inverse.into_iter().rev().flatten().collect();
    Ok(Applied {
        after: work.value,
        operations: work.operations,
        inverse,
        changes: work.changes,
        drift: work.drift,
    })
}

/// The value at a path, if every key above leads through objects.
pub(super) fn at<'a>(root: &'a Value, path: &KeyPath) -> Option<&'a Value> {
    path.keys().iter().try_fold(root, |value, key| value.as_object()?.get(key))
}

#[derive(Default)]
struct Work {
    value: Value,
    on_drift: OnDrift,
    operations: Vec<Operation>,
    inverse: Vec<Vec<Edit>>,
    changes: Vec<String>,
    drift: Vec<Drift>,
}

type Undo = Result<Vec<Edit>, Refusal>;

impl Work {
    fn edit(&mut self, edit: &Edit) -> Undo {
        match edit {
            Edit::AddToArray { path, values } => self.add(path, values),
            Edit::RemoveFromArray { path, values } => self.take(path, values),
            Edit::Set { path, value } => self.set(path, value),
            Edit::Replace { path, value } => self.replace(path, value.as_ref()),
            Edit::Remove { path } => self.remove(path),
            Edit::Restore { path, ours, before } => self.restore(path, ours, before.as_ref()),
            Edit::Reinsert { path, removed } => self.reinsert(path, removed),
            Edit::Prune { path } => self.prune(path),
        }
    }

    fn add(&mut self, path: &KeyPath, values: &[String]) -> Undo {
        self.guard(path)?;
        let mut missing: Vec<String> = Vec::new();
        let present = self.strings(path)?;
        for value in values {
            if value.contains("${") {
                return Err(refusal(path, "the gateway would replace ${…} in the new entry"));
            }
            if !missing.contains(value) && !present.as_ref().is_some_and(|there| there.contains(value)) {
                missing.push(value.clone());
            }
        }
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        for value in &missing {
            self.changes.push(format!("{path}: + {value}"));
        }
        let mut undo = vec![Edit::RemoveFromArray { path: path.clone(), values: missing.clone() }];
        match present {
            Some(there) => {
                for (offset, value) in missing.into_iter().enumerate() {
                    let index = there.len() + offset;
                    self.perform(Operation::Insert { path: path.clone(), index, value });
                }
            }
            None => {
                let made = self.put(path, Value::from(missing));
                undo.push(Edit::Prune { path: path.clone() });
                undo.extend(made);
            }
        }
        Ok(undo)
    }

    fn take(&mut self, path: &KeyPath, values: &[String]) -> Undo {
        self.guard_includes(path)?;
        match at(&self.value, path) {
            None => return Ok(Vec::new()),
            Some(Value::Array(_)) => {}
            Some(other) => {
                let now = shown(path, Some(other));
                self.drift.push(Drift { path: path.clone(), ours: values.join(", "), now });
                return Ok(Vec::new());
            }
        }
        let Some(present) = self.strings(path)? else { return Ok(Vec::new()) };
        let removed: Vec<Removed> = present
            .into_iter()
            .enumerate()
            .filter(|(_, value)| values.contains(value))
            .map(|(index, value)| Removed { index, value })
            .collect();
        if removed.is_empty() {
            return Ok(Vec::new());
        }
        for entry in &removed {
            if entry.value.contains("${") {
                return Err(refusal(path, "the entry contains ${…}, which the gateway replaces"));
            }
            self.changes.push(format!("{path}: - {}", entry.value));
        }
        for entry in removed.iter().rev() {
            self.perform(Operation::Take { path: path.clone(), index: entry.index });
        }
        Ok(vec![Edit::Reinsert { path: path.clone(), removed }])
    }

    fn set(&mut self, path: &KeyPath, value: &Value) -> Undo {
        self.guard(path)?;
        if has_include(value) {
            return Err(refusal(path, "the new value contains $include"));
        }
        let before = at(&self.value, path).cloned();
        if before.as_ref() == Some(value) {
            return Ok(Vec::new());
        }
        if let Some(before) = &before {
            replaceable(path, before)?;
        }
        self.note(path, before.as_ref(), Some(value));
        let made = self.put(path, value.clone());
        let mut undo = vec![Edit::Restore { path: path.clone(), ours: expected(path, value), before }];
        undo.extend(made);
        Ok(undo)
    }

    fn replace(&mut self, path: &KeyPath, value: Option<&Value>) -> Undo {
        self.guard(path)?;
        let before = at(&self.value, path).cloned();
        if value.is_some_and(has_include) || before.as_ref().is_some_and(has_include) {
            return Err(refusal(path, "it comes from another file ($include)"));
        }
        if before.as_ref() == value {
            return Ok(Vec::new());
        }
        self.note(path, before.as_ref(), value);
        match value {
            Some(value) => Ok(self.put(path, value.clone())),
            None => {
                self.perform(Operation::Delete { path: path.clone() });
                Ok(Vec::new())
            }
        }
    }

    fn remove(&mut self, path: &KeyPath) -> Undo {
        self.guard(path)?;
        let Some(before) = at(&self.value, path).cloned() else { return Ok(Vec::new()) };
        replaceable(path, &before)?;
        self.note(path, Some(&before), None);
        self.perform(Operation::Delete { path: path.clone() });
        Ok(vec![Edit::Restore { path: path.clone(), ours: Expected::Absent, before: Some(before) }])
    }

    fn restore(&mut self, path: &KeyPath, ours: &Expected, before: Option<&Value>) -> Undo {
        self.guard_includes(path)?;
        let now = at(&self.value, path).cloned();
        if now.as_ref() == before {
            return Ok(Vec::new());
        }
        let parent_there =
            path.parent().and_then(|up| at(&self.value, &up).map(Value::is_object)) == Some(true);
        let still_ours = parent_there
            && match (ours, &now) {
                (Expected::Absent, None) => true,
                (Expected::Value(ours), Some(now)) => ours == now,
                (Expected::Digest(ours), Some(now)) => *ours == fingerprint(now),
                (Expected::Absent, Some(_)) | (Expected::Value(_) | Expected::Digest(_), None) => false,
            };
        if !still_ours {
            let words = match ours {
                Expected::Absent => "nothing".to_owned(),
                Expected::Value(value) => shown(path, Some(value)),
                Expected::Digest(_) => "\"(secret)\"".to_owned(),
            };
            self.drift.push(Drift { path: path.clone(), ours: words, now: shown(path, now.as_ref()) });
            if self.on_drift == OnDrift::Leave || now.as_ref().is_some_and(holds_redaction) {
                return Ok(Vec::new());
            }
        }
        self.guard(path)?;
        self.note(path, now.as_ref(), before);
        let back = match &now {
            Some(now) if holds_secret(path, now) => Vec::new(),
            _ => vec![Edit::Restore {
                path: path.clone(),
                ours: before.map_or(Expected::Absent, |value| expected(path, value)),
                before: now,
            }],
        };
        let mut undo = back;
        match before {
            Some(value) => undo.extend(self.put(path, value.clone())),
            None => self.perform(Operation::Delete { path: path.clone() }),
        }
        Ok(undo)
    }

    fn reinsert(&mut self, path: &KeyPath, removed: &[Removed]) -> Undo {
        self.guard_includes(path)?;
        let Some(Value::Array(_)) = at(&self.value, path) else {
            let words: Vec<&str> = removed.iter().map(|entry| entry.value.as_str()).collect();
            let now = shown(path, at(&self.value, path));
            self.drift.push(Drift { path: path.clone(), ours: format!("without {}", words.join(", ")), now });
            return Ok(Vec::new());
        };
        let present = self.strings(path)?.unwrap_or_default();
        let mut added: Vec<String> = Vec::new();
        for entry in removed.iter().filter(|entry| !present.contains(&entry.value)) {
            self.changes.push(format!("{path}: + {}", entry.value));
            let index = entry.index.min(present.len() + added.len());
            self.perform(Operation::Insert { path: path.clone(), index, value: entry.value.clone() });
            added.push(entry.value.clone());
        }
        if added.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Edit::RemoveFromArray { path: path.clone(), values: added }])
    }

    fn prune(&mut self, path: &KeyPath) -> Undo {
        self.guard_includes(path)?;
        let empty = match at(&self.value, path) {
            Some(Value::Object(map)) if map.is_empty() => Value::Object(Map::new()),
            Some(Value::Array(items)) if items.is_empty() => Value::Array(Vec::new()),
            _ => return Ok(Vec::new()),
        };
        self.perform(Operation::Delete { path: path.clone() });
        self.changes.push(format!("{path}: removed (empty)"));
        Ok(vec![Edit::Restore { path: path.clone(), ours: Expected::Absent, before: Some(empty) }])
    }

    /// Puts a value; returns the edits that remove the objects it had to make, innermost first.
    fn put(&mut self, path: &KeyPath, value: Value) -> Vec<Edit> {
        let keys = path.keys();
        let there = (1..keys.len())
            .take_while(|depth| at(&self.value, &KeyPath::new(&keys[..*depth])).is_some())
            .count();
        let first_missing = KeyPath::new(&keys[..=there]);
        let nested = keys[there + 1..]
            .iter()
            .rev()
            .fold(value, |inner, key| Value::Object(Map::from_iter([(key.clone(), inner)])));
        self.perform(Operation::Put { path: first_missing, value: nested });
        (there + 1..keys.len())
            .rev()
            .map(|depth| Edit::Prune { path: KeyPath::new(&keys[..depth]) })
            .collect()
    }

    fn perform(&mut self, operation: Operation) {
        perform(&mut self.value, &operation);
        self.operations.push(operation);
    }

    fn note(&mut self, path: &KeyPath, before: Option<&Value>, after: Option<&Value>) {
        self.changes.push(match (before, after) {
            (None, after) => format!("{path}: {}", shown(path, after)),
            (Some(_), None) => format!("{path}: {} → removed", shown(path, before)),
            (Some(_), Some(_)) => format!("{path}: {} → {}", shown(path, before), shown(path, after)),
        });
    }

    /// The array's entries; `None` = there is no such key.
    fn strings(&self, path: &KeyPath) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = at(&self.value, path) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| refusal(path, "it is no list"))?;
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .map(Some)
            .ok_or_else(|| refusal(path, "the list contains something that is no text"))
    }

    /// Refuses paths that an edit must not go through.
    fn guard(&self, path: &KeyPath) -> Result<(), Refusal> {
        self.guard_includes(path)?;
        if path.keys().is_empty() {
            return Err(refusal(path, "the whole configuration is never replaced"));
        }
        for depth in 0..path.keys().len() {
            let above = KeyPath::new(&path.keys()[..depth]);
            match at(&self.value, &above) {
                None | Some(Value::Object(_)) => {}
                Some(_) => return Err(refusal(&above, "it is no object")),
            }
        }
        Ok(())
    }

    fn guard_includes(&self, path: &KeyPath) -> Result<(), Refusal> {
        for depth in 0..=path.keys().len() {
            let above = KeyPath::new(&path.keys()[..depth]);
            if at(&self.value, &above)
                .and_then(Value::as_object)
                .is_some_and(|map| map.contains_key("$include"))
            {
                return Err(refusal(&above, "it comes from another file ($include)"));
            }
        }
        Ok(())
    }
}

fn perform(root: &mut Value, operation: &Operation) {
    let keys = operation.path().keys();
    let Some((last, above)) = keys.split_last() else { return };
    let parent = above.iter().try_fold(root, |value, key| value.as_object_mut()?.get_mut(key));
    let Some(map) = parent.and_then(Value::as_object_mut) else { return };
    match operation {
        Operation::Put { value, .. } => {
            map.insert(last.clone(), value.clone());
        }
        Operation::Delete { .. } => {
            map.shift_remove(last);
        }
        Operation::Insert { index, value, .. } => {
            if let Some(items) = map.get_mut(last).and_then(Value::as_array_mut) {
                items.insert((*index).min(items.len()), Value::from(value.clone()));
            }
        }
        Operation::Take { index, .. } => {
            if let Some(items) = map.get_mut(last).and_then(Value::as_array_mut)
                && *index < items.len()
            {
                items.remove(*index);
            }
        }
    }
}

/// Refuses to replace what could not be put back or means something else than it says.
fn replaceable(path: &KeyPath, before: &Value) -> Result<(), Refusal> {
    if has_include(before) {
        Err(refusal(path, "it comes from another file ($include)"))
    } else if has_variable(before) {
        Err(refusal(path, "it contains ${…}, which the gateway replaces"))
    } else if holds_secret(path, before) || holds_redaction(before) {
        Err(refusal(path, "it holds a secret, which an undo would have to write down"))
    } else {
        Ok(())
    }
}

fn expected(path: &KeyPath, value: &Value) -> Expected {
    if holds_secret(path, value) {
        Expected::Digest(fingerprint(value))
    } else {
        Expected::Value(value.clone())
    }
}

fn has_include(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$include") || map.values().any(has_include),
        Value::Array(items) => items.iter().any(has_include),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn has_variable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Object(map) => map.values().any(has_variable),
        Value::Array(items) => items.iter().any(has_variable),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn refusal(at: &KeyPath, because: &str) -> Refusal {
    Refusal { at: at.clone(), because: because.to_owned() }
}

#[cfg(test)]
pub(in crate::config) mod tests;
