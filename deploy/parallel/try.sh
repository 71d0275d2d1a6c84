#!/usr/bin/env bash
# Runs the GNU parallel recipe on the bundled network and counts what came out.
#
#   deploy/parallel/try.sh target/release/deepvis
set -euo pipefail

DEEPVIS=$(realpath "${1:?usage: deploy/parallel/try.sh DEEPVIS}")
export DEEPVIS
if ! command -v parallel > /dev/null; then
  echo "SKIPPED: GNU parallel is not here, so its recipe is not run"
  exit 0
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
units=(--model demo --push-layer fc7 --push-channel all --max-iter 3 --skipbig --output-prefix "$place/opt")
for _ in first again; do
  PARTS=3 JOBS=2 THREADS=1 "$(dirname "$0")/run.sh" "${units[@]}"
done
complete=$(find "$place" -name '*_info.txt' | wc -l)
logged=$(cat "$place"/runs-*-of-3.jsonl | wc -l)
echo "3 parts: $complete units complete, $logged logged"
[ "$complete" = 32 ] && [ "$logged" = 32 ]
