#!/usr/bin/env bash
# Packs a binary for a release: with completions of shells, manual pages, and the texts of all licences; and its checksum.
#
#   deploy/release/pack.sh target/dist/deepvis x86_64-unknown-linux-gnu OUT
set -euo pipefail

usage="usage: deploy/release/pack.sh BINARY TARGET OUT"
binary=$(realpath "${1:?$usage}")
target=${2:?$usage}
mkdir -p "${3:?$usage}"
out=$(cd "$3" && pwd)
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The name that `cargo binstall` looks for, see Cargo.toml.
name=deepvis-$target
mkdir -p "$work/$name/completions" "$work/$name/man"
case $target in
  *windows*) program=deepvis.exe ;;
  *) program=deepvis ;;
esac
cp "$binary" "$work/$name/$program"
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$work/$name"
"$(command -v python || command -v python3)" deploy/release/licences.py "$target" > "$work/$name/THIRD-PARTY-LICENCES.txt"

"$binary" completions bash > "$work/$name/completions/deepvis.bash"
"$binary" completions zsh > "$work/$name/completions/_deepvis"
"$binary" completions fish > "$work/$name/completions/deepvis.fish"
"$binary" completions powershell > "$work/$name/completions/_deepvis.ps1"
"$binary" man > "$work/$name/man/deepvis.1"
commands=$("$binary" man | sed -n 's/^deepvis\\-\(.*\)(1)$/\1/p' | tr -d '\\')
for command in $commands; do
  "$binary" man "$command" > "$work/$name/man/deepvis-$command.1"
done

case $target in
  *windows*)
    archive=$name.zip
    (cd "$work" && 7z a -bso0 "$out/$archive" "$name")
    ;;
  *)
    archive=$name.tar.gz
    tar -czf "$out/$archive" -C "$work" "$name"
    ;;
esac
# `sha256sum --check` reads it; macOS has only shasum.
cd "$out"
{ sha256sum "$archive" 2> /dev/null || shasum -a 256 "$archive"; } > "$archive.sha256"
echo "$out/$archive"
