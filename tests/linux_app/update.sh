# A Linux product takes files out of its upgrade folder and becomes the next
# version, or stays what it is and says why.
. "$(dirname "$0")/lib.sh"

pack 1 "$GATEWAY/gateway_v1" v1.tdm
pack 2 "$GATEWAY/gateway_v2" v2.tdm
pack 3 "$GATEWAY/gateway_untested" v3.tdm
pack 4 "$GATEWAY/gateway_crash" v4.tdm
pack 5 "$GATEWAY/gateway_hang" v5.tdm
new_product
: >log
"$GATEWAY/gateway-supervisor" home 700 >>log 2>&1 &
supervisor=$!
within 10 grep -q 'self-test passed, confirmed' log
holds cmp -s home/bin/gateway program1
holds cmp -s home/bin/gateway.conf settings1
holds test -x home/bin/gateway
chmod 750 home/bin/gateway

# drop FILE NAME: as a server does, under another name first.
drop() {
    cp "$1" "home/upgrade/.coming" && mv home/upgrade/.coming "home/upgrade/$2"
}

# refused NAME REASON: gone, for this reason, and the product is what it was.
refused() {
    within 10 grep -qF -- "$1: $2" log
    within 5 test ! -e "home/upgrade/$1"
    holds cmp -s home/bin/gateway program1
}

drop v2.tdm camera_V02.00.00.00.bin
refused camera_V02.00.00.00.bin "made for another product"
drop v1.tdm gateway_V00.09.00.00.bin
refused gateway_V00.09.00.00.bin "the version policy forbids it"
drop v2.tdm gateway.bin
refused gateway.bin "not a valid package"
drop settings1 gateway_V02.00.00.00.bin
refused gateway_V02.00.00.00.bin "not signed"
cp v2.tdm damaged.tdm
printf 'x' | dd of=damaged.tdm bs=1 seek=50000 conv=notrunc 2>/dev/null
drop damaged.tdm gateway_V02.00.00.00.bin
within 10 grep -q 'state failed.*version 2.0.0' log
drop v2.tdm gateway_V02.00.01.00.bin
within 10 grep -q 'state failed.*version 2.0.1: ' log
holds cmp -s home/bin/gateway program1
mkdir home/upgrade/gateway_V02.00.00.00.bin
within 5 grep -q 'gateway_V02.00.00.00.bin: is not a file: left alone' log
rmdir home/upgrade/gateway_V02.00.00.00.bin
ln -s /etc/passwd home/upgrade/gateway_V02.00.00.00.bin
sleep 0.6
holds test -L home/upgrade/gateway_V02.00.00.00.bin
rm home/upgrade/gateway_V02.00.00.00.bin

# An upload that breaks off, and goes on: nothing happens before it is whole. A second one waits for its turn.
head -c 60000 v2.tdm >home/upgrade/gateway_V02.00.00.00.bin
within 5 grep -q 'not all of it is here: upload the rest' log
sleep 0.6
holds cmp -s home/bin/gateway program1
tail -c +60001 v2.tdm >>home/upgrade/gateway_V02.00.00.00.bin
within 5 test ! -e home/upgrade/gateway_V02.00.00.00.bin
drop v3.tdm gateway_V03.00.00.00.bin
within 15 grep -q 'state done, 100 %, version 2.0.0' log
# Version 3 fails its self-test three times, and version 2 is back.
within 15 grep -q 'state failed.*version 3.0.0: the new firmware did not confirm itself' log
holds cmp -s home/bin/gateway program2
holds cmp -s home/bin/gateway.conf settings2
holds test "$(stat -c %a home/bin/gateway)" = 750
holds count 'self-test failed' 3

for version in 4 5; do
    drop v$version.tdm gateway_V0$version.00.00.00.bin
    within 20 grep -q "state failed.*version $version.0.0: the new firmware did not confirm itself" log
    holds cmp -s home/bin/gateway program2
done
holds count 'has not confirmed itself in time' 3

# The supervisor ends with its program; nothing else is left behind.
kill "$supervisor"
wait "$supervisor"
holds test "$?" -eq 0
supervisor=
holds test -z "$(ls -A home/upgrade)"
holds test "$(ls -A home/bin | tr '\n' ' ')" = "gateway gateway.conf "

# What stands in the way is said, not overcome.
rm home/bin/gateway
ln -s /bin/true home/bin/gateway
"$GATEWAY/gateway-supervisor" home >log 2>&1
holds test "$?" -eq 16
holds grep -q 'home/bin/gateway: is a link: name the file itself' log
rm home/bin/gateway
chmod 777 home/bin
"$GATEWAY/gateway-supervisor" home >log 2>&1
holds test "$?" -eq 16
holds grep -q 'others may write to this folder' log
chmod 755 home/bin
chmod 777 home/state
"$GATEWAY/gateway-supervisor" home >log 2>&1
holds grep -q 'others may write to it' log
finish
