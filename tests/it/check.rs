//! Behaviour of the `check` side, as a user could see it.
