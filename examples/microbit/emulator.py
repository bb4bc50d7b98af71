"""The micro:bit in QEMU, with a flash that outlives the process.

QEMU keeps the board's flash in its own memory and fills it with zeros. So a
board is started stopped, the whole flash is written through the debugger's
door, and it is read back before the process ends. What QEMU cannot do is take
time for an erase, or be cut short in one: a user of this module can put the
traces of that into the flash's bytes between two starts.

Only Python's standard library is used.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib

FLASH_SIZE = 0x40000
RAM = 0x20000000
RAM_SIZE = 0x4000
PAGE = 0x400
JOURNAL = (0x8000, 0x1000)
MANIFESTS = (0x9000, 0x9400)
BANKS = (0xA000, 0x25000)
QEMU = "qemu-system-arm"


def available():
    """Whether QEMU is installed."""
    return shutil.which(QEMU) is not None


def head_of(package):
    """A package's head: header, manifest and signatures."""
    magic, _, manifest, signatures = struct.unpack_from("<IIHH", package)
    if magic != 0x314D4454 or zlib.crc32(package[:16]) != struct.unpack_from("<I", package, 16)[0]:
        raise ValueError("not a Tandem package")
    return package[:20 + manifest + signatures]


def factory_flash(bootloader, package=None, image=None, bank=0):
    """A flash as it leaves the factory: the bootloader and, if given, a firmware with its package's head."""
    flash = bytearray(b"\xff" * FLASH_SIZE)
    flash[:len(bootloader)] = bootloader
    if package is not None:
        head = head_of(package)
        flash[MANIFESTS[bank]:MANIFESTS[bank] + len(head)] = head
        flash[BANKS[bank]:BANKS[bank] + len(image)] = image
    return bytes(flash)


class Debugger:
    """Just enough of GDB's remote protocol to write memory and let go."""

    def __init__(self, path):
        self.socket = connect(path)
        self.request(b"QStartNoAckMode", first=True)

    def request(self, text, first=False):
        self.socket.sendall(b"$" + text + b"#%02x" % (sum(text) % 256))
        answer = b""
        while b"#" not in answer[:-2]:
            piece = self.socket.recv(4096)
            if not piece:
                raise OSError("QEMU closed the debugger's door")
            answer += piece
        if first:
            self.socket.sendall(b"+")
        return answer[answer.index(b"$") + 1:answer.rindex(b"#")]

    def write(self, address, data):
        for at in range(0, len(data), PAGE):
            piece = data[at:at + PAGE]
            if self.request(b"M%x,%x:%s" % (address + at, len(piece), piece.hex().encode())) != b"OK":
                raise OSError("QEMU did not take the flash's contents")

    def let_go(self):
        self.request(b"D")
        self.socket.close()


def connect(path, seconds=10):
    """Connect to a socket that QEMU is about to open."""
    end = time.monotonic() + seconds
    while True:
        try:
            door = socket.socket(socket.AF_UNIX)
            door.connect(path)
            door.settimeout(seconds)
            return door
        except OSError:
            door.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.002)


class Board:
    """One emulated board. `flash` is its contents whenever it is off."""

    def __init__(self, flash, plugin=None, folder=None):
        self.flash = bytes(flash)
        self.plugin = plugin  # a value for QEMU's -plugin
        self.folder = folder or tempfile.mkdtemp(prefix="microbit-")
        self.owns_folder = folder is None
        self.process = None
        self.serial = "unix:" + os.path.join(self.folder, "serial")
        self.lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, ram=None, before_run=None):
        """Switch on. `ram`: what the RAM holds then; zeros if not given. `before_run` is handed the debugger
        before the first instruction."""
        for name in ("serial", "control", "debug"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        command = [QEMU, "-M", "microbit", "-S", "-display", "none", "-monitor", "none",
                   "-chardev", f"socket,id=s0,path={self.path('serial')},server=on,wait=off", "-serial", "chardev:s0",
                   "-qmp", f"unix:{self.path('control')},server=on,wait=off",
                   "-gdb", f"unix:{self.path('debug')},server=on,wait=off"]
        if self.plugin:
            command += ["-plugin", self.plugin]
        with open(self.path("qemu.log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.control = connect(self.path("control"))
        self.received = b""
        self.events = []
        self._line()
        self.ask("qmp_capabilities")
        debugger = Debugger(self.path("debug"))
        debugger.write(0, self.flash)
        if ram is not None:
            debugger.write(RAM, ram)
        self.ask("system_reset")  # the CPU fetches stack and entry anew
        while "RESET" not in self.events:
            self._message()
        if before_run is not None:
            before_run(debugger)
        debugger.let_go()
        self.running = True
        self.pump = threading.Thread(target=self._keep_awake, args=(self.process,), daemon=True)
        self.pump.start()

    def _line(self):
        while b"\n" not in self.received:
            piece = self.control.recv(65536)
            if not piece:
                raise OSError("QEMU ended")
            self.received += piece
        line, self.received = self.received.split(b"\n", 1)
        return json.loads(line)

    def _message(self):
        """The next answer; events are put aside."""
        message = self._line()
        if "event" in message:
            self.events.append(message["event"])
            return None
        return message

    def ask(self, command, **arguments):
        with self.lock:
            self.control.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
            answer = None
            while answer is None:
                answer = self._message()
        if "error" in answer:
            raise OSError(f"QEMU: {command}: {answer['error']['desc']}")
        return answer["return"]

    def _keep_awake(self, process):
        """QEMU notices serial bytes up to a second late after a reset, unless something else wakes it."""
        while self.running and process is self.process:
            try:
                self.ask("query-status")
            except (OSError, ValueError):
                return
            time.sleep(0.01)

    def memory(self, address, size):
        """Read memory of the running board."""
        path = self.path("memory")
        self.ask("memsave", val=address, size=size, filename=path)
        with open(path, "rb") as file:
            return file.read()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def cut(self):
        """Switch off without warning. `flash` then holds what was in it at that moment."""
        if self.process is None:
            return
        try:
            if self.alive():
                self.ask("stop")
                self.flash = self.memory(0, FLASH_SIZE)
        finally:
            self.kill()

    def kill(self):
        """End the process; `flash` stays what it was."""
        if self.process is None:
            return
        self.running = False
        self.process.kill()
        self.process.wait()
        self.process = None
        self.control.close()
