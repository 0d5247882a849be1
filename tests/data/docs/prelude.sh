# What stands before the commands of a document when the test types them. It
# stands in for a reader's machine: the addresses that documents name lead to
# the test's gateways, and what takes minutes is made short.
#
# From the test: PROGRAM, the gateway's program; GATEWAY and ADMIN, where one
# runs; OWN_GATEWAY and OWN_ADMIN, where one that is started here listens.
set -euo pipefail

headworks() {
    case $1 in
        bench) bench "$@" ;;
        run) serve "$@" ;;
        *) HEADWORKS_ADMIN=$ADMIN "$PROGRAM" "$@" ;;
    esac
}

# A gateway that goes on while the reader types elsewhere, until the block ends.
serve() {
    "$PROGRAM" "$@" &
    SERVED=$!
    GATEWAY=$OWN_GATEWAY ADMIN=$OWN_ADMIN
    until headworks ready 2>/dev/null; do
        kill -0 "$SERVED" || { echo "the gateway has ended" >&2; return 1; }
    done
}

# Two users for a moment, where the reader has many for minutes. `--enforce` is
# left out: a machine that runs tests meets no target reliably.
bench() {
    "$PROGRAM" "$@" --help >/dev/null
    local short=(--url "http://$GATEWAY" --users 2 --duration 200ms --pause 0s)
    shift
    while (($#)); do
        case $1 in
            --url | --users | --duration | --pause) shift ;;
            --enforce) ;;
            *) short+=("$1") ;;
        esac
        shift
    done
    "$PROGRAM" bench "${short[@]}"
}

# Whatever is not the gateway cannot be reached, and a refusal is a failure.
curl() {
    command curl --silent --show-error --fail-with-body --max-time 30 \
        --connect-to "localhost:8000:$GATEWAY" --connect-to "localhost:9090:$ADMIN" \
        --connect-to "127.0.0.1:9090:$ADMIN" --connect-to "::127.0.0.1:1" "$@"
}

# Written down; the test looks at what was asked for.
cargo() {
    local IFS=$'\x1f'
    printf '%s\n' "$*" >>"$CARGO_CALLS"
}

# Around each command: its answer is what is printed up to the next mark. `set -e`
# overlooks the first of `a && b`.
begins() { printf '\x1e'; }
ended() { return "$1"; }

block_ends() {
    if [[ -n ${SERVED-} ]]; then
        kill -TERM "$SERVED"
        wait "$SERVED"
        unset SERVED
        GATEWAY=$SHARED_GATEWAY ADMIN=$SHARED_ADMIN
    fi
}

SHARED_GATEWAY=$GATEWAY SHARED_ADMIN=$ADMIN
trap 'kill "${SERVED-}" 2>/dev/null || true' EXIT
