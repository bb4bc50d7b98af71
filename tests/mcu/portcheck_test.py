#!/usr/bin/env python3
"""The port checker on an emulated micro:bit: what it says of the flash port
there, and of a flash whose power fails.

    portcheck_test.py --firmware DIR --plugin cut.so --work DIR
"""
import argparse
import os
import random
import sys
import time

import rig
from common import Failure
from rig import emulator

SCRATCH, PAGES = emulator.BANKS[1], 4
CUTS = 12
SEED = 1
DONE = (b"No fault.\r\n", b"This port will not do yet.\r\n")


class Checker:
    """A board that runs the port checker, and its UART."""

    def __init__(self, options, flash, timing=""):
        self.board = rig.Board(flash, options.plugin, os.path.join(options.work, "board"))
        self.timing = timing

    def start(self):
        self.board.start(options=self.timing)
        self.line = emulator.connect(self.board.serial[5:])

    def cut(self):
        self.line.close()
        self.board.cut()

    def ask(self, letter, seconds=60):
        """Everything it says to one letter, and whether it found no fault."""
        self.line.sendall(letter)
        said = b""
        end = time.monotonic() + seconds
        while not said.endswith(DONE):
            if time.monotonic() > end:
                raise Failure(f"no end after {said!r}")
            said += self.line.recv(4096)
        return said.decode(), said.endswith(DONE[0])


def expect(said, fine, *words, wanted=True):
    missing = [word for word in words if word not in said]
    if fine != wanted or missing:
        raise Failure(f"{missing} is missing, or the verdict is wrong, in:\n{said}")


def test_run(options, flash):
    """With the chip's times: the port passes, and the times are told."""
    checker = Checker(options, flash, ",word=46,erase=22000")
    with checker.board:
        checker.start()
        said, fine = checker.ask(b"r")
        print(said.replace("\r", ""), end="")
        expect(said, fine, "map-read at 0x00000000", "plain NOR", "time-program", "wear")
        took = [int(line.split()[-2]) for line in said.splitlines() if "time-erase" in line]
        if not 22000 <= took[0] < 2000000: # on a busy machine the emulator takes longer
            raise Failure(f"an erase took {took[0]} us")
        expect(*checker.ask(b"k"), "now reset")
        checker.cut()
        before, after = flash, checker.board.flash
        if before[:SCRATCH] != after[:SCRATCH] or before[SCRATCH + PAGES * 1024:] != after[SCRATCH + PAGES * 1024:]:
            raise Failure("flash outside the scratch area has changed")
        checker.start()
        expect(*checker.ask(b"v"), "all there")


def test_drill(options, flash):
    """Cut in the middle of words and of pages: no fault. A page nobody was writing to has changed: a fault."""
    chance = random.Random(SEED)
    checker = Checker(options, flash)
    seen = ""
    with checker.board as board:
        checker.start()
        checker.ask(b"r")
        for _ in range(CUTS):
            checker.line.sendall(b"d")
            time.sleep(chance.uniform(0.1, 0.3))
            before = board.memory(0, emulator.FLASH_SIZE)
            if not board.stop_at_next_operation(10):
                raise Failure("the drill does not write")
            operation = board.last_operation()
            checker.line.close()
            board.cut_where_it_stands()
            board.flash = rig.tear(chance, board.flash, before, operation)
            checker.start()
            said, fine = checker.ask(b"l")
            seen += said
            expect(said, fine, "cut-round")
        newest = int(said.split("round ")[1].split()[0])
        checker.cut()
        page = SCRATCH + (newest - 2) % PAGES * 1024
        for victim in (page - 1024 if page > SCRATCH else page + (PAGES - 1) * 1024, page):
            damaged = bytearray(board.flash)
            damaged[victim + 600] ^= 0x10
            board.flash = bytes(damaged)
        checker.start()
        expect(*checker.ask(b"l"), "FAULT    cut-neighbour", wanted=False)
    if not any(word in seen for word in ("cut-unit", "cut-erase")):
        raise Failure("no cut tore anything")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("firmware", "plugin", "work"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    firmware = rig.Firmware(options.firmware)
    noise = random.Random(SEED)
    flash = bytearray(noise.randbytes(emulator.FLASH_SIZE))
    image = firmware.read("portcheck.bin")
    flash[:len(image)] = image
    for test in (test_run, test_drill):
        begin = time.monotonic()
        try:
            test(options, bytes(flash))
        except (Failure, OSError) as error:
            raise SystemExit(f"FAILED {test.__name__}: {error}") from error
        print(f"ok   {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
