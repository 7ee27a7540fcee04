//! How requests and answers are written; it knows what is in `ground` only.
//!
//! | file | holds |
//! | --- | --- |
//! | [`query`] | the awsQuery protocol: forms in, XML out, the trait its services implement |
//! | [`aws_json`] | the awsJson protocols: one table a service |
//! | [`api_request`] | one of their requests: parameters, pages, answers |
//! | [`service`] | what every service is to the server |
//! | [`errors`] | an error in the format of each protocol |
//! | [`xml`] | writing XML safely |

pub mod api_request;
pub mod aws_json;
pub mod errors;
pub mod query;
pub mod service;
pub mod xml;
