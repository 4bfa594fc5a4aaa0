//! Short-lived programs of the system, with a time limit.
