//! openclaw
