# What the tests of the command share. Each test is a script that reads this
# file; the build hands over in the environment where the programs are:
# TANDEM, EARBUD (their folder), BRIDGE, WORK (a folder for the tests).
#
# A test works in a fresh folder of its own, counts its checks, and leaves no
# process behind.
set -u

name=$(basename "$0" .sh)
folder=$WORK/$name
checks=0
failures=0
processes=

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder" || exit 1

# Whatever happens, nothing that was started goes on.
end() {
    trap - EXIT INT TERM HUP
    for process in $processes; do
        kill -9 "$process" 2>/dev/null
    done
    wait 2>/dev/null
    exit "${1:-1}"
}
trap 'end 1' EXIT INT TERM HUP

finish() {
    for process in $processes; do
        if kill -0 "$process" 2>/dev/null; then
            bad "process $process is still there"
        fi
    done
    echo "$checks checks, $failures failures"
    if [ "$failures" -ne 0 ] || [ "$checks" -eq 0 ]; then
        end 1
    fi
    end 0
}

bad() {
    failures=$((failures + 1))
    echo "FAILED: $1" >&2
}

# good COMMAND...: it succeeds, and says nothing on stderr. Its output is in the file out.
good() {
    checks=$((checks + 1))
    "$@" >out 2>err
    code=$?
    if [ "$code" -ne 0 ] || [ -s err ]; then
        bad "code $code: $*"
        cat out err >&2
    fi
}

# fails CODE TEXT COMMAND...: it fails with that code, and one line on stderr says why, with that text in it.
fails() {
    want=$1
    text=$2
    shift 2
    checks=$((checks + 1))
    "$@" >out 2>err
    code=$?
    lines=$(grep -c '^tandem: ' err)
    others=$(grep -vc '^tandem: ' err)
    if [ "$code" -ne "$want" ] || [ "$lines" -lt 1 ] || [ "$others" -ne 0 ] || ! grep -qF -- "$text" err; then
        bad "code $code instead of $want, or not '$text': $*"
        cat out err >&2
    fi
}

# says TEXT: the last command's output has it.
says() {
    checks=$((checks + 1))
    if ! grep -qF -- "$1" out; then
        bad "not said: $1"
        cat out >&2
    fi
}

# holds COMMAND...: a plain assertion.
holds() {
    checks=$((checks + 1))
    "$@" || bad "not so: $*"
}

# A repeatable number from 0 to $1 - 1, in $random, from $seed.
draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    random=$((seed / 65536 % $1))
}

# nap MILLISECONDS
nap() {
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

# The key and the packages that most tests want: release.key, 1.tdm, 2.tdm.
pack() { # pack VERSION COUNTER FIRMWARE OUT [OPTION...]
    pack_version=$1
    pack_counter=$2
    pack_firmware=$3
    pack_out=$4
    shift 4
    "$TANDEM" pack --key release.key --vendor Acme --product Buds --version "$pack_version" \
        --counter "$pack_counter" --image app="$EARBUD/$pack_firmware" -o "$pack_out" --force "$@" >/dev/null
}
release() {
    "$TANDEM" keygen release.key >/dev/null &&
        pack 1.0.0 1 earbud_v1 1.tdm &&
        pack 2.0.0 2 earbud_v2 2.tdm || end 1
}

# switch_on FOLDER [OPTION...]: in the background; sets $process, and the file FOLDER.pid.
switch_on() {
    device=$1
    shift
    rm -f "$device/address"
    "$TANDEM" device --state "$device" "$@" >>"$device.log" 2>&1 &
    process=$!
    processes="$processes $process"
    echo "$process" >"$device.pid"
    tries=0
    while [ ! -s "$device/address" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ] || ! kill -0 "$process" 2>/dev/null; then
            bad "$device does not start"
            cat "$device.log" >&2
            return 1
        fi
        sleep 0.05
    done
}
# new_device FOLDER [OPTION...]: from the factory, with 1.tdm.
new_device() {
    new=$1
    shift
    switch_on "$new" --pub release.key.pub --factory 1.tdm --listen 127.0.0.1:0 --name "$new" "$@"
}
at() {
    cat "$1/address"
}
# switch_off FOLDER: in order; checks that it ends well.
switch_off() {
    process=$(cat "$1.pid")
    kill "$process" 2>/dev/null
    checks=$((checks + 1))
    wait "$process" || bad "$1 did not end well"
    forget "$process"
}
# unplug FOLDER: as hard as possible.
unplug() {
    process=$(cat "$1.pid")
    kill -9 "$process" 2>/dev/null
    wait "$process" 2>/dev/null
    forget "$process"
}
forget() {
    left=
    for process in $processes; do
        [ "$process" = "$1" ] || left="$left $process"
    done
    processes=$left
}

# field DEVICE NAME: one value of its status, as text.
field() {
    "$TANDEM" status --json --to "$(at "$1")" | sed -n 's/.*"'"$2"'":"\{0,1\}\([^",}]*\).*/\1/p'
}
# runs DEVICE VERSION STATE: what its status says.
runs() {
    checks=$((checks + 1))
    line=$("$TANDEM" status --json --to "$(at "$1")" 2>&1)
    case $line in
    *"\"version\":\"$2\""*"\"state\":\"$3\""*) ;;
    *) bad "$1 does not run $2, $3: $line" ;;
    esac
}
# half_way DEVICE: wait until it has a part of an update, but not all.
half_way() {
    tries=0
    while [ "$tries" -lt 200 ]; do
        tries=$((tries + 1))
        offset=$(field "$1" resume_offset)
        [ "${offset:-0}" -gt 0 ] && return 0
        sleep 0.02
    done
    bad "$1 gets no update"
}
