//! Edits of JSON5 text that keep comments, spelling and layout.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstRootNode};
use serde_json::Value;

use super::KeyPath;
use super::apply::Operation;
use super::read::split_bom;

/// The text after the operations. The error is a sentence for people.
pub(super) fn edit(text: &str, operations: &[Operation]) -> Result<String, String> {
    let (bom, body) = split_bom(text);
    let root = CstRootNode::parse(body, &ParseOptions::default())
        .map_err(|error| format!("its text is not understood well enough to edit it ({})", error.kind()))?;
    for operation in operations {
        perform(&root, operation).ok_or_else(|| format!("{} was not found in its text", operation.path()))?;
    }
    Ok(format!("{bom}{root}"))
}

fn perform(root: &CstRootNode, operation: &Operation) -> Option<()> {
    let (last, above) = operation.path().keys().split_last()?;
    let parent = object(root, above)?;
    match operation {
        Operation::Insert { path, index, value } => insert(&array(root, path)?, *index, value),
        Operation::Take { path, index } => {
            array(root, path)?.elements().get(*index)?.clone().remove();
        }
        Operation::Put { value, .. } => match parent.get(last) {
            Some(property) => property.set_value(input(value)),
            None => {
                parent.append(last, input(value));
            }
        },
        Operation::Delete { .. } => parent.get(last)?.remove(),
    }
    Some(())
}

fn insert(array: &CstArray, index: usize, value: &str) {
    array.insert(index, CstInputValue::from(value));
}

fn object(root: &CstRootNode, keys: &[String]) -> Option<CstObject> {
    keys.iter().try_fold(root.object_value()?, |object, key| object.object_value(key))
}

fn array(root: &CstRootNode, path: &KeyPath) -> Option<CstArray> {
    let (last, above) = path.keys().split_last()?;
    object(root, above)?.array_value(last)
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(value) => CstInputValue::Number(value.to_string()),
        Value::String(value) => CstInputValue::String(value.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests;
