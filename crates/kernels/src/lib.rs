//! Arithmetic at the machine's limit, with a plain reference beside every kernel.
