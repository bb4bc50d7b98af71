#!/usr/bin/env python3
"""Whether the STM32F407's bootloader and application start, on QEMU's STM32F405.

    start.py --firmware DIR --tandem COMMAND --life PROGRAM --work DIR [NAME...]

QEMU has the processor, its vectors and the UART, but not the flash interface:
what is programmed is lost. So what happens to the flash happens on the model
of its registers, and what that leaves is started here. And QEMU's processor
always runs at 168 MHz, where this firmware leaves the chip at 16: the board's
time goes ten times as fast.
"""
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path += [os.path.join(ROOT, "examples"), os.path.join(ROOT, "tests", "mcu")]
import common  # noqa: E402
import machine  # noqa: E402
from common import Failure, Tests, expect  # noqa: E402

# As examples/stm32f407/firmware/layout.h has it, in bytes from the flash's begin.
SIZE, APPLICATION, MANIFEST = 0x100000, 0x10000, 0x7F000
ADDRESS = 0x08000000
UART = 1  # USART2 is the second
ERROR_FLASH = 0x20
RECOVERY_NOT, RECOVERY_NOTHING, RECOVERY_DOUBT = 0, 1, 4


class Board(machine.Machine):
    """A board with that flash."""

    def __init__(self, flash, folder):
        os.makedirs(folder, exist_ok=True)
        super().__init__("stm32f407", folder)
        self.flash = flash

    def start(self):
        with open(self.path("flash"), "wb") as file:
            file.write(self.flash)
        self.launch("-M", "netduinoplus2", "-kernel", self.path("flash"), uart=UART)


class StartTests(Tests):
    product = "stm32f407"

    def board(self, package=None, image=None):
        """A board with this image and this package's head; without them with nothing but the bootloader."""
        flash = bytearray(b"\xff" * SIZE)

        def put(place, data):
            flash[place:place + len(data)] = data

        put(0, self.firmware.read("bootloader.bin"))
        if package is not None:
            with open(package, "rb") as file:
                put(MANIFEST, machine.head_of(file.read()))
            put(APPLICATION, image)
        return Board(flash, self.folder())

    def changed(self, name, place, word, load=ADDRESS + APPLICATION):
        """A board with version 1, one word of whose vectors is another; signed so."""
        image = self.firmware.read("v1_app.bin")
        image = image[:place] + word.to_bytes(4, "little") + image[place + 4:]
        return self.board(self.pack(name, "1.0.0", [(image, f",load={load:#x}")]), image)

    def lived(self, *steps):
        """A board with version 1 on which this happened."""
        path = os.path.join(self.options.work, "flash")
        with open(path, "wb") as file:
            file.write(self.board().flash)
        command = [self.options.life, path, self.firmware.key + ".pub", "factory", self.firmware.package("v1"), "start"]
        subprocess.run([*command, *steps], check=True, stdout=subprocess.DEVNULL)
        with open(path, "rb") as file:
            return Board(file.read(), self.folder())

    def starts(self, board, version="1.0.0"):
        with board:
            board.start()
            status = self.host.status(board)
            expect("version", status["version"], version)
            # A stack at the very end of RAM runs over the boot report.
            expect("recovery", status["boot"].get("recovery", RECOVERY_NOT), RECOVERY_NOT)

    def recovers(self, board):
        """Nothing is started; the bootloader itself answers."""
        with board:
            board.start()
            status = self.host.status(board)
            expect("version", status["version"], "0.0.0")
            expect("recovery", status["boot"]["recovery"], RECOVERY_NOTHING)

    @staticmethod
    def wait(text, condition):
        end = time.monotonic() + 30
        while not condition():
            if time.monotonic() > end:
                raise Failure(text)
            time.sleep(0.1)

    # ---- the tests ----

    def restarted(self, board):
        board.ask("query-status")  # takes the events along
        return "RESET" in board.events

    def restarts(self, name, version):
        """Run an application for a while. Returns whether it restarted."""
        with self.board(self.firmware.package(name), self.firmware.read(name + "_app.bin")) as board:
            board.start()
            expect("version", self.host.status(board)["version"], version)
            time.sleep(1)
            return self.restarted(board)

    def test_application(self):
        """It runs, and its self-test is content with clock and interrupts."""
        expect("a restart", self.restarts("v1", "1.0.0"), False)

    def test_broken_application(self):
        expect("a restart", self.restarts("v3_broken", "3.0.0"), True)

    def test_nothing_there(self):
        self.recovers(self.board())

    def test_damaged(self):
        image = bytearray(self.firmware.read("v1_app.bin"))
        image[-1] ^= 1
        self.recovers(self.board(self.firmware.package("v1"), image))

    def test_stack_at_the_end_of_ram(self):
        self.starts(self.changed("end", 0, 0x20020000))

    def test_stack_beyond_ram(self):
        self.recovers(self.changed("beyond", 0, 0x20020008))

    def test_entry_in_the_bootloader(self):
        self.recovers(self.changed("entry", 4, ADDRESS + 0x189))

    def test_linked_for_the_store(self):
        self.recovers(self.changed("store", 0, 0x20020000, load=0x08080000))

    def test_updated(self):
        """What was received, copied and confirmed on the model."""
        self.starts(self.lived("receive", self.firmware.package("v2"), "start", "confirm"), "2.0.0")

    def test_cut_in_the_copy(self):
        """It cannot be gone on with here. What is half-written is not started."""
        self.recovers(self.lived("receive", self.firmware.package("v2"), "cut", "3000"))

    def test_never_confirmed(self):
        """Hosts have a moment, and then it is started all the same; it is broken, and restarts."""
        with self.lived("receive", self.firmware.package("v3_broken"), *["start"] * 4) as board:
            board.start()
            self.wait("the bootloader does not answer",
                      lambda: self.host.status(board)["boot"]["recovery"] == RECOVERY_DOUBT)
            expect("version", self.host.status(board)["version"], "3.0.0")
            board.ask("query-status")
            board.events.clear()
            self.wait("it is not started", lambda: self.restarted(board))

    def test_flash_that_fails(self):
        """What the flash does not take is said, and the application goes on."""
        with self.board(self.firmware.package("v1"), self.firmware.read("v1_app.bin")) as board:
            board.start()
            code, _ = self.host.run(board, "update", "--timeout", "20", self.firmware.package("v2"))
            expect("exit code", code, ERROR_FLASH)
            expect("version", self.host.status(board)["version"], "1.0.0")


def main():
    parser = common.test_arguments(__doc__)
    parser.add_argument("--life", required=True, help="the program of that name")
    options = common.parsed(parser)
    raise SystemExit(StartTests(options, common.Files(os.path.abspath(options.firmware))).run())


if __name__ == "__main__":
    main()
