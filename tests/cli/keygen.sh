# tandem keygen: the pair of files, their modes, and what is refused.
. "$(dirname "$0")/lib.sh"

good "$TANDEM" keygen a
says 'a.pub: public key'
holds grep -q '^tandem-private ed25519 [0-9a-f]\{64\}$' a
holds grep -q '^tandem-public ed25519 [0-9a-f]\{64\}$' a.pub
holds test "$(ls -l a | cut -c1-10)" = -rw-------

# Nothing is overwritten, and no half of a pair appears.
cp a kept
fails 1 'a.pub exists' "$TANDEM" keygen a
holds cmp -s a kept
good "$TANDEM" keygen b
mv b.pub c.pub
fails 1 'b exists' "$TANDEM" keygen b
holds test ! -e b.pub
fails 1 'c.pub exists' "$TANDEM" keygen c
holds test ! -e c

# Two keys are not the same.
good "$TANDEM" keygen d
holds test "$(tail -n 1 a)" != "$(tail -n 1 d)"

fails 2 'name of the key is missing' "$TANDEM" keygen
fails 2 'one name only' "$TANDEM" keygen x y
fails 2 'no option --fast' "$TANDEM" keygen --fast x
fails 1 'No such file' "$TANDEM" keygen nowhere/x
holds test ! -e x
holds test -z "$(find . -name '*.??????' ! -name '*.pub')"
good "$TANDEM" keygen --help
says 'Usage: tandem keygen'
finish
