# Firmware that does not hold: the old one comes back, the host says so, and
# the next good update succeeds.
. "$(dirname "$0")/lib.sh"
release

new_device left --watchdog=1
version=2
for fault in untested crash hang; do
    pack $version.0.0 $version earbud_$fault $fault.tdm
    fails 112 'did not confirm itself; the old one is back' "$TANDEM" update --to "$(at left)" $fault.tdm
    holds grep -q 'back to the old firmware' left.log
    # Also for somebody who asks later.
    "$TANDEM" status --json --to "$(at left)" >out
    says '"status":112'
    version=$((version + 1))
done
holds grep -q 'self-test failed' left.log
holds grep -q 'the firmware crashed' left.log
holds grep -q 'the firmware hangs' left.log
runs left 1.0.0 failed

# What is no program at all, though well signed.
echo 'not a program' >text.bin
"$TANDEM" pack --key release.key --vendor Acme --product Buds --version 5.0.0 --counter 5 \
    --image app=text.bin -o text.tdm >/dev/null
fails 112 'the old one is back' "$TANDEM" update --to "$(at left)" text.tdm
runs left 1.0.0 failed

# The next good one succeeds, also from a state that was bad four times.
pack 6.0.0 6 earbud_v2 6.tdm
good "$TANDEM" update --to "$(at left)" 6.tdm
runs left 6.0.0 confirmed
switch_off left

# Without a watchdog a crash leaves the device off, until somebody switches it on again.
new_device right
pack 3.0.0 3 earbud_crash crash.tdm
"$TANDEM" update --to "$(at right)" crash.tdm >host.log 2>&1 &
host=$!
processes="$processes $host"
for start in 2 3; do # it crashed in the first
    process=$(cat right.pid)
    wait "$process"
    forget "$process"
    "$TANDEM" device --state right >>right.log 2>&1 &
    process=$!
    echo "$process" >right.pid
    processes="$processes $process"
done
wait "$process"
forget "$process"
switch_on right
checks=$((checks + 1))
wait "$host"
[ $? -eq 112 ] || bad "the host does not report what happened: $(cat host.log)"
forget "$host"
runs right 1.0.0 failed
switch_off right
finish
