#!/usr/bin/env python3
"""Kill an emulated MPS2 board in the middle of updates.

    mps2_campaign.py --firmware DIR --tandem COMMAND --work DIR
                     [--exact N] [--random N] [--seed S] [--jobs J]
                     [--case KIND/NUMBER]

The power fails by kill -9 of the emulator: the board's memory is a file, and
holds what was stored by then. An exact cut comes at the k-th flash operation
of an update, which is left undone, done, or torn: some of its bits have
changed. They are spread over all operations, the erases, the records, and the
operations in the place where the application runs, which are those of the
exchange. Half of the random cuts come at any moment, half while the images
are exchanged; an operation that was under way may be torn further. RAM is
noise at every start.

After each cut the board must start a firmware that is, byte for byte, the old
one or the new one; its security counter is that of what is confirmed; some
are cut again while they recover; and in the end a good update must succeed. A
third of the updates are of a firmware that fails its self-test: then the old
one must come back first.

A case that fails leaves the flash with which it failed in the work folder.
Each case depends on the seed and its number, as far as a machine's own speed
lets it.
"""
import os
import sys
import time

import common
import mps2_rig
from common import GIVE_UP_SECONDS, Campaign, Failure, expect, finish
from mps2_rig import emulator

CLASSES = {mps2_rig.ALL: "all", mps2_rig.ERASES: "erases", mps2_rig.RECORDS: "records", mps2_rig.PRIMARY: "exchange"}
PAUSE = 1000  # makes an erase of 4 KB take some milliseconds
OPERATIONS = {mps2_rig.PROGRAM: "a unit", mps2_rig.ERASE: "an erase"}


class BoardCampaign(Campaign):
    def __init__(self, options, firmware):
        super().__init__(options, firmware)
        self.lengths = {}
        self.exchanges = {}  # seconds from an update's first operation in the primary area to the last one

    def board(self, name, flash):
        return mps2_rig.Board(self.firmware, flash, os.path.join(self.options.work, name))

    def switch_on(self, board, chance):
        self.start(board, chance)

    def start(self, board, chance, **watch):
        board.watch(**watch)
        board.start(ram=common.noise(chance, emulator.RAM_SIZE))

    # ---- before the first cut ----

    def prepare(self):
        """Boards to cut: one fresh from the factory, and two with a history in their journal, one for each bank."""
        flash = self.firmware.factory(self.OLD)
        self.starts.append(flash)
        with self.board("prepare", flash) as board:
            for _ in range(2):
                board.start()
                self.update(board, self.OLD, "--reinstall")
                board.cut()
                self.starts.append(board.flash)
            for package in (self.NEW, self.BROKEN):
                board.flash = self.starts[-1]
                self.measure(board, package)

    def measure(self, board, package):
        board.watch(pause=PAUSE)
        board.start()
        process = self.host.start(board, self.firmware.package(package))
        begin = last = None
        seen = 0
        while process.poll() is None:
            now = board.watched()["count"][mps2_rig.PRIMARY]
            if now != seen:
                seen, last = now, time.monotonic()
                begin = begin or last
            time.sleep(0.001)
        watched = board.watched()
        expect("refused flash operations", watched["refused"], 0)
        self.lengths[package] = watched["count"]
        self.exchanges[package] = last - begin
        print(f"{package}: flash operations: " +
              ", ".join(f"{name} {watched['count'][which]}" for which, name in CLASSES.items()) +
              f"; in the primary area for {last - begin:.2f} s")
        board.cut()

    # ---- one case ----

    def cut_exactly(self, board, chance, package, number):
        which = number % len(CLASSES)
        self.start(board, chance, stop_class=which, stop_at=chance.randint(1, self.lengths[package][which]))
        process = self.host.start(board, self.firmware.package(package))
        end = time.monotonic() + GIVE_UP_SECONDS
        while not board.watched()["stopped"] and process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        stopped = board.watched()["stopped"]
        board.cut()
        finish(process)
        if not stopped: # this time it took fewer operations
            self.count("updates that ended before their cut")
            return
        how = chance.choice(("before", "torn", "after"))
        self.count(f"exact cuts: {OPERATIONS[board.leave_under_way(how, chance)]}, {how}")
        self.count(f"exact cuts: of {CLASSES[which]}")

    def cut_at_random(self, board, chance, package, seconds):
        self.start(board, chance, pause=PAUSE)
        process = self.host.start(board, self.firmware.package(package))
        if chance.random() < 0.5:
            end = time.monotonic() + GIVE_UP_SECONDS
            while (board.watched()["count"][mps2_rig.PRIMARY] == 0 and process.poll() is None
                   and time.monotonic() < end):
                time.sleep(0.001)
            seconds = self.exchanges[package]
        time.sleep(chance.uniform(0, seconds))
        board.cut()
        finish(process)
        self.count("random cuts")
        if board.leave_under_way(chance.choice(("before", "torn")), chance) != mps2_rig.NONE:
            self.count("random cuts within a flash operation")

    # ---- after it ----

    def which(self, board, names):
        for name in names:
            if board.holds(emulator.PRIMARY, self.firmware.image(name)):
                return name
        raise Failure(f"what is in the primary area is none of {', '.join(names)}")

    def check(self, board, status, name):
        expect("refused flash operations", board.watched()["refused"], 0)
        if status["version"] == "2.0.0":
            expect("counter", status["counter"], *((2,) if status["state"] == "confirmed" else (1, 2)))
        else:
            expect("counter", status["counter"], 1)


def main():
    options = common.parsed(common.campaign_arguments(__doc__))
    return BoardCampaign(options, mps2_rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
