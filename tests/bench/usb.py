#!/usr/bin/env python3
"""USB DFU: what a download costs, by dfu-util and by `tandem usb`, to the same
simulated device with the same flash.

At least two control transfers carry a block, its data and one look at the
status; what is above that is a host that asks too early. The flash's own time
is the least that a download can take; the simulated bus takes none.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "usb_dfu"))
from rig import Device, Programs  # noqa: E402

IDS = "1209:0001,1209:0002"
FLASHES = (("fast", {"erase_us": 1000, "program_ns": 200}), ("slow", {"erase_us": 30000, "program_ns": 10000}))

parser = argparse.ArgumentParser()
for option in ("--device", "--shim", "--dfu-util", "--tandem", "--work"):
    parser.add_argument(option, required=True)
arguments = parser.parse_args()
device = Device(arguments.device, arguments.work)
programs = Programs(device, arguments.shim)
package = device.path("new.tdm")
size = os.path.getsize(package)
hosts = (("dfu-util", [arguments.dfu_util, "-d", IDS, "-D", package]),
         ("tandem usb", [arguments.tandem, "usb", "download", "--device", IDS, package]))

print(f"USB DFU, {size} bytes; transfers are from choosing the interface to leaving DFU mode, time is that of the blocks")
print(f"{'flash':6}{'block':>6}  {'host':12}{'transfers':>10}{'a block':>9}{'bytes each':>12}{'ms':>8}{'flash ms':>10}")
for flash, times in FLASHES:
    for block in (64, 512, 2048, 4096):
        for name, command in hosts:
            device.be(alternates=1, block=block, leave_ms=200, **times)
            programs.run(*command)
            state = device.state()
            device.runs(2)
            print(f"{flash:6}{block:6}  {name:12}{state['transfers']:10}{state['transfers'] / state['blocks']:9.2f}"
                  f"{size / state['transfers']:12.0f}{state['us'] / 1000:8.0f}{state['busy'] / 1000:10.0f}")
device.close()
