//! Behaviour of the `cfn` side, as a user could see it.
