#!/usr/bin/env python3
"""Collections of vectors that are too large to keep here, put to the engine.

    engine_vectors.py VERDICT [--wycheproof DIR] [--require]

VERDICT is the program of engine_verdict.c. Looked for are
- the Python package `cryptography_vectors` (python-pip): Ed25519 sign.input of
  the original authors, 1024 vectors; NIST CAVP SigVer and SigGen for P-256,
  known answers and multi-block messages for AES;
- a checkout of C2SP/wycheproof, in DIR or in $TANDEM_WYCHEPROOF: Ed25519,
  ECDSA P-256 with SHA-256, HMAC and HKDF with SHA-256.
Exit code 77 means that none was found (an error with --require).
"""
import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys

def ask(program, cases):
    """The program's answers to (line, expected, name) cases; prints what differs."""
    text = "".join(case[0] + "\n" for case in cases)
    lines = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout.split("\n")
    bad = 0
    for (line, expected, name), got in zip(cases, lines):
        if got != expected:
            bad += 1
            print(f"{name}: {got}, should be {expected}", file=sys.stderr)
    if len(lines) != len(cases) + 1:
        bad += 1
        print("answers are missing", file=sys.stderr)
    return bad


def ed25519_authors(root):
    """sign.input: seed and key, key, message, signature and message."""
    cases = []
    with open(os.path.join(root, "asymmetric/Ed25519/sign.input")) as file:
        for number, line in enumerate(file):
            seed, key, message, signed = line.strip().split(":")[:4]
            name = f"sign.input {number + 1}"
            cases.append((f"sign ={seed[:64]} ={message}", signed[:128], name))
            cases.append((f"ed25519 ={key} ={signed[:128]} ={message}", "1", name))
            cases.append((f"ed25519 ={key} ={signed[:128]} ={message}00", "0", name + " longer"))
    return cases


def p256_cavp(root):
    cases = []
    folder = os.path.join(root, "asymmetric/ECDSA/FIPS_186-3")
    for file_name, pattern in (
        ("SigVer.rsp", r"Msg = (\w+)\s+Qx = (\w+)\s+Qy = (\w+)\s+R = (\w+)\s+S = (\w+)\s+Result = (\w)"),
        ("SigGen.txt", r"Msg = (\w+)\s+d = \w+\s+Qx = (\w+)\s+Qy = (\w+)\s+k = \w+\s+R = (\w+)\s+S = (\w+)()")):
        with open(os.path.join(folder, file_name)) as file:
            text = file.read()
        section = text[text.index("[P-256,SHA-256]"):text.index("[P-256,SHA-384]")]
        for number, (message, x, y, r, s, result) in enumerate(re.findall(pattern, section)):
            line = f"p256 ={x:0>64}{y:0>64} ={r:0>64}{s:0>64} ={message}"
            cases.append((line, "0" if result == "F" else "1", f"{file_name} {number + 1}"))
    return cases


def aes_cavp(root):
    cases = []
    folder = os.path.join(root, "ciphers/AES/ECB")
    for file_name in sorted(os.listdir(folder)):
        if not re.match(r"ECB\w+(128|256)\.rsp", file_name) or "MCT" in file_name:
            continue
        with open(os.path.join(folder, file_name)) as file:
            text = file.read()
        text = text.split("[DECRYPT]")[0]
        for number, (key, plain, cipher) in enumerate(
                re.findall(r"KEY = (\w+)\s+PLAINTEXT = (\w+)\s+CIPHERTEXT = (\w+)", text)):
            cases.append((f"encrypt ={key} ={plain}", cipher, f"{file_name} {number + 1}"))
    return cases


def wycheproof(root):
    """The four files; a p1363 signature is r then s, as ours."""
    folder = os.path.join(root, "testvectors_v1")
    if not os.path.isdir(folder):
        folder = root

    def groups(name):
        with open(os.path.join(folder, name)) as file:
            for group in json.load(file)["testGroups"]:
                for test in group["tests"]:
                    yield group, test, f"{name} {test['tcId']} ({test['comment']})"

    cases = []
    for group, test, name in groups("ed25519_test.json"):
        good = "1" if test["result"] == "valid" else "0"
        cases.append((f"ed25519 ={group['publicKey']['pk']} ={test['sig']} ={test['msg']}", good, name))
    for group, test, name in groups("ecdsa_secp256r1_sha256_p1363_test.json"):
        good = "1" if test["result"] == "valid" else "0"
        key = group["publicKey"]["uncompressed"][2:]
        cases.append((f"p256 ={key} ={test['sig']} ={test['msg']}", good, name))
    for group, test, name in groups("hmac_sha256_test.json"):
        if group["tagSize"] == 256 and test["result"] == "valid":
            cases.append((f"hmac ={test['key']} ={test['msg']}", test["tag"], name))
    for group, test, name in groups("hkdf_sha256_test.json"):
        want = test["okm"] if test["result"] == "valid" else "refused"
        cases.append((f"hkdf ={test['ikm']} ={test['salt']} ={test['info']} {test['size']}", want, name))
    return cases


def main():
    parser = argparse.ArgumentParser(description="Large collections of vectors, put to the engine.")
    parser.add_argument("verdict")
    parser.add_argument("--wycheproof", default=os.environ.get("TANDEM_WYCHEPROOF"))
    parser.add_argument("--require", action="store_true", help="fail if no collection is found")
    options = parser.parse_args()

    collections = []
    package = importlib.util.find_spec("cryptography_vectors")
    if package is not None:
        root = os.path.dirname(package.origin)
        collections.append(("Ed25519, sign.input", ed25519_authors(root)))
        collections.append(("P-256, NIST CAVP", p256_cavp(root)))
        collections.append(("AES, NIST CAVP", aes_cavp(root)))
    if options.wycheproof:
        collections.append(("Wycheproof", wycheproof(options.wycheproof)))
    if not collections:
        print("no collection of vectors here")
        return 1 if options.require else 77
    bad = 0
    for name, cases in collections:
        wrong = ask(options.verdict, cases)
        print(f"{name}: {len(cases)} cases, {wrong} wrong")
        bad += wrong
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
