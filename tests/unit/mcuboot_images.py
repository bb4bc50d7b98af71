#!/usr/bin/env python3
"""Images as MCUboot's own imgtool makes them, for test_mcuboot.

Usage: mcuboot_images.py FOLDER

Writes there, for each case, NAME.bin, and the public keys as the library takes
them. The keys are the same in every run; an ECDSA signature never is.
"""

import os
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from imgtool import main as imgtool

PRIVATE = serialization.PrivateFormat.PKCS8
RAW = serialization.Encoding.Raw

# name, key, what imgtool is told
CASES = [
    ("ed25519", "ed25519", ["--security-counter", "7", "--dependencies", "(1, 1.2.3+4)(0, 9.0.0)"]),
    ("p256", "p256", ["--security-counter", "7", "--dependencies", "(1, 1.2.3+4)(0, 9.0.0)"]),
    ("ed25519_plain", "ed25519", []),
    ("p256_plain", "p256", []),
    ("ed25519_whole_key", "ed25519", ["--public-key-format", "full"]),
    ("p256_whole_key", "p256", ["--public-key-format", "full"]),
    ("p256_padded", "p256", ["--pad-sig"]),
    ("custom", "ed25519", ["--custom-tlv", "0xa0", "0x0102030405", "--security-counter", "8"]),
    ("loaded", "p256", ["--load-addr", "0x20001000"]),
    ("counter6", "ed25519", ["--security-counter", "6"]),
    ("counter7", "ed25519", ["--security-counter", "7"]),
    ("counter8", "p256", ["--security-counter", "8"]),
    ("needs", "ed25519", ["--security-counter", "7", "--dependencies", "(1, 1.0.0)"]),
    ("needs_slot", "ed25519", ["--security-counter", "7", "--dependencies", "(7, 1.0.0)"]),
    ("unsigned", None, []),
    ("rsa", "rsa", []),
    ("pure", "ed25519", ["--pure"]),
    ("sha512", "ed25519", ["--sha", "512"]),
    ("encrypted", "ed25519", ["--encrypt", "ENCRYPTION"]),
    ("stranger", "stranger", []),
    ("slot", "ed25519", ["--pad"]),
]


def private_keys():
    yield "ed25519", ed25519.Ed25519PrivateKey.from_private_bytes(b"a key for tests, known to anyone")
    yield "stranger", ed25519.Ed25519PrivateKey.from_private_bytes(b"a key that no device of ours has")
    yield "p256", ec.derive_private_key(0x6B657920666F72207465737473, ec.SECP256R1())
    yield "rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_bytes(key):
    public = key.public_key()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return public.public_bytes(RAW, serialization.PublicFormat.Raw)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
    return b""


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    # What it says of each image is of no interest here.
    sys.stdout = open(os.devnull, "w", encoding="utf-8")
    for name, key in private_keys():
        write(name + ".pem", key.private_bytes(serialization.Encoding.PEM, PRIVATE, serialization.NoEncryption()))
        write(name + ".key", public_bytes(key))
    imgtool.imgtool(["keygen", "--key", "x25519.pem", "--type", "x25519"], standalone_mode=False)
    imgtool.imgtool(["getpub", "--key", "x25519.pem", "--encoding", "pem", "--output", "x25519_public.pem"],
                    standalone_mode=False)
    write("body", bytes(i * 7 % 251 for i in range(1500)))
    for name, key, options in CASES:
        options = ["x25519_public.pem" if option == "ENCRYPTION" else option for option in options]
        sign = ["sign", "--header-size", "0x80", "--pad-header", "--slot-size", "0x4000", "--align", "4",
                "--version", "2.3.4+5"]
        sign += ["--key", key + ".pem"] if key else []
        imgtool.imgtool(sign + options + ["body", name + ".bin"], standalone_mode=False)


if __name__ == "__main__":
    main()
