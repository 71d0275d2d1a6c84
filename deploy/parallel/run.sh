#!/usr/bin/env bash
# A whole layer, or thousands of units, on all cores of one machine with GNU parallel: every process does its part of the
# same command. Faster than one process where there are many more cores than two.
#
#   PARTS=16 deploy/parallel/run.sh --model bvlc-googlenet --push-layer loss3/classifier --push-channel all \
#       --preset paper-3 --skipbig --output-prefix results/opt
#
# All arguments go to `deepvis optimize`. JOBS processes run at once, each on THREADS cores. The same command again leaves
# out what is complete.
set -euo pipefail

threads="${THREADS:-2}"
jobs="${JOBS:-$((($(nproc) + threads - 1) / threads))}"
parts="${PARTS:-$jobs}"
export RAYON_NUM_THREADS="$threads"
seq "$parts" | parallel --jobs "$jobs" --line-buffer --tag --halt soon,fail=100% --quote \
  "${DEEPVIS:-deepvis}" optimize --backend flex --quiet --shard "{}/$parts" "$@"
