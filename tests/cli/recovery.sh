# A device that has nothing to start, or whose firmware never gets well, or
# whose recovery button is held: its bootloader takes the update.
. "$(dirname "$0")/lib.sh"
release

# in_recovery DEVICE VERSION CAUSE: what its status says.
in_recovery() {
    "$TANDEM" status --to "$(at "$1")" >out 2>&1
    says "version $2 "
    says "in recovery: $3"
}
# spoil DEVICE BANK: change some bytes of its application, which lies behind journal and manifests.
spoil() {
    size=$(wc -c <"$1/flash.bin")
    application=$(((size - 24576 - 1048576) / 2))
    printf '\0\0\0\0\0\0\0\0' |
        dd of="$1/flash.bin" bs=1 seek=$((24576 + $2 * application + 5000)) conv=notrunc 2>/dev/null
}

# A bootloader and nothing else.
switch_on left --pub release.key.pub --vendor Acme --product Buds --listen 127.0.0.1:0
in_recovery left 0.0.0 'nothing may be started (nothing that may be started)'
holds grep -q 'recovery, waiting for an update: nothing may be started' left.log
fails 80 'the device is Acme Buds' "$TANDEM" update --to "$(at left)" --timeout 20 "$(
    pack 1.0.0 1 earbud_v1 product.tdm --product Case
    echo product.tdm
)"
good "$TANDEM" update --to "$(at left)" 1.tdm
runs left 1.0.0 confirmed
"$TANDEM" status --json --to "$(at left)" >out
says '"boot":{"reason":3,"text":"on trial","status":0,"recovery":0,'

# Both banks damaged: the same version again goes in, and so does a newer one.
good "$TANDEM" update --to "$(at left)" 2.tdm
switch_off left
spoil left 0
spoil left 1
switch_on left
in_recovery left 0.0.0 'nothing may be started'
"$TANDEM" status --json --to "$(at left)" >out
says '"boot":{"reason":0,"text":"nothing may be started","status":68,"recovery":1,'
good "$TANDEM" update --to "$(at left)" 2.tdm
runs left 2.0.0 confirmed
switch_off left

# Pulled plugs in a recovery, at moments drawn from a seed.
seed=1
for round in 1 2 3; do
    spoil left 0
    spoil left 1
    switch_on left --flash-timing 8,250
    "$TANDEM" update --to "$(at left)" 2.tdm >>host.log 2>&1 &
    host=$!
    processes="$processes $host"
    for cut in 1 2; do
        draw 600
        nap "$random"
        unplug left
        switch_on left --flash-timing 8,250
    done
    checks=$((checks + 1))
    wait "$host" || bad "round $round: $(tail -n 3 host.log)"
    forget "$host"
    # Not always on trial: what was whole when the plug was pulled is started for want of anything else.
    holds test "$(field left version)" = 2.0.0
    switch_off left
done

# The button: the firmware is fine, and another one goes in all the same.
switch_on left --recovery
in_recovery left 2.0.0 'a pin or button says so'
switch_off left
switch_on left
holds test "$(field left version)" = 2.0.0
switch_off left
switch_on left --recovery
pack 3.0.0 3 earbud_v1 3.tdm
good "$TANDEM" update --to "$(at left)" 3.tdm
runs left 3.0.0 confirmed
switch_off left

# A firmware that crashes at once, and nothing to go back to: it is not tried for ever.
switch_on right --pub release.key.pub --vendor Acme --product Buds --listen 127.0.0.1:0 --watchdog=1
pack 4.0.0 4 earbud_crash crash.tdm
"$TANDEM" update --to "$(at right)" --timeout 15 crash.tdm >host.log 2>&1
tries=0
while ! grep -q 'waiting for an update: the firmware restarts again and again' right.log && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
in_recovery right 4.0.0 'the firmware restarts again and again'
pack 5.0.0 5 earbud_v2 5.tdm
good "$TANDEM" update --to "$(at right)" 5.tdm
runs right 5.0.0 confirmed
switch_off right
finish
