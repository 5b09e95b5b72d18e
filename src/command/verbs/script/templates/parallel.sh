#!/usr/bin/env bash
# GNU parallel trains @SHARDS@ shards of the study on this machine. `mnist-study script parallel` printed this.
# Cost: @COST@.
#
# Type (with the name that you saved this file by):
#   bash parallel.sh                   run it; run it again to continue: existing records are reused
#   mnist-study status @OUT@           see what is done, running, missing and failed
#   mnist-study report @OUT@           make the report when all shards are done
#
# Several machines with a shared folder: list them in a file, one `N/HOST` a line (N: shards at a time on that host), and
# replace `--jobs "$jobs"` by `--sshloginfile FILE --workdir .`. Every host needs `mnist-study` on its PATH.

# As many shards at a time as have @THREADS@ cores each.
jobs=$(($(nproc) / @THREADS@))
[ "$jobs" -ge 1 ] || jobs=1

# One command a line, quoted for the shell that runs it. When this is interrupted, each program gets five seconds to end cleanly.
for shard in $(seq @SHARDS@); do
  printf '%q ' @PROGRAM@ run @STUDY@ --shard "$shard/@SHARDS@" --threads @THREADS@ --out @OUT@ --yes @ARGUMENTS@
  echo
done | parallel --jobs "$jobs" --line-buffer --tagstring 'shard {#}' --termseq TERM,5000,KILL,25
failed=$?

# GNU parallel ends with the number of failed shards, which is no exit status of this program.
[ "$failed" -eq 0 ] || exit 1
exec mnist-study status @OUT@
