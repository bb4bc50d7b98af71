# tandem inspect, pack and verify on firmware in the formats of others. Where
# dfu-suffix, dfuse-pack and imgtool are, they judge what is written here, and
# write what is read.
. "$(dirname "$0")/lib.sh"

i=0
while [ "$i" -lt 300 ]; do
    echo "line $i of an image"
    i=$((i + 1))
done >app.bin
size=$(wc -c <app.bin)
printf 123456789 >nine.bin
: >empty.bin
t=$TANDEM
bytes() { # bytes FILE OFFSET COUNT: as hexadecimal
    od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'
}
json() { # json FILE: inspect it as JSON; the output has to be one object
    good "$t" inspect --json "$1"
    if [ -n "${PYTHON-}" ]; then
        holds "$PYTHON" -c 'import json; json.load(open("out"))'
    fi
}

# ---- Realtek: one image ----

good "$t" pack --format realtek --ic 16 --image app.bin,version=1.2.3+4,load=0x80e000 -o app.img
says "Realtek image for RTL8752H, $((size + 1024)) bytes, not signed"
good "$t" inspect app.img
says 'application (0x2793) for RTL8752H, version 1.2.3+4'
says 'SHA-256 holds'
json app.img
says '"type":"realtek-image"'
says '"integrity":{"sha256":true}'
holds test "$(bytes app.img 434 6)" = 100001019327
holds test "$(tail -c "$size" app.img | cmp - app.bin; echo $?)" = 0
for ic in 4 5 9 11 12 15; do
    good "$t" pack --format realtek --ic $ic --image app.bin -o $ic.img
    good "$t" inspect $ic.img
    says 'SHA-256 holds'
done
says 'for RTL87x2G'
good "$t" inspect 12.img
says 'nobody has described'
good "$t" pack --format realtek --ic 5 --image app.bin,id=0x2790 -o ota.img
good "$t" pack --format realtek --ic 5 --image app.bin,id=0x278d -o config.img

head -c 3000 app.img >cut.img
fails 49 'is truncated' "$t" inspect cut.img
{ cat app.img && echo more; } >long.img
good "$t" inspect long.img
says '5 bytes follow'
tr 0 1 <app.img >bad.img
fails 68 'is damaged' "$t" inspect bad.img
fails 68 'is damaged' "$t" inspect --json bad.img
holds grep -q '"sha256":false' out
"$t" keygen k >/dev/null
fails 64 'carries no signature' "$t" verify --pub k.pub app.img
fails 50 'not known' "$t" pack --format realtek --ic 3 --image app.bin -o x
fails 51 'does not fit' "$t" pack --format realtek --ic 5 --image app.bin,version=99 -o x
fails 2 'no Realtek image id' "$t" pack --format realtek --ic 5 --image app.bin,id=0x1234 -o x

# ---- Realtek: packs ----

good "$t" pack --format mppack --ic 5 --image 5.img,load=0x80e000 --image ota.img --image config.img -o single.pack
says 'Realtek pack for RTL8762C, 3 images'
name=$(sed -n 's/.*ImgPacketFile-\(.*\)\.bin/\1/p' out)
holds test "$name" = "$(md5sum single.pack | cut -d ' ' -f 1)"
holds test "$(bytes single.pack 0 2)" = 474d
holds test "$(bytes single.pack 38 6)" = 010526000000
good "$t" inspect single.pack
says 'pack         version 1, 3 files'
says 'file 1       system configuration, bit 1, for either bank'
says 'file 2       OTA header, bit 2, for bank 0'
says 'file 3       application, bit 5, for bank 0, to 0x0080e000, "5.img"'
json single.pack
says '"pack_version":1,"dual_bank":false,"ota":true'

