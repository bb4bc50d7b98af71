"""What all boards emulated by QEMU have in common: a process, a serial line, a
control socket, and a folder for all of them.

Only Python's standard library is used.
"""
import argparse
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


class Machine:
    """One emulated board, on or off. What outlives its process is the business of the board's own class."""

    def __init__(self, name, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix=name + "-")
        self.owns_folder = folder is None
        self.process = None
        self.keeper = None
        self.serial = "unix:" + self.path("serial")
        self.lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def launch(self, *arguments, uart=0):
        """Start QEMU, with the board's UART of this number at `serial`."""
        if self.process is not None:
            raise RuntimeError("it is on already")
        for name in ("serial", "control", "debug", "pins"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        command = [QEMU, "-display", "none", "-monitor", "none",
                   "-chardev", f"socket,id=s0,path={self.path('serial')},server=on,wait=off",
                   *["-serial", "null"] * uart, "-serial", "chardev:s0",
                   "-qmp", f"unix:{self.path('control')},server=on,wait=off", *arguments]
        with open(self.path("qemu.log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.control = connect(self.path("control"))
        self.received = b""
        self.events = []
        self._line()
        self.ask("qmp_capabilities")

    def log(self):
        """The last that QEMU said."""
        with open(self.path("qemu.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-500:]

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
        """Have QEMU do something; returns its answer."""
        with self.lock:
            self.control.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
            answer = None
            while answer is None:
                answer = self._message()
        if "error" in answer:
            raise OSError(f"QEMU: {command}: {answer['error']['desc']}")
        return answer["return"]

    def wait_for(self, event):
        """Wait until QEMU has reported an event."""
        while event not in self.events:
            self._message()

    def keep_awake(self):
        """QEMU notices serial bytes up to a second late after a reset, unless something else wakes it."""
        self.keeper = threading.Thread(target=self._keep_awake, args=(self.process,), daemon=True)
        self.keeper.start()

    def _keep_awake(self, process):
        while process is self.process:
            try:
                self.ask("query-status")
            except (OSError, ValueError):
                return
            time.sleep(0.01)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """End the process."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self.keeper is not None:
            self.keeper.join()  # else it might talk to the next process
            self.keeper = None
        self.control.close()

    def cut(self):
        """Switch off without warning."""
        self.kill()


# ---- a board's run.py ----

def arguments(text):
    """The arguments of a board's run.py, of which `text` is the description."""
    parser = argparse.ArgumentParser(description=text.split("\n", maxsplit=1)[0])
    parser.add_argument("firmware", help="folder of the built firmware")
    parser.add_argument("tandem", help="the tandem command")
    parser.add_argument("--package", help="what to update to; v2.tdm of the folder if not given")
    parser.add_argument("--stay", action="store_true", help="do not update, only run")
    return parser


def show(board, options):
    """Run a board: update it before the user's eyes, or stay for the user's own commands. Returns the exit code."""
    board.start()
    if not options.stay:
        package = options.package or os.path.join(options.firmware, "v2.tdm")
        return subprocess.run([options.tandem, "update", "--to", board.serial, package], check=False).returncode
    print(f"The board runs; its UART is {board.serial}. Ctrl-C switches it off.", flush=True)
    try:
        while board.alive():
            time.sleep(0.2)
    except KeyboardInterrupt:
        print()
    return 0
