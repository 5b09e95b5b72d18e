#!/usr/bin/env bash
# A HyperQueue task array: @SHARDS@ tasks, each of which trains one shard of the study. `mnist-study script hyperqueue` printed it.
# Cost: @COST@.
#
# Every worker needs this folder, the results folder and `mnist-study` on its PATH. Type (with the name that you saved this file by):
#   hq submit hyperqueue.sh            submit it (with `hq server start` and `hq worker start` running)
#   mnist-study status @OUT@           see what is done, running, missing and failed
#   hq submit --array="$(hq job task-ids last --filter=failed,canceled)" hyperqueue.sh
#                                      repeat the failed tasks of the last job; existing records are reused
#   mnist-study report @OUT@           make the report when all shards are done
# Trust `mnist-study status`: `hq job wait` exits with 0 even when tasks have failed.
#
#HQ --name=@TITLE@
#HQ --array=1-@SHARDS@
#HQ --cpus=@THREADS@
#HQ --resource mem=@MEMORY_MIB@
#HQ --time-limit=@MINUTES@m
# One log for each task and each restart, with errors in it. HyperQueue restarts a task by itself when its worker is lost.
#HQ --stdout=%{CWD}/@TITLE@-%{JOB_ID}/%{TASK_ID}.%{INSTANCE_ID}.log
#HQ --stderr=none

exec 2>&1
# `exec` replaces this shell, so that HyperQueue's signals reach the program. Without it, the program would outlive a lost worker.
# HyperQueue sets OMP_NUM_THREADS to the cores of the task.
exec @PROGRAM@ run @STUDY@ --shard "$HQ_TASK_ID/@SHARDS@" --out @OUT@ --yes @ARGUMENTS@
