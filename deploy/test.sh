#!/bin/sh
# Runs every check of the project. `--long` adds the full sizes that the evidence names.
# Installs what is missing (cargo tools go to a folder under the home folder, kept between runs).
set -eu
cd "$(dirname "$0")/.."

long=0
for argument in "$@"; do
    case "$argument" in
    --long) long=1 ;;
    *) echo "usage: sh deploy/test.sh [--long]" >&2; exit 2 ;;
    esac
done
export CONSILIUM_LONG="$long"

. deploy/prepare.sh
need_rust
need_servers

need_node
sh deploy/charts.sh

step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --release --workspace --all-targets --locked -- -D warnings

step "build"
build --all-targets

step "tests"
need_risk_python || {
    echo "pyCANON cannot be installed: risk figures are not compared with it" >&2
    if [ "$long" = 1 ]; then exit 1; fi
}
if [ "$long" = 1 ]; then
    cargo test --release --workspace --locked
elif cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --release --workspace --locked
    cargo test --release --workspace --doc --locked
else
    cargo test --release --workspace --locked
fi

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

step "licences, sources, arrows between crates"
if [ "$long" = 1 ]; then need_cargo_deny; fi
if command -v cargo-deny >/dev/null 2>&1; then
    cargo deny --offline check bans licenses sources
else
    echo "cargo-deny is not installed: this check did not run (sh deploy/test.sh --long installs it)"
fi

step "demo"
demo=$(mktemp -d)
trap 'sh deploy/demo.sh --stop "$demo"; rm -rf "$demo"' EXIT
sh deploy/demo.sh --folder "$demo" --quick

step "pages in a browser"
sh deploy/pages.sh "$demo"
sh deploy/hospital-pages.sh "$demo/benchmark/benchmark.json"
sh deploy/role-pages.sh "$demo"

step "what the coordinator says it serves"
sh deploy/openapi.sh "$demo"
sh deploy/demo.sh --stop "$demo"
if [ -e "$demo/running" ]; then
    echo "the demo left something running" >&2
    exit 1
fi
data=$(find_real_data)
if [ -n "$data" ]; then
    step "demo on real data"
    rm -rf "$demo" && mkdir "$demo"
    sh deploy/demo.sh --folder "$demo" --data "$data" --quick --once
else
    echo "real data not found (CONSILIUM_DATA or ../shared/data): the real-data demo did not run"
fi

step "bill of materials"
sh deploy/sbom.sh "$demo.cdx.json" && rm -f "$demo.cdx.json"

if [ "$long" = 1 ]; then
    step "the simulation finds bugs in changed code"
    sh deploy/mutants.sh
    step "the release, built twice"
    sh deploy/twice.sh
    step "bench against peers"
    sh deploy/bench.sh
fi

step "all checks passed"
