#!/usr/bin/env python3
"""Update an emulated MPS2 board before your eyes.

    run.py FIRMWARE-FOLDER TANDEM-COMMAND [--package FILE] [--board FOLDER] [--stay]

A board with version 1 is switched on, updated to version 2 over its UART, and
switched off. With --board its memory is kept in that folder: the next run goes
on with the same board. With --stay it is left running, and its address is
printed, for `tandem status` and `tandem update` from another window.
"""
import os
import sys

import emulator
import machine


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def board_of(options):
    folder, flash = options.board, None
    if folder is None or not os.path.exists(os.path.join(folder, "memory")):
        flash = emulator.factory_flash(read(options.firmware, "v1.tdm"), read(options.firmware, "v1_app.bin"))
    if folder is not None:
        os.makedirs(folder, exist_ok=True)
    return emulator.Board(os.path.join(options.firmware, "bootloader.bin"), flash, folder)


def main():
    parser = machine.arguments(__doc__)
    parser.add_argument("--board", help="folder that keeps the board's memory")
    options = parser.parse_args()
    if not emulator.available():
        raise SystemExit(f"{emulator.QEMU} is not installed")
    with board_of(options) as board:
        return machine.show(board, options)


if __name__ == "__main__":
    sys.exit(main())
