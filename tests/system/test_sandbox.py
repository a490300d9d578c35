"""What the two processes may still do, and that everything they have to do later is among it."""

import os
import signal

import pytest
from lab import Carpd, Group, wait_for

NET_ADMIN, NET_RAW, BPF = 12, 13, 39


def _engine_capabilities():
    """Before Linux 5.19 the gate's maps are not to be had without CAP_BPF."""
    version = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    return 1 << NET_ADMIN | 1 << NET_RAW | (1 << BPF if version < (5, 19) else 0)


def _status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def _name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def _engine(carpd):
    found = [pid for pid in carpd.pids() if _name(pid) == "carpd-engine"]
    return found[0] if found else None


def _keeper(carpd):
    return next(pid for pid in carpd.pids() if _name(pid) == "carpd")


def _new_engine(carpd, old):
    return wait_for(lambda: (pid := _engine(carpd)) != old and pid, 10, lambda: f"a new engine\n{carpd.log()}")


def test_engine_has_what_it_says(lab):
    (fw1,) = lab.hosts("fw1")
    carpd = Carpd(fw1).start()
    carpd.wait_state("master")
    engine = _status(_engine(carpd))
    assert int(engine["CapEff"], 16) == int(engine["CapPrm"], 16) == _engine_capabilities()
    assert int(engine["CapInh"], 16) == int(engine["CapAmb"], 16) == int(engine["CapBnd"], 16) == 0
    assert set(engine["Uid"].split()) == {"65534"} and engine["Groups"].strip() == ""
    for status in (engine, _status(_keeper(carpd))):
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"


def test_sandbox_can_be_turned_off(lab):
    (fw1,) = lab.hosts("fw1")
    carpd = Carpd(fw1, sandbox=False).start()
    carpd.wait_state("master")
    assert [_status(pid)["Seccomp"] for pid in (_keeper(carpd), _engine(carpd))] == ["0", "0"]


# A service manager's filter that forbids seccomp, as one can be written by mistake.
FORBID = """#!/usr/bin/python3
import ctypes, os, sys
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
filter = ctypes.c_void_p(lib.seccomp_init(0x7fff0000))
assert lib.seccomp_rule_add(filter, 0x00050001, lib.seccomp_syscall_resolve_name(b"seccomp"), 0) == 0
assert lib.seccomp_load(filter) == 0
os.execv({binary!r}, [{binary!r}, *sys.argv[1:]])
"""


def test_missing_sandbox_is_told(lab):
    (fw1,) = lab.hosts("fw1")
    carpd = Carpd(fw1)
    wrapper = lab.new_path("carpd-without-seccomp")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(FORBID.format(binary=carpd.binary))
    os.chmod(wrapper, 0o755)
    carpd.binary = wrapper
    carpd.start().wait_state("master")
    told = carpd.carpctl("status")
    for process in ("keeper", "engine"):
        sentence = f"the {process} runs without its sandbox: Operation not permitted"
        assert sentence in carpd.log() and sentence in told.stdout
    assert told.returncode == 1
    assert carpd.stop() == [0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_keeper_starts_a_new_engine_from_inside(lab, number):
    (fw1,) = lab.hosts("fw1")
    carpd = Carpd(fw1).start()
    carpd.wait_state("master")
    old = _engine(carpd)
    os.kill(old, number)
    new = _new_engine(carpd, old)
    carpd.wait_state("master")
    assert _status(new)["Seccomp"] == "2" and int(_status(new)["CapEff"], 16) == _engine_capabilities()
    assert carpd.stop() == [0]


def test_death_by_the_sandbox_is_told(lab):
    (fw1,) = lab.hosts("fw1")
    carpd = Carpd(fw1).start()
    carpd.wait_state("master")
    old = _engine(carpd)
    os.kill(old, signal.SIGSYS)
    _new_engine(carpd, old)
    assert "sandbox = false" in carpd.log()


def test_reload_brings_interfaces_and_gates(lab):
    """New sockets, memberships and gates, opened by a process that is not root any more."""
    (fw1,) = lab.hosts("fw1")
    fw1.run("ip", "link", "add", "mv0", "link", "eth0", "type", "macvlan", "mode", "bridge")
    fw1.run("ip", "link", "add", "ve0", "type", "veth", "peer", "name", "ve1")
    fw1.run("ip", "link", "add", "br0", "type", "bridge")
    names = ["mv0", "ve0", "br0"]
    fw1.run("ip", "link", "set", "ve1", "up")
    for number, name in enumerate(names, 50):
        fw1.run("ip", "addr", "add", f"10.{number}.0.1/24", "dev", name)
        fw1.run("ip", "link", "set", name, "up")
    groups = [Group()]
    groups += [
        Group(number, (f"10.{number}.0.100",), name=f"g{number}", interface=name)
        for number, name in enumerate(names, 50)
    ]
    carpd = Carpd(fw1, groups).start()
    for group in groups:
        if group.interface != "br0":
            carpd.wait_state("master", group=group.name)
    first = _engine(carpd)
    # All leave but the first, then all come back.
    carpd.write_config(groups[:1])
    carpd.reload()
    wait_for(lambda: len(carpd.ctl("status")["groups"]) == 1, 5, "one group is left")
    carpd.write_config(groups)
    carpd.reload()
    for group in groups:
        if group.interface != "br0":
            carpd.wait_state("master", group=group.name)
    # An interface that is deleted and made again, and one that goes down and up.
    fw1.run("ip", "link", "del", "ve0")
    carpd.wait_state("init", group="g51")
    fw1.run("ip", "link", "add", "ve0", "type", "veth", "peer", "name", "ve1")
    fw1.run("ip", "addr", "add", "10.51.0.1/24", "dev", "ve0")
    fw1.run("ip", "link", "set", "ve0", "up")
    fw1.run("ip", "link", "set", "ve1", "up")
    carpd.wait_state("master", group="g51")
    assert _engine(carpd) == first
    # The words that act, a new secret, and the state that is written.
    carpd.ctl("maintenance", "on")
    carpd.ctl("maintenance", "off")
    carpd.ctl("demote", "test", "5")
    carpd.ctl("undemote", "test")
    groups[0].passphrase = "another one"
    carpd.write_config(groups)
    carpd.reload()
    carpd.carpctl("log")
    carpd.carpctl("show", groups[0].name)
    assert _engine(carpd) == first
    assert carpd.stop() == [0]
    assert "sandbox" not in carpd.log()
