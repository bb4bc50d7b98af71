"""The library's sources by part, compiled for one processor, and what the
compiler says of them: symbols, sizes, calls, stack. For floors.py and
tests/bench/size.py."""

import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What is compiled for, and with what.
TARGETS = {
    # Not position-independent: else constant tables with pointers look like variables.
    "host": {"prefix": "", "flags": ["-fno-pic"]},
    "cortex-m0plus": {"prefix": "arm-none-eabi-", "flags": ["-mcpu=cortex-m0plus", "-mthumb"]},
    "cortex-m4": {"prefix": "arm-none-eabi-", "flags": ["-mcpu=cortex-m4", "-mthumb"]},
}
FLAGS = ["-std=c99", "-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-fno-common",
         "-Wall", "-Wextra", "-Werror", "-I" + ROOT + "/include", "-I" + ROOT + "/src"]


def sources():
    """{part: [path]} as cmake/sources.cmake has it; parts in lower case."""
    with open(os.path.join(ROOT, "cmake", "sources.cmake"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    return {name.lower(): files.split()
            for name, files in re.findall(r"set\(TANDEM_([A-Z_]+)_SOURCES\s([^)$]*)\)", text)}


def run(*command):
    """Run a command and return its output; say what failed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(" ".join(command) + "\n" + result.stdout + result.stderr)
    return result.stdout


def compile_one(target, source, output, extra=()):
    """Compile `source` to `output`, with its call graph beside it."""
    tool = TARGETS[target]
    os.makedirs(os.path.dirname(output), exist_ok=True)
    run(tool["prefix"] + "gcc", *tool["flags"], *FLAGS, "-fcallgraph-info=su", *extra, "-c",
        os.path.join(ROOT, source), "-o", output)
    return output


# What was compiled by this process: {digest of the source without its directives: object}.
known = {}


def compile_known(target, source, output, extra):
    """As compile_one(), but what is the same under other switches is taken from there."""
    tool = TARGETS[target]
    text = run(tool["prefix"] + "gcc", *tool["flags"], *FLAGS, *extra, "-E", os.path.join(ROOT, source))
    digest = hashlib.sha256((target + text).encode()).hexdigest()
    if digest not in known:
        known[digest] = compile_one(target, source, output, extra)
        return output
    os.makedirs(os.path.dirname(output), exist_ok=True)
    for ending in (".o", ".ci"):
        shutil.copyfile(known[digest][:-2] + ending, output[:-2] + ending)
    return output


def compile_parts(target, parts, folder, extra=()):
    """Compile all files of `parts`. Returns {source: object}."""
    files = sources()
    names = [source for part in parts for source in files[part]]
    outputs = [os.path.join(folder, source.replace("/", "_")[:-2] + ".o") for source in names]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(names, pool.map(lambda each: compile_known(target, *each, extra), zip(names, outputs))))


def symbols(target, file):
    """[(name, kind, size)] of an object or a program."""
    found = []
    for line in run(TARGETS[target]["prefix"] + "nm", "-S", file).splitlines():
        fields = line.split()
        if len(fields) == 4:
            found.append((fields[3], fields[2], int(fields[1], 16)))
        elif len(fields) in (2, 3):
            found.append((fields[-1], fields[-2], 0))
    return found


class Calls:
    """Who calls whom, and how much stack each takes, over many objects."""

    def __init__(self, objects):
        self.stack = {}     # title: bytes
        self.calls = {}     # title: {title}
        self.unbounded = []  # functions whose stack is not known when compiling
        for file in objects:
            self._read(file[:-2] + ".ci")

    def _read(self, file):
        with open(file, encoding="utf-8") as text:
            content = text.read()
        for title, label in re.findall(r'node: \{ title: "([^"]*)" label: "([^"]*)"', content):
            used = re.search(r"(\d+) bytes \(([^)]*)\)", label)
            if used:
                self.stack[title] = int(used.group(1))
                if "dynamic" in used.group(2) and "bounded" not in used.group(2):
                    self.unbounded.append(title)
        for source, target in re.findall(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', content):
            self.calls.setdefault(source, set()).add(target)

    def cycle(self):
        """A chain of calls that comes back to its beginning, or None."""
        done = set()

        def visit(title, path):
            if title in path:
                return path[path.index(title):] + [title]
            if title in done:
                return None
            for target in sorted(self.calls.get(title, ())):
                found = visit(target, path + [title])
                if found:
                    return found
            done.add(title)
            return None

        for title in sorted(self.calls):
            found = visit(title, [])
            if found:
                return found
        return None

    def worst(self, title, others, port=0):
        """(bytes, chain) of the deepest way down from `title`. `others` gives the bytes of
        what was not compiled here: {name: bytes}; `port` is what a call through a pointer costs."""
        memo = {}

        def visit(name):
            if name not in memo:
                if name in self.stack:
                    below = max((visit(next_) for next_ in self.calls.get(name, ())), default=(0, []))
                    memo[name] = (self.stack[name] + below[0], [name] + below[1])
                elif name == "__indirect_call":
                    memo[name] = (port, ["(by pointer)"])
                else:
                    memo[name] = (others(name), [name])
            return memo[name]

        return visit(title)