# A Tandem package inside: what a device of ours takes from a phone app of Realtek's.
good "$t" pack --key k --vendor Acme --product Buds --version 2.1.0 --counter 3 --image app=app.bin -o buds.tdm
good "$t" pack --format mppack --ic 11 --wrap --image buds.tdm,version=2.1.0 --image buds.tdm,version=2.1.0,bank=1 \
    -o dual.pack
good "$t" inspect dual.pack
says 'pack         version 3, 2 files, for both banks'
says 'application, bit 133, for bank 1'
good "$t" pack --format mppack --ic 15 --production --image 15.img,bit=5 --pack-version 4 -o production.pack
good "$t" inspect production.pack
says 'for production lines only'

# For both buds.
good "$t" pack --format pair --image dual.pack --image single.pack -o both.pack
good "$t" inspect both.pack
says 'for the primary bud: pack of'
says 'for the secondary bud: pack of'
json both.pack
says '"role":"secondary"'
fails 48 'no Realtek pack' "$t" pack --format pair --image dual.pack --image app.bin -o x
fails 2 'takes two packs' "$t" pack --format pair --image dual.pack -o x

fails 48 'say --wrap' "$t" pack --format mppack --ic 5 --image app.bin -o x
fails 80 'is for ic 16' "$t" pack --format mppack --ic 5 --image app.img -o x
fails 68 'digest does not hold' "$t" pack --format mppack --ic 16 --image bad.img -o x
fails 2 'Say bit=N' "$t" pack --format mppack --ic 15 --image 15.img -o x
fails 2 'same place' "$t" pack --format mppack --ic 5 --image 5.img --image 5.img -o x
fails 2 'no bit that high' "$t" pack --format mppack --ic 5 --image 5.img,bit=40 -o x
fails 2 '--ic is missing' "$t" pack --format mppack --image 5.img -o x
fails 2 '--pack-version is 0 to 4' "$t" pack --format mppack --ic 5 --pack-version 5 --image 5.img -o x
fails 2 "neither ':'" sh -c 'cp 5.img a:b && exec "$1" pack --format mppack --ic 5 --image a:b -o x' sh "$t"
head -c 5000 dual.pack >cut.pack
fails 49 'is truncated' "$t" inspect cut.pack
fails 49 'is truncated' "$t" inspect --json cut.pack
tr 0 1 <dual.pack >bad.pack
fails 68 'is damaged' "$t" inspect bad.pack

