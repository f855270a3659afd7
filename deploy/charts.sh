#!/bin/sh
# Makes the pages' charts from the npm registry: Apache ECharts, of which only what the pages draw, as one
# packed script that the binaries take in when they are built. Without it pages show plain charts and say
# so. Does nothing where it is made already; exit code 1 and one line where it cannot be made.
set -eu
cd "$(dirname "$0")/.."
from=web/charts
made=$from/made

fail() { echo "charts: $1; pages will show plain ones" >&2; exit 1; }

sum=$(cat $from/charts.js $from/build.mjs $from/package-lock.json | cksum)
if [ -f $made/charts.js.gz ] && [ "$(cat $made/from 2>/dev/null)" = "$sum" ]; then exit 0; fi
command -v npm >/dev/null 2>&1 || fail "npm is missing"
. deploy/prepare.sh
npm_folder $from || fail "npm could not fetch what they are made of"
(cd "$NPM_FOLDER" && node build.mjs) || fail "they could not be built"
mkdir -p $made
cp "$NPM_FOLDER/made/charts.js.gz" $made/
echo "$sum" >$made/from
