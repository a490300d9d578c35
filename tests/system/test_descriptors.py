"""
As many interfaces as one likes, and clients that take every descriptor that is left.

    fw1 (many interfaces, mac = interface)
"""

import contextlib
import os
import socket

from lab import Carpd, Group, wait_for
from lab.process import cpu_s

INTERFACES = 20


def _with_limit(daemon, limit):
    """Started under this soft and hard limit of open files."""
    path = daemon.host.lab.new_path("limited")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec prlimit --nofile={limit} {daemon.binary} "$@"\n')
    daemon.binary = path
    return daemon


def _groups_on_many_interfaces(host):
    names = [f"many{n}" for n in range(INTERFACES)]
    lines = "link add {0} up type veth peer name {0}.end\nlink set {0}.end up\n"
    host.run("ip", "-batch", "-", text="".join(lines.format(name) for name in names))
    return [Group(1, (f"10.9.{n}.1",), name=name, interface=name, options={"mac": "interface"})
            for n, name in enumerate(names)]  # fmt: skip


def test_more_interfaces_than_the_soft_limit_allows(lab):
    fw1 = lab.host("fw1")
    groups = _groups_on_many_interfaces(fw1)
    first = _with_limit(Carpd(fw1, groups), "64:4096").start()
    wait_for(lambda: first.ctl("status")["serving"] == INTERFACES, 10, lambda: f"it serves all\n{first.log()}")
    assert first.carpctl("status").returncode == 0


def test_interface_beyond_the_hard_limit(lab):
    """Named, with what would help; the others serve."""
    fw1 = lab.host("fw1")
    groups = _groups_on_many_interfaces(fw1)
    first = _with_limit(Carpd(fw1, groups), "80:80").start()
    wait_for(lambda: first.status()["state"] == "master", 10, "the first one serves")
    last = wait_for(lambda: first.status(groups[-1].name)["problems"], 5, "the last one has a problem")[0]
    assert "LimitNOFILE" in last and first.carpctl("status").returncode == 1


def test_clients_take_every_descriptor(lab):
    """Those that find none wait; the daemon does not spin, says it once, and serves on."""
    fw1 = lab.host("fw1")
    first = _with_limit(Carpd(fw1, [Group(options={"mac": "interface"})]), "48:48").start()
    first.wait_state("master")
    sent = first.ctl("show", "group1")["groups"][0]["detail"]["counters"]["adverts_sent"]
    clients = []

    def connect_one_more():
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        clients.append(one)
        with contextlib.suppress(BlockingIOError):
            one.connect(first.socket)
        return "no client can be accepted" in first.log()

    wait_for(connect_one_more, 10, lambda: f"it is said\n{first.log()}")
    used_s = cpu_s(first.pids())
    for one in clients:
        one.close()
    wait_for(lambda: first.carpctl("status").returncode == 0, 20, "clients are served again")
    assert first.log().count("accept") == 1, first.log()
    assert cpu_s(first.pids()) - used_s < 1
    counters = first.ctl("show", "group1")["groups"][0]["detail"]["counters"]
    assert first.status()["state"] == "master" and counters["adverts_sent"] > sent
