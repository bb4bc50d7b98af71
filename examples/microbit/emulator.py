"""The micro:bit in QEMU, with a flash that outlives the process.

QEMU keeps the board's flash in its own memory and fills it with zeros. So a
board is started stopped, the whole flash is written through the debugger's
door, and it is read back before the process ends. What QEMU cannot do is take
time for an erase, or be cut short in one: a user of this module can put the
traces of that into the flash's bytes between two starts.
"""
import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from machine import Machine, QEMU, available, connect, head_of  # noqa: E402, F401

FLASH_SIZE = 0x40000
RAM = 0x20000000
RAM_SIZE = 0x4000
PAGE = 0x400
JOURNAL = (0x8000, 0x1000)
MANIFESTS = (0x9000, 0x9400)
BANKS = (0xA000, 0x25000)
BUTTON_A = 17  # its pin, low when held


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


class Board(Machine):
    """One emulated board. `flash` is its contents whenever it is off."""

    def __init__(self, flash, plugin=None, folder=None):
        super().__init__("microbit", folder)
        self.flash = bytes(flash)
        self.plugin = plugin  # a value for QEMU's -plugin
        self.button = False  # whether button A is held at power-on, and until the board resets itself

    def start(self, ram=None):
        """Switch on. `ram`: what the RAM holds then; zeros if not given."""
        self.launch("-M", "microbit", "-accel", "tcg", "-S", "-gdb", f"unix:{self.path('debug')},server=on,wait=off",
                    "-qtest", f"unix:{self.path('pins')},server=on,wait=off", "-qtest-log", "none",
                    *(["-plugin", self.plugin] if self.plugin else []))
        debugger = Debugger(self.path("debug"))
        debugger.write(0, self.flash)
        if ram is not None:
            debugger.write(RAM, ram)
        self.ask("system_reset")  # the CPU fetches stack and entry anew
        self.wait_for("RESET")
        if self.button:
            self.pull(BUTTON_A)
        debugger.let_go()
        self.keep_awake()

    def pull(self, pin):
        """Pull a pin to ground."""
        pins = connect(self.path("pins"))
        pins.sendall(b"set_irq_in /machine/nrf51 unnamed-gpio-in %d 0\n" % pin)
        answer = pins.recv(100)
        pins.close()
        if answer != b"OK\n":
            raise OSError(f"QEMU did not pull pin {pin}: {answer}")

    def memory(self, address, size):
        """Read memory of the running board."""
        path = self.path("memory")
        self.ask("memsave", val=address, size=size, filename=path)
        with open(path, "rb") as file:
            return file.read()

    def cut(self):
        """Switch off without warning. `flash` then holds what was in it at that moment."""
        try:
            if self.alive():
                self.ask("stop")
                self.flash = self.memory(0, FLASH_SIZE)
        finally:
            self.kill()
