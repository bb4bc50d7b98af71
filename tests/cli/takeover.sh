# Several hosts at one device: the first one has it, another one is told so,
# or takes it on demand; when a host dies, the next one goes on from there.
. "$(dirname "$0")/lib.sh"
release

new_device left --flash-timing 30,100
update() {
    "$TANDEM" update --to "$(at left)" "$@"
}
background() {
    "$TANDEM" update --to "$(at left)" "$@" >host.log 2>&1 &
    host=$!
    processes="$processes $host"
    half_way left
}

background 2.tdm
fails 18 'another host is updating it' update --attempts 1 2.tdm
# Asking is always possible.
good "$TANDEM" status --to "$(at left)"
says 'receiving'

# The first host dies; what was received is not sent again.
kill -9 "$host"
wait "$host" 2>/dev/null
forget "$host"
at_death=$(field left resume_offset)
holds test "${at_death:-0}" -gt 0
good update --json 2.tdm
first=$(sed -n 's/.*"stage":"receive","done":\([0-9]*\).*/\1/p' out | head -n 1)
holds test "${first:-0}" -ge "$at_death"
runs left 2.0.0 confirmed

# Taken by force: the other host ends with the reason.
pack 3.0.0 3 earbud_v1 3.tdm
background --attempts 2 3.tdm
good update --take-over 3.tdm
wait "$host"
code=$?
forget "$host"
holds test "$code" = 18 -o "$code" = 0
runs left 3.0.0 confirmed

# Another package half way: the new one wins, and the old one is no obstacle.
pack 4.0.0 4 earbud_v2 4.tdm
pack 5.0.0 5 earbud_v1 5.tdm
background 4.tdm
kill -9 "$host"
wait "$host" 2>/dev/null
forget "$host"
good update 5.tdm
runs left 5.0.0 confirmed
switch_off left
finish
