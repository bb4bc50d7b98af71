"""What the tests of all emulated boards share: a host that talks to a board,
tests by name, and campaigns of many cases in which the power fails.
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
import traceback
import zlib

REFUSED_KEY, DIGEST, REVERTED, NO_FIRMWARE = 65, 68, 112, 113  # exit codes, and statuses of an outcome
GIVE_UP_SECONDS = 60


class Failure(Exception):
    """A promise was broken."""


def expect(what, value, *wanted):
    if value not in wanted:
        raise Failure(f"{what} is {value}, not {' or '.join(str(each) for each in wanted)}")


class Files:
    """A folder of bootloader, images and packages."""

    def __init__(self, folder):
        self.folder = folder
        self.key = os.path.join(os.path.dirname(folder), "demo.key")

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def package(self, name):
        return self.path(name + ".tdm")


class Host:
    """The `tandem` command, talking to a board."""

    def __init__(self, command):
        self.command = command

    def run(self, board, *arguments, timeout=60):
        """Returns (exit code, the JSON objects it printed)."""
        result = subprocess.run([self.command, arguments[0], "--json", "--to", board.serial, *arguments[1:]],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
        return result.returncode, [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    def start(self, board, package):
        """Begin an update and let it run."""
        return subprocess.Popen([self.command, "update", "--to", board.serial, package],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self, board, seconds=20):
        """What the board says of itself."""
        end = time.monotonic() + seconds
        while True:
            code, said = self.run(board, "status", "--timeout", "2")
            if code == 0 and said:
                return said[-1]
            if not board.alive():
                raise Failure("the emulator ended: " + board.log())
            if time.monotonic() > end:
                raise Failure(f"the board does not answer (exit code {code})")


def frame(packet):
    """A control packet as it goes over a byte stream: COBS, and a CRC-32 behind it."""
    packet = b"\x00" + packet
    packet += struct.pack("<I", zlib.crc32(packet))
    groups = packet.split(b"\x00")
    return b"\x00" + b"".join(bytes([len(group) + 1]) + group for group in groups) + b"\x00"


def ask_for_recovery(board):
    """QUERY, then ENTER, by hand: the command has no word for it."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(board.serial[5:])
    line.sendall(frame(bytes([0xC0, 0x01, 1, 0, 1, 0, 1])))
    time.sleep(0.2)
    line.sendall(frame(bytes([0xC1, 0x07, 2, 0])))
    time.sleep(0.3)
    line.close()


def finish(process):
    """End a process that Host.start() began."""
    if process.poll() is None:
        process.kill()
    process.wait()


def noise(chance, size):
    """RAM after power-on."""
    return chance.getrandbits(8 * size).to_bytes(size, "little")


def some_bits(chance, size, share):
    """`size` bytes in which about `share` of the bits are 1."""
    value = 0
    for bit in range(size * 8):
        value |= (chance.random() < share) << bit
    return value.to_bytes(size, "little")


