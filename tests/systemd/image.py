"""The disk of a guest: the Debian release that this host runs, with systemd, and carpd as `make install` puts it."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from guest.debian import mirror

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CARPD_IMAGES", ROOT / "build-images")).resolve()

PACKAGES = "systemd systemd-sysv dbus udev kmod procps passwd iproute2 iputils-ping ifupdown".split()

# The agent of tests/guest, as a service: it is there when the host has started.
AGENT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh /share/agent
OOMScoreAdjust=-1000
"""

# An emulated machine takes its time to load a driver, and has few devices.
TRIGGER = """[Service]
ExecStart=
ExecStart=udevadm trigger --action=add --subsystem-match=virtio --subsystem-match=net --subsystem-match=block
"""

# What no story is about, and what costs an emulated machine most of its start.
MASKED = """modprobe@drm.service modprobe@dm_mod.service modprobe@loop.service modprobe@efi_pstore.service
systemd-binfmt.service e2scrub_reap.service getty@tty1.service serial-getty@ttyS0.service apt-daily.timer
apt-daily-upgrade.timer dpkg-db-backup.timer systemd-networkd-wait-online.service""".split()

# The way from fw1 to another host of the README, which fetches there what it is given.
SCP = """#!/bin/sh
for word; do case $word in -*) ;; *) from=${to:-}; to=$word ;; esac; done
mkdir -p "/share/${to%%:*}/${to#*:}" && cp -rp "$from" "/share/${to%%:*}/${to#*:}"
"""


def run(*argv, **more):
    """A command of this host to its end, and what it printed."""
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def release():
    """The name of the release that this host runs: what is built here runs there."""
    return re.search(r"(?m)^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(encoding="utf-8"))[1]


def _libraries(program):
    """The packages that hold what it is linked with."""
    paths = re.findall(r"=> (/\S+)", run("ldd", program))
    owners = [run("sh", "-c", f"dpkg-query -S {path} /usr{path} 2>/dev/null || true") for path in paths]
    return {line.split(":")[0] for text in owners for line in text.splitlines()}


def _write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _base(packages):
    """The release with these packages; made the first time, then kept."""
    CACHE.mkdir(parents=True, exist_ok=True)
    base = CACHE / f"{release()}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.exists():
            fresh = Path(f"{base}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release(), fresh, mirror())
            run("chroot", fresh, "apt-get", "clean")
            fresh.rename(base)
    return base


def _settle(root):
    """As a host that was installed a while ago, and has a name."""
    _write(root / "etc/hostname", "fw1\n")
    _write(root / "etc/hosts", "127.0.0.1 localhost fw1\n")
    _write(root / "usr/local/bin/scp", SCP, 0o755)
    units = root / "etc/systemd/system"
    _write(units / "agent.service", AGENT)
    (units / "default.target.wants").mkdir(exist_ok=True)
    (units / "default.target.wants" / "agent.service").symlink_to("../agent.service")
    _write(units / "systemd-udev-trigger.service.d" / "few.conf", TRIGGER)
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    (root / "var/log/journal").mkdir(exist_ok=True)


def make(path, kernel, build, files):
    """An image at `path`, with this kernel's modules, carpd as it was built there, and {path: text} besides."""
    packages = sorted({*PACKAGES, *_libraries(build / "carpd" / "carpd"), *_libraries(build / "carpctl" / "carpctl")})
    root = Path(f"{path}.root")
    run("cp", "-a", "--reflink=auto", _base(packages), root)
    shutil.copytree(kernel.modules, root / "lib" / "modules", symlinks=True, dirs_exist_ok=True)
    _settle(root)
    for name, text in files.items():
        _write(root / name.lstrip("/"), text)
    run("make", f"BUILD={build}", f"DESTDIR={root}", "install", cwd=ROOT)
    run("truncate", "-s", "3G", path)
    run("mkfs.ext4", "-q", "-d", root, path)
    shutil.rmtree(root)
