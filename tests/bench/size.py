#!/usr/bin/env python3
"""What Tandem costs on a device: code by part, RAM, the deepest stack.

The device half is linked for each processor with nothing but the four mem
functions and the compiler's own helpers: -nostdlib, sections that nobody
needs left out. A bootloader, an application and both together are measured,
built as a product with Ed25519 keys would (see PRODUCT).
Fails above the limits in limits.json. An aim there is where the limit is to go.

Usage: size.py WORK-FOLDER [PROCESSOR...]
"""

import json
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "house"))
import objects  # noqa: E402

DEVICE_PARTS = ("engine", "package", "device", "link", "link_device")

# How a product is built: one algorithm, and a layout that has been checked.
PRODUCT = ("-DTANDEM_CONFIG_P256=0", "-DTANDEM_CONFIG_LAYOUT_WORDS=0")

# What a product calls. The linker keeps these and what they need.
BOOT = ["tandem_boot_decide"]
APPLICATION = ["tandem_install_init", "tandem_install_confirm", "tandem_install_erase_idle",
               "tandem_link_service_init", "tandem_link_device_init", "tandem_link_device_receive",
               "tandem_link_device_disconnected", "tandem_link_device_poll"]
STREAM = ["tandem_stream_init", "tandem_stream_packets", "tandem_stream_receive", "tandem_stream_poll",
          "tandem_stream_reset", "tandem_stream_receive_max"]
EVERYTHING = BOOT + APPLICATION + STREAM
PROGRAMS = [("boot", BOOT), ("application", APPLICATION), ("everything", EVERYTHING)]

# By the beginnings of files' names.
ROWS = [
    ("engine: Ed25519, SHA-512", ("ed25519", "edwards", "field", "number", "window", "sha512")),
    ("engine: SHA-256, CRC, rest", ("sha256", "crc", "hmac", "md5", "secure")),
    ("engine: P-256", ("p256",)),
    ("package, versions", ("package", "version")),
    ("flash, journal, banks", ("flash", "journal", "bank", "device")),
    ("install", ("install",)),
    ("boot", ("boot",)),
    ("link", ("link",)),
    ("link over byte streams", ("stream",)),
    ("compiler's helpers", ("libgcc",)),
]

# RAM that a product sets aside: one of each.
STATE = ["tandem_install", "tandem_link_service", "tandem_link_device", "tandem_stream"]
ALSO = ["tandem_boot", "tandem_bank", "tandem_sha256"]

# Stack of what others compiled, in bytes, on the safe side.
HELPER_STACK = 64


def link(target, compiled, entries, output):
    """Link and return the map's text."""
    tool = objects.TARGETS[target]
    command = [tool["prefix"] + "gcc", *tool["flags"], "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,0",
               "-Wl,-Map=" + output + ".map", "-o", output]
    command += [f"-Wl,-u,{entry}" for entry in entries]
    command += [f"-Wl,--defsym,{name}=0" for name in ("memcpy", "memmove", "memset", "memcmp")]
    objects.run(*command, *compiled.values(), "-lgcc")
    with open(output + ".map", encoding="utf-8") as file:
        return file.read()


def row_of(file):
    """The row that a source file counts in."""
    for name, beginnings in ROWS:
        if any(file == beginning or file.startswith(beginning + "_") for beginning in beginnings):
            return name
    return "other"


def code_by_row(text):
    """{row: bytes} of what the map kept."""
    text = text[text.index("Linker script and memory map"):]
    sizes = {}
    # .comment and .debug sections are not on the device.
    for size, file in re.findall(r"^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", text, re.M):
        name = row_of("libgcc" if "libgcc" in file else re.sub(r".*src_(core|transport_link)_(.*)\.o", r"\2", file))
        sizes[name] = sizes.get(name, 0) + int(size, 16)
    return sizes


