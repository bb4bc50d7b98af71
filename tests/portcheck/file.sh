#!/bin/sh
# The port checker on flash in a file: the example program, which is killed in
# the middle of its drill and must find nothing worse than torn cells.
#   PORTCHECK the program; WORK a folder
set -eu

rm -rf "$WORK"
mkdir -p "$WORK"
cd "$WORK"

# expect <exit code> <text or -> <argument>...: run, and look for a text in what is said
expect() {
    code=$1 text=$2
    shift 2
    got=0
    "$PORTCHECK" "$@" >said 2>&1 || got=$?
    if [ "$got" != "$code" ] || ! { [ "$text" = - ] || grep -q -- "$text" said; }; then
        echo "portcheck $*: exit code $got, not $code; or it did not say \"$text\":"
        cat said
        exit 1
    fi
}

expect 2 usage
expect 1 "is none of" flash nonsense
expect 0 "programming a unit again is refused" flash
expect 0 "time-rate" flash run
expect 1 "kept-none" flash kept
expect 0 "now reset" flash keep
expect 0 "all there" flash kept
printf x | dd of=flash bs=1 seek=20000 conv=notrunc 2>dd
expect 1 "FAULT    kept-lost at 0x00004e" flash kept

rm flash
for round in 1 2 3 4 5 6; do
    "$PORTCHECK" flash drill >said &
    program=$!
    sleep "0.$round"
    kill -9 "$program"
    wait "$program" 2>/dev/null || true
    expect 0 "cut-" flash look
done
grep -q "round [0-9]* is found" said
expect 2 "in use\|is not this device" /dev/null
echo "the port checker finds nothing wrong with flash in a file"
