//! Behaviour of the `yaml` side, as a user could see it.
