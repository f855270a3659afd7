# Sourced by the demo: processes that outlive it, written down in its folder so that they, and only they,
# can be ended later. A line is: process, when it began (by the kernel's clock), what it is.

# When a process began; nothing where there is none. Its name may hold blanks, so count from behind it.
began() { sed -n 's/^.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

alive() { # folder, name, log, command…: starts it; sets process
    book=$1/running
    name=$2
    log=$3
    shift 3
    nohup "$@" >>"$log" 2>&1 </dev/null &
    process=$!
    echo "$process $(began "$process") $name" >>"$book"
}

# Ends what the book names and still is what it was; a number that another process bears by now is left.
stop_alive() { # folder
    [ -f "$1/running" ] || return 0
    while read -r process since name; do
        [ -n "$since" ] && [ "$(began "$process")" = "$since" ] || continue
        kill "$process" 2>/dev/null || true
    done <"$1/running"
    while read -r process since name; do
        for _ in $(seq 100); do
            [ "$(began "$process")" = "$since" ] && [ -n "$since" ] || continue 2
            # One that has ended and that nobody asked about yet is gone.
            case $(sed -n 's/^.*) //p' "/proc/$process/stat" 2>/dev/null) in Z*) continue 2 ;; esac
            sleep 0.1
        done
        echo "$name ($process) does not end" >&2
        kill -9 "$process" 2>/dev/null || true
    done <"$1/running"
    rm -f "$1/running"
}
