# Devices that speak Realtek's DFU: one with two banks, one with one bank, a pair of buds.
. "$(dirname "$0")/lib.sh"
release

realtek() {
    "$TANDEM" update --profile realtek "$@"
}
# A Realtek device tells no more than its version: its own words say what runs, once it has confirmed itself.
now_runs() { # now_runs DEVICE VERSION
    checks=$((checks + 1))
    tries=0
    while [ "$(sed -n 's/.*: firmware \([^ ]*\) runs.*/\1/p' "$1.log" | tail -1)" != "$2" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ]; then
            bad "$1 does not run $2"
            cat "$1.log" >&2
            return
        fi
        sleep 0.02
    done
}

mkdir air
new_radio() { # new_radio DEVICE [OPTION...]: its address is then in DEVICE.air
    ls air >before.air
    new_device "$@" --profile realtek --radio air
    tries=0
    while ! ls air | grep -vxFf before.air | sed -n 's/^app-//p' >"$1.air" || [ ! -s "$1.air" ]; do
        tries=$((tries + 1))
        [ "$tries" -gt 200 ] && bad "$1 is not in the air" && return
        sleep 0.02
    done
}
# begin NAME ARGUMENT...: an update in the background; ends NAME TEXT: it went well, and said so.
begin() {
    to=$1
    shift
    realtek "$@" >"$to.out" 2>"$to.err" &
    echo $! >"$to.update"
    processes="$processes $!"
}
ends() {
    checks=$((checks + 1))
    update=$(cat "$1.update")
    if ! wait "$update" || [ -s "$1.err" ] || ! grep -qF -- "$2" "$1.out"; then
        bad "the update of $1"
        cat "$1.out" "$1.err" >&2
    fi
    forget "$update"
}

# A pair whose other bud is away: nothing is begun.
new_device left --role left --profile realtek --pair right
fails 35 'so all stay on their old firmware' realtek --attempts 3 --to "$(at left)" --to 127.0.0.1:9 2.tdm
now_runs left 1.0.0

# As a pack for phone apps: an image for each bank, whose payload is the package.
head -c 64 /dev/zero >header
good "$TANDEM" pack --format mppack --ic 11 --wrap -o 2.bin \
    --image header,id=0x2790,version=2.0.0,bank=0 --image 2.tdm,version=2.0.0,bank=0 \
    --image header,id=0x2790,version=2.0.0,bank=1 --image 2.tdm,version=2.0.0,bank=1
good "$TANDEM" pack --format pair -o pair.bin --image 2.bin --image 2.bin

# All at once, as each restarts only some seconds after it is told to: a device with two banks over a stream; one with
# one bank and a temp area over the radio; a pair of buds over streams, which exchange their roles; a pair over the
# radio, whose second bud advertises when the first has all.
new_device alone --profile realtek
new_radio single --one-bank
new_device right --role right --profile realtek --pair left
new_device r --role right --profile realtek --radio air --pair l
new_radio l --role left --pair r
begin alone --to "$(at alone)" 2.bin
begin single --radio air --to "$(cat single.air)" 2.tdm
begin left --to "$(at left)" --to "$(at right)" pair.bin
begin l --radio air --to "$(cat l.air)" --to c00000000000 2.tdm
ends alone '1 device now runs 2.0.0'
ends single '1 device now runs 2.0.0'
ends left '2 devices now run 2.0.0'
ends l '2 devices now run 2.0.0'
for device in alone single left right l r; do
    now_runs "$device" 2.0.0
done

# There is nothing to do; not older; not what is none.
good realtek --to "$(at alone)" 2.tdm
says 'it runs 2.0.0 already'
fails 82 'not newer' realtek --to "$(at alone)" 1.tdm
fails 48 'neither a Realtek pack' realtek --to "$(at alone)" release.key.pub
fails 2 'tandem or realtek' "$TANDEM" update --profile apple --to "$(at alone)" 2.tdm
fails 2 'no address of 12 digits' realtek --radio air --to 127.0.0.1:9 2.tdm

# Signed by somebody else: the payload is refused, in the protocol's own words.
mv release.key ours.key
mv release.key.pub ours.key.pub
"$TANDEM" keygen release.key >/dev/null
pack 3.0.0 3 earbud_v1 theirs.tdm
mv ours.key release.key
mv ours.key.pub release.key.pub
checks=$((checks + 1))
realtek --to "$(at alone)" theirs.tdm >out 2>err && bad "a stranger's package was taken"
holds grep -q 'the device says' err
now_runs alone 2.0.0

for device in alone single left right l r; do
    switch_off "$device"
done
finish
