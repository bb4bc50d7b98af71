"""What the tests of the emulated micro:bit share: the firmware that was
built, and flash operations that are watched and cut short.
"""
import mmap
import os
import re
import socket
import struct
import sys
import threading
import time

from common import Failure, Files, some_bits

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "examples", "microbit"))
import emulator  # noqa: E402

HANDOVER = 0x20003FF0
KIND_WORD, KIND_ERASE = 1, 2


class Firmware(Files):
    """A folder of bootloader, images and packages."""

    def __init__(self, folder):
        super().__init__(folder)
        self.bootloader = self.read("bootloader.bin")

    def image(self, name, bank):
        return self.read(f"{name}_bank{bank}.bin")

    def factory(self, name=None):
        """A new board's flash: with that firmware in bank 0, or with none."""
        if name is None:
            return emulator.factory_flash(self.bootloader)
        return emulator.factory_flash(self.bootloader, self.read(name + ".tdm"), self.image(name, 0))


class Board(emulator.Board):
    """A board whose flash controller is watched."""

    def __init__(self, flash, plugin, folder):
        os.makedirs(folder, exist_ok=True)
        super().__init__(flash, None, folder)
        self.library = plugin
        self.report = None

    def start(self, ram=None, before_run=None, options=""):
        path = self.path("report")
        with open(path, "wb") as file:
            file.write(bytes(36))
        self.plugin = f"{self.library},report={path}{options}"
        super().start(ram, before_run)
        with open(path, "r+b") as file:
            self.report = mmap.mmap(file.fileno(), 36)

    def watched(self):
        """What the plugin saw."""
        names = ("all", "records", "erases", "kind", "address", "stopped", "armed", "busy", "forbidden")
        return dict(zip(names, struct.unpack("=9I", self.report[:36])))

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
