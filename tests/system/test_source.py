"""
More than one own address on the interface: peers must know the one that adverts come from.

    fw1 (10.0.0.1, 192.168.50.1) ---+
    fw2 (10.0.0.2, 192.168.50.2) ---+- switch
"""

import pytest
from lab import Carpd, Group, let_pass, wait_for
from words import detail, transitions, wait_settled

SHARED = "192.168.50.100/24"


@pytest.fixture(name="hosts")
def _hosts(lab):
    hosts = lab.hosts("fw1", "fw2")
    for host in hosts:
        host.run("ip", "addr", "add", f"192.168.50.{host.number}/24", "dev", "eth0")
    return hosts


def _pair(hosts, addresses=(SHARED,), network="192.168.50", **options):
    both = [Carpd(host, [Group(addresses=addresses, options={"peers": [f"{network}.{peer.number}"], **options})],
                  advskew=skew).start() for host, peer, skew in zip(hosts, reversed(hosts), (0, 100))]  # fmt: skip
    wait_settled(*both)
    return both


def test_peers_are_in_the_second_subnet(hosts):
    """And it stays so when addresses come and go, now and at the next start."""
    fw1 = hosts[0]
    first, second = _pair(hosts)
    assert detail(first)["sources"][0] == "192.168.50.1"
    before = transitions(second)
    fw1.run("ip", "addr", "del", f"{fw1.ipv4}/16", "dev", "eth0")
    fw1.run("ip", "addr", "add", "192.168.50.50/24", "dev", "eth0")
    fw1.run("ip", "addr", "add", f"{fw1.ipv4}/16", "dev", "eth0")
    let_pass(4)
    assert detail(first)["sources"][0] == "192.168.50.1" and transitions(second) == before
    first.stop()
    second.wait_state("master")
    first.start()
    wait_settled(second, first)
    for one in (first, second):
        assert one.carpctl("status").returncode == 0


def test_only_the_shared_address_is_near(hosts):
    """Adverts by multicast: the hosts know each other by the addresses of that network."""
    both = [Carpd(host, [Group(addresses=(SHARED,))], advskew=skew).start() for host, skew in zip(hosts, (0, 100))]
    wait_settled(*both)
    assert both[1].status()["master"] == "192.168.50.1"


def test_option(hosts):
    """Peers that list the addresses of the other network."""
    fw1, fw2 = hosts
    both = [Carpd(host, [Group(addresses=(SHARED,), options={"peers": [peer.ipv4], "source": host.ipv4})], advskew=skew)
            .start() for host, peer, skew in ((fw1, fw2, 0), (fw2, fw1, 100))]  # fmt: skip
    wait_settled(*both)
    assert both[1].status()["master"] == fw1.ipv4


def test_option_names_what_is_not_there(hosts):
    first = Carpd(hosts[0], [Group(addresses=(SHARED,), options={"source": "192.168.50.9"})]).start()
    problem = wait_for(lambda: first.status()["problems"], 5, "it is told")[0]
    assert "192.168.50.9" in problem and "eth0" in problem and first.carpctl("status").returncode == 1
    wait_for(lambda: "192.168.50.9" in first.log(), 10, "the log says it")
    checked = hosts[0].run(first.binary, "-n", "-f", first.config_path)
    assert "warning" in checked.stderr and "192.168.50.9" in checked.stderr
    hosts[0].run("ip", "addr", "add", "192.168.50.9/24", "dev", "eth0")
    wait_for(lambda: first.carpctl("status").returncode == 0, 5, "it is there")
