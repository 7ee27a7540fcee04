//! The local target within this program: started for one run, and where another process serves it. A build without the
//! feature `local` has none and says so.

#[cfg(feature = "local")]
mod built_in;
#[cfg(not(feature = "local"))]
mod left_out;
#[cfg(feature = "local")]
mod request_log;
mod unavailable;

#[cfg(feature = "local")]
pub(super) use built_in::{LocalTarget, served_at, unavailable};
#[cfg(not(feature = "local"))]
pub(super) use left_out::{LocalTarget, served_at};
#[cfg(feature = "local")]
pub(super) use request_log::listen;
pub(super) use unavailable::unavailable_because;
