#!/usr/bin/env python3
"""What the micro:bit's bootloader and application do on an emulated board.

    board_test.py --firmware DIR --tandem COMMAND --plugin cut.so --work DIR [NAME...]

Each test starts from a flash as it could be in the field, lets the board run,
and asks it over its UART what became of it.
"""
import os
import socket
import struct
import subprocess
import sys
import time
import zlib

import common
import rig
from common import REFUSED_KEY, REVERTED, Failure, Tests, expect
from rig import emulator

STACK_SIZE = 0x1000


class BoardTests(Tests):
    product = "microbit"

    def board(self, flash):
        return rig.Board(flash, self.options.plugin, self.folder())

    def runs(self, board, name, state="confirmed"):
        """An application runs, it is this one to the byte, and says so."""
        status = self.host.status(board)
        bank, _ = rig.running_bank(board, self.firmware, (name,))
        expect("version", status["version"], {"v1": "1.0.0", "v2": "2.0.0", "v3_broken": "3.0.0"}[name])
        expect("bank", status["bank"], bank)
        expect("state", status["state"], *state.split())
        return bank

    def in_recovery(self, board, version="0.0.0"):
        """The bootloader itself answers."""
        status = self.host.status(board)
        if board.vectors() >= emulator.JOURNAL[0]:
            raise Failure(f"an application runs: interrupts go to {board.vectors():#x}")
        expect("version", status["version"], version)

    def pack_banks(self, name, version, images, key=None):
        """A package of an image for each bank."""
        images = [(image, f",bank={bank}{more}") for bank, (image, more) in enumerate(images)]
        return self.pack(name, version, images, key)

    # ---- the tests ----

    def test_update(self):
        """From version 1 to version 2, and it stays."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            expect("bank", self.runs(board, "v1", "idle"), 0)
            self.updates(board, "v2")
            expect("bank", self.runs(board, "v2"), 1)
            expect("accesses to what the chip lacks", board.watched()["forbidden"], 0)
            board.cut()
            board.start(ram=os.urandom(emulator.RAM_SIZE))
            expect("bank", self.runs(board, "v2"), 1)

    def test_virgin(self):
        """A board with nothing but its bootloader takes its first firmware over the UART."""
        with self.board(self.firmware.factory()) as board:
            board.start()
            self.in_recovery(board)
            self.updates(board, "v1")
            self.runs(board, "v1")

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

    def test_damaged(self):
        """A damaged firmware is not started: the other one is, and if that is damaged too, recovery heals the board."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.updates(board, "v2")
            board.cut()
            good = board.flash
            board.flash = damage(good, 1)
            board.start()
            expect("bank", self.runs(board, "v1", "failed"), 0)
            board.cut()
            board.flash = damage(good, 0, 1)
            board.start()
            self.in_recovery(board)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_lost_trial(self):
        """Both firmwares go bad in the middle of a trial."""
        with self.board(self.firmware.factory("v1")) as board:
            self.begin_trial(board)
            board.cut()
            board.flash = damage(board.flash, 0, 1)
            board.start()
            self.in_recovery(board)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def begin_trial(self, board):
        """Leave the board just when it starts a firmware that will not confirm itself."""
        board.start()
        process = self.host.start(board, self.firmware.package("v3_broken"))
        end = time.monotonic() + 20
        while board.vectors() != emulator.BANKS[1]:
            if time.monotonic() > end:
                raise Failure("the trial did not begin")
            time.sleep(0.005)
        process.kill()
        process.wait()

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

    def test_button(self):
        """Button A at reset: the bootloader takes an update although there is a firmware."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start(before_run=self.hold_button)
            self.in_recovery(board, "1.0.0")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_button_on_trial(self):
        """Button A during a trial: the trial is lost, else no update would be taken."""
        with self.board(self.firmware.factory("v1")) as board:
            self.begin_trial(board)
            board.cut()
            board.start(before_run=self.hold_button)
            self.in_recovery(board, "1.0.0")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def hold_button(self, debugger):
        """No emulated pin can be pulled from outside: answer for board_button() instead."""
        address = symbol(self.firmware.path("bootloader.elf"), "board_button")
        expect("breakpoint", debugger.request(b"Z1,%x,2" % address), b"OK")
        debugger.request(b"c")
        registers = bytes.fromhex(debugger.request(b"g").decode())
        words = list(struct.unpack_from("<16I", registers))
        words[0], words[15] = 1, words[14] & ~1 # return 1
        expect("registers", debugger.request(b"G" + (struct.pack("<16I", *words) + registers[64:]).hex().encode()), b"OK")
        expect("breakpoint", debugger.request(b"z1,%x,2" % address), b"OK")

    def test_request(self):
        """The application can be asked to make way for the bootloader's recovery."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            ask_for_recovery(board.serial[5:])
            end = time.monotonic() + 10
            while board.vectors() >= emulator.JOURNAL[0] and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(0.5)
            self.in_recovery(board, "1.0.0")
            self.updates(board, "v2")
            self.runs(board, "v2")

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


def damage(flash, *banks):
    """One bit of each bank."""
    flash = bytearray(flash)
    for bank in banks:
        flash[emulator.BANKS[bank] + 5000] ^= 4
    return bytes(flash)


def place(flash, package, image):
    """Put a package's head and an image into bank 0."""
    with open(package, "rb") as file:
        head = emulator.head_of(file.read())
    flash = bytearray(flash)
    flash[emulator.MANIFESTS[0]:emulator.MANIFESTS[0] + len(head)] = head
    flash[emulator.BANKS[0]:emulator.BANKS[0] + len(image)] = image
    return bytes(flash)


def symbol(program, name):
    """A function's address."""
    for line in subprocess.run(["arm-none-eabi-nm", program], check=True, stdout=subprocess.PIPE,
                               text=True).stdout.splitlines():
        if line.endswith(" " + name):
            return int(line.split()[0], 16) & ~1
    raise Failure(f"{program} has no {name}")


def frame(packet):
    """A control packet as it goes over a byte stream: COBS, and a CRC-32 behind it."""
    packet = b"\x00" + packet
    packet += struct.pack("<I", zlib.crc32(packet))
    groups = packet.split(b"\x00")
    return b"\x00" + b"".join(bytes([len(group) + 1]) + group for group in groups) + b"\x00"


def ask_for_recovery(path):
    """QUERY, then ENTER, by hand: the command has no word for it."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    line.sendall(frame(bytes([0xC0, 0x01, 1, 0, 1, 0, 1])))
    time.sleep(0.2)
    line.sendall(frame(bytes([0xC1, 0x07, 2, 0])))
    time.sleep(0.3)
    line.close()


def main():
    parser = common.test_arguments(__doc__)
    parser.add_argument("--plugin", required=True, help="cut.c, compiled")
    options = common.parsed(parser)
    return BoardTests(options, rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
