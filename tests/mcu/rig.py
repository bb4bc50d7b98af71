"""What the tests of the emulated micro:bit share: the firmware that was
built, and flash operations that are watched and cut short.
"""
import mmap
import os
import random
import re
import socket
import struct
import sys
import threading
import time
import zlib

import common
from common import Failure, Files, expect, some_bits

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "examples", "microbit"))
import emulator  # noqa: E402

HANDOVER = 0x20003FC0
REPORT = HANDOVER + 12  # tandem/boot_report.h
NO_RECOVERY, NOTHING, PIN, REQUEST, DOUBT, RESTARTS = range(6)  # enum tandem_recovery_cause
CONFIRMED, FIRST, TRIAL, WENT_BACK, REFUSED, FALLBACK = range(1, 7)  # enum tandem_boot_reason
KIND_WORD, KIND_ERASE = 1, 2
WATCHED = ("all", "records", "erases", "kind", "address", "stopped", "armed", "busy", "forbidden", "start", "unfed")


class Firmware(Files):
    """A folder of bootloader, images and packages."""

    def image(self, name, bank):
        return self.read(f"{name}_bank{bank}.bin")

    def factory(self, name=None, bootloader="bootloader"):
        """A new board's flash: with that firmware in bank 0, or with none."""
        if name is None:
            return emulator.factory_flash(self.read(bootloader + ".bin"))
        return emulator.factory_flash(self.read(bootloader + ".bin"), self.read(name + ".tdm"), self.image(name, 0))


class Board(emulator.Board):
    """A board whose flash controller is watched."""

    def __init__(self, flash, plugin, folder):
        os.makedirs(folder, exist_ok=True)
        super().__init__(flash, None, folder)
        self.library = plugin
        self.report = None

    def start(self, ram=None, options=""):
        path = self.path("report")
        with open(path, "wb") as file:
            file.write(bytes(4 * len(WATCHED)))
        self.plugin = f"{self.library},report={path}{options}"
        super().start(ram)
        with open(path, "r+b") as file:
            self.report = mmap.mmap(file.fileno(), 4 * len(WATCHED))

    def watched(self):
        """What the plugin saw."""
        return dict(zip(WATCHED, struct.unpack(f"={len(WATCHED)}I", self.report[:4 * len(WATCHED)])))

    def stop_at_next_operation(self, seconds):
        """Whether the board began a flash operation within that time; the processor then stands still."""
        self.report[24:28] = struct.pack("=I", 1)
        end = time.monotonic() + seconds
        while not self.watched()["stopped"] and time.monotonic() < end:
            time.sleep(0.001)
        self.report[24:28] = struct.pack("=I", 0)
        time.sleep(0.002)
        return self.watched()["stopped"] == 1

    def last_operation(self):
        """(kind, address) of the flash operation after which the processor stands still."""
        seen = self.watched()
        if seen["kind"] != KIND_ERASE:
            return seen["kind"], seen["address"]
        text = self.ask("human-monitor-command", **{"command-line": "info registers"})
        registers = {int(name): int(value, 16) for name, value in re.findall(r"R(\d\d)=([0-9a-f]{8})", text)}
        return KIND_ERASE, registers[seen["address"]]

    def cut_where_it_stands(self):
        """The power fails while the plugin holds the processor."""
        self.flash = self.memory(0, emulator.FLASH_SIZE)
        self.kill()

    def vectors(self):
        """The address of the table that interrupts go to: of the bootloader, or of a bank."""
        return struct.unpack("<I", self.memory(HANDOVER, 4))[0]


class Wire:
    """
    A serial line of 115200 baud between a host and a board. QEMU's UART never
    loses a byte; the chip's has room for six while the processor stands
    still, and loses what comes after them. So does this line.
    """
    BYTES_PER_SECOND = 11520
    FIFO = 6

    def __init__(self, board):
        self.board = board
        path = board.path("wire")
        self.serial = "unix:" + path
        self.lost = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def alive(self):
        return self.board.alive()

    def close(self):
        self.ended = True
        self.thread.join()
        self.listener.close()

    def _run(self):
        board = emulator.connect(self.board.path("serial"))
        self.listener.settimeout(0.1)
        while not self.ended:
            try:
                host, _ = self.listener.accept()
            except OSError:
                continue
            self._carry(host, board)
            host.close()
        board.close()

    def _carry(self, host, board):
        """Both directions, until the host leaves."""
        last, credit, room = time.monotonic(), 0.0, self.FIFO
        for line in (host, board):
            line.setblocking(False)
        while not self.ended:
            time.sleep(0.001)
            now = time.monotonic()
            credit = min(credit + (now - last) * self.BYTES_PER_SECOND, 100)
            last = now
            try:
                data = host.recv(int(credit)) if credit >= 1 else None
                if data == b"":
                    return
            except BlockingIOError:
                data = None
            if data:
                credit -= len(data)
                busy = self.board.watched()["busy"]
                room = room if busy else self.FIFO
                taken = data[:room] if busy else data
                room -= len(taken) if busy else 0
                self.lost += len(data) - len(taken)
                board.sendall(taken)
            try:
                host.sendall(board.recv(64))
            except BlockingIOError:
                pass


