//! Behaviour of the `artifacts` side, as a user could see it.
