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

# Two banks: sent, switched, confirmed; then there is nothing to do.
new_device alone --profile realtek
good realtek --to "$(at alone)" 2.tdm
says '1 device now runs 2.0.0'
now_runs alone 2.0.0
good realtek --to "$(at alone)" 2.tdm
says 'it runs 2.0.0 already'

# Not older; not what is none.
fails 82 'not newer' realtek --to "$(at alone)" 1.tdm
fails 48 'neither a Realtek pack' realtek --to "$(at alone)" release.key.pub
fails 2 'tandem or realtek' "$TANDEM" update --profile apple --to "$(at alone)" 2.tdm

# Signed by somebody else: the payload is refused, by the protocol's own words.
mv release.key ours.key
mv release.key.pub ours.key.pub
"$TANDEM" keygen release.key >/dev/null
pack 3.0.0 3 earbud_v1 theirs.tdm
mv ours.key release.key
mv ours.key.pub release.key.pub
checks=$((checks + 1))
realtek --to "$(at alone)" theirs.tdm >out 2>err && bad 'a stranger'"'"'s package was taken'
holds grep -q 'the device says' err
now_runs alone 2.0.0
switch_off alone

# One bank and a temp area.
new_device single --profile realtek --one-bank
good realtek --to "$(at single)" 2.tdm
now_runs single 2.0.0
switch_off single

# A pair whose other bud is away: nothing is begun.
new_device left --role left --profile realtek --pair "$PWD/right"
fails 35 'so all stay on their old firmware' realtek --attempts 3 --to "$(at left)" --to 127.0.0.1:9 2.tdm
now_runs left 1.0.0

# It is there: the phone reaches one bud, which hands over to the other; both restart together.
new_device right --role right --profile realtek --pair "$PWD/left"
good realtek --to "$(at left)" --to "$(at right)" 2.tdm
says '2 devices now run 2.0.0'
now_runs left 2.0.0
now_runs right 2.0.0
switch_off left
switch_off right
finish
