# Pull the plug of a device again and again while it is updated, at moments
# drawn from a seed; now and then kill the host too. Each time the device comes
# back, the transfer goes on, and the update arrives. With two devices they
# are a pair, and arrive together.
#
#   kill.sh [ROUNDS [SEED [DEVICES]]]
. "$(dirname "$0")/lib.sh"
rounds=${1:-5}
seed=${2:-1}
if [ "${3:-1}" -eq 2 ]; then everyone='left right'; else everyone=left; fi
echo "seed $seed, $rounds rounds, $everyone"
release

timing=8,250
for device in $everyone; do
    new_device "$device" --flash-timing $timing || end 1
done
kills=0
hosts=0
again=0

# In the background; sets $host.
start_host() {
    package=$1
    set --
    for member in $everyone; do
        set -- "$@" --to "$(at "$member")"
    done
    "$TANDEM" update "$@" "$package" >>host.log 2>&1 &
    host=$!
    processes="$processes $host"
    hosts=$((hosts + 1))
}
# One cut, of a device that is drawn; sometimes the host dies before it.
cut() {
    draw 4
    if [ "$random" -eq 0 ]; then
        kill -9 "$host" 2>/dev/null
        wait "$host" 2>/dev/null
        forget "$host"
        start_host "$1"
    fi
    victim=left
    draw 2
    [ "$random" -eq 1 ] && victim=${everyone#left }
    unplug "$victim"
    kills=$((kills + 1))
    draw 50
    nap "$random"
    switch_on "$victim" --flash-timing $timing || end 1
}

round=1
while [ "$round" -le "$rounds" ]; do
    version=$((round + 1))
    if [ $((version % 2)) -eq 0 ]; then firmware=earbud_v2; else firmware=earbud_v1; fi
    pack $version.0.0 $version $firmware $version.tdm
    start_host $version.tdm
    draw 4
    times=$((random + 1))
    while [ "$times" -gt 0 ]; do
        draw 700
        nap "$random"
        cut $version.tdm
        times=$((times - 1))
    done
    checks=$((checks + 1))
    wait "$host"
    code=$?
    forget "$host"
    # Three cuts in the moment between start and confirmation use up the trial. Then the old firmware is back, and
    # the same update goes in again.
    if [ "$code" -eq 112 ]; then
        again=$((again + 1))
        start_host $version.tdm
        wait "$host"
        code=$?
        forget "$host"
    fi
    if [ "$code" -ne 0 ]; then
        bad "round $round of seed ${2:-1}: code $code"
        tail -n 20 host.log ./*.log >&2
    fi
    for device in $everyone; do
        runs "$device" $version.0.0 confirmed
    done
    rm -f $version.tdm
    round=$((round + 1))
done
echo "$kills cuts, $hosts hosts, $again trials used up, $(grep -c 'half there' host.log) times gone on from the middle"
for device in $everyone; do
    switch_off "$device"
done
finish
