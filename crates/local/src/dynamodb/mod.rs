//! DynamoDB: the items of tables that stacks made.
//!
//! Tables are CloudFormation's (`AWS::DynamoDB::Table` among [`crate::resources`]); their items are kept here and
//! go with the table. Numbers are decimal text throughout, never binary fractions.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `service` | one line an operation |
//! | `error` | a refusal in DynamoDB's shape, and its usual words |
//! | [`number`], `attribute` | numbers of 38 digits; attribute values, their sizes and limits |
//! | [`table`] | keys and indexes of a table |
//! | `rows` | items in the database, in the order of their keys |
//! | [`expression`] | conditions, projections and updates: reading and carrying them out |
//! | `arguments` | what operations share: tables, keys, placeholders |
//! | `table_ops`, `item_ops`, `batch_ops`, `read_ops` | the operations |

mod actions;
mod arguments;
mod attribute;
mod batch_ops;
mod error;
pub mod expression;
mod item_ops;
pub mod number;
mod read_ops;
mod rows;
mod service;
pub mod table;
mod table_ops;

pub use attribute::{Attribute, Item};
pub use rows::{SCHEMA, forget};
pub use service::SERVICE;
