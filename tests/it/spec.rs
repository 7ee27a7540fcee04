//! Behaviour of the `spec` side, as a user could see it.
