#!/usr/bin/env python3
"""Cut the power of an emulated micro:bit in the middle of updates.

    campaign.py --firmware DIR --tandem COMMAND --plugin cut.so --work DIR
                [--exact N] [--random N] [--seed S] [--jobs J]
                [--case KIND/NUMBER]

An exact cut stops the processor right after the k-th flash operation of an
update; half of them are spread over all operations, the others over the few
that are not words of an image, and over the erases. A random cut comes at any
moment, or within the next operation after it. Operations in which the power
fails may be torn: a word or a page of which some bits have changed. RAM is noise at every start.

After each cut the board must start a firmware that is, byte for byte, the old
one or the new one; some are cut again while they recover; and in the end a
good update must succeed. A third of the updates are of a firmware that fails
its self-test: then the old one must come back first.

A case that fails leaves the flash with which it failed in the work folder.
Each case depends on the seed and its number, as far as a machine's own speed
lets it.
"""
import argparse
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback

import rig
from rig import Failure, emulator

OLD, NEW, BROKEN = "v1", "v2", "v3_broken"
UPDATE_SECONDS = 1.5  # about what one takes
GIVE_UP_SECONDS = 60


class Campaign:
    def __init__(self, options):
        self.options = options
        self.firmware = rig.Firmware(options.firmware)
        self.host = rig.Host(options.tandem)
        self.lock = threading.Lock()
        self.tally = {}
        self.starts = []
        self.lengths = {}

    def count(self, what):
        with self.lock:
            self.tally[what] = self.tally.get(what, 0) + 1

    def board(self, name, flash):
        return rig.Board(flash, self.options.plugin, os.path.join(self.options.work, name))

    # ---- before the first cut ----

    def prepare(self):
        """Boards to cut: one fresh from the factory, one with a history in its journal, one in the other bank."""
        flash = self.firmware.factory(OLD)
        self.starts.append(flash)
        with self.board("prepare", flash) as board:
            for _ in range(2):
                board.start()
                self.update(board, OLD, "--reinstall")
                board.cut()
                self.starts.append(board.flash)
            for package in (NEW, BROKEN):
                board.flash = self.starts[-1]
                board.start()
                self.host.run(board, "update", self.firmware.package(package), timeout=GIVE_UP_SECONDS)
                seen = board.watched()
                if seen["forbidden"] != 0:
                    raise Failure(f"{seen['forbidden']} accesses to registers that the chip does not have")
                self.lengths[package] = seen
                print(f"{package}: {seen['all']} flash operations, of which {seen['erases']} are erases and"
                      f" {seen['records'] - seen['erases']} concern journal and manifests")
                board.cut()

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

    # ---- one case ----

    def cut_exactly(self, board, chance, package, number):
        """Run an update up to one of its flash operations."""
        which = ("all", "records", "all", "erases")[number % 4]
        at = chance.randint(1, self.lengths[package][which])
        before = board.flash
        board.start(ram=noise(chance), options=f",at={at}" + (f",only={which}" if which != "all" else ""))
        process = self.host.start(board, self.firmware.package(package))
        end = time.monotonic() + GIVE_UP_SECONDS
        while not board.watched()["stopped"] and process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        if board.watched()["stopped"]:
            operation = board.last_operation()
            board.cut_where_it_stands()
            self.count(f"exact cuts after {'a word' if operation[0] == rig.KIND_WORD else 'an erase'}")
            self.maybe_tear(board, chance, before, operation)
        else:
            board.cut()  # this time it took fewer operations
            self.count("updates that ended before their cut")
        finish(process)

    def cut_at_random(self, board, chance, package, seconds):
        """Run an update for a while."""
        before = board.flash
        board.start(ram=noise(chance))
        process = self.host.start(board, self.firmware.package(package))
        time.sleep(chance.uniform(0, seconds))
        if chance.random() < 0.5 and board.stop_at_next_operation(0.02):
            operation = board.last_operation()
            board.cut_where_it_stands()
            self.count("random cuts within a flash operation")
            self.maybe_tear(board, chance, before, operation)
        else:
            board.cut()
            self.count("random cuts")
        finish(process)

    def maybe_tear(self, board, chance, before, operation):
        if chance.random() < 0.5:
            board.flash = rig.tear(chance, board.flash, before, operation)
            self.count("of them torn")

    def recovers(self, board, package):
        """It starts a whole firmware, by itself, and a good update succeeds."""
        board.start(ram=noise(random))
        self.host.status(board)
        names = (OLD, package)
        end = time.monotonic() + 10
        while True:
            try:
                bank, name = rig.running_bank(board, self.firmware, names)
                break
            except Failure:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)  # it was just restarting
        self.count(f"started the {'old' if name == OLD else 'new' if name == NEW else 'broken'} firmware")
        if package == BROKEN:
            self.reverts(board)
        self.update(board, NEW)
        bank, name = rig.running_bank(board, self.firmware, (NEW,))
        status = self.host.status(board)
        if status["version"] != "2.0.0" or status["state"] != "confirmed" or status["bank"] != bank:
            raise Failure(f"after a good update it says {status}")
        if board.watched()["forbidden"] != 0:
            raise Failure("an access to a register that the chip does not have")
        board.cut()

    def reverts(self, board):
        """A firmware that fails its self-test is not there for long."""
        end = time.monotonic() + 30
        while self.host.status(board)["version"] != "1.0.0":
            if time.monotonic() > end:
                raise Failure("a firmware that does not confirm itself stays")
            time.sleep(0.1)
        rig.running_bank(board, self.firmware, (OLD,))

    def case(self, kind, number):
        chance = random.Random(f"{self.options.seed}/{kind}/{number}")
        start = chance.randrange(len(self.starts))
        package = BROKEN if number % 3 == 2 else NEW
        name = f"{kind}-{number}"
        with self.board(name, self.starts[start]) as board:
            try:
                if kind == "exact":
                    self.cut_exactly(board, chance, package, number)
                else:
                    self.cut_at_random(board, chance, package, UPDATE_SECONDS)
                for _ in range(chance.choice((0, 0, 1, 2))):
                    self.cut_at_random(board, chance, package, UPDATE_SECONDS / 2)
                    self.count("of them during recovery")
                failed_with = board.flash
                self.recovers(board, package)
                shutil.rmtree(board.folder, ignore_errors=True)
                return None
            except Exception:  # pylint: disable=broad-except
                path = os.path.join(self.options.work, name + ".flash")
                with open(path, "wb") as file:
                    file.write(locals().get("failed_with", board.flash))
                return f"{kind}/{number}: from start {start}, {package}; flash in {path}\n{traceback.format_exc()}"

    # ---- all of them ----

    def run(self):
        cases = [("exact", i) for i in range(self.options.exact)] + [("random", i) for i in range(self.options.random)]
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


def noise(chance):
    """RAM after power-on."""
    return chance.getrandbits(8 * emulator.RAM_SIZE).to_bytes(emulator.RAM_SIZE, "little")


def finish(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--firmware", required=True, help="folder of the built firmware")
    parser.add_argument("--tandem", required=True, help="the tandem command")
    parser.add_argument("--plugin", required=True, help="cut.c, compiled")
    parser.add_argument("--work", required=True, help="folder for what a run leaves")
    parser.add_argument("--exact", type=int, default=500, help="cuts at exact operations (500)")
    parser.add_argument("--random", type=int, default=500, help="cuts at random moments (500)")
    parser.add_argument("--seed", default="1", help="another seed, other cuts (1)")
    parser.add_argument("--jobs", type=int, default=2, help="boards at the same time (2)")
    parser.add_argument("--case", help="only this one, as exact/17")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    os.makedirs(options.work)
    return Campaign(options).run()


if __name__ == "__main__":
    sys.exit(main())
