//! How requests and answers are written; it knows what is in `ground` only.
//!
//! | file | holds |
//! | --- | --- |
//! | [`query`] | the awsQuery protocol: forms in, XML out, the trait its services implement |
//! | [`aws_json`] | the awsJson protocols: one table a service |
//! | `json` | parameters, pages and answers of some awsJson services |
//! | [`errors`] | an error in the format of each protocol |
//! | [`xml`] | writing XML safely |

pub mod aws_json;
pub mod errors;
pub(crate) mod json;
pub mod query;
pub mod xml;
