#!/usr/bin/env python3
"""Run the port checker on an emulated micro:bit and print what it says.

    portcheck.py FIRMWARE-FOLDER [LETTER...]

A letter is what the firmware takes over its UART (see firmware/portcheck.c);
'r' if none is given. Between two letters the board is switched off and on.
"""
import os
import sys

import emulator


def ask(board, letter):
    """Send one letter, print the answer; returns whether no fault was found."""
    with emulator.connect(board.serial[5:], 60) as line:
        line.settimeout(60)
        line.sendall(letter.encode())
        said = b""
        while not said.endswith((b"No fault.\r\n", b"This port will not do yet.\r\n")):
            piece = line.recv(4096)
            if not piece:
                raise SystemExit("the board went off")
            said += piece
            sys.stdout.write(piece.decode().replace("\r", ""))
            sys.stdout.flush()
    return b"No fault." in said


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if not emulator.available():
        raise SystemExit(f"{emulator.QEMU} is not installed")
    with open(os.path.join(sys.argv[1], "portcheck.bin"), "rb") as file:
        flash = emulator.factory_flash(file.read())
    fine = True
    with emulator.Board(flash) as board:
        for letter in sys.argv[2:] or ["r"]:
            board.start()
            fine &= ask(board, letter)
            board.cut()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
