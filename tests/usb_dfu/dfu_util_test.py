#!/usr/bin/env python3
"""The unmodified dfu-util and dfu-suffix against the device half.

What became of the device is read from its flash, by starting it anew; what
dfu-util says is compared with what it is known to say, for its exit code is
no proof either way.
"""
import argparse
import itertools
import os

from rig import Device, Failure, Programs, expect, run_tests

RUNTIME, DFU = 0, 1
CAN_DOWNLOAD, CAN_UPLOAD, TOLERANT, WILL_DETACH = 1, 2, 4, 8
IDS = "1209:0001,1209:0002"

parser = argparse.ArgumentParser()
for option in ("--device", "--shim", "--dfu-util", "--dfu-suffix", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("--every-block", action="store_true", help="lose power at every block, not only at some")
arguments = parser.parse_args()
device = Device(arguments.device, arguments.work)
programs = Programs(device, arguments.shim)


def dfu_util(*options, codes=(0,), ids=IDS):
    chosen = ("-d", ids) if ids else ()
    return programs.run(arguments.dfu_util, *chosen, "-E", "1", *options, codes=codes)


def suffixed(name, vendor="1209", product="0002", release="0100"):
    """A copy of a file with a suffix, by dfu-suffix."""
    copy = device.write("suffixed-" + name, device.read(name))
    programs.run(arguments.dfu_suffix, "-v", vendor, "-p", product, "-d", release, "-a", copy)
    return copy


def test_list():
    device.be(dfu=RUNTIME)
    dfu_util("-l").says("Found Runtime: [1209:0001]", 'name="Firmware"', 'serial="4711"')
    device.be(dfu=DFU)
    result = dfu_util("-l")
    result.says("Found DFU: [1209:0002]", 'alt=1, name="Settings"', 'alt=0, name="Firmware"')


def test_detach():
    for attributes in (CAN_DOWNLOAD | TOLERANT, CAN_DOWNLOAD | TOLERANT | WILL_DETACH):
        device.be(dfu=RUNTIME, attributes=attributes, alternates=1)
        dfu_util("-e")
        device.wait(lambda state: state["mode"] == DFU and state["present"], "in DFU mode")
        dfu_util("-a", "0", "-e", codes=None)  # and back, by a DETACH in DFU mode
        device.wait(lambda state: state["mode"] == RUNTIME, "back in run-time mode")


def test_download():
    """Attributes, block sizes, ways to choose the alternate setting."""
    for block, attributes in itertools.product((64, 1024, 4096, 8192),
                                               (TOLERANT | WILL_DETACH, TOLERANT)):
        device.be(block=block, attributes=attributes | CAN_DOWNLOAD, alternates=1)
        dfu_util("-D", device.path("new.tdm")).says("Done!")
        device.runs(2, bank=1)
    device.be()
    dfu_util("-a", "Firmware", "-D", suffixed("new.tdm")).says("Done!")
    device.runs(2, bank=1)
    device.be()
    dfu_util("-D", device.path("new.tdm"), codes=(74,)).says("More than one DFU capable USB device")
    device.runs(1)


def test_restarts_by_itself():
    """After an update the device leaves when nobody speaks to it any more."""
    device.be(leave_ms=300)
    dfu_util("-a", "0", "-D", device.path("new.tdm"))
    device.wait(lambda state: state["mode"] == DFU and state["programmed"] > 0
                and "restarts" in device.order("peek"), "restarted")
    device.runs(2)


def test_not_tolerant():
    """It waits for dfu-util's reset, and restarts in it: exit code 74 says nothing."""
    for attributes in (CAN_DOWNLOAD, CAN_DOWNLOAD | WILL_DETACH):
        device.be(attributes=attributes, alternates=1)
        result = dfu_util("-D", device.path("new.tdm"), codes=(0, 74))
        trace = device.trace()
        # On a slow machine a device that leaves by itself may be gone when dfu-util asks again.
        if not attributes & WILL_DETACH or "getstatus:8" in trace:
            result.says("Done!")
            expect("dfuMANIFEST-WAIT-RESET was told", "getstatus:8" in trace, True)
        device.runs(2)


def test_reset_after():
    device.be(alternates=1)
    dfu_util("-R", "-D", device.path("new.tdm"), codes=None).says("Done!")
    device.runs(2)


def test_runtime_to_dfu():
    """One process: it finds the product, detaches it, finds it again, sends."""
    for attributes in (CAN_DOWNLOAD | TOLERANT, CAN_DOWNLOAD | TOLERANT | WILL_DETACH):
        device.be(dfu=RUNTIME, attributes=attributes, alternates=1)
        dfu_util("-D", device.path("new.tdm")).says("Done!")
        device.runs(2)


def test_upload():
    for block in (64, 1024, 4096):
        device.be(block=block)
        target = device.path(f"settings-{block}.bin")
        dfu_util("-a", "1", "-U", target)
        expect("what was read back", device.read(f"settings-{block}.bin").hex(), device.order("settings"))
        secret = device.path(f"secret-{block}.bin")
        dfu_util("-a", "0", "-U", secret, codes=None)
        if os.path.exists(secret):
            expect("bytes of firmware that were shown", os.path.getsize(secret), 0)
        device.runs(1)


def test_suffix():
    """dfu-util itself refuses what is for another device; the suffix is not sent."""
    device.be(alternates=1)
    dfu_util("-D", suffixed("new.tdm", product="7777"), codes=(64,)).says("does not match device")
    dfu_util("-D", suffixed("new.tdm"), codes=(74,), ids="1209:0001,1209:7777").says("No DFU capable USB device")
    expect("blocks", device.state()["blocks"], 0)
    dfu_util("-D", suffixed("new.tdm"), ids=None).says("Done!")
    expect("blocks", device.state()["blocks"], -(-len(device.read("new.tdm")) // 1024))
    device.runs(2)
    device.be(alternates=1)
    damaged = bytearray(open(suffixed("new.tdm"), "rb").read())
    damaged[100] ^= 1  # dfu-util warns, and goes on
    dfu_util("-D", device.write("damaged.dfu", damaged), codes=None)
    device.runs(1)


def refused(file, status, code=None):
    result = dfu_util("-a", "0", "-D", file, codes=None)
    if "Done!" in result.text or (code is not None and result.code != code):
        raise Failure(f"dfu-util thinks that it went well, or ends with {result.code}:\n{result.text}")
    expect("status", device.state()["status"], status)
    expect("state", device.state()["state"], 10)


def test_refused():
    """Each is told before the end, and the next download is as good as the first."""
    new = device.read("new.tdm")
    flipped = bytearray(new)
    flipped[len(new) // 2] ^= 0x40
    last = bytearray(new)
    last[-1] ^= 0x01
    for name, file, status in (
            ("another product's", device.path("other.tdm"), 1),
            ("a stranger's", device.path("stranger.tdm"), 2),
            ("damaged in the middle", device.write("flipped.tdm", flipped), 2),
            ("damaged at the end", device.write("last.tdm", last), 2),
            ("cut short", device.write("short.tdm", new[:len(new) - 700]), 9),
            ("cut in its head", device.write("head.tdm", new[:300]), 9),
            ("no package", device.write("noise.bin", bytes(range(256)) * 20), 2)):
        device.be()
        try:
            refused(file, status)
        except Failure as error:
            raise Failure(f"{name}: {error}") from error
        dfu_util("-a", "0", "-D", device.path("new.tdm")).says("Done!")
        device.runs(2)
        device.be()
        dfu_util("-a", "0", "-D", file, codes=None)
        device.runs(1)


def test_bare():
    """Without a signature, where that is allowed."""
    image = bytes(range(1, 251)) * 30
    raw = device.write("raw.bin", image)
    device.be(unsigned=1)
    dfu_util("-a", "0", "-D", raw).says("Done!")
    expect("first bytes of what runs", device.first_bytes(), image[:4].hex())
    device.be(unsigned=0)
    refused(raw, 2)
    device.runs(1)
    device.be(unsigned=1)
    dfu_util("-a", "0", "-D", device.write("large.bin", bytes(9000)), codes=None)
    expect("status", device.state()["status"], 8)
    device.runs(1)


def test_manifestation_fails():
    """A package is known to be whole before the end: the empty block is stalled. A bare image is not: dfu-util takes
    the device's error for success, and only the device knows better."""
    device.be(battery_at_end=5)
    dfu_util("-a", "0", "-D", device.path("new.tdm"), codes=(74,)).says("Error sending completion packet")
    expect("status", device.state()["status"], 11)
    device.runs(1)
    device.be(unsigned=1, battery_at_end=5)
    result = dfu_util("-a", "0", "-D", device.write("raw.bin", bytes(range(1, 201)) * 20), codes=None)
    expect("state", device.state()["state"], 10)
    expect("dfu-util's exit code, which lies", result.code, 0)
    device.runs(1)


def test_unplugged():
    """Power fails at a block, between flash operations and in them; then the same package again."""
    blocks = -(-len(device.read("new.tdm")) // 1024)
    step = 1 if arguments.every_block else 3
    for at, ops in itertools.chain(((at, 0) for at in range(1, blocks + 1, step)),
                                   ((at, 1 + at * 7 % 30) for at in range(2, blocks + 1, step))):
        device.be(alternates=1, unplug_at=at, cut_ops=ops)
        dfu_util("-D", device.path("new.tdm"), codes=None)
        device.wait(lambda state: state["present"] and state["state"] == 2, "back")
        if "power-fails" not in device.order("trace"):
            continue  # fewer operations than that followed
        dfu_util("-D", device.path("new.tdm")).says("Done!")
        device.runs(2)
        device.be(alternates=1, unplug_at=at, cut_ops=ops)
        dfu_util("-D", device.path("new.tdm"), codes=None)
        if "power-fails" in device.order("trace"):
            device.runs(1)


def test_dfuse():
    new = device.path("new.tdm")
    for options in (("-s", "0x08000000:leave"), ("-s", "0x08000000:mass-erase:force:leave"), ("-s", "0x08000000")):
        device.be(version=0x11A)
        dfu_util("-a", "0", *options, "-D", new).says("File downloaded successfully")
        device.runs(2)
    device.be(version=0x11A)
    dfu_util("-a", "1", "-s", "0x09000000:2048", "-U", device.path("dfuse.bin"))
    expect("what was read back", device.read("dfuse.bin").hex(), device.order("settings"))
    for wrong in ("0x08000400", "0x07fffc00"):  # does not begin at the beginning; not there
        device.be(version=0x11A)
        result = dfu_util("-a", "0", "-s", wrong + ":leave", "-D", new, codes=None)
        if result.code == 0:
            raise Failure(f"dfu-util thinks that it went well:\n{result.text}")
        device.runs(1)
    device.be(version=0x11A)
    damaged = bytearray(device.read("new.tdm"))
    damaged[-1] ^= 1
    result = dfu_util("-a", "0", "-s", "0x08000000:leave", "-D", device.write("last.tdm", damaged), codes=None)
    expect("dfu-util noticed", result.code != 0, True)
    device.runs(1)


def test_dfu_1_0():
    """Two steps: dfu-util takes the interface of a DFU 1.0 device for a run-time one."""
    device.be(version=0x100, dfu=RUNTIME, alternates=1)
    dfu_util("-e")
    expect("mode", device.state()["mode"], DFU)
    dfu_util("-D", device.path("new.tdm"), ids="1209:0002").says("Done!")
    device.runs(2)


def test_strict():
    """dfu-util keeps to the times that it is told."""
    device.be(strict=1, erase_us=20000, alternates=1)
    dfu_util("-D", device.path("new.tdm")).says("Done!")
    device.runs(2)


run_tests([(name[5:].replace("_", " "), test) for name, test in list(globals().items()) if name.startswith("test_")],
          device)
