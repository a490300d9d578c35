"""Debian's kernels, from the mirror that this host uses, checked against the archive's keys."""

import fcntl
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

RELEASES = {"bullseye": "5.10", "bookworm": "6.1", "trixie": "6.12"}
CACHE = Path(os.environ.get("CARPD_KERNELS", Path(__file__).resolve().parents[2] / "build-kernels")).resolve()
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# What it takes to mount a root that QEMU lends, or a disk; with what they need in turn.
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_rng", "virtio_blk", "crc32c_generic", "ext4")
_INIT, _MADE_BY = Path(__file__).with_name("init"), Path(__file__)


class Kernel(NamedTuple):
    """A kernel that is unpacked on this host."""

    release: str  # of Debian
    version: str  # as uname -r says
    image: Path
    initrd: Path
    modules: Path  # to be /lib/modules


def _run(*argv):
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def mirror():
    """Where this host gets Debian's packages from."""
    query = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian")
    if not _run(*query).strip():
        _run("apt-get", "update", "-q")
    found = _run(*query).split()
    if not found:
        raise RuntimeError("apt-get knows no mirror of Debian: see /etc/apt/sources.list")
    return found[0]


class _Apt:
    """apt-get for another release, in a directory of its own: this host's packages are neither asked nor changed."""

    def __init__(self, directory, release):
        self.directory = directory
        for name in ("state/lists/partial", "cache/archives/partial"):
            (directory / name).mkdir(parents=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror()} {release} main\n")
        options = {
            "Dir::Etc::sourcelist": directory / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State": directory / "state",
            "Dir::State::status": directory / "status",
            "Dir::Cache": directory / "cache",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        self._options = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self._apt("apt-get", "update", "-q")

    def _apt(self, program, *words):
        return _run(program, *self._options, *words)

    def dependency(self, package, pattern):
        """The first package that this one depends on and whose name fits."""
        found = re.search(rf"Depends: ({pattern})$", self._apt("apt-cache", "depends", package), re.M)
        if not found:
            raise RuntimeError(f"{package} depends on no {pattern}")
        return found[1]

    def unpack(self, package, into):
        """Downloads it, checked as apt-get always does, without what it depends on."""
        (self.directory / "package").mkdir()
        _run("env", "-C", self.directory / "package", "apt-get", *self._options, "-q", "download", package)
        (found,) = (self.directory / "package").glob("*.deb")
        _run("dpkg", "-x", found, into)


def _make_initrd(directory, version, path):
    """busybox, a few modules in the order in which they are loaded, and `init`."""
    tree = directory / "initrd"
    for name in ("bin", "dev", "modules", "proc", "root", "sys", "lower", "upper"):
        (tree / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), tree / "bin" / "busybox")
    shutil.copy(_INIT, tree / "init")
    files = []
    for module in _MODULES:
        shown = _run("modprobe", "-d", directory, "-S", version, "--show-depends", module)
        files += [found for found in re.findall(r"^insmod (\S+)", shown, re.M) if found not in files]
    for number, found in enumerate(files):
        data = Path(found).read_bytes()
        data = lzma.decompress(data) if found.endswith(".xz") else data
        (tree / "modules" / f"{number:02}-{Path(found).stem.removesuffix('.ko')}.ko").write_bytes(data)
    _run("sh", "-ec", f"cd '{tree}' && find . | cpio -o -H newc --quiet | gzip -1 >'{path}'")
    shutil.rmtree(tree)


def _make(release, directory):
    shutil.rmtree(directory, ignore_errors=True)
    apt = _Apt(directory / "apt", release)
    apt.unpack(apt.dependency("linux-image-amd64", r"linux-image-[0-9]\S*-amd64"), directory)
    shutil.rmtree(apt.directory)
    if not (directory / "lib").exists():
        (directory / "lib").symlink_to("usr/lib")
    (version,) = os.listdir(directory / "lib" / "modules")
    _run("depmod", "-b", directory, version)


def fetch(release):
    """The kernel of a release of Debian; downloaded the first time, then kept (CARPD_KERNELS names the directory)."""
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = CACHE / release
    with open(CACHE / f"{release}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            _make(release, CACHE / f"{release}.new")
            (CACHE / f"{release}.new").rename(directory)
        (version,) = os.listdir(directory / "lib" / "modules")
        initrd = directory / "initrd.gz"
        if not initrd.exists() or initrd.stat().st_mtime < max(_INIT.stat().st_mtime, _MADE_BY.stat().st_mtime):
            _make_initrd(directory, version, initrd)
    return Kernel(release, version, directory / "boot" / f"vmlinuz-{version}", initrd, directory / "lib" / "modules")
