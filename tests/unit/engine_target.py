#!/usr/bin/env python3
"""The engine's unit tests on emulated microcontrollers.

    engine_target.py [--require]

The inner loops are written in assembly for Arm: the same vectors and edge
cases that prove the C prove them here, on a Cortex-M0 (`microbit`) and a
Cortex-M4 (`mps2-an386`). Exit code 77 if the compiler or the emulator is not
there.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOARDS = [("cortex-m0", "microbit"), ("cortex-m4", "mps2-an386")]
LEVELS = ["-Os", "-O2"]
# The test programs, and the source that a program includes to look inside.
TESTS = {"crc": None, "hash": None, "aes": None, "field25519": "edwards", "field_p256": "p256", "ed25519": None, "p256": None}
SOURCES = ["aes", "bytes", "crc", "sha1", "sha2", "sha256", "sha512", "md5", "hmac", "secure", "number", "field", "edwards",
           "ed25519", "ed25519_sign", "p256"]


def main():
    parser = argparse.ArgumentParser(description="The engine's unit tests on emulated microcontrollers.")
    parser.add_argument("--require", action="store_true", help="fail if a tool is missing")
    options = parser.parse_args()
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            print(f"{tool} is not here")
            return 1 if options.require else 77

    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for cpu, board in BOARDS:
            for level in LEVELS:
                for test, included in TESTS.items():
                    path = os.path.join(folder, f"{cpu}{level}_{test}.elf")
                    subprocess.run(
                        ["arm-none-eabi-gcc", "-mcpu=" + cpu, "-mthumb", "-std=c99", level, "-DSTRIDE=61", "-DFIELD_CASES=300",
                         "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments",
                         "-nostartfiles", "--specs=rdimon.specs", "--specs=nano.specs",
                         "-I", os.path.join(ROOT, "include"), "-I", os.path.join(ROOT, "src"),
                         "-I", os.path.join(ROOT, "tests"), "-T", os.path.join(HERE, "engine_target.ld"),
                         os.path.join(HERE, "engine_target.c"), os.path.join(HERE, f"test_{test}.c"),
                         *[os.path.join(ROOT, "src/core", name + ".c") for name in SOURCES if name != included],
                         "-o", path], check=True)
                    result = subprocess.run(
                        ["qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none",
                         "-semihosting-config", "enable=on,target=native", "-kernel", path],
                        capture_output=True, text=True, timeout=600)
                    lines = (result.stdout + result.stderr).strip().split("\n")
                    good = result.returncode == 0 and lines[-1].endswith(" 0 failures")
                    print(f"{cpu} {level} {test}: {lines[-1]}", flush=True)
                    if not good:
                        print("\n".join(lines), file=sys.stderr)
                        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
