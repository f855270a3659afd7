#!/bin/sh
# The bench against DuckDB and Polars on the same generated stays: `sh deploy/bench.sh [ROWS]...`; with the
# word `private` before the sizes also against SmartNoise SQL, OpenDP on Polars and PipelineDP. Prints one
# table and, from three sizes on, how the time grows with the rows. What a pooled round costs, and the same
# sum by Prio3 and by Flower's SecAgg+: `sh deploy/bench.sh pooled`.
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
private=
if [ "${1:-}" = private ]; then
    private=yes
    shift
fi
[ $# -gt 0 ] || set -- 10000000
need_python_peers
[ -z "$private" ] || need_private_peers
build --bins --quiet
folders=
for rows in "$@"; do
    folder="$CONSILIUM_HOME/bench-$rows"
    "$CARGO_TARGET_DIR/release/bench" "$folder" --rows "$rows" --python "$PEERS_PYTHON"
    if [ -n "$private" ]; then
        half="--from 2025-01 --to 2025-06 --work $folder/peers"
        "$PEERS_PYTHON" tests/benches/private.py prepare --data "$folder/node" --dictionary "$folder/dictionary.json" $half
        for peer in smartnoise opendp pipelinedp; do
            echo "$peer: $rows stays"
            "$CONSILIUM_HOME/private-$peer/bin/python" tests/benches/private.py "$peer" $half --runs 1 2>/dev/null \
                >"$folder/private-$peer.json" || { echo "$peer did not end well"; rm -f "$folder/private-$peer.json"; }
        done
    fi
    folders="$folders $folder"
done
python3 tests/benches/table.py $folders
