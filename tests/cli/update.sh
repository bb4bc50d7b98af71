# tandem device, status and update: one device, and everything that it or the
# command refuses.
. "$(dirname "$0")/lib.sh"
release

# A new device.
fails 2 'holds no device' "$TANDEM" device --state left --pub release.key.pub --listen 127.0.0.1:0
fails 2 '--pub is missing' "$TANDEM" device --state left --factory 1.tdm --listen 127.0.0.1:0
fails 2 '--listen is missing' "$TANDEM" device --state left --factory 1.tdm --pub release.key.pub
fails 2 'not an address' "$TANDEM" device --state left --factory 1.tdm --pub release.key.pub --listen here
fails 2 '--state is missing' "$TANDEM" device
fails 2 '--role is' "$TANDEM" device --state left --role middle
fails 1 'cannot read none.tdm' "$TANDEM" device --state left --factory none.tdm --pub release.key.pub \
    --listen 127.0.0.1:0
"$TANDEM" keygen other >/dev/null
rm -rf left
fails 65 'not trusted' "$TANDEM" device --state left --factory 1.tdm --pub other.pub --listen 127.0.0.1:0
rm -rf left

new_device left --battery 80 --hardware 2
runs left 1.0.0 idle
holds test "$(field left bank)" = 0
fails 18 'running already' "$TANDEM" device --state left

# What is refused before anything is sent.
before=$(cksum <left/flash.bin)
refused() { # refused CODE TEXT PACKAGE
    fails "$1" "$2" "$TANDEM" update --to "$(at left)" "$3"
    runs left 1.0.0 idle
}
pack 0.9.0 1 earbud_v1 old.tdm
refused 82 'older than 1.0.0' old.tdm
pack 2.0.0 0 earbud_v2 counter.tdm
refused 83 'security counter is 0' counter.tdm
pack 2.0.0 2 earbud_v2 hardware.tdm --hardware 3-4
refused 81 'hardware revision 2' hardware.tdm
pack 2.0.0 2 earbud_v2 minimum.tdm --min-version 1.5.0
refused 82 'needs 1.5.0 or newer' minimum.tdm
pack 2.0.0 2 earbud_v2 product.tdm --product Case
refused 80 'is for Acme Case' product.tdm
pack 2.0.0 2 earbud_v2 vendor.tdm --vendor Other
refused 80 'the device is Acme Buds' vendor.tdm
head -c 50000 2.tdm >cut.tdm
refused 49 'truncated' cut.tdm
refused 48 'not a Tandem package' release.key
refused 1 'cannot read none.tdm' none.tdm
holds test "$before" = "$(cksum <left/flash.bin)"

# What the device refuses from the package's head.
failed() { # failed CODE TEXT PACKAGE
    fails "$1" "$2" "$TANDEM" update --to "$(at left)" "$3"
    runs left 1.0.0 failed
}
"$TANDEM" pack --key other --vendor Acme --product Buds --version 2.0.0 --counter 2 \
    --image app="$EARBUD/earbud_v2" -o other.tdm >/dev/null
failed 65 'not signed by a key that the device trusts' other.tdm
"$TANDEM" pack --unsigned --vendor Acme --product Buds --version 2.0.0 --counter 2 \
    --image app="$EARBUD/earbud_v2" -o unsigned.tdm >/dev/null
failed 64 'is not signed' unsigned.tdm
head=$("$TANDEM" inspect --json 2.tdm | sed -n 's/.*"payload_offset":\([0-9]*\).*/\1/p')
(head -c $((head - 1)) 2.tdm && printf x && tail -c +$((head + 1)) 2.tdm) >forged.tdm
failed 67 'its signature is wrong' forged.tdm
head -c 20000000 /dev/zero >large.bin
"$TANDEM" pack --key release.key --vendor Acme --product Buds \
    --version 2.0.0 --counter 2 --image app=large.bin -o large.tdm >/dev/null
failed 51 'image app is larger than its slot' large.tdm
rm -f large.bin large.tdm
"$TANDEM" pack --key release.key --vendor Acme --product Buds --version 2.0.0 --counter 2 \
    --image app="$EARBUD/earbud_v2",needs=data:1.0 -o needs.tdm >/dev/null
failed 84 'needs another one' needs.tdm

# A good one.
good "$TANDEM" update --to "$(at left)" 2.tdm
says 'before  left          version 1.0.0'
says 'after   left          version 2.0.0       bank 1  confirmed'
says '1 device now runs 2.0.0'
runs left 2.0.0 confirmed
holds grep -q 'transparency mode' left.log

# Once more: nothing is to be done; then by force, back into bank 0.
good "$TANDEM" update --to "$(at left)" 2.tdm
says 'it runs 2.0.0 already'
good "$TANDEM" update --reinstall --to "$(at left)" 2.tdm
says 'after   left          version 2.0.0       bank 0  confirmed'
fails 83 'security counter is 1' "$TANDEM" update --to "$(at left)" 1.tdm
runs left 2.0.0 confirmed

# A battery that is too low.
switch_off left
switch_on left --battery 10
pack 3.0.0 3 earbud_v1 3.tdm
fails 96 'battery is at 10 %' "$TANDEM" update --to "$(at left)" 3.tdm
switch_off left
switch_on left --battery 100

# As JSON, line by line.
good "$TANDEM" update --json --to "$(at left)" 3.tdm
says '"event":"state","when":"before"'
says '"event":"progress"'
says '"event":"result","device":"left","status":0'
holds test "$(grep -vc '^{.*}$' out)" = 0
runs left 3.0.0 confirmed

# The command line, and nobody there.
fails 2 '--to is missing' "$TANDEM" update 2.tdm
fails 2 'which package' "$TANDEM" update --to 127.0.0.1:1
fails 2 'not an address' "$TANDEM" update --to nowhere 2.tdm
fails 2 'not an address' "$TANDEM" update --to 127.0.0.1:99999 2.tdm
fails 2 'no port 0' "$TANDEM" update --to 127.0.0.1:0 2.tdm
fails 2 'given twice' "$TANDEM" update --to 127.0.0.1:1 --to 127.0.0.1:1 2.tdm
fails 2 '--attempts is a number' "$TANDEM" update --attempts 0 --to 127.0.0.1:1 2.tdm
fails 33 'not a serial line' "$TANDEM" update --attempts 1 --serial /dev/null 2.tdm
fails 33 'No such file' "$TANDEM" update --attempts 1 --serial /dev/none 2.tdm
fails 2 '--to is missing' "$TANDEM" status
switch_off left
fails 35 'cannot be reached' "$TANDEM" update --attempts 2 --to "$(at left)" 2.tdm
fails 35 'refused' "$TANDEM" status --to "$(at left)"

# Unix-domain sockets; the address is free again afterwards.
switch_on left --listen unix:left.sock
runs left 3.0.0 confirmed
unplug left
switch_on left
good "$TANDEM" update --reinstall --to unix:left.sock 3.tdm
switch_off left
holds test ! -e left.sock
finish
