//! Model files that other programs read.
