//! The MNIST database, compressed, inside the binary.
