#!/usr/bin/env python3
"""What the micro:bit's bootloader and application do on an emulated board.

    board_test.py --firmware DIR --tandem COMMAND --plugin cut.so --work DIR [NAME...]

Each test starts from a flash as it could be in the field, lets the board run,
and asks it over its UART what became of it.
"""
import struct
import sys
import time

import common
import rig
from common import DIGEST, REFUSED_KEY, REVERTED, Failure, expect
from rig import CONFIRMED, FALLBACK, FIRST, TRIAL, WENT_BACK, damage, emulator, place

STACK_SIZE = 0x1000
UNFED_MOST = 30_000_000  # instructions, 3 s or so; the watchdog waits for 10


class BoardTests(rig.BoardTests):
    def test_update(self):
        """From version 1 to version 2, and it stays."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            expect("bank", self.runs(board, "v1", "idle"), 0)
            self.updates(board, "v2")
            expect("bank", self.runs(board, "v2"), 1)
            expect("accesses to what the chip lacks", board.watched()["forbidden"], 0)
            board.cut()
            board.start(ram=self.noise())
            expect("bank", self.runs(board, "v2"), 1)

    def test_broken(self):
        """A firmware that fails its self-test is gone by itself, says why, and the next update succeeds."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            code, _ = self.host.run(board, "update", self.firmware.package("v3_broken"))
            expect("exit code", code, REVERTED)
            self.runs(board, "v1", "failed")
            expect("outcome", self.host.status(board)["outcome"]["status"], REVERTED)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_strangers(self):
        """What another key signed is refused, and changes nothing."""
        images = [(self.firmware.image("v2", bank), "") for bank in (0, 1)]
        package = self.pack_banks("stranger", "2.0.0", images, self.stranger())
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            before = board.memory(0, emulator.FLASH_SIZE)
            code, _ = self.host.run(board, "update", package)
            expect("exit code", code, REFUSED_KEY)
            if board.memory(0, emulator.FLASH_SIZE) != before:
                raise Failure("flash was written for a stranger's package")
            # The same, put into the bank by other means.
            board.cut()
            board.flash = place(self.firmware.factory(), package, images[0][0])
            board.start()
            self.in_recovery(board)

    def test_start_conditions(self):
        """A signed image that cannot be started is not: its trial runs out and the old one is back."""
        good = self.firmware.image("v2", 1)
        _, reset = struct.unpack_from("<II", good)
        code = emulator.BANKS[1]
        cases = {
            "stack below RAM": (0x1FFFFFF8, reset, ""),
            "no stack": (0xFFFFFFFF, reset, ""),
            "stack in the handover": (rig.HANDOVER + 8, reset, ""),
            "stack not aligned": (0x20000FFC, reset, ""),
            "entry without the Thumb bit": (0x20001000, reset & ~1, ""),
            "entry in the bootloader": (0x20001000, 0x101, ""),
            "entry in its vectors": (0x20001000, code + 1, ""),
            "entry behind its end": (0x20001000, code + len(good) + 1, ""),
            "linked for another place": (0x20001000, reset, ",load=0x30000"),
        }
        with self.board(self.firmware.factory("v1")) as board:
            for number, (name, (stack, entry, more)) in enumerate(cases.items()):
                bad = struct.pack("<II", stack, entry) + good[8:]
                images = [(self.firmware.image("v2", 0), ""), (bad, more)]
                package = self.pack_banks(f"bad{number}", f"2.0.{number}", images)
                board.flash = self.firmware.factory("v1")
                board.start()
                code, _ = self.host.run(board, "update", package)
                if code != REVERTED:
                    raise Failure(f"{name}: exit code {code}")
                self.runs(board, "v1", "failed")
                board.cut()
            # All of RAM but the handover's is the application's.
            good = struct.pack("<II", rig.HANDOVER, reset) + good[8:]
            package = self.pack_banks("good", "2.0.0", [(self.firmware.image("v2", 0), ""), (good, "")])
            board.start()
            expect("exit code", self.host.run(board, "update", package)[0], 0)
            # Signed and alone, but not startable.
            board.cut()
            image = struct.pack("<II", 0, 0) + self.firmware.image("v2", 0)[8:]
            package = self.pack_banks("alone", "1.0.0", [(image, ""), (good, "")])
            board.flash = place(self.firmware.factory(), package, image)
            board.start()
            self.in_recovery(board)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_real_line(self):
        """At 115200 baud, with flash that takes its time and an UART that loses bytes meanwhile."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start(options=",word=46,erase=22000")
            self.runs(board, "v1", "idle")
            wire = rig.Wire(board)
            begin = time.monotonic()
            self.updates(wire, "v2")
            seconds = time.monotonic() - begin
            wire.close()
            self.runs(board, "v2")
            print(f"     {seconds:.1f} s in all, {wire.lost} bytes lost on the line")

    def test_fallback(self):
        """A damaged firmware is not started: the other one is."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.updates(board, "v2")
            board.cut()
            board.flash = damage(board.flash, 1)
            board.start()
            expect("bank", self.runs(board, "v1", "failed"), 0)

    def test_report(self):
        """At each start the application and its host can read what the bootloader decided."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start(ram=self.noise())
            self.decided(board, "v1", FIRST, starts=1)
            board.cut()
            board.start(ram=self.noise())
            self.decided(board, "v1", CONFIRMED, starts=1)
            self.updates(board, "v2")
            self.decided(board, "v2", TRIAL, starts=2)
            self.host.run(board, "update", self.firmware.package("v3_broken"))
            self.decided(board, "v2", WENT_BACK, REVERTED, starts=2 + 3 + 1)
            board.cut()
            board.flash = damage(board.flash, 1)
            board.start()  # what was on trial is whole: better that than nothing
            self.host.status(board)
            expect("reason", rig.report(board)["reason"], FALLBACK)
            expect("status", rig.report(board)["status"], DIGEST)

    def decided(self, board, name, reason, status=0, starts=None):
        """A firmware runs, and what the bootloader said of it is in RAM and comes over the link."""
        said = self.host.status(board)
        bank, _ = rig.running_bank(board, self.firmware, (name,))
        expect("boot report", rig.report(board), {"starts": starts, "restarts": 0, "reason": reason, "status": status,
                                                  "recovery": 0, "bank": bank, "major": int(name[1])})
        expect("reason", said["boot"]["reason"], reason)
        expect("status", said["boot"]["status"], status)
        expect("recovery", said["boot"]["recovery"], 0)

    def test_verify_once(self):
        """How long a start takes, and what a proof stands for."""
        took = {}
        for bootloader in ("bootloader", "bootloader_once"):
            with self.board(self.firmware.factory("v1", bootloader)) as board:
                for start in ("first", "later"):
                    board.start()
                    self.runs(board, "v1", "idle")
                    took[bootloader, start] = board.watched()["start"]
                    board.cut()
        print(f"     instructions of a start: {took['bootloader', 'later']}; with one verification"
              f" {took['bootloader_once', 'first']}, later {took['bootloader_once', 'later']}")
        if took["bootloader_once", "first"] < took["bootloader", "later"] * 0.9:
            raise Failure("the first start did not verify")
        if took["bootloader_once", "later"] > took["bootloader", "later"] / 10:
            raise Failure("later starts verify too")
        # The proof is of one head. Another one is verified, and taken or not.
        with self.board(self.firmware.factory("v1", "bootloader_once")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            board.cut()
            proven = board.flash
            board.flash = place(proven, self.firmware.package("v2"), self.firmware.image("v2", 0))
            board.start()
            self.runs(board, "v2", "idle")
            if board.watched()["start"] < took["bootloader", "later"] * 0.9:
                raise Failure("a proof served for another firmware")
            board.cut()
            for wrong in (damage(place(proven, self.firmware.package("v2"), self.firmware.image("v2", 0)), 0),
                          proven[:emulator.MANIFESTS[0] + 40] + b"\0" + proven[emulator.MANIFESTS[0] + 41:]):
                board.flash = wrong
                board.start()
                self.in_recovery(board)
                board.cut()
            # What an update brought is verified at its first start.
            board.flash = proven
            board.start()
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_watchdog(self):
        """Nothing takes so long that the watchdog would bite: starting, updating, recovering."""
        unfed = {}
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            unfed["start"] = board.watched()["unfed"]
            self.updates(board, "v2")
            unfed["update"] = board.watched()["unfed"]
            board.cut()
            board.flash = damage(board.flash, 0, 1)
            board.start()
            self.updates(board, "v2")
            unfed["recovery"] = board.watched()["unfed"]
        print(f"     most instructions between two feeds: {unfed}")
        if not 0 < min(unfed.values()) <= max(unfed.values()) < UNFED_MOST:
            raise Failure("the watchdog would bite")

    def test_registers(self):
        """No image holds the address of a register that the emulator has and the chip has not."""
        for name in ("bootloader.bin", "v1_bank0.bin", "v1_bank1.bin"):
            image = self.firmware.read(name)
            for address in (0xE000ED00, 0xE000ED08, 0xE000E010, 0xE000E014, 0xE000E018):
                if struct.pack("<I", address) in image:
                    raise Failure(f"{name} holds {address:#x}")

    def test_stack(self):
        """How much of its stack a board ever used."""
        paint = b"\xa5" * emulator.RAM_SIZE
        with self.board(self.firmware.factory("v1")) as board:
            board.start(ram=paint)
            self.runs(board, "v1", "idle")
            started = used(board)
            self.updates(board, "v2")
            updated = used(board)
            board.cut()
            board.flash = self.firmware.factory()
            board.start(ram=paint)
            self.updates(board, "v1")
            recovered = used(board)
        print(f"     stack: {started} bytes to start, {updated} with an update, {recovered} with one in recovery,"
              f" of {STACK_SIZE}")
        if max(started, updated, recovered) > STACK_SIZE - 512:
            raise Failure("the stack is nearly full")


def used(board):
    stack = board.memory(emulator.RAM, STACK_SIZE)
    return STACK_SIZE - (len(stack) - len(stack.lstrip(b"\xa5")))


def main():
    parser = common.test_arguments(__doc__)
    parser.add_argument("--plugin", required=True, help="cut.c, compiled")
    options = common.parsed(parser)
    return BoardTests(options, rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
