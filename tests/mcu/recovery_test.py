#!/usr/bin/env python3
"""What the micro:bit's bootloader does when it has nothing to start, or when
somebody wants it to take an update itself.

    recovery_test.py --firmware DIR --tandem COMMAND --plugin cut.so --work DIR [NAME...]

Each test starts from a flash as it could be in the field. In the end the
board runs a good firmware, by no other means than `tandem update`.
"""
import sys
import time

import common
import rig
from common import DIGEST, GIVE_UP_SECONDS, NO_FIRMWARE, REFUSED_KEY, Failure, expect, finish
from rig import CONFIRMED, FIRST, PIN, REQUEST, RESTARTS, WENT_BACK, damage, emulator, place

SILENCE_SECONDS = 3  # of bootloader_once


class RecoveryTests(rig.BoardTests):
    def used_flash(self):
        """The flash of a board that runs version 2, and has version 1 in its other bank."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.updates(board, "v2")
            board.cut()
            return board.flash

    # ---- nothing starts ----

    def test_virgin(self):
        """A board with nothing but its bootloader takes its first firmware over the UART."""
        with self.board(self.firmware.factory()) as board:
            expect("what is wrong", self.heals(board, "v1"), NO_FIRMWARE)

    def test_both_damaged(self):
        with self.board(damage(self.used_flash(), 0, 1)) as board:
            expect("what is wrong", self.heals(board), DIGEST)

    def test_both_erased(self):
        """The journal remembers two firmwares, and there is none."""
        flash = bytearray(self.used_flash())
        for at in (*emulator.MANIFESTS, *range(emulator.BANKS[0], emulator.FLASH_SIZE, emulator.PAGE)):
            flash[at:at + emulator.PAGE] = b"\xff" * emulator.PAGE
        with self.board(flash) as board:
            expect("what is wrong", self.heals(board), NO_FIRMWARE)

    def test_heads_damaged(self):
        flash = bytearray(self.used_flash())
        for at in emulator.MANIFESTS:
            flash[at + 50] ^= 1
        with self.board(flash) as board:
            self.heals(board)

    def test_confirmed_damaged_other_absent(self):
        with self.board(self.firmware.factory("v1")) as board:
            board.start()
            self.runs(board, "v1", "idle")
            board.cut()
            board.flash = damage(board.flash, 0)
            expect("what is wrong", self.heals(board), DIGEST)

    def test_journal_lost(self):
        """Noise in place of the journal: two good firmwares are found without it, and so is that there is none."""
        flash = bytearray(self.used_flash())
        start, size = emulator.JOURNAL
        flash[start:start + size] = common.noise(self.chance, size)
        with self.board(flash) as board:
            board.start()
            self.runs(board, "v2")  # the newer one, which proved itself once more
            board.cut()
            board.flash = damage(flash, 0, 1)
            expect("what is wrong", self.heals(board), DIGEST)
            board.flash = damage(flash, 0, 1)[:start] + bytes(size) + damage(flash, 0, 1)[start + size:]
            expect("what is wrong", self.heals(board), DIGEST)

    def test_lost_trial(self):
        """Both firmwares go bad in the middle of a trial."""
        with self.board(self.firmware.factory("v1")) as board:
            self.begin_trial(board)
            board.cut()
            board.flash = damage(board.flash, 0, 1)
            self.heals(board)

    def test_strangers(self):
        """What another key signed is not started, and not taken in its place either."""
        images = [(self.firmware.image("v2", bank), "") for bank in (0, 1)]
        package = self.pack_banks("stranger", "2.0.0", images, self.stranger())
        with self.board(place(self.firmware.factory(), package, images[0][0])) as board:
            board.start()
            expect("what is wrong", self.in_recovery(board), REFUSED_KEY)
            before = board.memory(0, emulator.FLASH_SIZE)
            expect("exit code", self.host.run(board, "update", package)[0], REFUSED_KEY)
            if board.memory(0, emulator.FLASH_SIZE) != before:
                raise Failure("flash was written for a stranger's package")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_restarts(self):
        """A firmware that never gets well, and nothing to go back to: the bootloader does not try for ever."""
        with self.board(self.firmware.factory()) as board:
            board.start()
            self.host.run(board, "update", self.firmware.package("v3_broken"))
            self.until(board, lambda _: rig.report(board)["recovery"] == RESTARTS)
            self.in_recovery(board, RESTARTS, "3.0.0")
            self.updates(board, "v4")
            self.runs(board, "v4")

    def test_host_leaves(self):
        """Half an update, the power, another host: it goes on in the middle."""
        with self.board(damage(self.used_flash(), 0, 1)) as board:
            board.start(options=",word=46,erase=22000")
            self.in_recovery(board)
            process = self.host.start(board, self.firmware.package("v2"))
            end = time.monotonic() + GIVE_UP_SECONDS
            while board.watched()["all"] < 4000 and time.monotonic() < end:
                time.sleep(0.01)
            finish(process)
            board.cut()
            board.start()
            self.in_recovery(board)
            if self.host.status(board).get("resume_offset", 0) < 8192:
                raise Failure("what was received is lost")
            self.updates(board, "v2")
            self.runs(board, "v2")

    # ---- somebody wants it ----

    def test_button(self):
        """Button A at reset: the bootloader takes an update although there is a firmware."""
        with self.board(self.firmware.factory("v1")) as board:
            board.button = True
            board.start(ram=self.noise())
            self.in_recovery(board, PIN, "1.0.0")
            expect("reason", rig.report(board)["reason"], FIRST)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_button_on_trial(self):
        """Button A during a trial: the trial is lost, else no update would be taken."""
        with self.board(self.firmware.factory("v1")) as board:
            self.begin_trial(board)
            board.cut()
            board.button = True
            board.start()
            self.in_recovery(board, PIN, "1.0.0")
            expect("reason", rig.report(board)["reason"], WENT_BACK)
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_request(self):
        """The application can be asked to make way for the bootloader's recovery. That counts for one start."""
        with self.board(self.firmware.factory("v1")) as board:
            board.start(ram=self.noise())
            self.runs(board, "v1", "idle")
            common.ask_for_recovery(board)
            self.until(board, lambda vectors: vectors < emulator.JOURNAL[0])
            self.in_recovery(board, REQUEST, "1.0.0")
            self.updates(board, "v2")
            self.runs(board, "v2")

    def test_silence(self):
        """Nobody comes: the firmware is started after all, whatever noise there is on the line."""
        with self.board(self.firmware.factory("v1", "bootloader_once")) as board:
            board.button = True
            board.start()
            self.in_recovery(board, PIN, "1.0.0")
            begin = time.monotonic()
            line = emulator.connect(board.serial[5:])
            while board.vectors() < emulator.JOURNAL[0] and time.monotonic() - begin < 5 * SILENCE_SECONDS:
                line.sendall(common.noise(self.chance, 50))
                time.sleep(0.05)
            line.close()
            if not SILENCE_SECONDS - 1 < time.monotonic() - begin < SILENCE_SECONDS + 5:
                raise Failure(f"it took {time.monotonic() - begin:.1f} s")
            self.runs(board, "v1", "idle")
            expect("reason", rig.report(board)["reason"], CONFIRMED)
            expect("starts", rig.report(board)["starts"], 2)
        with self.board(self.firmware.factory(bootloader="bootloader_once")) as board:
            board.start()
            self.in_recovery(board)
            time.sleep(SILENCE_SECONDS + 1)  # there is nothing to leave for
            self.in_recovery(board)
            expect("starts", rig.report(board)["starts"], 1)

    def until(self, board, holds):
        """Wait until something holds of whose vectors are in use."""
        end = time.monotonic() + 20
        while not holds(board.vectors()):
            if time.monotonic() > end:
                raise Failure(f"interrupts still go to {board.vectors():#x}, {rig.report(board)}")
            time.sleep(0.02)


def main():
    parser = common.test_arguments(__doc__)
    parser.add_argument("--plugin", required=True, help="cut.c, compiled")
    options = common.parsed(parser)
    return RecoveryTests(options, rig.Firmware(options.firmware)).run()


if __name__ == "__main__":
    sys.exit(main())
