//! What the product and the local target ask of the machine they run on.
//!
//! | module | holds |
//! | --- | --- |
//! | [`helper`] | helper processes: which program, what it is told, and how it and all it starts are ended |
//! | [`http_client`] | one plain HTTP request, and AWS's signature |
//! | [`local_address`] | where AWS's address of an API leads at a local target |
//! | [`proxies`] | connections through the proxy that the environment names |

#![warn(missing_docs, clippy::indexing_slicing)]

pub mod helper;
pub mod http_client;
pub mod local_address;
pub mod proxies;
