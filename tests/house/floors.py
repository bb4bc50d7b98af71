#!/usr/bin/env python3
"""The house rules that a compiler does not check.

  includes    a file includes only from its own floor's group or from below;
              the core and the transports include no OS header; device rooms
              and host rooms do not know each other
  globals     no object has a variable that can change
  recursion   no function can come back to itself; no stack of unknown size
  needs       beyond each other the objects call memcpy, memmove, memset and
              memcmp, and the compiler's own helpers
  halves      the device's objects need nothing of the host's, and the reverse
  lists       cmake/sources.cmake names every source file, once; library.json
              takes the device half of them, and has the library's version

Usage: floors.py WORK-FOLDER
"""

import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import objects  # noqa: E402

# Rooms of src/core. A file belongs to the room of its name, or of the longest
# beginning of its name: install_plan.c to install.
ROOMS = [
    # floor, half, names
    (1, "both", ["status", "bytes", "twice", "config", "port", "usb"]),
    (2, "both", ["aes", "crc", "hmac", "md5", "secure", "sha1", "sha2", "sha256", "sha512", "crypto", "ed25519", "edwards", "field",
                 "number", "p256"]),
    (2, "host", ["ed25519_sign"]),
    (3, "both", ["file_name", "image", "mcuboot", "package", "version"]),
    (3, "host", ["image_format", "image_hex", "image_mcuboot", "image_mppack", "image_text", "image_usb", "package_write"]),
    (4, "device", ["bank", "journal", "flash", "device", "exchange", "loader", "stage"]),
    (5, "device", ["bare", "install", "boot", "portcheck"]),
    (5, "host", ["update", "group", "status_text"]),
]
# Headers that come with a freestanding compiler, and string.h for the four mem functions.
PLAIN_HEADERS = {"stddef.h", "stdint.h", "limits.h", "string.h"}
# A device reports in these words, so a host may read them; that it calls
# nothing there is checked on its objects.
WORDS_FOR_HOSTS = {"bank", "install", "device", "boot"}
# Public headers without code: the port tables speak of versions and name the engine's replacements.
INTERFACES = {"crypto", "port", "version"}

# Public headers of the transports that are a device's, though their names do not say so.
DEVICE_HEADERS = ("cloud", "http", "json", "local", "recovery", "usb_dfu", "usb_endpoint")

DEVICE_HALF = (
    "cloud",
    "engine",
    "package",
    "device",
    "portcheck",
    "link",
    "link_device",
    "local_device",
    "realtek",
    "realtek_device",
    "usb_dfu",
    "usb_dfu_device",
)
HOST_HALF = (
    "engine",
    "package",
    "host",
    "link",
    "link_host",
    "realtek",
    "realtek_host",
    "usb_dfu",
    "usb_dfu_host",
)

faults = []


def fault(text):
    faults.append(text)


def room_of(path):
    """(floor, half, name) of a file of the house."""
    parts = path.split("/")
    name = os.path.splitext(parts[-1])[0]
    if parts[0] in ("port", "examples"):
        return 7, "both", name
    if parts[:2] == ["src", "transport"] or name in ("cloud", "http", "json", "link", "link_host", "local", "recovery") \
            or name.startswith(("realtek", "usb_")):
        device = "device" in name or name in DEVICE_HEADERS or "cloud" in parts
        half = "host" if "host" in name else "device" if device else "both"
        return 6, half, name
    if name == "tandem":
        return 7, "both", name
    rooms = [(len(room), floor, half, room) for floor, half, names in ROOMS for room in names
             if name == room or name.startswith(room + "_")]
    if rooms:
        _, floor, half, room = max(rooms)
        return floor, half, room
    fault(f"{path}: in no room; give it one in {os.path.basename(__file__)}")
    return 7, "both", name


