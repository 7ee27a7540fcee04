//! Behaviour of the `cli` side, as a user could see it.
