#!/usr/bin/env python3
"""What the MPS2's bootloader and application do on an emulated board.

    mps2_test.py --firmware DIR --tandem COMMAND --work DIR [NAME...]

Each test starts from a flash as it could be in the field, lets the board run,
and asks it over its UART what became of it.
"""
import os
import struct
import sys
import time

import common
import mps2_rig
from common import REFUSED_KEY, REVERTED, Failure, Tests, expect
from mps2_rig import emulator

STACK_SIZE = 0x2000
HANDOVER = emulator.RAM + emulator.RAM_SIZE
PAINT = b"\xa5"
NOTHING, REQUEST = 1, 3  # causes of recovery
VERSIONS = {"v1": "1.0.0", "v2": "2.0.0"}


class BoardTests(Tests):
    product = "mps2"

    def board(self, flash):
        return mps2_rig.Board(self.firmware, flash, self.folder())

    def runs(self, board, name, state="confirmed"):
        """An application runs, it is this one to the byte, and says so."""
        status = self.host.status(board)
        expect("version", status["version"], VERSIONS[name])
        expect("state", status["state"], *state.split())
        if not board.holds(emulator.PRIMARY, self.firmware.image(name)):
            raise Failure(f"{name} runs, and is not whole")
        expect("refused flash operations", board.watched()["refused"], 0)
        return status

    def in_recovery(self, board, cause, version="0.0.0"):
        """The bootloader itself answers."""
        status = self.host.status(board)
        expect("version", status["version"], version)
        expect("recovery", status["boot"]["recovery"], cause)

    # ---- the tests ----

    def test_update(self):
        """From version 1 to version 2, with progress, and it stays."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            self.updates(board, "v2")
            expect("counter", self.runs(board, "v2")["counter"], 2)
            board.cut()
            board.start(ram=os.urandom(emulator.RAM_SIZE))
            self.runs(board, "v2")

    def test_virgin(self):
        """A board with nothing but its bootloader takes its first firmware over the UART."""
        with self.board(self.firmware.factory()) as board:
            board.start(ram=os.urandom(emulator.RAM_SIZE))
            self.in_recovery(board, NOTHING)
            self.updates(board, "v1")
            self.runs(board, "v1")

    def test_request(self):
        """The application can be asked to make way for the bootloader's recovery."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            common.ask_for_recovery(board)
            self.in_recovery(board, REQUEST, "1.0.0")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_wear(self):
        """An exchange erases and writes each sector once."""
        size = max(len(self.firmware.image(name)) for name in ("v1", "v2"))
        parts = -(-size // emulator.LARGE_SECTOR)  # what is exchanged at once
        once = parts * (emulator.LARGE_SECTOR // emulator.SECTOR + emulator.LARGE_SECTOR // emulator.UNIT)
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.updates(board, "v2")
            operations = board.watched()["count"][mps2_rig.PRIMARY]
            if operations > once:
                raise Failure(f"{operations} operations in the primary area, where {once} would do")

    def test_broken(self):
        """A firmware that fails its self-test is gone by itself, says why, and the next update succeeds."""
        self.reverts("v3_broken")

    def test_hangs(self):
        """So is one that hangs: the watchdog sees to that."""
        self.reverts("v4_hangs")

    def test_strays(self):
        """So is one that writes to the flash's addresses: they cannot be written like memory."""
        self.reverts("v5_strays")

    def reverts(self, name):
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            code, _ = self.host.run(board, "update", self.firmware.package(name))
            expect("exit code", code, REVERTED)
            status = self.runs(board, "v1", "failed")
            expect("outcome", status["outcome"]["status"], REVERTED)
            expect("counter", status["counter"], 1)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_damaged(self):
        """A damaged firmware is not started: the one before is brought back."""
        package = self.pack("same_counter", "2.0.0", [(self.firmware.image("v2"), "")])
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            expect("exit code", self.host.run(board, "update", package)[0], 0)
            board.cut()
            self.damage(board)
            board.start()
            self.runs(board, "v1", "failed")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_damaged_alone(self):
        """If the security counter forbids the one before, recovery heals the board."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.updates(board, "v2")
            board.cut()
            self.damage(board)
            board.start()
            self.in_recovery(board, NOTHING)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def damage(self, board):
        """One bit of the firmware that runs is wrong."""
        board.memory[emulator.PRIMARY - emulator.FLASH + 0x3000] ^= 1

    def test_strangers(self):
        """What another key signed is refused, and changes nothing."""
        package = self.pack("stranger", "2.0.0", [(self.firmware.image("v2"), "")], self.stranger())
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            before = board.flash
            code, _ = self.host.run(board, "update", package)
            expect("exit code", code, REFUSED_KEY)
            if board.flash != before:
                raise Failure("flash was written for a stranger's package")

    def test_start_conditions(self):
        """A signed image that cannot be started is not: its trial runs out and the old one is back."""
        image = self.firmware.image("v2")
        _, reset = struct.unpack_from("<II", image)
        cases = {
            "stack outside of RAM": (emulator.PRIMARY, reset, ""),
            "stack in the handover": (HANDOVER + 8, reset, ""),
            "entry without the Thumb bit": (HANDOVER, reset & ~1, ""),
            "entry in the store": (HANDOVER, reset - emulator.PRIMARY + emulator.STORE, ""),
            "linked for another place": (HANDOVER, reset, f",load={emulator.STORE:#x}"),
        }
        with self.board(self.firmware.factory("v1")) as board:
            for number, (name, (stack, entry, more)) in enumerate(cases.items()):
                bad = struct.pack("<II", stack, entry) + image[8:]
                package = self.pack(f"bad{number}", f"2.0.{number}", [(bad, more)])
                board.flash = self.firmware.factory("v1")
                board.start()
                code, _ = self.host.run(board, "update", package)
                if code != REVERTED:
                    raise Failure(f"{name}: exit code {code}")
                self.runs(board, "v1", "failed")
                board.cut()
            # The stack may begin where the image's RAM ends.
            package = self.pack("good", "2.0.0", [(struct.pack("<II", HANDOVER, reset) + image[8:], "")])
            board.start()
            expect("exit code", self.host.run(board, "update", package)[0], 0)

    def test_stack(self):
        """How much of its stack a board uses. Every reset paints it anew, so it is looked at all the time."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start(ram=PAINT * emulator.RAM_SIZE)
            process = self.host.start(board, self.firmware.package("v2"))
            most = 0
            while process.poll() is None:
                most = max(most, self.used(board))
                time.sleep(0.01)
            expect("exit code", process.returncode, 0)
            print(f"     {most} bytes, of {STACK_SIZE}")
            if not 1024 < most <= STACK_SIZE - 1024:
                raise Failure("the stack is too small, or was not seen")

    @staticmethod
    def used(board):
        """Bytes of the stack that are not painted."""
        path = board.path("stack")
        board.ask("pmemsave", val=emulator.RAM, size=STACK_SIZE, filename=path)
        with open(path, "rb") as file:
            return len(file.read().lstrip(PAINT))


def main():
    options = common.parsed(common.test_arguments(__doc__))
    return BoardTests(options, mps2_rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
