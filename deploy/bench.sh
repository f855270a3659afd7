#!/bin/sh
# The bench against DuckDB and Polars on the same generated stays: `sh deploy/bench.sh [ROWS]`.
set -eu
cd "$(dirname "$0")/.."
. deploy/prepare.sh
need_rust
need_python_peers
rows=${1:-10000000}
build --bins --quiet
folder="$CONSILIUM_HOME/bench-$rows"
"$CARGO_TARGET_DIR/release/bench" "$folder" --rows "$rows" --python "$PEERS_PYTHON"
