//! CIFAR's binary files: a batch of each set, and an archive of batches.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_as(&["data_batch_1.bin", "train.bin", "cifar.tar.gz"], bytes));