def sizes_of(target, structs, folder):
    """{struct: bytes} as the processor lays them out."""
    source = os.path.join(folder, "sizes.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write('#include "tandem/tandem.h"\n')
        for struct in structs:
            file.write(f"extern const unsigned char size_{struct}[sizeof(struct {struct})];\n"
                       f"const unsigned char size_{struct}[sizeof(struct {struct})] = {{1}};\n")
    compiled = objects.compile_one(target, source, os.path.join(folder, "sizes.o"))
    return {name[5:]: size for name, _, size in objects.symbols(target, compiled)}


def deepest(calls, entry):
    """(bytes, chain). An indirect call may reach any function whose address the library
    itself hands out (the stream's send, for instance); what a port takes comes on top."""
    called = set().union(*calls.calls.values())
    handed_out = [title for title in calls.stack if ":" in title and title not in called]
    port = max((calls.worst(title, lambda _: HELPER_STACK)[0] for title in handed_out), default=0)
    size, chain = calls.worst(entry, lambda _: HELPER_STACK, port)
    return size, [re.sub(r".*:", "", title) for title in chain]


def row(name, values, note=""):
    print(f"  {name:<34}" + "".join(f"{value:>13}" for value in values) + ("  " + note if note else ""))


class Limits:
    """limits.json, and what exceeded it."""

    def __init__(self, target):
        with open(os.path.join(HERE, "limits.json"), encoding="utf-8") as file:
            self.limits = json.load(file)[target]
        self.target = target
        self.exceeded = []

    def check(self, group, name, value):
        limit = self.limits[group].get(name)
        if limit is None:
            return ""
        if value > limit:
            self.exceeded.append(f"{self.target}: {group} of {name} is {value} bytes, limit {limit}")
        aim = self.limits.get("aim", {}).get(name)
        return f"(limit {limit}" + (f", aim {aim}: {value - aim:+}" if aim else "") + ")"


def measure(target, work):
    folder = os.path.join(work, target)
    os.makedirs(folder, exist_ok=True)
    limits = Limits(target)
    compiled = objects.compile_parts(target, DEVICE_PARTS, folder, PRODUCT)
    code = [code_by_row(link(target, compiled, entries, os.path.join(folder, name + ".elf")))
            for name, entries in PROGRAMS]

    print(f"\n{target}: code and constants in bytes, gcc -Os")
    row("", [name for name, _ in PROGRAMS])
    for name in [name for name, _ in ROWS] + ["other"]:
        if name != "other" or any(name in sizes for sizes in code):
            row(name, [sizes.get(name, 0) for sizes in code])
    totals = [sum(sizes.values()) for sizes in code]
    notes = [limits.check("code", name, total) for (name, _), total in zip(PROGRAMS, totals)]
    row("total", totals, " ".join(note for note in notes if note))

    structs = sizes_of(target, STATE + ALSO, folder)
    print(f"\n{target}: RAM in bytes, besides the block buffer (528 at least, 2048 suit most)")
    for struct in STATE:
        row("struct " + struct, [structs[struct]])
    state = sum(structs[struct] for struct in STATE)
    row("state of an application", [state], limits.check("ram", "state", state))
    for struct in ALSO:
        row(f"struct {struct}", [structs[struct]],
            "on the bootloader's stack" if struct == "tandem_boot" else "part of the above")

    calls = objects.Calls(compiled.values())
    print(f"\n{target}: deepest stack in bytes by entry point, a port's own not counted")
    for entry in dict.fromkeys(EVERYTHING):
        size, chain = deepest(calls, entry)
        note = limits.check("stack", entry, size)
        row(entry, [size], note)
        if note:
            print("      by " + " > ".join(chain))
    return limits.exceeded


def main():
    targets = sys.argv[2:] or ["cortex-m0plus", "cortex-m4"]
    exceeded = []
    for target in targets:
        if shutil.which(objects.TARGETS[target]["prefix"] + "gcc") is None:
            print(f"{target}: no compiler here")
            continue
        exceeded += measure(target, sys.argv[1])
    for text in exceeded:
        print(text)
    if exceeded:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
