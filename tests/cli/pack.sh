# tandem pack, inspect and verify: what goes in comes out, and every bad input
# has its reason and its code.
. "$(dirname "$0")/lib.sh"

"$TANDEM" keygen k >/dev/null
"$TANDEM" keygen other >/dev/null
i=0
while [ "$i" -lt 700 ]; do
    echo "line $i of an image"
    i=$((i + 1))
done >app.bin
printf x >one.bin
: >empty.bin

p() { # pack with what is always needed
    "$TANDEM" pack --vendor Acme --product Buds --version 2.1.0 --counter 3 "$@"
}

good p --key k --image app=app.bin -o plain.tdm
says 'Acme Buds 2.1.0, 1 image'
good "$TANDEM" verify --pub k.pub plain.tdm
says 'good, Acme Buds 2.1.0'

# Everything at once.
good p --key k --key other --min-version 1.2 --hardware 1-3,5 --block-size 512 --description 'two banks' \
    --revoke other.pub --image app=app.bin,bank=0,load=0x8000,version=2.0.9 \
    --image app=app.bin,bank=1,load=0x48000,needs=stack:1.4 --image stack=one.bin,needs=app\>=2.0.0 \
    --image 0x80=one.bin -o full.tdm
good "$TANDEM" verify --pub other.pub --pub k.pub --needed 2 full.tdm
good "$TANDEM" inspect full.tdm
says 'version      2.1.0, replaces 1.2.0 or newer'
says 'revisions 1 to 3, 5'
says 'description  two banks'
says 'app 2.0.9'
says 'for bank 0, runs at 0x00008000'
says 'needs      stack 1.4.0 or newer'
says 'image 4      0x80 2.1.0, 1 bytes, for either bank'
good "$TANDEM" inspect --json full.tdm
says '"hardware":[[1,3],[5,5]]'
says '"description":"two banks"'
says '"needs":[{"kind":"app","minimum":"2.0.0"}]'

# The same input gives the same package.
good p --key k --image app=app.bin -o again.tdm
holds cmp -s plain.tdm again.tdm

# Unsigned has to be said.
fails 2 '--key is missing' p --image app=app.bin -o u.tdm
good p --unsigned --image app=app.bin -o u.tdm
fails 64 'not signed' "$TANDEM" verify --pub k.pub u.tdm

# The output: whole or not at all.
fails 1 'plain.tdm exists' p --key k --image app=app.bin -o plain.tdm
good p --key k --force --image app=one.bin -o plain.tdm
fails 1 'No such file' p --key k --image app=app.bin -o nowhere/x.tdm
fails 1 'is a directory' p --key k --image app=app.bin -o .
if [ -c /dev/full ]; then
    fails 1 'No space left' p --key k --image app=app.bin -o /dev/full
fi
head -c 300000 /dev/zero >large.bin
fails 1 'cannot write small.tdm' sh -c 'ulimit -f 200 && exec "$@"' sh "$TANDEM" pack --vendor A --product B \
    --version 1 --counter 1 --key k --image app=large.bin -o small.tdm
holds test ! -e small.tdm
holds test -z "$(find . -name '*.tdm.*')"

# The command line.
fails 2 '--vendor is missing' "$TANDEM" pack --key k --product B --version 1 --counter 1 --image app=app.bin -o x
fails 2 '--version is missing' "$TANDEM" pack --key k --vendor A --product B --counter 1 --image app=app.bin -o x
fails 2 '--counter is missing' "$TANDEM" pack --key k --vendor A --product B --version 1 --image app=app.bin -o x
fails 2 '--image is missing' p --key k -o x
fails 2 '-o is missing' p --key k --image app=app.bin
fails 2 'is not KIND=FILE' p --key k --image app.bin -o x
fails 2 'is no kind of image' p --key k --image apple=app.bin -o x
fails 2 'is not a version' p --key k --version 2.x --image app=app.bin -o x
fails 2 'runs backwards' p --key k --hardware 3-1 --image app=app.bin -o x
fails 2 'not a list of revisions' p --key k --hardware one --image app=app.bin -o x
fails 2 '--block-size is 512' p --key k --block-size 1000 --image app=app.bin -o x
fails 2 '--counter is a number' p --key k --counter -1 --image app=app.bin -o x
fails 2 '1 to 31 bytes' p --key k --vendor 12345678901234567890123456789012 --image app=app.bin -o x
fails 2 'same bank' p --key k --image app=app.bin --image app=one.bin -o x
fails 2 'same key' p --key k --key k --image app=app.bin -o x
fails 2 'do not go together' p --key k --unsigned --image app=app.bin -o x
fails 2 'no option --fats' p --key k --fats --image app=app.bin -o x
fails 2 'needs a value' p --image
fails 2 'takes no value' p --force=yes
fails 2 'what is' p --key k --image app=app.bin -o x app.bin

