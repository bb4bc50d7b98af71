# Two devices as one: both or none.
. "$(dirname "$0")/lib.sh"
release

new_device left --role left
new_device right --role right
both() {
    "$TANDEM" update --to "$(at left)" --to "$(at right)" "$@"
}

good both 2.tdm
says '2 devices now run 2.0.0'
runs left 2.0.0 confirmed
runs right 2.0.0 confirmed

# One after the other.
pack 3.0.0 3 earbud_v1 3.tdm
good both --in-sequence 3.tdm
runs left 3.0.0 confirmed
runs right 3.0.0 confirmed

# One is dead: the other is not touched.
pack 4.0.0 4 earbud_v2 4.tdm
unplug right
fails 35 'so all stay on their old firmware' both --attempts 2 4.tdm
runs left 3.0.0 confirmed

# One cannot take it: none gets it.
switch_on right --hardware 7
pack 4.0.0 4 earbud_v2 for1.tdm --hardware 1
fails 81 'so all stay on their old firmware' both for1.tdm
runs left 3.0.0 confirmed
runs right 3.0.0 confirmed

# One was updated alone: the pair is brought together.
good "$TANDEM" update --to "$(at left)" 4.tdm
good both 4.tdm
runs left 4.0.0 confirmed
runs right 4.0.0 confirmed

# One loses its power in the middle and comes back: both arrive.
switch_off left
switch_off right
switch_on left --flash-timing 5,100
switch_on right --flash-timing 5,100
pack 5.0.0 5 earbud_v1 5.tdm
"$TANDEM" update --to "$(at left)" --to "$(at right)" 5.tdm >host.log 2>&1 &
host=$!
processes="$processes $host"
half_way right
unplug right
sleep 0.5
switch_on right
checks=$((checks + 1))
wait "$host" || bad "the pair did not arrive: $(cat host.log)"
forget "$host"
runs left 5.0.0 confirmed
runs right 5.0.0 confirmed

# Ctrl-C before the switch: both stay, and both can go on.
pack 6.0.0 6 earbud_v2 6.tdm
switch_off left
switch_off right
switch_on left --flash-timing 20,100
switch_on right --flash-timing 20,100
"$TANDEM" update --to "$(at left)" --to "$(at right)" 6.tdm >host.log 2>&1 &
host=$!
processes="$processes $host"
half_way left
kill -TERM "$host"
wait "$host"
code=$?
forget "$host"
holds test "$code" = 20
runs left 5.0.0 idle
holds test "$(field left resume_offset)0" -gt 0
good both 6.tdm
runs left 6.0.0 confirmed
runs right 6.0.0 confirmed

switch_off left
switch_off right
finish
