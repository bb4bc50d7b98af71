# The demo: it works, it works again, and it leaves nothing running.
. "$(dirname "$0")/lib.sh"

demo() {
    sh "$DEMO" "$TANDEM" "$EARBUD/earbud_v1" "$EARBUD/earbud_v2" "$folder/demo folder"
}

good demo
says 'now     left          version 1.0.0       bank 0  idle'
says 'after   left          version 2.0.0       bank 1  confirmed'
says 'after   right         version 2.0.0       bank 1  confirmed'
says '2 devices now run 2.0.0'
fails 35 'refused' "$TANDEM" status --to "$(cat 'demo folder/left/address')"
fails 35 'refused' "$TANDEM" status --to "$(cat 'demo folder/right/address')"
good demo
says '2 devices now run 2.0.0'

# What goes wrong in it is told, and ends it.
checks=$((checks + 1))
sh "$DEMO" "$TANDEM" "$folder/none" "$EARBUD/earbud_v2" "$folder/demo folder" >out 2>err && bad 'no error'
holds grep -q 'cannot read' err
finish
