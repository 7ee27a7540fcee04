//! How much an account, a stack and a tree of nested stacks may have.
//!
//! Where AWS documents a quota it is that one (CloudFormation user guide, "Understand CloudFormation quotas", read
//! 2026-11-29: 2,000 stacks an account and region, 500 resources a template, 2,500 resources of nested stacks an operation).
//! Where it documents none, a number of our own keeps a template that nests itself from filling the disk of this machine.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::error::{CloudFormationResult, limit_exceeded};
use super::model::{Stack, StackParameter, StackTarget};
use super::tables::{self, Sql};

/// Stacks of a region that are not deleted. AWS's default quota.
pub const STACKS: i64 = 2_000;
/// Resources of one stack and all stacks nested in it. AWS's quota for one operation.
const RESOURCES_OF_TREE: i64 = 2_500;
/// How deep stacks may nest, the outermost not counted. Our own: AWS documents no limit.
const DEPTH: usize = 10;
/// How often one template may stand among the ancestors of a stack, with other parameters each time. Our own.
const GENERATIONS: usize = 3;
/// Bytes of all templates of one tree. Our own: fifty of the largest that AWS takes.
const TEMPLATES_OF_TREE: i64 = 50 << 20;
/// Change sets of one stack. Our own.
const CHANGE_SETS: usize = 200;

/// Columns that a tree of stacks is measured by, and what finds deleted stacks.
pub const SCHEMA: &str = "
ALTER TABLE cfn_stack ADD COLUMN resources INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cfn_stack ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cfn_stack ADD COLUMN deleted TEXT;
UPDATE cfn_stack SET deleted = json_extract(doc, '$.deleted') WHERE live = 0;
CREATE INDEX cfn_operation_stack ON cfn_operation (stack_id);
CREATE INDEX cfn_stack_parent ON cfn_stack (parent) WHERE parent IS NOT NULL;
";

/// Refuses one more stack where the account has as many as it may.
///
/// # Errors
///
/// `LimitExceededException`.
pub fn room_for_stack(db: &Connection, region: &str) -> CloudFormationResult<()> {
    let stacks: i64 = db
        .prepare_cached("SELECT count(*) FROM cfn_stack WHERE region = ?1 AND live = 1")?
        .query_row([region], |row| row.get(0))?;
    if stacks >= STACKS {
        return Err(limit_exceeded(&format!(
            "the account has {stacks} stacks in {region} and may have {STACKS}; delete some"
        )));
    }
    Ok(())
}

/// Refuses one more change set where a stack has as many as it may.
///
/// # Errors
///
/// `LimitExceededException`.
pub fn room_for_change_set(existing: usize) -> CloudFormationResult<()> {
    if existing >= CHANGE_SETS {
        return Err(limit_exceeded(&format!(
            "the stack has {existing} change sets and the local target keeps {CHANGE_SETS}; delete some"
        )));
    }
    Ok(())
}

/// Why a stack may not be nested in another one with this target; nothing when it may. `existing` is the nested stack
/// itself when it is there already and is to be changed.
///
/// # Errors
///
/// When the state can't be read.
pub fn nested(db: &Connection, parent: &Stack, target: &StackTarget, existing: Option<&str>) -> Sql<Option<String>> {
    if existing.is_none()
        && let Err(error) = room_for_stack(db, &parent.region)
    {
        return Ok(Some(error.message));
    }
    if let Some(reason) = of_ancestors(db, parent, target)? {
        return Ok(Some(reason));
    }
    let root = parent.root.as_deref().unwrap_or(&parent.id);
    let (resources, bytes): (i64, i64) = db
        .prepare_cached(
            "WITH RECURSIVE tree (id) AS (
                SELECT ?1 UNION SELECT cfn_stack.id FROM cfn_stack JOIN tree ON cfn_stack.parent = tree.id
             )
             SELECT coalesce(sum(resources), 0), coalesce(sum(bytes), 0)
             FROM cfn_stack WHERE id IN tree AND live = 1 AND id IS NOT ?2",
        )?
        .query_row(params![root, existing], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (own_resources, own_bytes) = target.size();
    let resources = resources.saturating_add(own_resources);
    if resources > RESOURCES_OF_TREE {
        return Ok(Some(format!(
            "Limit exceeded: the stack and the stacks nested in it have {resources} resources, and CloudFormation takes \
             {RESOURCES_OF_TREE} in one operation"
        )));
    }
    let bytes = bytes.saturating_add(own_bytes);
    if bytes > TEMPLATES_OF_TREE {
        return Ok(Some(format!(
            "Limit exceeded: the templates of the stack and the stacks nested in it have {bytes} bytes, and the local \
             target takes {TEMPLATES_OF_TREE}"
        )));
    }
    Ok(None)
}

/// Why the line of a stack's ancestors may not go on with this target.
fn of_ancestors(db: &Connection, parent: &Stack, target: &StackTarget) -> Sql<Option<String>> {
    let (mut depth, mut same) = (0, 0);
    let mut ancestor = Some(parent.clone());
    while let Some(stack) = ancestor {
        depth += 1;
        if depth > DEPTH {
            return Ok(Some(format!("Limit exceeded: the local target nests stacks {DEPTH} deep at most")));
        }
        if stack.target.template == target.template {
            if values(&stack.target.parameters) == values(&target.parameters) {
                return Ok(Some(format!(
                    "The template nests itself without end: the stack {} around it has the same template and the same \
                     parameters",
                    stack.name
                )));
            }
            same += 1;
            if same > GENERATIONS {
                return Ok(Some(format!(
                    "The template nests itself: the local target takes the same template {GENERATIONS} times among the \
                     stacks around one"
                )));
            }
        }
        ancestor = match &stack.parent {
            Some(id) => tables::stack_by_id(db, id)?,
            None => None,
        };
    }
    Ok(None)
}

fn values(parameters: &[StackParameter]) -> BTreeMap<&str, &str> {
    parameters.iter().map(|parameter| (parameter.key.as_str(), parameter.given())).collect()
}
