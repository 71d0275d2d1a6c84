#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh virtual environment, and runs the package's tests there.
#
#   python/try.sh [FLAGS OF MATURIN]
#
# The release profile and the default features are those of `cargo test --release`, so that dependencies are there already.
set -euo pipefail
cd "$(dirname "$0")"
shared=${DEEPVIS_SHARED:-$PWD/../../shared}

# Cargo's own default is the workspace's target.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if ! python3 -m venv "$place/venv" > /dev/null 2>&1; then
  echo "SKIPPED: python3 -m venv makes no environment here, so the Python package is not tested"
  exit 0
fi
python=$place/venv/bin/python
if ! "$python" -m pip install --quiet --disable-pip-version-check "maturin>=1.9,<2" "numpy>=1.22" "pytest>=7" pillow \
  > "$place/pip.log" 2>&1; then
  tail -n 1 "$place/pip.log"
  echo "SKIPPED: pip cannot install maturin, numpy, pytest and pillow here, so the Python package is not tested"
  exit 0
fi
# What is not for this machine alone is built by the workflow; there maturin looks at which libraries a wheel needs.
"$place/venv/bin/maturin" build --release --locked --compatibility linux --out "$place/wheels" "$@"
"$python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$place"/wheels/deepvis-*.whl
# Away from the sources, so that what is tested is what is installed; what was skipped is told in lines that begin so.
cp -r tests "$place/tests"
cd "$place"
DEEPVIS_SHARED=$shared "$python" -m pytest -q -rs -p no:cacheprovider tests
