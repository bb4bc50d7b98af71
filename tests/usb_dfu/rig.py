"""The simulated device as tests see it, and the programs that are put on it."""
import os
import re
import shutil
import socket
import struct
import subprocess
import time


class Failure(Exception):
    """Something was not as it should be."""


def expect(what, value, *wanted):
    if value not in wanted:
        raise Failure(f"{what} is {value}, not {' or '.join(str(each) for each in wanted)}")


class Device:
    """The process of the simulated device, and orders to it."""

    def __init__(self, program, work, *more):
        self.work = work
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        # Paths of sockets are short, those of build folders may be long.
        self.socket = os.path.relpath(os.path.join(work, "bus"))
        self.process = subprocess.Popen([program, self.socket, work, *more], stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            raise Failure("the device does not start")
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.connect(self.socket)

    def close(self):
        self.link.close()
        self.process.kill()
        self.process.wait()

    def path(self, name):
        return os.path.join(self.work, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self.link.recv(size - len(data))
            if not part:
                raise Failure("the device has ended")
            data += part
        return data

    def order(self, text):
        data = text.encode()
        self.link.sendall(b"O\0" + struct.pack("<H6x", len(data)) + data)
        _, size = struct.unpack("<BH", self._receive(3))
        return self._receive(size).decode()

    def be(self, **options):
        """A new device, straight from the factory."""
        self.order("be" + "".join(f" {name}={value}" for name, value in options.items()))

    def _numbers(self, text):
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)(?!\w)", text)}

    def state(self):
        return self._numbers(self.order("state"))

    def trace(self):
        return self.order("trace").split()

    def runs(self, version, **more):
        """Judge by what the bootloader starts, once the power was off."""
        text = self.order("judge")
        found = self._numbers(text)
        expect(f"version that runs ({text})", found["version"], version)
        expect("rules of flash broken", found["violations"], 0)
        for name, value in more.items():
            expect(name, found[name], value)

    def first_bytes(self):
        return self.order("judge").rsplit("first=", 1)[1]

    def wait(self, condition, what, seconds=10):
        end = time.monotonic() + seconds
        while not condition(self.state()):
            if time.monotonic() > end:
                raise Failure(f"never {what}: {self.state()}")
            time.sleep(0.02)


class Result:
    """How a program ended."""

    def __init__(self, code, text):
        self.code = code
        self.text = text

    def says(self, *texts):
        for text in texts:
            if text not in self.text:
                raise Failure(f"does not say '{text}' but (exit code {self.code}):\n{self.text}")


class Programs:
    """Programs that believe in a USB bus."""

    def __init__(self, device, shim):
        self.environment = dict(os.environ, LD_LIBRARY_PATH=shim, TANDEM_USB_SOCKET=device.socket)

    def run(self, *command, codes=(0,), timeout=60):
        result = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=timeout, check=False)
        result = Result(result.returncode, result.stdout.decode(errors="replace"))
        if codes is not None and result.code not in codes:
            raise Failure(f"{' '.join(command)} ends with {result.code}:\n{result.text}")
        return result


def run_tests(tests, device):
    """Run them all; say how it went."""
    failed = 0
    for name, test in tests:
        begin = time.monotonic()
        try:
            test()
            print(f"ok     {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except (Failure, subprocess.TimeoutExpired, OSError) as error:
            failed += 1
            print(f"FAILED {name}: {error}\n  trace: {' '.join(device.trace()[-40:])}", flush=True)
    device.close()
    print(f"{len(tests)} tests, {failed} failures")
    raise SystemExit(1 if failed or not tests else 0)
