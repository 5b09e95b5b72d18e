//! Shards without a shared folder.

use crate::bench::{Bench, SHARDS, single, succeed};

#[test]
fn folders_of_shards_are_merged_to_the_same_bits() {
    let bench = Bench::new();
    let folders: Vec<String> = (1..=SHARDS).map(|shard| format!("shard-{shard}")).collect();
    for (folder, shard) in folders.iter().zip(1..) {
        let shard = format!("{shard}/{SHARDS}");
        succeed(&mut bench.study(&["run", "study.toml", "--shard", &shard, "--out", folder, "--yes"]));
    }
    succeed(bench.study(&["merge", "merged"]).args(&folders));
    assert_eq!(bench.status("merged"), Some(0));
    assert_eq!(bench.fingerprints("merged"), single().fingerprints);
}
