#!/usr/bin/env python3
"""What Tandem costs on a device: code by part, RAM, the deepest stack.

The device half is linked for each processor with nothing but the four mem
functions and the compiler's own helpers: -nostdlib, sections that nobody
needs left out. Bootloaders, an application and both together are measured,
each built as a product would (see PROGRAMS).
Fails above the limits in limits.json. An aim there is where the limit is to go.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "house"))
import objects  # noqa: E402

PROCESSORS = ["cortex-m0plus", "cortex-m4"]
DEVICE_PARTS = ("engine", "package", "device", "link", "link_device")
REALTEK_PARTS = ("realtek", "realtek_device")

# How a product is built: a layout that has been checked, the engine's own code, one algorithm, images that run where
# they are (direct) or are brought to one place by swap and overwrite (exchange), a bootloader that stays or that can be
# replaced (loader), no images of MCUboot's but where that is said (mcuboot).
PRODUCT = ("-DTANDEM_CONFIG_LAYOUT_WORDS=0", "-DTANDEM_CONFIG_CRYPTO_PORT=0")
NO_MCUBOOT = ("-DTANDEM_CONFIG_MCUBOOT=0",)
MCUBOOT = ("-DTANDEM_CONFIG_MCUBOOT=1",)
ED25519 = ("-DTANDEM_CONFIG_P256=0",) + NO_MCUBOOT
P256 = ("-DTANDEM_CONFIG_ED25519=0",) + NO_MCUBOOT
ED25519_MCUBOOT = ("-DTANDEM_CONFIG_P256=0",) + MCUBOOT
P256_MCUBOOT = ("-DTANDEM_CONFIG_ED25519=0",) + MCUBOOT
DIRECT = ("-DTANDEM_CONFIG_EXCHANGE=0", "-DTANDEM_CONFIG_LOADER=0")
EXCHANGE = ("-DTANDEM_CONFIG_EXCHANGE=1", "-DTANDEM_CONFIG_LOADER=0")
LOADER = ("-DTANDEM_CONFIG_EXCHANGE=0", "-DTANDEM_CONFIG_LOADER=1")

# What a product calls. The linker keeps these and what they need.
BOOT = ["tandem_boot_decide"]
APPLICATION = ["tandem_install_init", "tandem_install_confirm", "tandem_install_erase_idle",
               "tandem_link_service_init", "tandem_link_device_init", "tandem_link_device_receive",
               "tandem_link_device_disconnected", "tandem_link_device_poll"]
STREAM = ["tandem_stream_init", "tandem_stream_packets", "tandem_stream_receive", "tandem_stream_poll",
          "tandem_stream_reset", "tandem_stream_receive_max"]
BARE = ["tandem_bare_init", "tandem_bare_begin", "tandem_bare_wants", "tandem_bare_limit", "tandem_bare_feed",
        "tandem_bare_hold", "tandem_bare_back", "tandem_bare_read", "tandem_bare_poll", "tandem_bare_end",
        "tandem_bare_drop", "tandem_bare_abort", "tandem_bare_finish", "tandem_payload_recognise"]
REALTEK = ["tandem_install_init", "tandem_install_confirm", "tandem_bare_init", "tandem_realtek_device_init",
           "tandem_realtek_device_read", "tandem_realtek_device_write", "tandem_realtek_device_connected",
           "tandem_realtek_device_disconnected", "tandem_realtek_device_poll"]
REALTEK_STREAM = ["tandem_realtek_stream_init", "tandem_realtek_stream_receive", "tandem_realtek_stream_poll",
                  "tandem_realtek_stream_connected", "tandem_realtek_stream_disconnected"]
STAGE = ["tandem_stage_choose"]
EVERYTHING = BOOT + APPLICATION + STREAM
PROGRAMS = [
    # name in limits.json, heading, how it is built, what it calls
    ("boot_direct_p256", "boot direct P-256", P256 + DIRECT, BOOT),
    ("boot_direct_ed25519", "boot direct Ed25519", ED25519 + DIRECT, BOOT),
    ("boot_exchange_ed25519", "boot all modes Ed25519", ED25519 + EXCHANGE, BOOT),
    ("stage", "first stage", ED25519 + LOADER, STAGE),
    ("boot_loader_ed25519", "boot direct Ed25519 replaced", ED25519 + LOADER, BOOT + ["tandem_loader_run"]),
    ("boot_mcuboot_p256", "boot direct P-256 MCUboot's", P256_MCUBOOT + DIRECT, BOOT),
    ("application", "application", ED25519 + EXCHANGE, APPLICATION),
    ("bare", "application bare door", ED25519 + EXCHANGE, APPLICATION + BARE),
    ("bare_mcuboot", "application bare door MCUboot's", ED25519_MCUBOOT + EXCHANGE, APPLICATION + BARE),
    ("realtek", "Realtek GATT, no link", ED25519 + EXCHANGE, REALTEK),
    ("realtek_stream", "Realtek GATT and stream", ED25519 + EXCHANGE, REALTEK + REALTEK_STREAM),
    ("everything", "everything", ED25519 + EXCHANGE, EVERYTHING),
]

# By the beginnings of files' names.
ROWS = [
    ("engine: numbers, fields", ("number", "field")),
    ("engine: Ed25519, SHA-512", ("ed25519", "edwards", "sha512")),
    ("engine: P-256", ("p256",)),
    ("engine: AES", ("aes",)),
    ("engine: constants of SHA-2", ("sha2",)),
    ("engine: SHA-256, CRC, rest", ("bytes", "sha256", "crc", "hmac", "md5", "secure")),
    ("package, versions", ("package", "version")),
    ("flash, journal, banks", ("flash", "journal", "bank", "device")),
    ("install", ("install",)),
    ("bare door", ("bare",)),
    ("MCUboot's images", ("mcuboot", "bank_mcuboot")),
    ("boot", ("boot",)),
    ("bootloader update", ("stage", "loader")),
    ("swap and overwrite", ("exchange",)),
    ("link", ("link",)),
    ("link over byte streams", ("stream",)),
    ("Realtek's images", ("image",)),
    ("Realtek's DFU", ("realtek",)),
    ("Realtek's DFU over byte streams", ("realtek_device_stream",)),
    ("compiler's helpers", ("libgcc",)),
]

# RAM that a product sets aside: one of each.
STATE = ["tandem_install", "tandem_link_service", "tandem_link_device", "tandem_stream"]
ALSO = ["tandem_bare", "tandem_realtek_device", "tandem_realtek_stream", "tandem_boot", "tandem_bank", "tandem_sha256"]

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
    rows = [(len(beginning), name) for name, beginnings in ROWS for beginning in beginnings
            if file == beginning or file.startswith(beginning + "_")]
    return max(rows)[1] if rows else "other"


def sections(text):
    """[(section, file, bytes)] of code and constants that the map kept."""
    text = text[text.index("Linker script and memory map"):]
    # .comment and .debug sections are not on the device.
    return [(section, re.sub(r".*src_(core|transport_link|transport_realtek)_(.*)\.o", r"\2", file) if "libgcc" not in file else "libgcc",
             int(size, 16))
            for section, size, file in
            re.findall(r"^ \.((?:text|rodata|data)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", text, re.M)]


def code_by_row(found):
    """{row: bytes}."""
    sizes = {}
    for _, file, size in found:
        sizes[row_of(file)] = sizes.get(row_of(file), 0) + size
    return sizes


def show_functions(target, maps):
    """Every function and constant (a section of its own), the largest first, by program."""
    print(f"\n{target}: functions and constants in bytes")
    heading([title for _, title, _, _ in PROGRAMS])
    sizes = [{f"{file}: {section.split('.', 1)[-1]}": size for section, file, size in found if size}
             for found in maps]
    largest = {name: max(each.get(name, 0) for each in sizes) for each in sizes for name in each}
    for name in sorted(largest, key=lambda name: -largest[name]):
        row(name, [each.get(name, "") for each in sizes])


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
    print(f"  {name:<40}" + "".join(f"{value:>13}" for value in values) + ("  " + note if note else ""))


def heading(titles):
    """Column titles, in as many lines as the longest has words to break at."""
    lines = [textwrap.wrap(title, 12) for title in titles]
    for i in range(max(map(len, lines))):
        row("", [line[i] if i < len(line) else "" for line in lines])


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


def compile_programs(target, folder):
    """{how it is built: {source: object}}, once for each."""
    compiled = {}
    for _, _, flags, _ in PROGRAMS:
        if flags not in compiled:
            place = os.path.join(folder, str(len(compiled)))
            parts = DEVICE_PARTS + (REALTEK_PARTS if flags == ED25519 + EXCHANGE else ())
            compiled[flags] = objects.compile_parts(target, parts, place, PRODUCT + flags)
    return compiled


def measure(target, folder, by_function):
    os.makedirs(folder, exist_ok=True)
    limits = Limits(target)
    compiled = compile_programs(target, folder)
    maps = [sections(link(target, compiled[flags], entries, os.path.join(folder, name + ".elf")))
            for name, _, flags, entries in PROGRAMS]
    code = [code_by_row(found) for found in maps]

    print(f"\n{target}: code and constants in bytes, gcc -Os")
    heading([title for _, title, _, _ in PROGRAMS])
    for name in [name for name, _ in ROWS] + ["other"]:
        if name != "other" or any(name in sizes for sizes in code):
            row(name, [sizes.get(name, 0) for sizes in code])
    totals = [sum(sizes.values()) for sizes in code]
    row("total", totals)
    for (name, title, _, _), total in zip(PROGRAMS, totals):
        row("  " + title, [total], limits.check("code", name, total))
    if by_function:
        show_functions(target, maps)

    structs = sizes_of(target, STATE + ALSO, folder)
    print(f"\n{target}: RAM in bytes, besides the block buffer (528 at least, 2048 suit most)")
    for struct in STATE:
        row("struct " + struct, [structs[struct]])
    state = sum(structs[struct] for struct in STATE)
    row("state of an application", [state], limits.check("ram", "state", state))
    for struct in ALSO:
        note = {"tandem_boot": "on the bootloader's stack", "tandem_bare": "with the bare door",
                "tandem_realtek_device": "with Realtek's DFU", "tandem_realtek_stream": "over byte streams"}
        row(f"struct {struct}", [structs[struct]],
            note.get(struct, "part of the above") + " " + limits.check("ram", struct, structs[struct]))

    calls = objects.Calls(compiled[ED25519 + EXCHANGE].values())
    print(f"\n{target}: deepest stack in bytes by entry point, a port's own not counted")
    for entry in dict.fromkeys(EVERYTHING + ["tandem_realtek_device_write", "tandem_realtek_stream_poll"]):
        size, chain = deepest(calls, entry)
        note = limits.check("stack", entry, size)
        row(entry, [size], note)
        if note:
            print("      by " + " > ".join(chain))
    return limits.exceeded


def main():
    parser = argparse.ArgumentParser(description="Code size, RAM and stack of the device half.")
    parser.add_argument("--by-function", action="store_true", help="also every function and constant, by size")
    parser.add_argument("--cpu", action="append", choices=PROCESSORS, help="only this one")
    parser.add_argument("--keep", metavar="DIR", help="build there, and keep it")
    options = parser.parse_args()
    exceeded = []
    with tempfile.TemporaryDirectory() as temporary:
        for target in options.cpu or PROCESSORS:
            if shutil.which(objects.TARGETS[target]["prefix"] + "gcc") is None:
                print(f"{target}: no compiler here")
                continue
            exceeded += measure(target, os.path.join(options.keep or temporary, target), options.by_function)
    for text in exceeded:
        print(text)
    if exceeded:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
