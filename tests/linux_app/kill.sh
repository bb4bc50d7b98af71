# The supervisor is killed before and after every call that changes a file
# while it puts the next version in place: kill.sh STRIDE. After each the
# files are the old ones or the new ones, whole, and the next start has the
# new version running.
. "$(dirname "$0")/lib.sh"
stride=${1:-1}

pack 1 "$ONCE/once_1" v1.tdm
pack 2 "$ONCE/once_2" v2.tdm
"$TANDEM" keygen other.key >/dev/null
new_product
"$GATEWAY/gateway-supervisor" home >log 2>&1
holds test "$?" -eq 1 # what version 1 ends with
holds "$GATEWAY/gateway-supervisor" home --install v2.tdm >log
rm -rf before
cp -a home before

# either FILE A B: it is the one or the other.
either() {
    cmp -s "$1" "$2" || cmp -s "$1" "$3"
}

LD_PRELOAD=$KILL_LIBRARY KILL_COUNT=calls "$GATEWAY/gateway-supervisor" home >log 2>&1
holds test "$?" -eq 2
calls=$(cat calls)
holds test "$calls" -gt 20
killed=0
n=1
while [ "$n" -le "$calls" ]; do
    for at in "$n" "-$n"; do
        rm -rf home
        cp -a before home
        LD_PRELOAD=$KILL_LIBRARY KILL_AT=$at "$GATEWAY/gateway-supervisor" home >log 2>&1
        [ "$?" -eq 137 ] && killed=$((killed + 1))
        holds either home/bin/gateway program1 program2
        holds either home/bin/gateway.conf settings1 settings2
        "$GATEWAY/gateway-supervisor" home >log 2>&1
        holds test "$?" -eq 2
        holds cmp -s home/bin/gateway program2
        holds cmp -s home/bin/gateway.conf settings2
        holds test "$(ls -A home/bin | tr '\n' ' ')" = "gateway gateway.conf "
    done
    n=$((n + stride))
done
echo "$calls calls, killed $killed times"
holds test "$killed" -gt 0
finish
