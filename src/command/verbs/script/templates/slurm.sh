#!/usr/bin/env bash
# A Slurm array job: @SHARDS@ tasks, each of which trains one shard of the study. `mnist-study script slurm` printed it.
# Cost: @COST@.
#
# Every node needs this folder, the results folder and `mnist-study` on its PATH. Type (with the name that you saved this file by):
#   sbatch slurm.sh                    submit it
#   mnist-study status @OUT@           see what is done, running, missing and failed
#   sbatch --array=3,5 slurm.sh        repeat tasks 3 and 5 (any task can be repeated: existing records are reused)
#   mnist-study report @OUT@           make the report when all shards are done
#
#SBATCH --job-name=@TITLE@
#SBATCH --array=1-@SHARDS@
#SBATCH --cpus-per-task=@THREADS@
#SBATCH --mem=@MEMORY_MIB@M
#SBATCH --time=@MINUTES@
#SBATCH --output=@TITLE@-%A_%a.log
# A repeated task continues its log. Slurm may repeat a task after a node failure or a preemption.
#SBATCH --open-mode=append
#SBATCH --requeue
# Slurm sends USR1 to this script 90 to 150 seconds before the time limit.
#SBATCH --signal=B:USR1@90

# TERM means that Slurm ends this task, and every process of the task gets it. USR1 reaches this script only, so pass it on.
trap 'cancelled=yes' TERM
trap 'kill -USR1 "$program"' USR1

# The program runs in the background, because bash handles a signal only after the command in the foreground has ended.
@PROGRAM@ run @STUDY@ --shard "$SLURM_ARRAY_TASK_ID/@SHARDS@" --threads "$SLURM_CPUS_PER_TASK" --out @OUT@ --yes @ARGUMENTS@ &
program=$!

# `wait` also returns when this script gets a signal: wait again until the program has ended.
while
  wait "$program"
  code=$?
  kill -0 "$program" 2>/dev/null
do :; done

# Repeat a task that ended by a signal or by a temporary fault (75: full disk, lost network), but not after `scancel`, and
# not without end. Other faults (1, 2) would only happen again.
case $code in
75 | 129 | 130 | 137 | 138 | 143 | 152)
  if [ -z "${cancelled:-}" ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ]; then
    echo "mnist-study ended with $code: Slurm will repeat this task"
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  fi
  ;;
esac
exit "$code"