def tear(random, flash, before, operation):
    """
    The operation was under way when the power failed: some bits had changed.
    `before` is the flash of some time ago; what it holds of a page may be
    what was there when the erase began, and is as good as any other.
    """
    kind, address = operation
    size = 4 if kind == KIND_WORD else emulator.PAGE
    if not emulator.JOURNAL[0] <= address <= emulator.FLASH_SIZE - size:
        raise Failure(f"flash operation at {address:#x}")
    flash = bytearray(flash)
    old = flash[address:address + size]
    if kind == KIND_ERASE:
        old = before[address:address + size]
    extra = some_bits(random, size, random.choice((0.02, 0.5, 0.98)))
    flash[address:address + size] = bytes(a | b for a, b in zip(old, extra))
    return bytes(flash)


def running_bank(board, firmware, names):
    """(bank, name) of the firmware that runs, of which every byte is as it was built."""
    vectors = board.vectors()
    if vectors not in emulator.BANKS:
        raise Failure(f"no application runs: interrupts go to {vectors:#x}")
    bank = emulator.BANKS.index(vectors)
    for name in names:
        image = firmware.image(name, bank)
        if board.memory(vectors, len(image)) == image:
            return bank, name
    raise Failure(f"what runs in bank {bank} is none of {', '.join(names)}")


def report(board):
    """What the bootloader handed over at the last start."""
    memory = board.memory(REPORT, 32)
    if memory[:4] != b"TDBR" or zlib.crc32(memory[:28]) != struct.unpack_from("<I", memory, 28)[0]:
        raise Failure(f"no boot report in RAM: {memory.hex()}")
    names = ("starts", "restarts", "reason", "status", "recovery", "bank", "major")
    return dict(zip(names, struct.unpack_from("<IIBBBBH", memory, 4)))


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


class BoardTests(common.Tests):
    """Tests of the micro:bit."""
    product = "microbit"

    def __init__(self, options, firmware):
        super().__init__(options, firmware)
        self.chance = random.Random(1)

    def board(self, flash):
        return Board(flash, self.options.plugin, self.folder())

    def noise(self):
        """RAM after power-on."""
        return common.noise(self.chance, emulator.RAM_SIZE)

    def runs(self, board, name, state="confirmed"):
        """An application runs, it is this one to the byte, and says so."""
        status = self.host.status(board)
        bank, _ = running_bank(board, self.firmware, (name,))
        expect("version", status["version"], {"v1": "1.0.0", "v2": "2.0.0", "v3_broken": "3.0.0", "v4": "4.0.0"}[name])
        expect("bank", status["bank"], bank)
        expect("state", status["state"], *state.split())
        return bank

    def in_recovery(self, board, cause=NOTHING, version="0.0.0"):
        """The bootloader itself answers, and says why. Returns what was wrong with the bank that it did not take."""
        status = self.host.status(board)
        if board.vectors() >= emulator.JOURNAL[0]:
            raise Failure(f"an application runs: interrupts go to {board.vectors():#x}")
        expect("version", status["version"], version)
        expect("cause of recovery", status["boot"]["recovery"], cause)
        return status["boot"]["status"]

    def heals(self, board, name="v2"):
        """A board on which nothing starts says so, and is as good as new after an update."""
        board.start(ram=self.noise())
        wrong = self.in_recovery(board)
        self.updates(board, name)
        self.runs(board, name)
        board.cut()
        board.start(ram=self.noise())
        self.runs(board, name)
        board.cut()
        return wrong

    def begin_trial(self, board):
        """Leave the board just when it starts a firmware that will not confirm itself."""
        board.start()
        process = self.host.start(board, self.firmware.package("v3_broken"))
        end = time.monotonic() + 20
        while board.vectors() != emulator.BANKS[1]:
            if time.monotonic() > end:
                raise Failure("the trial did not begin")
            time.sleep(0.005)
        common.finish(process)

    def pack_banks(self, name, version, images, key=None):
        """A package of an image for each bank."""
        images = [(image, f",bank={bank}{more}") for bank, (image, more) in enumerate(images)]
        return self.pack(name, version, images, key)
