#!/usr/bin/env python3
"""Update an emulated micro:bit before your eyes.

    run.py FIRMWARE-FOLDER TANDEM-COMMAND [--package FILE] [--flash FILE] [--stay]

A board with version 1 is switched on, updated to version 2 over its UART, and
switched off. With --flash its flash is kept in that file: the next run goes
on with the same board. With --stay it is left running, and its address is
printed, for `tandem status` and `tandem update` from another window.
"""
import argparse
import os
import subprocess
import sys
import time

import emulator


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def flash_of(options):
    if options.flash and os.path.exists(options.flash):
        return read(options.flash)
    folder = options.firmware
    return emulator.factory_flash(read(folder, "bootloader.bin"), read(folder, "v1.tdm"), read(folder, "v1_bank0.bin"))


def stay(board):
    print(f"The board runs; its UART is {board.serial}. Ctrl-C switches it off.", flush=True)
    try:
        while board.alive():
            time.sleep(0.2)
    except KeyboardInterrupt:
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("firmware", help="folder of the built firmware")
    parser.add_argument("tandem", help="the tandem command")
    parser.add_argument("--package", help="what to update to; v2.tdm of the folder if not given")
    parser.add_argument("--flash", help="file that keeps the board's flash")
    parser.add_argument("--stay", action="store_true", help="do not update, only run")
    options = parser.parse_args()
    if not emulator.available():
        raise SystemExit(f"{emulator.QEMU} is not installed")
    code = 0
    with emulator.Board(flash_of(options)) as board:
        board.start()
        if options.stay:
            stay(board)
        else:
            package = options.package or os.path.join(options.firmware, "v2.tdm")
            code = subprocess.run([options.tandem, "update", "--to", board.serial, package], check=False).returncode
        board.cut()
        if options.flash:
            with open(options.flash, "wb") as file:
                file.write(board.flash)
    return code


if __name__ == "__main__":
    sys.exit(main())
