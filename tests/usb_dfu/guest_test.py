#!/usr/bin/env python3
"""The device half on the bus of an emulated PC, with a real Linux kernel, the
real libusb, the unmodified dfu-util, and `tandem usb` in it: one session on a
UHCI controller (full speed), one on an EHCI controller (high speed).

Needs qemu-system-x86_64, busybox (static), kmod, udev, dpkg and a Debian
kernel package, which is only unpacked. No root, no network in the guest.
"""
import argparse
import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess

from rig import Device, Failure, expect

IDS = "1209:0001,1209:0002"
CONTROLLERS = {
    # name: speed, QEMU's device, modules
    "uhci": ("full", "piix3-usb-uhci,id=bus", ["uhci_hcd"]),
    "ehci": ("high", "usb-ehci,id=bus", ["ehci_hcd", "ehci_pci"]),
}
SECONDS = 120

parser = argparse.ArgumentParser()
for option in ("--device", "--tandem", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("--kernel", default="", help="kernel package; else it is downloaded with apt-get")
parser.add_argument("--controller", action="append", choices=CONTROLLERS)
arguments = parser.parse_args()

# In the guest: each line of output that begins with == is a verdict for this script.
SESSION = f"""
say() {{ echo "== $1 $2"; }}
wait_for() {{ # product id
    for i in $(seq 200); do
        grep -q "^$1" /sys/bus/usb/devices/*/idProduct 2>/dev/null && sleep 0.3 && return
        sleep 0.1
    done
    say waited-for-$1 no
}}
run() {{ # name, command ...
    name=$1; shift
    "$@" > /tmp/out 2>&1
    say $name $?
    sed "s/^/$name| /" /tmp/out | tr '\\r' '\\n' | tail -12
}}
wait_for 0001
run list-runtime dfu-util -l
run detach dfu-util -d {IDS} -E 1 -e
wait_for 0002
run list-dfu dfu-util -l
run upload dfu-util -d {IDS} -a 1 -U /tmp/settings
run same cmp /tmp/settings /files/settings.bin
run refused dfu-util -d {IDS} -a 0 -D /files/stranger.tdm
run leave dfu-util -d {IDS} -a 0 -e
wait_for 0001
run update dfu-util -d {IDS} -a 0 -E 3 -D /files/new.tdm
sleep 2 # it restarts by itself
wait_for 0001
run tandem-list tandem usb list
run tandem-refused tandem usb download --device {IDS} /files/other.tdm
sleep 1
wait_for 000
run tandem tandem usb download --device {IDS} /files/newer.tdm
run tandem-upload tandem usb upload --device {IDS} --alt Settings /tmp/again
run digest md5sum /tmp/again
say end 0
"""

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /run /tmp
for module in $(cat /modules); do insmod $module; done
/sbin/udevd --daemon
udevadm trigger
. /session
poweroff -f
"""


def run(*command, **more):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)}:\n{result.stdout.decode(errors='replace')}")
    return result.stdout.decode()


def find(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/lib/systemd:/usr/lib/systemd")
    if path is None:
        raise Failure(f"{name} is missing")
    return path


def kernel(work):
    """Unpack a kernel. Returns (its file, its version, where its modules are)."""
    package = arguments.kernel
    root = os.path.join(work, "kernel")
    if not os.path.isdir(root):
        if not package:
            found = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", "linux-image-amd64"))
            if found is None:
                raise Failure("no kernel package is known: run `apt-get update`, or name one with --kernel")
            name = found.group(1)
            run("apt-get", "download", name, cwd=work)
            package = glob.glob(os.path.join(work, "linux-image-*.deb"))[0]
        run("dpkg-deb", "-x", package, root)
    version = os.listdir(os.path.join(root, "lib/modules"))[0]
    run(find("depmod"), "-b", root, version)
    return os.path.join(root, "boot", "vmlinuz-" + version), version, root


def module_files(root, version, names):
    """Those modules and what they need, in the order in which they go in."""
    files = []
    for name in names:
        for line in run(find("modprobe"), "-d", root, "-S", version, "--show-depends", name).splitlines():
            if line.startswith("insmod ") and line.split()[1] not in files:
                files.append(line.split()[1])
    return files


class Archive:
    """A cpio archive of the kernel's kind."""

    def __init__(self):
        self.data = bytearray()
        self.names = set()

    def add(self, name, content=b"", mode=stat.S_IFREG | 0o755):
        folder = os.path.dirname(name)
        if folder and folder not in self.names:
            self.add(folder, mode=stat.S_IFDIR | 0o755)
        if name in self.names:
            return
        self.names.add(name)
        encoded = name.encode() + b"\0"
        fields = (len(self.names), mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        self._pad()
        self.data += content
        self._pad()

    def _pad(self):
        self.data += bytes(-len(self.data) % 4)

    def file(self, path, name=None):
        with open(path, "rb") as file:
            self.add((name or path).lstrip("/"), file.read())

    def program(self, path, name):
        """A program and the libraries that it needs."""
        self.file(path, name)
        for library in re.findall(r"(/\S+) \(0x", run("ldd", path)):
            self.file(os.path.realpath(library), library)

    def finish(self):
        self.names.add("TRAILER!!!")
        self.data += b"070701" + b"%08x" * 13 % (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0) + b"TRAILER!!!\0"
        self._pad()
        return bytes(self.data)


def guest(device, controller, root, version):
    """The guest's files."""
    archive = Archive()
    archive.file(find("busybox"), "bin/busybox")
    for applet in ("sh", "mount", "mkdir", "insmod", "cat", "seq", "grep", "sleep", "sed", "tr", "tail", "cmp",
                   "md5sum", "poweroff"):
        archive.add("bin/" + applet, b"busybox", stat.S_IFLNK | 0o777)
    archive.program(find("dfu-util"), "bin/dfu-util")
    archive.program(arguments.tandem, "bin/tandem")
    udev = os.path.realpath(find("udevadm"))
    archive.program(udev, "bin/udevadm")
    archive.add("sbin/udevd", b"/bin/udevadm", stat.S_IFLNK | 0o777)
    names = ["usb-common", "usbcore"] + CONTROLLERS[controller][2]
    modules = module_files(root, version, names)
    for number, module in enumerate(modules):
        archive.file(module, f"m/{number}.ko")
    archive.add("modules", " ".join(f"/m/{number}.ko" for number in range(len(modules))).encode())
    for name in ("new.tdm", "newer.tdm", "other.tdm", "stranger.tdm"):
        archive.add("files/" + name, device.read(name))
    archive.add("files/settings.bin", bytes.fromhex(device.order("settings")))
    archive.add("session", SESSION.encode())
    archive.add("init", INIT.encode())
    archive.add("dev", mode=stat.S_IFDIR | 0o755)
    for folder in ("proc", "sys", "tmp", "run"):
        archive.add(folder, mode=stat.S_IFDIR | 0o755)
    return archive.finish()


def session(controller):
    speed, qemu_device, _ = CONTROLLERS[controller]
    work = os.path.join(arguments.work, controller)
    redir = os.path.relpath(os.path.join(arguments.work, controller + "-redir"))
    device = Device(arguments.device, work, speed, redir)
    try:
        device.be(dfu=0, leave_ms=500, attributes=15)
        image, version, root = kernel(arguments.work)
        initrd = device.write("initrd", guest(device, controller, root, version))
        command = [find("qemu-system-x86_64"), "-machine", "pc,accel=tcg", "-cpu", "qemu64", "-m", "256",
                   "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", image,
                   "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1", "-device", qemu_device,
                   "-chardev", f"socket,id=redir,path={redir}", "-device", "usb-redir,chardev=redir,bus=bus.0"]
        text = run(*command, timeout=SECONDS)
        device.write("guest.log", text.encode())
        verdicts = {name: int(code) if code.isdigit() else code
                    for name, code in re.findall(r"^== (\S+) (\S+)\r?$", text, re.M)}
        judge(device, verdicts, text)
    finally:
        device.close()


def judge(device, verdicts, text):
    try:
        expect("the session's end", verdicts.get("end"), 0)
        for name in ("list-runtime", "detach", "list-dfu", "upload", "same", "update", "tandem-list", "tandem",
                     "tandem-upload"):
            expect(name, verdicts.get(name), 0)
        expect("dfu-util with a stranger's package", verdicts.get("refused") not in (0, None), True)
        expect("tandem with another product's package", verdicts.get("tandem-refused"), 80)
        read = hashlib.md5(bytes.fromhex(device.order("settings"))).hexdigest()
        expect("what tandem has read is what is there", f"{read}  /tmp/again" in text, True)
        resets = device.state()["resets"]
        device.runs(3)
    except Failure as error:
        raise Failure(f"{error}\n{text}\ntrace: {' '.join(device.trace()[-200:])}") from error
    print(f"  {resets} bus resets", flush=True)


def main():
    os.makedirs(arguments.work, exist_ok=True)
    failed = 0
    for controller in arguments.controller or CONTROLLERS:
        try:
            session(controller)
            print(f"ok     {controller}", flush=True)
        except (Failure, subprocess.TimeoutExpired) as error:
            failed += 1
            output = getattr(error, "output", None)
            print(f"FAILED {controller}: {error}\n{output.decode(errors='replace') if output else ''}", flush=True)
    raise SystemExit(1 if failed else 0)


main()
