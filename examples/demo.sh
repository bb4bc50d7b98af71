#!/bin/sh
# The demo: a pair of earbuds, left and right, is updated from version 1.0.0 to
# 2.0.0 before your eyes. Leaves nothing running.
#
#   demo.sh TANDEM FIRMWARE-1 FIRMWARE-2 FOLDER
set -eu

tandem=$1
firmware1=$2
firmware2=$3
folder=$4

left=
right=
finish() {
    code=$?
    trap - EXIT
    for process in $left $right; do
        kill "$process" 2>/dev/null || :
    done
    wait
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() {
    printf '\n%s\n' "$1"
}

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

# Voice prompts for the second image: any bytes will do.
for release in 1 2; do
    i=0
    while [ "$i" -lt 3000 ]; do
        echo "release $release, prompt $i: connected, disconnected, battery low, pairing ..."
        i=$((i + 1))
    done >prompts$release.bin
done

step "A key, and two releases signed with it:"
"$tandem" keygen release.key
"$tandem" pack --key release.key --vendor Acme --product Buds --version 1.0.0 --counter 1 \
    --image app="$firmware1" --image data=prompts1.bin -o buds-1.0.0.tdm
"$tandem" pack --key release.key --vendor Acme --product Buds --version 2.0.0 --counter 2 \
    --image app="$firmware2" --image data=prompts2.bin -o buds-2.0.0.tdm

step "A pair of earbuds, fresh from the factory. Their flash takes its time, as a real one:"
"$tandem" device --state left --role left --pub release.key.pub --factory buds-1.0.0.tdm \
    --flash-timing 45,400 --listen 127.0.0.1:0 >left.log 2>&1 &
left=$!
"$tandem" device --state right --role right --pub release.key.pub --factory buds-1.0.0.tdm \
    --flash-timing 45,400 --listen 127.0.0.1:0 >right.log 2>&1 &
right=$!
for side in left right; do
    i=0
    while [ ! -s $side/address ]; do
        i=$((i + 1))
        if [ "$i" -gt 100 ]; then
            echo "the $side earbud did not start:" >&2
            cat $side.log >&2
            exit 1
        fi
        sleep 0.1
    done
done
"$tandem" status --to "$(cat left/address)" --to "$(cat right/address)"

step "Update both as one:"
"$tandem" update --to "$(cat left/address)" --to "$(cat right/address)" buds-2.0.0.tdm

step "What the left one said:"
sed 's/^/    /' left.log
