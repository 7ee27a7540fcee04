//! Behaviour of the `local_s3` side, as a user could see it.
