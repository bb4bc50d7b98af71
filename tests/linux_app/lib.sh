# What these tests share. The build hands over in the environment: TANDEM,
# GATEWAY and ONCE (folders of programs), KILL_LIBRARY, WORK.
set -u

checks=0
failures=0
supervisor=

rm -rf "$WORK"
mkdir -p "$WORK"
cd "$WORK" || exit 1

end() {
    trap - EXIT INT TERM HUP
    [ -z "$supervisor" ] || kill -9 "$supervisor" 2>/dev/null
    wait 2>/dev/null
    exit "${1:-1}"
}
trap 'end 1' EXIT INT TERM HUP

finish() {
    echo "$checks checks, $failures failures"
    [ "$failures" -eq 0 ] && [ "$checks" -ne 0 ] && end 0
    end 1
}

bad() {
    failures=$((failures + 1))
    echo "FAILED: $1" >&2
}

# holds COMMAND...: an assertion.
holds() {
    checks=$((checks + 1))
    "$@" || bad "not so: $*"
}

# pack NUMBER PROGRAM OUT: a package of that version, of a program and its settings.
pack() {
    # Symbols of a debug build would make the update long.
    strip -o "program$1" "$2" && echo "release = $1" >"settings$1" &&
        "$TANDEM" pack --key release.key --vendor tandem --product gateway --hardware 1 --version "$1.0.0" \
            --counter 1 -o "$3" --image "app=program$1" --image "config=settings$1" >/dev/null || bad "pack $1"
}

# A product in its folder `home`, with version 1 installed and confirmed by nobody yet.
new_product() {
    rm -rf home
    mkdir -p home/bin home/upgrade
    cp release.key.pub home/
    holds "$GATEWAY/gateway-supervisor" home --install v1.tdm >log
}

# within SECONDS COMMAND...: it becomes true in that time.
within() {
    left=$(($1 * 20))
    shift
    checks=$((checks + 1))
    while ! "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            bad "not in time: $*"
            tail -n 20 log >&2
            return 1
        fi
        sleep 0.05
    done
}

# count TEXT NUMBER: so many lines of the log have it.
count() {
    [ "$(grep -cF -- "$1" log)" -eq "$2" ]
}

"$TANDEM" keygen release.key >/dev/null || bad keygen