# What Realtek's own tools made.
if [ -n "${REALTEK_FILES-}" ]; then
    for file in "$REALTEK_FILES"/*.bin; do
        good "$t" inspect "$file"
        says 'SHA-256 holds'
        json "$file"
    done
    good "$t" pack --format mppack --ic 16 --image "$(echo "$REALTEK_FILES"/OTAHeader*5f70*)" \
        --image "$(echo "$REALTEK_FILES"/BANK0_Patch*)" -o vendor.pack
    good "$t" inspect vendor.pack
    says 'OTA header, bit 2'
    says 'ROM patch, bit 4'
else
    echo 'files of the vendor are not here'
fi

# ---- USB DFU ----

good "$t" pack --format dfu --usb-vendor 0x1209 --usb-product 1 --usb-device 0x100 --image nine.bin -o nine.dfu
holds test "$(bytes nine.dfu 9 16)" = 000101000912000155464410621c70fe
good "$t" inspect nine.dfu
says 'vendor 0x1209, product 0x0001, device 0x0100'
says 'CRC-32 holds'
says 'payload      9 bytes: raw bytes'
json nine.dfu
good "$t" pack --format dfu --image buds.tdm -o buds.dfu
good "$t" inspect buds.dfu
says 'vendor any, product any, device any'
says 'Tandem package'
good "$t" pack --format bin --image buds.dfu -o buds.again
holds cmp -s buds.again buds.tdm
tr 1 2 <nine.dfu >bad.dfu
fails 68 'is damaged' "$t" inspect bad.dfu
fails 68 'is damaged' "$t" pack --format bin --image bad.dfu -o x
fails 16 'nothing to take off' "$t" pack --format bin --image nine.bin -o x

good "$t" pack --format dfuse --image nine.bin,load=0x8000000,name=ST... -o nine.dfuse
good "$t" pack --format dfuse --usb-vendor 0x1209 --usb-product 1 --usb-device 0x2200 \
    --image nine.bin,load=0x8000000 --image app.bin,load=0x8004000 --image app.bin,load=0x90000000,alt=2,name=flash \
    -o three.dfuse
good "$t" inspect three.dfuse
says 'element 2    '
says "$size bytes to 0x08004000, alternate setting 0"
says 'alternate setting 2, "flash"'
json three.dfuse
fails 50 'holds 3 areas' "$t" pack --format bin --image three.dfuse -o x
good "$t" pack --format bin --image nine.dfuse -o nine.again
says 'for 0x08000000'
holds cmp -s nine.again nine.bin
head -c 400 three.dfuse >cut.dfuse
fails 49 'is truncated' "$t" inspect cut.dfuse
fails 2 'load=ADDRESS' "$t" pack --format dfuse --image nine.bin -o x
fails 2 'stand together' "$t" pack --format dfuse --image nine.bin,load=0 --image nine.bin,load=0,alt=1 \
    --image nine.bin,load=9 -o x

if [ -n "${DFU_SUFFIX-}" ]; then
    holds sh -c '"$1" -c nine.dfu | grep -q "Vendor ID:.*0x1209"' sh "$DFU_SUFFIX"
    cp nine.bin theirs.dfu
    "$DFU_SUFFIX" -v 1209 -p 0001 -d 0100 -a theirs.dfu >/dev/null 2>&1
    holds cmp -s theirs.dfu nine.dfu
    cp nine.dfu off.bin
    "$DFU_SUFFIX" -D off.bin >/dev/null 2>&1
    holds cmp -s off.bin nine.bin
fi
if [ -n "${DFUSE_PACK-}" ]; then
    "$DFUSE_PACK" -b 0x8000000:nine.bin theirs.dfuse >/dev/null
    holds cmp -s theirs.dfuse nine.dfuse
    "$DFUSE_PACK" -b 0x8000000:nine.bin -b 0x8004000:app.bin -b 0x90000000@2:app.bin -D 0x1209:0x0001 \
        theirs3.dfuse >/dev/null
    good "$t" inspect theirs3.dfuse
    says "$size bytes to 0x90000000, alternate setting 2"
    holds sh -c '"$1" -d three.dfuse | grep -q "alt setting: 2, name: .*flash.*, size: '$((size + 8))', elements: 1"' \
        sh "$DFUSE_PACK"
    holds cmp -s three.dfuse.target0.image1.bin app.bin
fi

# ---- Intel HEX ----

cat >app.hex <<'HEX'
:020000040800F2
:10400000000102030405060708090A0B0C0D0E0F38
:04401400AABBCCDD9A
:0400000508004001AE
:00000001FF
HEX
good "$t" inspect app.hex
says '20 bytes from 0x08004000 to 0x08004017'
says 'gaps         4 bytes'
says 'starts at    0x08004001'
json app.hex
good "$t" pack --format bin --image app.hex -o hex.bin
holds test "$(bytes hex.bin 0 24)" = 000102030405060708090a0b0c0d0e0fffffffffaabbccdd
good "$t" pack --unsigned --vendor A --product B --version 1 --counter 1 --image app=app.hex -o hex.tdm
good "$t" inspect hex.tdm
says '24 bytes, for either bank, runs at 0x08004000'
good "$t" pack --format dfuse --image app.hex -o hex.dfuse
good "$t" inspect hex.dfuse
says '24 bytes to 0x08004000'
sed 3s/AA/AB/ app.hex >bad.hex
fails 48 'line 3 is no record' "$t" inspect bad.hex
fails 48 'line 3 is no record' "$t" pack --format bin --image bad.hex -o x
head -n 2 app.hex >cut.hex
fails 49 'is truncated' "$t" inspect cut.hex
printf ':0100000022DD\n:02000004FFFFFC\n:0100000022DD\n:00000001FF\n' >far.hex
fails 51 'cut it into files' "$t" pack --format bin --image far.hex -o x

# ---- MCUboot ----

if [ -n "${MCUBOOT_IMAGES-}" ]; then
    for key in ed25519 p256 stranger; do
        type=$key
        [ "$key" = stranger ] && type=ed25519
        printf 'tandem-public %s %s\n' "$type" "$(od -An -v -tx1 "$MCUBOOT_IMAGES/$key.key" | tr -d ' \n')" >$key.pub
    done
    for key in ed25519 p256; do
        good "$t" verify --pub $key.pub "$MCUBOOT_IMAGES/$key.bin"
        says 'good, MCUboot image 2.3.4+5'
        good "$t" inspect "$MCUBOOT_IMAGES/$key.bin"
        says 'counter      7'
        says 'needs        image 1, 1.2.3+4 or newer'
        says "($key)"
        says 'SHA-256 holds'
        json "$MCUBOOT_IMAGES/$key.bin"
        fails 65 'by a key that is trusted' "$t" verify --pub stranger.pub "$MCUBOOT_IMAGES/$key.bin"
        { head -c 600 "$MCUBOOT_IMAGES/$key.bin" && printf 'X' && tail -c +602 "$MCUBOOT_IMAGES/$key.bin"; } >bad.mcuboot
        fails 68 'altered' "$t" verify --pub $key.pub bad.mcuboot
    done
    fails 64 'not signed' "$t" verify --pub p256.pub "$MCUBOOT_IMAGES/unsigned.bin"
    good "$t" inspect "$MCUBOOT_IMAGES/unsigned.bin"
    says 'signed by    nobody'
    good "$t" inspect "$MCUBOOT_IMAGES/rsa.bin"
    says 'not known here'
    head -c 1000 "$MCUBOOT_IMAGES/p256.bin" >cut.mcuboot
    fails 49 'is truncated' "$t" inspect cut.mcuboot
    fails 49 'is truncated' "$t" verify --pub p256.pub cut.mcuboot
fi

# ---- the command line ----

good "$t" pack --format mppack --help
says '--wrap'
fails 2 "there is no format 'zip'" "$t" pack --format zip --image app.bin -o x
fails 2 '--image is missing' "$t" pack --format bin -o x
fails 2 '-o is missing' "$t" pack --format bin --image app.hex
fails 2 'takes one image' "$t" pack --format dfu --image app.bin --image app.bin -o x
fails 2 'do not go together' "$t" pack --format dfu --ic 5 --image app.bin -o x
fails 2 'do not go together' "$t" pack --format bin --usb-vendor 5 --image app.bin -o x
fails 2 'are for --format mppack' "$t" pack --format bin --wrap --image app.bin -o x
fails 2 'is not a number' "$t" pack --format dfuse --image app.bin,load=here -o x
fails 2 'is a number up to 0xffff' "$t" pack --format dfu --usb-vendor 0x10000 --image app.bin -o x
fails 2 'is not a version' "$t" pack --format realtek --ic 5 --image app.bin,version=x -o x
fails 2 "what is 'more'" "$t" pack --format bin --image app.hex -o x more
fails 1 'exists' "$t" pack --format dfu --image app.bin -o nine.dfu
good "$t" pack --format dfu --image app.bin -o nine.dfu --force
fails 1 'cannot read' "$t" pack --format dfu --image nowhere -o x
fails 16 'is empty' "$t" pack --format dfu --image empty.bin -o x
good "$t" pack --format tdm --unsigned --vendor A --product B --version 1 --counter 1 --image app=app.bin -o t.tdm
holds test ! -e x
finish
