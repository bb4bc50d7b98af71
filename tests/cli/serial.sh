# Over a serial line: a pseudo terminal whose other end leads to the device.
. "$(dirname "$0")/lib.sh"
release

new_device left
"$BRIDGE" "$(at left)" >line 2>bridge.log &
bridge=$!
processes="$processes $bridge"
tries=0
while [ ! -s line ] && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
good "$TANDEM" status --serial "$(cat line)"
says 'left          version 1.0.0'
good "$TANDEM" update --serial "$(cat line)" --baud 921600 2.tdm
says 'version 2.0.0       bank 1  confirmed'
runs left 2.0.0 confirmed
fails 33 'no such baud rate' "$TANDEM" update --attempts 1 --serial "$(cat line)" --baud 12345 2.tdm
kill "$bridge"
wait "$bridge" 2>/dev/null
forget "$bridge"
switch_off left
finish
