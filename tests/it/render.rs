//! Behaviour of the `render` side, as a user could see it.
