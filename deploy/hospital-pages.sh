#!/bin/sh
# Walks a hospital's pages in headless Chromium from a file to the position, at a hospital of its own that
# loads made-up stays: both languages, desk and phone. Pictures land in target/pages.
#
#   sh deploy/hospital-pages.sh [BENCHMARK]      the programs are built already
#
# BENCHMARK is the file benchmark.json of a demo's alliance. Without one the position says that there is none.
set -eu
cd "$(dirname "$0")/.."
benchmark=${1:-}
pictures=$(pwd)/target/pages
. deploy/prepare.sh
need_browser
npm_folder tests/browser
coordinator="$CARGO_TARGET_DIR/release/consilium-coordinator"
node="$CARGO_TARGET_DIR/release/consilium-node"
folder=$(mktemp -d)
running=""
end() {
    for process in $running; do kill "$process" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' INT TERM

"$node" synth --out "$folder/files" --seed 7 --year 2025 --hospitals 1 --stays 1500 --defects 0.004 >/dev/null
"$coordinator" init --alliance demo --data "$folder/c" --host localhost --host 127.0.0.1 \
    --node-address 127.0.0.1:17643 --public-address 127.0.0.1:17644 >/dev/null
alliance() { "$coordinator" --data "$folder/c" "$@"; }
alliance dictionary build --plan chs --table "$folder/files/groups.csv" --out "$folder/dictionary.json" >/dev/null
alliance dictionary publish "$folder/dictionary.json" >/dev/null
for person in wang-fang chen-jie; do alliance administrator add "$person" >/dev/null; done
for person in wang-fang chen-jie; do alliance policy approve --as "$person" >/dev/null; done
"$coordinator" --data "$folder/c" run >"$folder/c.log" 2>&1 &
running=$!
hospital() { "$node" --data "$folder/h01" "$@"; }
hospital init --hospital h01 >/dev/null
tries=0
until alliance invite h01 --as wang-fang | grep -o 'consilium1\.[A-Za-z0-9_-]*' |
    hospital enrol - >"$folder/enrol.txt" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || { echo "h01 could not join" >&2; exit 1; }
    sleep 0.5
done
alliance members approve h01 --as chen-jie --fingerprint "$(sed -n 's/^fingerprint //p' "$folder/enrol.txt")" >/dev/null
hospital dictionary fetch >/dev/null
hospital dictionary accept "$folder/h01/dictionary/offered.json" >/dev/null
hospital officer add li-hua --role steward >/dev/null
hospital officer add zhao-min --role security_officer >/dev/null
[ -z "$benchmark" ] || cp "$benchmark" "$folder/h01/benchmark.json"
for person in li-hua zhao-min; do hospital policy approve --as "$person" >/dev/null; done
password=$(hospital account add li-hua --role steward --as zhao-min | sed -n 's/^password //p')
"$node" --data "$folder/h01" pages --listen 127.0.0.1:17646 >"$folder/pages.log" 2>&1 &
running="$running $!"
tries=0
until curl -fsS -o /dev/null http://127.0.0.1:17646/sign-in 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 40 ] || { cat "$folder/pages.log" >&2; exit 1; }
    sleep 0.25
done
printf '{"name":"li-hua","password":"%s"}' "$password" | node "$NPM_FOLDER/hospital.mjs" \
    http://127.0.0.1:17646 "$pictures" "$folder/files/h01.csv" deploy/mappings/consilium-csv.toml "$benchmark"