# Files.
fails 1 'cannot read none.bin: No such file' p --key k --image app=none.bin -o x
fails 1 'cannot read none' p --key none --image app=app.bin -o x
fails 16 'empty.bin is empty' p --key k --image app=empty.bin -o x
fails 48 'give the private one' p --key k.pub --image app=app.bin -o x
fails 48 'is not a Tandem key' p --key app.bin --image app=app.bin -o x
fails 48 'give the public one' p --key k --revoke other --image app=app.bin -o x
sed 's/ed25519 ../ed25519 zz/' k >broken
chmod 600 broken
fails 48 'is damaged' p --key broken --image app=app.bin -o x
cp k loose
chmod 644 loose
p --key loose --image app=app.bin -o loose.tdm >out 2>err
holds grep -q 'warning: loose can be read by other users' err
holds test ! -e x

good p --key k --force --image app=app.bin -o plain.tdm

# verify: each thing that can be wrong.
fails 65 'not trusted' "$TANDEM" verify --pub other.pub plain.tdm
fails 65 'fewer than 2' "$TANDEM" verify --pub k.pub --pub other.pub --needed 2 plain.tdm
fails 48 'give the public one' "$TANDEM" verify --pub k plain.tdm
fails 2 '--pub is missing' "$TANDEM" verify plain.tdm
fails 2 'which package' "$TANDEM" verify --pub k.pub
fails 1 'cannot read none.tdm' "$TANDEM" verify --pub k.pub none.tdm
fails 48 'not a Tandem package' "$TANDEM" verify --pub k.pub app.bin
fails 48 'is empty' "$TANDEM" verify --pub k.pub empty.bin
fails 1 'directory' "$TANDEM" verify --pub k.pub .
size=$(($(wc -c <plain.tdm)))
head -c $((size - 1)) plain.tdm >cut.tdm
fails 49 'truncated' "$TANDEM" verify --pub k.pub cut.tdm
head -c 100 plain.tdm >head.tdm
fails 49 'inside the package' "$TANDEM" verify --pub k.pub head.tdm
fails 49 'inside the package' "$TANDEM" inspect head.tdm
(cat plain.tdm && printf x) >long.tdm
fails 48 'too many' "$TANDEM" verify --pub k.pub long.tdm

# alter FROM OFFSET: one bit, to altered.tdm
alter() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    (head -c "$2" "$1" && printf "\\$(printf %o $((byte ^ 1)))" && tail -c +$(($2 + 2)) "$1") >altered.tdm
}
alter plain.tdm $((size - 10))
fails 68 'is not what was signed' "$TANDEM" verify --pub k.pub altered.tdm
alter plain.tdm 8
fails 48 'damaged' "$TANDEM" verify --pub k.pub altered.tdm
alter plain.tdm 26
fails 67 'signature is wrong' "$TANDEM" verify --pub k.pub altered.tdm

# inspect: the head is enough; what is no package is said to be none.
head -c 400 plain.tdm >most.tdm
good "$TANDEM" inspect most.tdm
says 'incomplete'
good "$TANDEM" inspect --json most.tdm
says '"complete":false'
fails 48 'not a Tandem package but an ELF program' "$TANDEM" inspect "$TANDEM"
fails 48 'but a key' "$TANDEM" inspect k.pub
fails 2 'which file' "$TANDEM" inspect
if [ -c /dev/full ]; then
    checks=$((checks + 1))
    "$TANDEM" inspect plain.tdm >/dev/full 2>err
    [ $? -eq 1 ] && grep -q 'cannot write the output' err || bad 'a full disk goes unnoticed'
fi
good "$TANDEM" inspect - <plain.tdm

# The command itself.
good "$TANDEM" --version
says 'tandem '
good "$TANDEM" --help
for command in keygen pack inspect verify update status device; do
    good "$TANDEM" --help
    says "  $command"
    good "$TANDEM" "$command" --help
    says "Usage: tandem $command"
done
fails 2 'which command' "$TANDEM"
fails 2 "no command 'pak'" "$TANDEM" pak
fails 2 "no option '--pack'" "$TANDEM" --pack
finish
