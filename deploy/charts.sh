#!/bin/sh
# Makes the pages' charts from the npm registry: Apache ECharts, of which only what the pages draw, as one
# packed script that the binaries take in when they are built. Without it pages show plain charts and say
# so. Does nothing where it is made already; exit code 1 and one line where it cannot be made.
set -eu
cd "$(dirname "$0")/../web/charts"

fail() { echo "charts: $1; pages will show plain ones" >&2; exit 1; }

sum=$(cat charts.js build.mjs package-lock.json | cksum)
if [ -f made/charts.js.gz ] && [ "$(cat made/from 2>/dev/null)" = "$sum" ]; then exit 0; fi
command -v npm >/dev/null 2>&1 || fail "npm is missing"
npm ci --no-audit --no-fund --loglevel=error >/dev/null || fail "npm could not fetch what they are made of"
node build.mjs || fail "they could not be built"
echo "$sum" >made/from
