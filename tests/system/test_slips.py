"""
What does not fit this host, said in the status, in the log, and by `carpd -n` beforehand.

    fw1 ---+- switch - client
"""

import os

import pytest
from lab import Carpd, Group, wait_for
from words import ADDRESS, ping


def _preview(daemon):
    return daemon.host.run(daemon.binary, "-n", "-f", daemon.config_path).stderr


@pytest.mark.parametrize("own, shared, right", [
    ("10.0.0.1/24", "10.0.0.100/8", "10.0.0.100/24"),
    ("10.0.0.1/24", "10.0.7.100/16", "10.0.7.100/24"),
    ("10.0.0.1/16", "10.0.0.100/24", "10.0.0.100/16"),
    ("2001:db8::1/64", "2001:db8::100/32", "2001:db8::100/64"),
])  # fmt: skip
def test_prefix_length_differs_from_the_own_one(lab, own, shared, right):
    """No route hides the rest of the network: the own address says how large it is."""
    fw1 = lab.host("fw1", numbered=False)
    fw1.run("ip", "addr", "add", own, "dev", "eth0", *(["nodad"] if ":" in own else []))
    daemon = Carpd(fw1, [Group(addresses=(shared,))])
    problem = f"{shared} has another prefix length than this host's own {own} on eth0"
    assert f"warning: group group1: {problem}" in _preview(daemon)
    daemon.start()
    daemon.wait_state("master")
    (text,) = daemon.status()["problems"]
    assert text.startswith(problem) and f"write {right}, or" in text
    wait_for(lambda: daemon.log().count(problem) == 1, 8, "the log says so, once")
    routes = fw1.run("ip", "route").stdout + fw1.run("ip", "-6", "route").stdout
    assert "proto 112" not in routes
    daemon.write_config([Group(addresses=(right,))])
    daemon.reload()
    assert daemon.status()["problems"] == [] and "prefix" not in _preview(daemon)


def test_own_address_without_a_subnet(lab):
    """A /32 says nothing of the network: the shared address does, and brings the route."""
    fw1, client = lab.host("fw1", numbered=False), lab.host("client")
    fw1.run("ip", "addr", "add", "10.0.0.1/32", "dev", "eth0")
    daemon = Carpd(fw1, [Group(addresses=(f"{ADDRESS}/16",))]).start()
    daemon.wait_state("master")
    assert daemon.status()["problems"] == [] and ping(client, ADDRESS)


def test_alternative_name(lab):
    fw1 = lab.host("fw1")
    fw1.run("ip", "link", "property", "add", "dev", "eth0", "altname", "outside")
    daemon = Carpd(fw1, [Group(interface="outside")])
    assert "outside is an alternative name of eth0; say interface = eth0" in _preview(daemon)
    daemon.start()
    problems = daemon.status()["problems"]
    assert "outside is an alternative name of eth0; say interface = eth0" in problems
    daemon.write_config([Group()])
    daemon.reload()
    daemon.wait_state("master")


def test_secret_that_the_service_cannot_read(lab):
    """Root who checks can read all of it; the unit runs carpd as its user."""
    fw1 = lab.host("fw1")
    daemon = Carpd(fw1, user="daemon")
    passphrase = os.path.join(daemon.directory, "group1.pass")
    fw1.run("chown", "root:", passphrase)
    said = f"{passphrase}: warning: user daemon, as whom the systemd unit runs carpd, cannot read it; chown daemon "
    assert said + passphrase in _preview(daemon)
    fw1.run("chown", "daemon", passphrase)
    assert _preview(daemon) == ""
