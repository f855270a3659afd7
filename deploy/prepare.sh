# Sourced by the other scripts: finds or installs what they need.

# Tools and the build folder live outside the clone, so that a fresh clone builds dependencies once.
CONSILIUM_HOME="${CONSILIUM_HOME:-$HOME/.cache/consilium}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CONSILIUM_HOME/target}"
export PATH="$CONSILIUM_HOME/tools/bin:$HOME/.cargo/bin:$PATH"

need_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "Rust is missing: install it with rustup (https://rustup.rs), then run this again" >&2
        exit 1
    fi
    if ! command -v cc >/dev/null 2>&1; then
        need_package gcc libc6-dev
    fi
}

# Debian packages, where this user may install them.
need_package() {
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
    else
        echo "missing packages: $*; install them, then run this again" >&2
        exit 1
    fi
}

# Database servers whose views the tests load and that scan columns, each test starting its own; a fast clock.
# CONSILIUM_SERVERS=1 tells the tests that all are there, so that none of them is passed over.
need_servers() {
    if need_postgres && need_mariadb && need_clickhouse && need_faketime; then
        export CONSILIUM_SERVERS=1
    fi
}

need_postgres() {
    set -- /usr/lib/postgresql/*/bin/initdb
    [ -x "$1" ] || command -v initdb >/dev/null 2>&1 || may_package postgresql
}

# Its programs without the service.
need_mariadb() {
    command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || may_package mariadb-server-core
}

# Its programs; the service that the package brings is not used.
need_clickhouse() {
    command -v clickhouse-server >/dev/null 2>&1 || [ -x /usr/sbin/clickhouse-server ] ||
        may_package clickhouse-server
}

# A library that makes a process's clock run fast.
need_faketime() {
    set -- /usr/lib/*/faketime/libfaketime.so.1
    [ -e "$1" ] || may_package libfaketime
}

# Debian packages that tests can do without: says so where they cannot be installed.
may_package() {
    if (need_package "$@"); then
        return 0
    fi
    echo "NOT TESTED: the tests that need $* say SKIPPED and show nothing" >&2
    return 1
}

# node and npm, for the charts and the walk through the pages.
need_node() {
    command -v npm >/dev/null 2>&1 || need_package nodejs npm
}

# Copies a folder of npm's to one outside the clone and installs there what it names; sets NPM_FOLDER.
npm_folder() {
    NPM_FOLDER="$CONSILIUM_HOME/npm/$(echo "$1" | tr / -)"
    mkdir -p "$NPM_FOLDER" && cp "$1"/*.json "$1"/*.*js "$NPM_FOLDER/" || return 1
    lock=$(cksum <"$1/package-lock.json")
    if [ "$(cat "$NPM_FOLDER/installed" 2>/dev/null)" != "$lock" ]; then
        (cd "$NPM_FOLDER" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || return 1
        echo "$lock" >"$NPM_FOLDER/installed"
    fi
}

# A browser without a window, and letters for both languages.
need_browser() {
    need_node
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || need_package chromium
    fc-list :lang=zh 2>/dev/null | grep -q . || need_package fontconfig fonts-wqy-microhei ||
        echo "no Chinese letters: pictures show boxes" >&2
}

need_cargo_deny() {
    command -v cargo-deny >/dev/null 2>&1 ||
        cargo install --locked --root "$CONSILIUM_HOME/tools" --target-dir "$CONSILIUM_HOME/tools/build" cargo-deny
}

# A Python with the peers that the bench compares with.
need_python_peers() {
    venv="$CONSILIUM_HOME/peers"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
    fi
    "$venv/bin/python" -c 'import duckdb, polars, pyarrow' 2>/dev/null ||
        "$venv/bin/pip" install --quiet duckdb polars pyarrow
    PEERS_PYTHON="$venv/bin/python"
}

# Pythons with the private peers of the bench, each with what it needs.
need_private_peers() {
    for peer in smartnoise:smartnoise-sql==1.0.10 opendp:opendp[polars]==0.16.0 pipelinedp:pipeline-dp==0.3.1; do
        venv="$CONSILIUM_HOME/private-${peer%%:*}"
        [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet "${peer#*:}" pyarrow
    done
}

# A Python with pyCANON, by which the risk figures of the de-identification report are checked. Only the
# parts of its environment that the check uses.
need_risk_python() {
    venv="$CONSILIUM_HOME/risk"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv" || return 1
    fi
    "$venv/bin/python" -c 'import pycanon.anonymity, pycanon.metrics' 2>/dev/null || {
        "$venv/bin/pip" install --quiet --no-deps pycanon==1.3.6 &&
            "$venv/bin/pip" install --quiet numpy==2.0.2 pandas==2.3.3 scipy==1.15.3 2>/dev/null
    } || return 1
    CONSILIUM_RISK_PYTHON="$venv/bin/python"
    export CONSILIUM_RISK_PYTHON
}

# Schemathesis, which asks what an OpenAPI document describes; sets SCHEMATHESIS.
need_schemathesis() {
    venv="$CONSILIUM_HOME/schemathesis"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    [ -x "$venv/bin/st" ] || "$venv/bin/pip" install --quiet schemathesis==4.32.5
    SCHEMATHESIS="$venv/bin/st"
}

# A Python with Flower, whose secure aggregation the bench compares with.
need_flower() {
    venv="$CONSILIUM_HOME/flower"
    if [ ! -x "$venv/bin/python" ]; then
        python3 -m venv "$venv"
    fi
    "$venv/bin/python" -c 'import flwr' 2>/dev/null || "$venv/bin/pip" install --quiet flwr==1.41.0
    FLOWER_PYTHON="$venv/bin/python"
}

# Prints the folder of real data, or nothing.
find_real_data() {
    for folder in "${CONSILIUM_DATA:-}" ../shared/data; do
        if [ -n "$folder" ] && [ -f "$folder/sparcs/sparcs_2020_msk_alliance6.csv" ]; then
            (cd "$folder" && pwd)
            return
        fi
    done
}

# Builds; a second time from scratch for our own crates where the first failed, because a build that
# was interrupted can leave a broken incremental cache behind.
build() {
    cargo build --release --workspace --locked "$@" || {
        echo "once more without the incremental cache" >&2
        rm -rf "$CARGO_TARGET_DIR/release/incremental"
        cargo build --release --workspace --locked "$@"
    }
}
