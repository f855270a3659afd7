#!/bin/sh
# The bench against DuckDB and Polars on the same generated stays: `sh deploy/bench.sh [ROWS]`. What a
# pooled round costs, and the same sum by Prio3 and by Flower's SecAgg+: `sh deploy/bench.sh pooled`.
set -eu
cd "$(dirname "$0")/.."
. deploy/prepare.sh
need_rust
if [ "${1:-}" = pooled ]; then
    need_flower
    build --bins --quiet
    cargo build --release --locked --quiet --manifest-path tests/benches/prio/Cargo.toml --target-dir "$CARGO_TARGET_DIR/prio"
    "$CARGO_TARGET_DIR/release/bench" pooled
    "$CARGO_TARGET_DIR/prio/release/prio-peer" 20 200
    "$FLOWER_PYTHON" tests/benches/secagg.py 20 50
    exit
fi
need_python_peers
rows=${1:-10000000}
build --bins --quiet
folder="$CONSILIUM_HOME/bench-$rows"
"$CARGO_TARGET_DIR/release/bench" "$folder" --rows "$rows" --python "$PEERS_PYTHON"
