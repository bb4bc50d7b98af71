#!/usr/bin/env python3
"""`tandem usb` against the device half: through the libusb port and a
replacement of libusb, judged by the device's flash."""
import argparse
import os

from rig import Device, Programs, expect, run_tests

RUNTIME, DFU = 0, 1
CAN_DOWNLOAD, CAN_UPLOAD, TOLERANT, WILL_DETACH = 1, 2, 4, 8
IDS = "1209:0001,1209:0002"
TARGET, DIGEST, TRUNCATED, KEY, UNSIGNED, DISCONNECTED = 80, 68, 49, 65, 64, 35

parser = argparse.ArgumentParser()
for option in ("--device", "--shim", "--tandem", "--dfu-suffix", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("--dfuse-pack", default="")
arguments = parser.parse_args()
device = Device(arguments.device, arguments.work)
programs = Programs(device, arguments.shim)


def usb(*words, codes=(0,)):
    return programs.run(arguments.tandem, "usb", *words, codes=codes)


def download(name, *options, codes=(0,)):
    return usb("download", "--device", IDS, *options, device.path(name), codes=codes)


def test_list():
    device.be(dfu=RUNTIME)
    usb("list").says("1209:0001", "run-time mode", "serial 4711")
    device.be(dfu=DFU)
    usb("list").says("1209:0002", "DFU mode", "alt 0: Firmware", "alt 1: Settings")


def test_detach():
    for attributes in (CAN_DOWNLOAD | TOLERANT, CAN_DOWNLOAD | TOLERANT | WILL_DETACH):
        device.be(dfu=RUNTIME, attributes=attributes, alternates=1)
        usb("detach", "--device", IDS)
        device.wait(lambda state: state["mode"] == DFU and state["present"], "in DFU mode")


def test_download():
    """Some of all combinations; the others are tried where time is simulated too."""
    for version, attributes, mode in ((0x110, TOLERANT | WILL_DETACH, RUNTIME), (0x100, 0, RUNTIME),
                                      (0x11A, TOLERANT | WILL_DETACH, DFU)):
        device.be(version=version, attributes=attributes | CAN_DOWNLOAD, alternates=1, dfu=mode, block=2048)
        download("new.tdm").says("the device has taken them")
        device.runs(2, bank=1)


def test_alternate_settings():
    device.be()
    download("new.tdm", "--alt", "Firmware", "--serial", "4711")
    device.runs(2)
    device.be()
    download("new.tdm", "--alt", "1", codes=None)
    device.runs(1)


def test_refused():
    """The exit code is the reason."""
    new = device.read("new.tdm")
    last = bytearray(new)
    last[-1] ^= 1
    device.write("last.tdm", last)
    device.write("short.tdm", new[:-500])
    device.write("raw.bin", bytes(range(1, 251)) * 20)
    for name, code in (("other.tdm", TARGET), ("stranger.tdm", KEY), ("last.tdm", DIGEST), ("short.tdm", TRUNCATED),
                       ("raw.bin", UNSIGNED)):
        device.be()
        download(name, codes=(code,)).says("the device says")
        device.runs(1)
    device.be(unsigned=1)
    download("raw.bin")
    expect("first bytes of what runs", device.first_bytes(), "01020304")
    device.be(unsigned=1, battery_at_end=5)
    download("raw.bin", codes=(96,)).says("battery too low")
    device.runs(1)
    device.be()
    usb("download", "--device", "1209:0001,1209:7777", device.path("new.tdm"), codes=(DISCONNECTED,))
    expect("blocks", device.state()["blocks"], 0)


def test_suffix():
    for product, code in (("0002", 0), ("ffff", 0), ("0001", 0), ("7777", TARGET)):
        device.be()
        copy = device.write("new.dfu", device.read("new.tdm"))
        programs.run(arguments.dfu_suffix, "-v", "1209", "-p", product, "-a", copy)
        download("new.dfu", codes=(code,))
        device.runs(1 if code else 2)
    device.be()
    damaged = bytearray(device.read("new.dfu"))
    damaged[50] ^= 1
    device.write("damaged.dfu", damaged)
    download("damaged.dfu", codes=(DIGEST,))
    expect("blocks", device.state()["blocks"], 0)


def test_dfuse_file():
    if not arguments.dfuse_pack:
        return
    device.be(version=0x11A)
    packed = device.path("new.dfuse")
    programs.run(arguments.dfuse_pack, "-b", f"0x08000000:{device.path('new.tdm')}", "-D", "0x1209:0x0002", packed)
    download("new.dfuse").says("the device has taken them")
    device.runs(2)


def test_upload():
    for version, block in ((0x110, 64), (0x110, 2048), (0x11A, 1024)):
        device.be(version=version, block=block)
        usb("upload", "--device", IDS, "--alt", "Settings", "--size", "2048", "--force", device.path("settings.bin"))
        expect("what was read", device.read("settings.bin").hex(), device.order("settings"))
        usb("upload", "--device", IDS, "--alt", "0", device.path("secret.bin"), codes=None)
        device.runs(1)
        expect("firmware was shown", "secret.bin" in os.listdir(device.work), False)


def test_unplugged():
    """The cable is pulled at a block; the command goes on by itself when the device is back."""
    for at in (1, 6, 10):
        device.be(unplug_at=at, cut_ops=at * 5 % 23)
        download("new.tdm")
        device.runs(2)


run_tests([(name[5:].replace("_", " "), test) for name, test in list(globals().items()) if name.startswith("test_")],
          device)
