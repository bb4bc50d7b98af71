#!/usr/bin/env python3
"""What the engine costs on small machines: code, instructions, stack.

    engine.py [--json] [--check] [--cpu NAME] [--keep DIR]

Builds with arm-none-eabi-gcc -Os and runs on emulated boards (QEMU, with a
counting plugin that is built here): Cortex-M0 on `microbit`, Cortex-M4 on
`mps2-an386`. Size is code and read-only data of an image that is linked, with
section garbage collection, from the named functions alone; the C library's
and the compiler's helpers are included. Stack is the painted depth of the
call. --check fails if a limit of the table below is exceeded. Exit code 77
means that the compiler or the emulator is not there.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

CPUS = {
    # name: compiler flags, board
    "M0": (["-mcpu=cortex-m0", "-mthumb"], "microbit"),
    "M0+": (["-mcpu=cortex-m0plus", "-mthumb"], None),
    "M4": (["-mcpu=cortex-m4", "-mthumb"], "mps2-an386"),
}
SOURCES = ["aes", "bytes", "crc", "sha1", "sha2", "sha256", "sha512", "md5", "hmac", "secure", "number", "field", "edwards",
           "ed25519", "p256"]
# Without Ed25519, whose SHA-512 has the constants of SHA-256 in it.
ALONE = ["-DTANDEM_CONFIG_ED25519=0"]
CASES = [
    # name, number in target.c, functions linked, bytes that the count is divided by (0: per call), how it is built
    ("SHA-256", 1, ["tandem_sha256_init", "tandem_sha256_update", "tandem_sha256_final"], 4096, ALONE),
    ("SHA-512", 2, ["tandem_sha512_init", "tandem_sha512_update", "tandem_sha512_final"], 4096, []),
    ("MD5", 3, ["tandem_md5_init", "tandem_md5_update", "tandem_md5_final"], 4096, []),
    ("CRC-16", 4, ["tandem_crc16"], 4096, []),
    ("CRC-32", 5, ["tandem_crc32"], 4096, []),
    ("HMAC-SHA-256", 8, ["tandem_hmac_sha256_init", "tandem_hmac_sha256_update", "tandem_hmac_sha256_final"], 4096,
     ALONE),
    ("HKDF-SHA-256", 9, ["tandem_hkdf_sha256"], 0, ALONE),
    ("AES-256 encrypt", 10, ["tandem_aes_init", "tandem_aes_encrypt", "tandem_aes_wipe"], 4096, []),
    ("AES-256 decrypt", 11, ["tandem_aes_init", "tandem_aes_decrypt", "tandem_aes_wipe"], 4096, []),
    ("Ed25519 verify", 6, ["tandem_ed25519_verify"], 0, []),
    ("P-256 verify", 7, ["tandem_p256_verify"], 0, []),
    ("Ed25519 and P-256", 0, ["tandem_ed25519_verify", "tandem_p256_verify"], 0, []),
]
LIMITS = {
    # (case, cpu): size in bytes, instructions (per byte for hashes and ciphers), stack in bytes; None: no limit
    ("SHA-256", "M0"): (1300, 85, 600),
    ("SHA-256", "M0+"): (1300, None, None),
    ("SHA-256", "M4"): (1950, 40, 512),
    ("SHA-512", "M0+"): (1950, None, None),
    ("Ed25519 verify", "M0"): (3850, 14.0e6, 1350),
    ("Ed25519 verify", "M0+"): (3850, None, None),
    ("Ed25519 verify", "M4"): (4200, 2.5e6, 1350),
    ("P-256 verify", "M0"): (2200, 14.5e6, 1000),
    ("P-256 verify", "M0+"): (2200, None, None),
    ("P-256 verify", "M4"): (2400, 3.6e6, 1000),
    ("AES-256 encrypt", "M0"): (2750, 850, 900),
    ("AES-256 decrypt", "M0"): (2750, 1000, 900),
    ("AES-256 encrypt", "M0+"): (2750, None, None),
    ("AES-256 decrypt", "M4"): (2600, 660, 900),
    ("Ed25519 and P-256", "M0+"): (5400, None, None),
}
REFERENCE = [
    # reference figures of other libraries, gcc 12.2 -Os, measured in the same way: name, then per CPU
    # (size, instructions, stack)
    ("SHA-256", "Mbed TLS 2.28", {"M0+": (3652,), "M0": (None, 87.5, 444), "M4": (3100, 41.4)}),
    ("SHA-256", "Mbed TLS 2.28, smaller", {"M0+": (1604,), "M0": (None, 105.2, 420), "M4": (1712, 60.7)}),
    ("SHA-256", "TinyCrypt", {"M0+": (1372,), "M0": (None, 123.4, 192), "M4": (1288, 70.4)}),
    ("SHA-512", "Monocypher", {"M0+": (3104,), "M0": (None, 163.8, 536), "M4": (3008, 110.2)}),
    ("Ed25519 verify", "Monocypher", {"M0+": (14300,), "M0": (None, 16.7e6, 1884), "M4": (10876, 1.71e6, 1664)}),
    ("Ed25519 verify", "fiat (MCUboot)", {"M0+": (18093,), "M0": (None, 14.5e6, 3668), "M4": (None, 2.93e6, 3580)}),
    ("Ed25519 verify", "wolfCrypt 5.5.4", {"M0+": (50792,), "M0": (None, 13.2e6, 3540), "M4": (47268, 1.37e6, 3360)}),
    ("Ed25519 verify", "wolfCrypt 5.5.4, small",
     {"M0+": (6608,), "M0": (None, 132.7e6, 1624), "M4": (6796, 78.5e6, 1624)}),
    ("P-256 verify", "micro-ecc, level 0", {"M0+": (3284,), "M0": (None, 604e6, 932), "M4": (3208, 507e6, 916)}),
    ("P-256 verify", "micro-ecc, level 2", {"M0+": (3712,), "M0": (None, 15.0e6, 808), "M4": (3640, 7.70e6, 808)}),
    ("P-256 verify", "TinyCrypt", {"M0+": (4000,), "M0": (None, 34.5e6, 828), "M4": (3776, 14.6e6, 812)}),
    ("P-256 verify", "Mbed TLS 2.28", {"M0+": (13924,), "M0": (None, 51.7e6, 940), "M4": (12540, 29.6e6, 900)}),
    ("P-256 verify", "wolfCrypt 5.5.4, assembly",
     {"M0+": (11984,), "M0": (None, 15.7e6, 5356), "M4": (17692, 3.13e6, 5292)}),
]


def run(command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def compile_core(folder, flags):
    os.makedirs(folder, exist_ok=True)
    objects = []
    for name in SOURCES:
        path = os.path.join(folder, name + ".o")
        run(["arm-none-eabi-gcc", *flags, "-std=c99", "-Os", "-ffunction-sections", "-fdata-sections",
             "-I", os.path.join(ROOT, "include"), "-c", os.path.join(ROOT, "src/core", name + ".c"), "-o", path])
        objects.append(path)
    return objects


def size_of(folder, flags, objects, functions):
    """Bytes of code and read-only data of an image of these functions and what they need."""
    path = os.path.join(folder, "size.elf")
    run(["arm-none-eabi-gcc", *flags, "--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections",
         "-Wl,-e," + functions[0], *["-Wl,-u," + name for name in functions], "-Wl,--no-warn-rwx-segments",
         *objects, "-o", path])
    lines = run(["arm-none-eabi-size", path], stdout=subprocess.PIPE).stdout.split("\n")
    text, data, bss = (int(word) for word in lines[1].split()[:3])
    if data or bss:
        raise SystemExit(f"{functions[0]} links {data} bytes of data and {bss} of bss: the core keeps no globals")
    return text


def measure(folder, flags, board, objects, number, plugin):
    """Instructions and stack of one call."""
    path = os.path.join(folder, f"case{number}.elf")
    run(["arm-none-eabi-gcc", *flags, "-std=gnu99", "-Os", f"-DBENCH_CASE={number}", *vectors(),
         "-I", os.path.join(ROOT, "include"), "--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections",
         "-T", os.path.join(HERE, "engine/target.ld"), "-Wl,--no-warn-rwx-segments", "-fno-builtin", "-w",
         os.path.join(HERE, "engine/target.c"), *objects, "-o", path])
    result = run(["qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none",
                  "-semihosting-config", "enable=on,target=native", "-plugin", plugin, "-d", "plugin",
                  "-kernel", path], capture_output=True, timeout=300)
    said = {}
    for line in (result.stdout + result.stderr).split("\n"):
        words = line.split()
        if len(words) == 2 and words[0] in ("instructions", "stack", "right"):
            said[words[0]] = int(words[1], 0)
    if said.get("right") != 1:
        raise SystemExit(f"case {number} on {board} went wrong: {result.stdout}{result.stderr}")
    return said["instructions"], said["stack"]


def vectors():
    """The signatures that are verified, as macros."""
    values = {
        "ED25519_KEY": "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
        "ED25519_SIGNATURE": "ead35c0513d23c837ba0e30403623c30f339a8e993064c7bb6778ef79b61508f"
                             "c0b58dd0fb3b7f675c06c6f8d1b35b9be35e0603b83a10ad1e367656bde43903",
        "P256_KEY": "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74"
                    "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "P256_SIGNATURE": "03b163f70c355463a1e7befbe3cce8bfc49d4b8e45da209515ebe300472c59f9"
                          "6b14228abd968afc4ea37a5ea541e66bd8e51eec1c8a53ab2fcddf2975e52a3c",
        "P256_DIGEST": "92a3b5e7527fdc9336af96e209fb8bdec4943ba8fdf78b627f1eede0d485f4f2",
    }
    return [f"-D{name}=" + ",".join(str(byte) for byte in bytes.fromhex(value)) for name, value in values.items()]


def rows(folder, cpus):
    os.makedirs(folder, exist_ok=True)
    plugin = os.path.join(folder, "count.so")
    run(["cc", "-shared", "-fPIC", "-O2", os.path.join(HERE, "engine/count.c"), "-o", plugin])
    out = []
    for cpu in cpus:
        flags, board = CPUS[cpu]
        place = os.path.join(folder, cpu)
        whole = compile_core(place, flags)
        alone = compile_core(os.path.join(place, "alone"), flags + ALONE)
        for name, number, functions, divisor, build in CASES:
            objects = alone if build else whole
            row = {"name": name, "cpu": cpu, "size": size_of(place, flags, objects, functions)}
            if board and number:
                count, row["stack"] = measure(place, flags, board, objects, number, plugin)
                row["instructions"] = round(count / divisor, 1) if divisor else count
                row["unit"] = "per byte" if divisor else "per call"
            out.append(row)
    return out


def exceeded(table):
    """Texts for what is above its limit."""
    out = []
    for row in table:
        for what, limit in zip(("size", "instructions", "stack"), LIMITS.get((row["name"], row["cpu"]), ())):
            if limit is not None and row.get(what, 0) > limit:
                out.append(f"{row['name']} on {row['cpu']}: {what} {row[what]} is above {limit}")
    return out


def show(value):
    if value is None:
        return ""
    if isinstance(value, float) and value < 10000:
        return f"{value:.1f}"
    return f"{int(value):,}"


def print_table(table):
    line = "{:<18} {:<26} {:<4} {:>7} {:>14} {:<9} {:>6}"
    print(line.format("primitive", "library", "core", "bytes", "instructions", "", "stack"))
    for row in table:
        print(line.format(row["name"], "Tandem", row["cpu"], show(row["size"]), show(row.get("instructions")),
                          row.get("unit", ""), show(row.get("stack"))))
    cpus = {row["cpu"] for row in table}
    for name, library, figures in REFERENCE:
        for cpu, values in figures.items():
            if cpu in cpus:
                size, count, stack = (*values, None, None)[:3]
                unit = "" if count is None else "per byte" if count < 10000 else "per call"
                print(line.format(name, library + " (reference)", cpu, show(size), show(count), unit, show(stack)))


def main():
    parser = argparse.ArgumentParser(description="Size, instructions and stack of the engine on Cortex-M.")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--check", action="store_true", help="fail if a limit is exceeded")
    parser.add_argument("--cpu", action="append", choices=sorted(CPUS), help="only this one")
    parser.add_argument("--keep", metavar="DIR", help="build there, and keep it")
    options = parser.parse_args()
    for tool in ("cc", "arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            print(f"{tool} is not here", file=sys.stderr)
            return 77

    with tempfile.TemporaryDirectory() as temporary:
        table = rows(options.keep or temporary, options.cpu or list(CPUS))
    if options.json:
        print(json.dumps(table, indent=2))
    else:
        print_table(table)
    above = exceeded(table)
    for text in above:
        print(text, file=sys.stderr)
    return 1 if options.check and above else 0


if __name__ == "__main__":
    sys.exit(main())
