//! The `mnist-study` command.

fn main() {}
