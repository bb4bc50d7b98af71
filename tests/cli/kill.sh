# Pull the plug of a device again and again while it is updated, at moments
# drawn from a seed; now and then kill the host too. Each time the device comes
# back, the transfer goes on, and the update arrives.
#
#   kill.sh [ROUNDS [SEED]]
. "$(dirname "$0")/lib.sh"
rounds=${1:-5}
seed=${2:-1}
echo "seed $seed, $rounds rounds"
release

"$TANDEM" keygen other >/dev/null
new_device left --flash-timing 8,250
kills=0
hosts=0
again=0

# Runs in the background; sets $host.
start_host() {
    "$TANDEM" update --to "$(at left)" "$1" >>host.log 2>&1 &
    host=$!
    processes="$processes $host"
    hosts=$((hosts + 1))
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
        draw 4
        if [ "$random" -eq 0 ]; then
            kill -9 "$host" 2>/dev/null
            wait "$host" 2>/dev/null
            forget "$host"
            start_host $version.tdm
        fi
        unplug left
        kills=$((kills + 1))
        draw 50
        nap "$random"
        switch_on left --flash-timing 8,250 || end 1
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
        "$TANDEM" update --to "$(at left)" $version.tdm >>host.log 2>&1
        code=$?
    fi
    if [ "$code" -ne 0 ]; then
        bad "round $round of seed ${2:-1}: code $code"
        tail -n 20 host.log left.log >&2
    fi
    runs left $version.0.0 confirmed
    rm -f $version.tdm
    round=$((round + 1))
done
echo "$kills cuts, $hosts hosts, $again trials used up, $(grep -c 'half there' host.log) times gone on from the middle"
switch_off left
finish
