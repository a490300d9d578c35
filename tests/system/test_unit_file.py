"""The systemd unit: how exposed it leaves carpd, and that carpd works with no more than it grants."""

import os
import re
import shutil
import subprocess

import pytest
from lab import Carpd, Group, wait_for

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOURCE = os.path.join(ROOT, "dist", "carpd.service.in")
FILTERS = os.path.join(ROOT, "linux", "sandbox_filter.c")
EXPOSURE_MAX = 2.0


@pytest.fixture(name="unit")
def _unit(tmp_path):
    with open(SOURCE, encoding="utf-8") as file:
        text = file.read().replace("@bindir@", "/usr/bin").replace("@sbindir@", "/usr/sbin")
    assert "@" not in re.sub(r"(?m)^#.*|@(system-service|resources|keyring|aio|ipc)\b", "", text)
    path = tmp_path / "carpd.service"
    path.write_text(text)
    return path


def _words(unit, key):
    return " ".join(re.findall(rf"(?m)^{key}=(.*)$", unit.read_text())).split()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_exposure(unit):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    figure = re.search(r"Overall exposure level for carpd.service: ([0-9.]+)", done.stdout)
    assert figure, done.stdout + done.stderr
    assert float(figure[1]) <= EXPOSURE_MAX, done.stdout


def _members(name):
    """The system calls of one of systemd's sets, and of the sets in it."""
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    inside = re.findall(r"(?m)^    ([@a-z]\S*)$", shown.stdout)
    return set().union(*map(_members, inside))


def _allowed(unit):
    found = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", unit.read_text()):
        named = set().union(*map(_members, line.removeprefix("~").split()))
        found = found - named if line.startswith("~") else found | named
    return found


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_filter_of_the_unit_has_room_for_those_of_the_processes(unit):
    """What it takes away carpd would miss one day: what systemd does not name is of another machine."""
    with open(FILTERS, encoding="utf-8") as file:
        text = file.read()
    lists = re.findall(r"(?s)\w+_calls\[\] = \{(.*?)\};", text) + re.findall(r"allow_(?:if|values)\(filter, (\S+)", text)
    wanted = {name for one in lists for name in re.findall(r'"(\w+)"', one)}
    assert {"epoll_wait", "seccomp", "bpf", "kill"} <= wanted
    # Priority and limits are set by the unit, which takes away the right to change them.
    by_the_unit = {"sched_setscheduler", "setrlimit"}
    missing = wanted - _allowed(unit) - by_the_unit
    known = set().union(*map(_members, ["@known"]))
    assert missing & known == set()


def test_two_groups_of_capabilities_are_one(unit):
    assert _words(unit, "AmbientCapabilities") == _words(unit, "CapabilityBoundingSet")


def _may_lock_any_memory():
    """A service manager may grant it; in a container even root may not."""
    return subprocess.run(["prlimit", "--memlock=unlimited", "true"], capture_output=True, check=False).returncode == 0


class UnitCarpd(Carpd):
    """carpd as the unit starts it: no root, and the unit's capabilities, priority and limits only."""

    capabilities = ()

    def start(self, wait=True):
        for name in os.listdir(self.directory):
            os.chown(os.path.join(self.directory, name), 65534, 65534)
        os.chown(self.directory, 65534, 65534)
        wanted = ",".join("+" + name.removeprefix("CAP_").lower() for name in self.capabilities)
        self.processes = [
            self.host.start(
                *(["prlimit", "--memlock=unlimited"] if _may_lock_any_memory() else []), "chrt", "-f", "1",
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps=-all,{wanted}",
                f"--ambient-caps=-all,{wanted}", f"--bounding-set=-all,{wanted}", "--no-new-privs",
                self.binary, "-f", self.config_path, name="carpd", environment=self.environment,
            )  # fmt: skip
        ]
        wait_for(self._answers, 10, lambda: f"carpd answers\n{self.processes[0].tail()}")
        return self


def _fields(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":", 1) for line in file if ":" in line)


def test_works_with_what_the_unit_grants(lab, unit):
    (fw1,) = lab.hosts("fw1")
    UnitCarpd.capabilities = _words(unit, "AmbientCapabilities")
    groups = [Group(1), Group(2, ("10.0.0.102", "fd00:0::102"))]
    carpd = UnitCarpd(fw1, groups).start()
    for group in groups:
        carpd.wait_state("master", group=group.name)
    complaints = ["no gate", "cannot", "without its sandbox", "survive"]
    for complaint in complaints + (["no real-time"] if _may_lock_any_memory() else []):
        assert complaint not in carpd.log(), carpd.log()
    pids = carpd.pids()
    assert {_fields(pid)["Uid"].split()[0] for pid in pids} == {"65534"}
    # Nobody but root opens what belongs to a process that cannot be dumped.
    assert {os.stat(f"/proc/{pid}/mem").st_uid for pid in pids} == {0}
    assert {_fields(pid)["CapEff"].strip() for pid in pids} == {"000000c000003000", "0000000000003000"}
    assert {os.sched_getscheduler(pid) for pid in pids} == {os.SCHED_FIFO}
    # A file with a secret is read again, an engine is started again, by somebody who is not root.
    groups[0].passphrase = "another"
    carpd.write_config(groups)
    carpd.reload()
    engine = max(pids)
    os.kill(engine, 9)
    wait_for(lambda: len(carpd.pids()) == 2 and engine not in carpd.pids(), 10, carpd.log)
    for group in groups:
        carpd.wait_state("master", group=group.name)
    assert carpd.stop() == [0]
    assert not fw1.has("10.0.0.102")
