#!/usr/bin/env bash
# GNU parallel trains @SHARDS@ shards of the study on this machine. `mnist-study script parallel` printed this.
# Cost: @COST@.
#
# Save this file as parallel.sh, then type:
#   bash parallel.sh                   run it; run it again to repeat failed shards and continue (existing records are reused)
#   mnist-study status @OUT@           see what is done, running, missing and failed
#   mnist-study report @OUT@           make the report when all shards are done
# Its exit status is the number of failed shards. @TITLE@.joblog lists when each shard began and how it ended.
#
# Several machines with a shared folder: list them in a file, one `N/HOST` a line (N: shards at a time on that host), and
# replace `--jobs "$jobs"` by `--sshloginfile FILE --workdir .`. Every host needs `mnist-study` on its PATH.

# As many shards at a time as have @THREADS@ cores each.
jobs=$(($(nproc) / @THREADS@))
[ "$jobs" -ge 1 ] || jobs=1

# When it is interrupted, each program gets five seconds to end cleanly.
parallel --quote --jobs "$jobs" --joblog @TITLE@.joblog --resume-failed --line-buffer --tag --termseq TERM,5000,KILL,25 \
  mnist-study run @STUDY@ --shard {}/@SHARDS@ --threads @THREADS@ --out @OUT@ --yes @ARGUMENTS@ ::: $(seq @SHARDS@)
failed=$?

# With all shards done, begin a new list: the next start looks at every shard again, as the study may have changed by then.
[ "$failed" -ne 0 ] || mv @TITLE@.joblog @TITLE@.joblog.done
exit "$failed"
