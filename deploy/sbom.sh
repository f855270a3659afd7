#!/bin/sh
# Writes a CycloneDX 1.6 bill of materials (JSON) of what the two binaries are built of, from Cargo.lock:
# the same lock file gives the same bytes. Usage: sh deploy/sbom.sh [FILE]
set -eu
cd "$(dirname "$0")/.."
out=${1:-consilium.cdx.json}
command -v cargo >/dev/null 2>&1 || { echo "cargo is missing" >&2; exit 1; }
command -v python3 >/dev/null 2>&1 || { echo "python3 is missing" >&2; exit 1; }
cargo metadata --format-version 1 --locked --offline --filter-platform x86_64-unknown-linux-gnu |
    python3 deploy/sbom.py Cargo.lock > "$out.part"
mv "$out.part" "$out"
echo "$out"
