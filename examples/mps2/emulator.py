"""The MPS2 board in QEMU, with memory that is a file.

The board's PSRAM, in which its flash lies, is a file that QEMU maps. What the
firmware has stored there stays when the process is killed, without warning
and without any help: that is how the power fails here. The bootloader lies in
other memory, which QEMU fills at every reset; all other RAM is lost.
"""
import mmap
import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from machine import Machine, QEMU, available, head_of  # noqa: E402, F401

FLASH, FLASH_SIZE = 0x21000000, 0x74000
MANIFEST = 0x21004000
PRIMARY, STORE = 0x21010000, 0x21040000
SECTOR, LARGE_SECTOR, UNIT = 0x1000, 0x4000, 8
RAM, RAM_SIZE = 0x20000000, 0xFFC0  # without the words that bootloader and application share
MEMORY_SIZE = 0x1000000


def factory_flash(package=None, image=None):
    """A flash as it leaves the factory: empty, or with a firmware and its package's head."""
    flash = bytearray(b"\xff" * FLASH_SIZE)
    if package is not None:
        head = head_of(package)
        flash[MANIFEST - FLASH:MANIFEST - FLASH + len(head)] = head
        flash[PRIMARY - FLASH:PRIMARY - FLASH + len(image)] = image
    return bytes(flash)


class Board(Machine):
    """One emulated board. `memory` is the file, whether it is on or off."""

    def __init__(self, bootloader, flash=None, folder=None):
        super().__init__("mps2", folder)
        self.bootloader = bootloader
        with open(self.path("memory"), "ab") as file:
            file.truncate(MEMORY_SIZE)
        with open(self.path("memory"), "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), MEMORY_SIZE)
        if flash is not None:
            self.flash = flash

    def __exit__(self, *what):
        super().__exit__(*what)
        self.memory.close()

    @property
    def flash(self):
        """What is in the flash."""
        return self.memory[:FLASH_SIZE]

    @flash.setter
    def flash(self, contents):
        self.memory[:FLASH_SIZE] = contents

    def start(self, ram=None):
        """Switch on. `ram`: what the RAM holds at every reset; if not given, zeros at first, then what was there."""
        more = []
        if ram is not None:
            with open(self.path("ram"), "wb") as file:
                file.write(ram)
            more = ["-device", f"loader,file={self.path('ram')},addr={RAM:#x},force-raw=on"]
        self.launch("-M", "mps2-an385,memory-backend=psram", "-kernel", self.bootloader, *more, "-object",
                    f"memory-backend-file,id=psram,size={MEMORY_SIZE},mem-path={self.path('memory')},share=on")
        self.keep_awake()
