# What the scripts share that start a server; sourced by them.

script=$(basename "$0" .sh)
# Where servers lie that are built from source: outside the tree, for all trees of this user.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/akidb/bin

# free_ports COUNT: ports of loopback that nobody had a moment ago.
free_ports() {
    python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))' "$1"
}

# built NAME MODULE VERSION GO: installs the program NAME of a Go module, unless that version is
# there; GO is the version of Go that it wants at least.
built() {
    if [ -x "$cache/$1" ] && [ "$(cat "$cache/$1.version" 2>/dev/null)" = "$3" ]; then
        return
    fi
    PATH=$PATH:/usr/local/go/bin
    if ! command -v go >/dev/null; then
        echo "$script: no go. $1 is built from source with Go $4 or later, which Debian 12 does" \
            "not have: put it into /usr/local/go, or into the PATH (https://go.dev/dl)" >&2
        exit 1
    fi
    found=$(go env GOVERSION | sed 's/^go//')
    if [ "$(printf '%s\n' "$4" "$found" | sort -V | head -n 1)" != "$4" ]; then
        echo "$script: Go $found is too old for $1, which wants $4 or later" >&2
        exit 1
    fi
    echo "$script: building $1, once, into $cache" >&2
    mkdir -p "$cache"
    GOBIN=$cache go install "$2@$3"
    echo "$3" >"$cache/$1.version"
}

# started COMMAND...: runs it in the background, for stop.sh.
started() {
    "$@" >>"$dir/output" 2>&1 &
    echo $! >>"$dir/pids"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    tries=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "$script: waited in vain for: $*" >&2
            tail -n 20 "$dir/output" >&2
            "$(dirname "$0")/stop.sh" "$dir"
            exit 1
        fi
        sleep 0.2
    done
}

# answers URL: whether a server says anything there, be it an error.
answers() {
    python3 -c '
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=5)
except urllib.error.HTTPError:
    pass' "$1"
}
