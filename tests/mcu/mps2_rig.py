"""What the tests of the emulated MPS2 board share: the firmware that was
built, and a look at the flash operations that are under way.
"""
import os
import struct
import sys

from common import Failure, Files, some_bits

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "examples", "mps2"))
import emulator  # noqa: E402

NONE, PROGRAM, ERASE = range(3)  # operations
ALL, ERASES, RECORDS, PRIMARY = range(4)  # classes of them
CONTROLLER = struct.Struct("<14I")  # behind the flash; see the firmware's flash.c


class Firmware(Files):
    """A folder of bootloader, images and packages."""

    def image(self, name):
        return self.read(name + "_app.bin")

    def factory(self, name=None):
        """A new board's flash: with that firmware, or with none."""
        return emulator.factory_flash(*(() if name is None else (self.read(name + ".tdm"), self.image(name))))


class Board(emulator.Board):
    """A board of which every flash operation is seen."""

    def __init__(self, firmware, flash, folder):
        os.makedirs(folder, exist_ok=True)
        super().__init__(firmware.path("bootloader.bin"), flash, folder)
        self.watch()

    def watch(self, stop_class=ALL, stop_at=0, pause=0):
        """Count from 0. Stop before the stop_at-th operation of a class is done; 0: never. Wait so many turns after
        each word."""
        words = [0] * 9 + [stop_class, stop_at, 0, 0, pause]
        CONTROLLER.pack_into(self.memory, emulator.FLASH_SIZE, *words)

    def watched(self):
        """What the firmware's flash port tells."""
        words = CONTROLLER.unpack_from(self.memory, emulator.FLASH_SIZE)
        return {"operation": words[0], "address": words[1], "size": words[2], "data": struct.pack("<2I", *words[3:5]),
                "count": words[5:9], "stopped": words[11], "refused": words[12]}

    def holds(self, address, data):
        """Whether the flash holds this there."""
        at = address - emulator.FLASH
        return self.memory[at:at + len(data)] == data

    def leave_under_way(self, how, chance):
        """
        The power failed within the operation under way; if there was one, leave it behind as if it had been done
        `after` the cut was, not at all (`before`), or in part (`torn`): some bits have changed, others have not.
        Returns what it was.
        """
        seen = self.watched()
        if seen["operation"] == NONE or how == "before":
            return seen["operation"]
        at, size = seen["address"] - emulator.FLASH, seen["size"]
        if not 0 <= at <= emulator.FLASH_SIZE - size:
            raise Failure(f"flash operation at {seen['address']:#x}")
        late = some_bits(chance, size, chance.choice((0.02, 0.5, 0.98))) if how == "torn" else bytes(size)
        old = self.memory[at:at + size]
        if seen["operation"] == PROGRAM:
            new = bytes(a & (b | c) for a, b, c in zip(old, seen["data"], late))
        else:
            new = bytes(a | ~c & 0xFF for a, c in zip(old, late))
        self.memory[at:at + size] = new
        return seen["operation"]
