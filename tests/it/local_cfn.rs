//! Behaviour of the `local_cfn` side, as a user could see it.