class Tests:
    """Tests of one board: methods named test_…"""
    product = None

    def __init__(self, options, firmware):
        self.options = options
        self.firmware = firmware
        self.host = Host(options.tandem)
        self.boards = 0

    def folder(self):
        """A new one, for a board."""
        self.boards += 1
        return os.path.join(self.options.work, str(self.boards))

    def updates(self, board, name, *more):
        code, said = self.host.run(board, "update", *more, self.firmware.package(name))
        if code != 0:
            raise Failure(f"the update to {name} failed: exit code {code}, {said[-1:]}")

    def pack(self, name, version, images, key=None, counter=1):
        """A package of our own making; `images` are (bytes, what `tandem pack` is to know of them)."""
        path = os.path.join(self.options.work, name + ".tdm")
        command = [self.host.command, "pack", "--key", key or self.firmware.key, "--vendor", "tandem", "--product",
                   self.product, "--version", version, "--counter", str(counter), "--force", "-o", path]
        for number, (image, more) in enumerate(images):
            with open(f"{path}.{number}", "wb") as file:
                file.write(image)
            command += ["--image", f"app={path}.{number}{more}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return path

    def stranger(self):
        """A key that no board trusts."""
        key = os.path.join(self.options.work, "stranger.key")
        subprocess.run([self.host.command, "keygen", key], check=True, stdout=subprocess.DEVNULL)
        return key

    def run(self):
        """All tests, or those that were named. Returns the exit code."""
        names = ["test_" + name for name in self.options.names] or [name for name in dir(self) if name[:5] == "test_"]
        failed = 0
        for name in names:
            begin = time.monotonic()
            try:
                getattr(self, name)()
                print(f"ok   {name[5:]} ({time.monotonic() - begin:.1f} s)", flush=True)
            except (Failure, OSError, subprocess.SubprocessError) as problem:
                failed += 1
                print(f"FAIL {name[5:]}: {problem}", flush=True)
        return 1 if failed else 0


class Campaign:
    """
    Many cases: each starts a board, cuts its power in the middle of an
    update, and sees whether it comes back. A board's own campaign says how.
    """
    OLD, NEW, BROKEN = "v1", "v2", "v3_broken"
    UPDATE_SECONDS = 1.5  # about what one takes

    def __init__(self, options, firmware):
        self.options = options
        self.firmware = firmware
        self.host = Host(options.tandem)
        self.lock = threading.Lock()
        self.tally = {}
        self.starts = []  # flashes that a case may begin with

    # ---- a board's own ----

    def prepare(self):
        """Before the first cut: fill `starts`."""
        raise NotImplementedError

    def board(self, name, flash):
        """A board with that flash; it also has `flash` when it is off."""
        raise NotImplementedError

    def switch_on(self, board, chance):
        """Start the board, with noise in its RAM."""
        raise NotImplementedError

    def cut_exactly(self, board, chance, package, number):
        """Run an update up to one of its flash operations; the board is off then."""
        raise NotImplementedError

    def cut_at_random(self, board, chance, package, seconds):
        """Run an update for a while; the board is off then."""
        raise NotImplementedError

    def which(self, board, names):
        """The one of these firmwares that runs, to the byte; Failure if none does."""
        raise NotImplementedError

    def check(self, board, status, name):
        """What else must hold of a board that says `status` and runs the firmware `name`."""

    # ---- common ----

    def count(self, what):
        with self.lock:
            self.tally[what] = self.tally.get(what, 0) + 1

    def update(self, board, name, *more):
        """A good update, which must succeed."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            code, said = self.host.run(board, "update", *more, "--timeout", "30", self.firmware.package(name))
            if code == 0:
                return
            # 99: what runs is on trial; it either confirms itself or is gone soon.
            if code not in (34, 35, 82, 99) or time.monotonic() > end:
                raise Failure(f"a good update failed: exit code {code}, {said[-1:]}")
            time.sleep(0.1)

    def recovers(self, board, chance, package):
        """It starts a whole firmware, by itself, and a good update succeeds."""
        self.switch_on(board, chance)
        self.check(board, self.host.status(board), None)
        end = time.monotonic() + 10
        while True:
            try:
                name = self.which(board, (self.OLD, package))
                break
            except Failure:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)  # it was just restarting
        self.count(f"started the {'old' if name == self.OLD else 'new' if name == self.NEW else 'broken'} firmware")
        if package == self.BROKEN:
            self.reverts(board)
        self.update(board, self.NEW)
        self.which(board, (self.NEW,))
        status = self.host.status(board)
        if status["version"] != "2.0.0" or status["state"] != "confirmed":
            raise Failure(f"after a good update it says {status}")
        self.check(board, status, self.NEW)
        board.cut()

    def reverts(self, board):
        """A firmware that fails its self-test is not there for long."""
        end = time.monotonic() + 30
        while self.host.status(board)["version"] != "1.0.0":
            if time.monotonic() > end:
                raise Failure("a firmware that does not confirm itself stays")
            time.sleep(0.1)
        self.which(board, (self.OLD,))

    def guarded(self, case, flash, text, live):
        """Let a board with that flash live through a case. Returns None, or what was wrong: then the flash that it
        was switched on with last is kept."""
        name = case.replace("/", "-")
        with self.board(name, flash) as board:
            try:
                live(board)
                shutil.rmtree(board.folder, ignore_errors=True)
                return None
            except Exception:  # pylint: disable=broad-except
                path = os.path.join(self.options.work, name + ".flash")
                with open(path, "wb") as file:
                    file.write(getattr(board, "switched_on_with", board.flash))
                return f"{case}: {text}; flash in {path}\n{traceback.format_exc()}"

    def case(self, kind, number):
        """Returns None, or what was wrong."""
        chance = random.Random(f"{self.options.seed}/{kind}/{number}")
        start = chance.randrange(len(self.starts))
        package = self.BROKEN if number % 3 == 2 else self.NEW

        def live(board):
            if kind == "exact":
                self.cut_exactly(board, chance, package, number)
            else:
                self.cut_at_random(board, chance, package, self.UPDATE_SECONDS)
            for _ in range(chance.choice((0, 0, 1, 2))):
                self.cut_at_random(board, chance, package, self.UPDATE_SECONDS / 2)
                self.count("of them during recovery")
            board.switched_on_with = board.flash
            self.recovers(board, chance, package)

        return self.guarded(f"{kind}/{number}", self.starts[start], f"from start {start}, {package}", live)

    def cases(self):
        """All of them: (kind, number)."""
        return [("exact", i) for i in range(self.options.exact)] + [("random", i) for i in range(self.options.random)]

    def run(self):
        """All cases, or the one that was named. Returns the exit code."""
        cases = self.cases()
        if self.options.case:
            kind, number = self.options.case.split("/")
            cases = [(kind, int(number))]
        self.prepare()
        failures = []
        done = 0
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for text in pool.map(lambda case: self.case(*case), cases):
                done += 1
                if text is not None:
                    failures.append(text)
                    print(text, flush=True)
                if done % 100 == 0:
                    print(f"{done} of {len(cases)} cases, {time.monotonic() - begin:.0f} s", flush=True)
        for what, number in sorted(self.tally.items()):
            print(f"{number:6} {what}")
        print(f"{len(cases)} cases in {time.monotonic() - begin:.0f} s, {len(failures)} failed")
        return 1 if failures else 0


def arguments(text):
    """What every program here is told; `text` is its description."""
    parser = argparse.ArgumentParser(description=text.split("\n", maxsplit=1)[0])
    parser.add_argument("--firmware", required=True, help="folder of the built firmware")
    parser.add_argument("--tandem", required=True, help="the tandem command")
    parser.add_argument("--work", required=True, help="folder for what a run leaves")
    return parser


def test_arguments(text):
    parser = arguments(text)
    parser.add_argument("names", nargs="*", help="only these tests, as update")
    return parser


def campaign_arguments(text):
    parser = arguments(text)
    parser.add_argument("--exact", type=int, default=500, help="cuts at exact operations (500)")
    parser.add_argument("--random", type=int, default=500, help="cuts at random moments (500)")
    parser.add_argument("--seed", default="1", help="another seed, other cuts (1)")
    parser.add_argument("--jobs", type=int, default=2, help="boards at the same time (2)")
    parser.add_argument("--case", help="only this one, as exact/17")
    return parser


def parsed(parser):
    """The options, and an empty work folder."""
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    os.makedirs(options.work)
    return options
