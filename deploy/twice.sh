#!/bin/sh
# Builds the release profile `dist` twice, in two folders of different names, and compares the binaries'
# digests. About 2 × 20 minutes on 2 cores: for releases, and `test.sh --long`.
set -eu
cd "$(dirname "$0")/.."
. deploy/prepare.sh
need_rust
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
home=${CARGO_HOME:-$HOME/.cargo}
for place in one another-longer-name; do
    mkdir -p "$work/$place/src"
    git archive HEAD | tar -x -C "$work/$place/src"
    (
        cd "$work/$place/src"
        # A fixed moment, no path of this machine, no job of another count.
        SOURCE_DATE_EPOCH=$(git -C "$OLDPWD" log -1 --format=%ct 2>/dev/null || echo 0)
        export SOURCE_DATE_EPOCH
        RUSTFLAGS="--remap-path-prefix=$work/$place/src=. --remap-path-prefix=$home=cargo" \
            CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/$place/target" \
            CFLAGS="-ffile-prefix-map=$work/$place=. -ffile-prefix-map=$home=cargo" \
            cargo build --profile dist -p node -p coordinator --bins --locked
        cd "$work/$place/target/dist"
        sha256sum consilium-node consilium-coordinator > "$work/$place.sums"
    )
    rm -rf "$work/$place"
done
cat "$work/one.sums"
if cmp -s "$work/one.sums" "$work/another-longer-name.sums"; then
    echo "both builds are the same"
else
    echo "the builds differ:" >&2
    cat "$work/another-longer-name.sums" >&2
    exit 1
fi
