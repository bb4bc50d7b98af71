#!/usr/bin/env python3
"""Update an emulated micro:bit before your eyes.

    run.py FIRMWARE-FOLDER TANDEM-COMMAND [--package FILE] [--flash FILE] [--stay] [--button]

A board with version 1 is switched on, updated to version 2 over its UART, and
switched off. With --flash its flash is kept in that file: the next run goes
on with the same board. With --stay it is left running, and its address is
printed, for `tandem status` and `tandem update` from another window. With
--button somebody holds button A at power-on.
"""
import os
import sys

import emulator
import machine


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def flash_of(options):
    if options.flash and os.path.exists(options.flash):
        return read(options.flash)
    folder = options.firmware
    return emulator.factory_flash(read(folder, "bootloader.bin"), read(folder, "v1.tdm"), read(folder, "v1_bank0.bin"))


def main():
    parser = machine.arguments(__doc__)
    parser.add_argument("--flash", help="file that keeps the board's flash")
    parser.add_argument("--button", action="store_true", help="hold button A at power-on: recovery")
    options = parser.parse_args()
    if not emulator.available():
        raise SystemExit(f"{emulator.QEMU} is not installed")
    with emulator.Board(flash_of(options)) as board:
        board.button = options.button
        code = machine.show(board, options)
        board.cut()
        if options.flash:
            with open(options.flash, "wb") as file:
                file.write(board.flash)
    return code


if __name__ == "__main__":
    sys.exit(main())