def included(path):
    """[(header, quoted)] that a file includes."""
    with open(os.path.join(objects.ROOT, path), encoding="utf-8") as file:
        return [(name, mark == '"') for mark, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', file.read(), re.M)]


def resolve(path, header):
    """The house's own file that `path` means by `header`, or None."""
    for folder in (os.path.dirname(path), "src", "include"):
        candidate = os.path.normpath(os.path.join(folder, header))
        if os.path.exists(os.path.join(objects.ROOT, candidate)):
            return candidate
    return None


def check_includes():
    files = [os.path.relpath(name, objects.ROOT)
             for pattern in ("include/tandem/*.h", "src/**/*.h", "src/**/*.c")
             for name in glob.glob(os.path.join(objects.ROOT, pattern), recursive=True)]
    for path in sorted(files):
        floor, half, name = room_of(path)
        for header, quoted in included(path):
            target = resolve(path, header) if quoted else None
            if target is None:
                if header not in PLAIN_HEADERS:
                    fault(f"{path}: includes {header}")
                continue
            if not target.startswith(("src/", "include/")):
                fault(f"{path}: includes {target}, which is not the library's")
            if path.startswith("include/") and not target.startswith("include/"):
                fault(f"{path}: a public header includes the private {target}")
            other_floor, other_half, other_name = room_of(target)
            words = path.startswith("include/") and other_name in INTERFACES
            if other_floor > floor and not words:
                fault(f"{path} (floor {floor}) includes {target} (floor {other_floor})")
            if {half, other_half} == {"device", "host"}:
                words = target.startswith("include/") and half == "host" and other_name in WORDS_FOR_HOSTS
                if not words:
                    fault(f"{path} ({half}) includes {target} ({other_half})")
            if name == "boot" and other_name == "install":
                fault(f"{path}: boot does not know install")


def check_objects(work):
    parts = objects.sources()
    compiled = objects.compile_parts("host", parts, os.path.join(work, "floors"))
    defined, needed = {}, {}
    for source, file in compiled.items():
        defined[source], needed[source] = set(), set()
        for name, kind, _ in objects.symbols("host", file):
            if kind in "bBdDcCsSgG" and not name.startswith("."):
                fault(f"{source}: {name} is a variable that can change")
            (needed if kind in "Uw" else defined)[source].add(name)
            if kind in "TDRB" and not name.startswith("tandem_"):
                fault(f"{source}: {name} is visible and does not begin with tandem_")

    everything = set().union(*defined.values())
    for source in compiled:
        for name in sorted(needed[source] - everything):
            if name not in ("memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_") \
                    and not name.startswith("__"):
                fault(f"{source}: needs {name}")
            if name.startswith("__stack_chk") or name.startswith("__assert"):
                fault(f"{source}: needs {name}")

    for half, rooms in (("device", DEVICE_HALF), ("host", HOST_HALF)):
        own = [source for room in rooms for source in parts[room]]
        there = set().union(*(defined[source] for source in own))
        for source in own:
            for name in sorted((needed[source] & everything) - there):
                fault(f"{source}: needs {name}, which the {half} half has not")

    calls = objects.Calls(compiled.values())
    cycle = calls.cycle()
    if cycle:
        fault("recursion: " + " -> ".join(cycle))
    for title in calls.unbounded:
        fault(f"{title}: stack of unknown size")
    return len(compiled), len(calls.stack)


def check_lists():
    listed = [source for part in objects.sources().values() for source in part]
    present = {os.path.relpath(name, objects.ROOT)
               for name in glob.glob(os.path.join(objects.ROOT, "src/**/*.c"), recursive=True)}
    for source in sorted(present - set(listed)):
        fault(f"{source}: not in cmake/sources.cmake")
    for source in sorted(set(listed)):
        if source not in present:
            fault(f"{source}: in cmake/sources.cmake, but not there")
        if listed.count(source) > 1:
            fault(f"{source}: twice in cmake/sources.cmake")

    with open(os.path.join(objects.ROOT, "library.json"), encoding="utf-8") as file:
        library = json.load(file)
    with open(os.path.join(objects.ROOT, "include/tandem/tandem.h"), encoding="utf-8") as file:
        if f'TANDEM_VERSION_STRING "{library["version"]}"' not in file.read():
            fault("library.json: not the version of tandem/tandem.h")
    taken = {"src/" + name for name in re.findall(r"\+<([^>]*)>", " ".join(library["build"]["srcFilter"]))}
    device = {source for room in DEVICE_HALF for source in objects.sources()[room]}
    for source in sorted(taken ^ device):
        fault(f"library.json: {source} is {'no part' if source in taken else 'a missing part'} of the device half")


def main():
    check_lists()
    lists_hold = not faults
    check_includes()
    files, functions = check_objects(sys.argv[1]) if lists_hold else (0, 0)
    for text in faults:
        print(text)
    if faults:
        raise SystemExit(f"{len(faults)} faults")
    print(f"{files} files and {functions} functions keep the house rules")


if __name__ == "__main__":
    main()
