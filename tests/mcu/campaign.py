#!/usr/bin/env python3
"""Cut the power of an emulated micro:bit in the middle of updates.

    campaign.py --firmware DIR --tandem COMMAND --plugin cut.so --work DIR
                [--exact N] [--random N] [--recovery N] [--seed S] [--jobs J]
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

Cuts of the kind "recovery" are exact too, and come while the bootloader itself takes an update because nothing can be
started. After each, either the new firmware runs, or the bootloader still recovers.

A case that fails leaves the flash with which it failed in the work folder.
Each case depends on the seed and its number, as far as a machine's own speed
lets it.
"""
import os
import random
import sys
import time

import common
import rig
from common import GIVE_UP_SECONDS, Campaign, Failure, finish
from rig import emulator


class BoardCampaign(Campaign):
    def __init__(self, options, firmware):
        super().__init__(options, firmware)
        self.lengths = {}
        self.wrecks = []  # flashes from which nothing starts

    def board(self, name, flash):
        return rig.Board(flash, self.options.plugin, os.path.join(self.options.work, name))

    def switch_on(self, board, chance, options=""):
        board.start(ram=common.noise(chance, emulator.RAM_SIZE), options=options)

    # ---- before the first cut ----

    def prepare(self):
        """Boards to cut: one fresh from the factory, one with a history in its journal, one in the other bank."""
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
                board.start()
                self.host.run(board, "update", self.firmware.package(package), timeout=GIVE_UP_SECONDS)
                seen = board.watched()
                if seen["forbidden"] != 0:
                    raise Failure(f"{seen['forbidden']} accesses to registers that the chip does not have")
                self.lengths[package] = seen
                print(f"{package}: {seen['all']} flash operations, of which {seen['erases']} are erases and"
                      f" {seen['records'] - seen['erases']} concern journal and manifests")
                board.cut()
            self.prepare_recovery(board)

    def prepare_recovery(self, board):
        """Boards that have nothing to start: never had, lost it, and lost the journal too."""
        damaged = rig.damage(self.starts[-1], 0, 1)
        start, size = emulator.JOURNAL
        noise = common.noise(random.Random(self.options.seed), size)
        self.wrecks = [self.firmware.factory(), rig.damage(self.firmware.factory(self.OLD), 0), damaged,
                       damaged[:start] + noise + damaged[start + size:]]
        board.flash = damaged
        board.start()
        self.update(board, self.NEW)
        self.lengths["recovery"] = board.watched()
        board.cut()

    # ---- one case ----

    def cut_exactly(self, board, chance, package, number):
        """Run an update up to one of its flash operations."""
        self.cut_at(board, chance, package, self.lengths[package], number)

    def cut_at(self, board, chance, package, length, number):
        """Cut in one of so many operations."""
        which = ("all", "records", "all", "erases")[number % 4]
        at = chance.randint(1, length[which])
        before = board.flash
        self.switch_on(board, chance, f",at={at}" + (f",only={which}" if which != "all" else ""))
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
        self.switch_on(board, chance)
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

    def cases(self):
        return super().cases() + [("recovery", i) for i in range(self.options.recovery)]

    def case(self, kind, number):
        if kind != "recovery":
            return super().case(kind, number)
        chance = random.Random(f"{self.options.seed}/{kind}/{number}")
        wreck = chance.randrange(len(self.wrecks))

        def live(board):
            for again in range(chance.choice((1, 1, 2))):
                self.cut_at(board, chance, self.NEW, self.lengths["recovery"], number + again)
            board.switched_on_with = board.flash
            self.heals(board, chance)

        return self.guarded(f"{kind}/{number}", self.wrecks[wreck], f"from wreck {wreck}", live)

    def heals(self, board, chance):
        """It recovers, or runs the new firmware; and a good update succeeds."""
        self.switch_on(board, chance)
        said = self.host.status(board)
        if said["boot"]["recovery"] == rig.NO_RECOVERY:
            self.which(board, (self.NEW,))
            self.count("started the new firmware, where nothing had started")
        elif said["boot"]["recovery"] == rig.NOTHING:
            self.count("recovered once more")
        else:
            raise Failure(f"it says {said}")
        self.update(board, self.NEW)
        self.which(board, (self.NEW,))
        self.check(board, self.host.status(board), self.NEW)
        board.cut()

    # ---- after it ----

    def which(self, board, names):
        return rig.running_bank(board, self.firmware, names)[1]

    def check(self, board, status, name):
        if name is not None:
            bank, _ = rig.running_bank(board, self.firmware, (name,))
            if status["bank"] != bank:
                raise Failure(f"bank {bank} runs, and it says {status}")
        if board.watched()["forbidden"] != 0:
            raise Failure("an access to a register that the chip does not have")


def main():
    parser = common.campaign_arguments(__doc__)
    parser.add_argument("--plugin", required=True, help="cut.c, compiled")
    parser.add_argument("--recovery", type=int, default=200, help="cuts at exact operations of a recovery (200)")
    options = common.parsed(parser)
    return BoardCampaign(options, rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
