"""
Addresses that the kernel lastingly refuses: known beforehand, told with the cure, and the rest is served.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client
"""

import pytest
from lab import Carpd, Group, let_pass, wait_for
from words import ADDRESS, ADDRESS6, ping, start_pair, transitions, wait_settled

BOTH = [Group(addresses=(ADDRESS, ADDRESS6))]
OFF = "net.ipv6.conf.eth0.disable_ipv6"


@pytest.fixture(name="hosts")
def _hosts(lab):
    return lab.hosts("fw1", "fw2", "client")


def _switch(host, off):
    host.run("sysctl", "-qw", f"{OFF}={int(off)}")


def _problem(daemon):
    return next((text for text in daemon.status()["problems"] if "cannot be had" in text), None)


def _assert_told(daemon):
    problem = wait_for(lambda: _problem(daemon), 10, lambda: f"it is told\n{daemon.log()}")
    assert ADDRESS6 in problem and f"sysctl -w {OFF}=0" in problem
    assert daemon.carpctl("status").returncode == 1
    wait_for(lambda: problem in daemon.log(), 10, "the log says it")


def test_backup_without_ipv6(lab, hosts):
    """Said before it is needed, and IPv4 is served when it is."""
    _, fw2, client = hosts
    _switch(fw2, off=True)
    first, second = start_pair(lab, BOTH)
    _assert_told(second)
    checked = fw2.run(second.binary, "-n", "-f", second.config_path)
    assert "warning" in checked.stderr and f"sysctl -w {OFF}=0" in checked.stderr
    first.stop()
    second.wait_state("master")
    assert fw2.has(ADDRESS) and ping(client, ADDRESS)
    before = transitions(second)
    let_pass(6)
    assert transitions(second) == before and second.log().count("cannot be had") == 1
    # As soon as it can, it serves all.
    _switch(fw2, off=False)
    fw2.run("ip", "addr", "add", f"{fw2.ipv6}/64", "dev", "eth0", "nodad")
    wait_for(lambda: fw2.has(ADDRESS6), 10, "the address is there")
    wait_for(lambda: ping(client, ADDRESS6), 5, "IPv6 is answered")
    wait_for(lambda: second.carpctl("status").returncode == 0, 10, "all is well")
    assert second.status()["state"] == "master"


def test_switched_off_on_the_master(lab, hosts):
    """Another host can serve all, and does."""
    fw1, fw2, client = hosts
    first, second = start_pair(lab, BOTH)
    _switch(fw1, off=True)
    second.wait_state("master")
    assert fw2.has(ADDRESS) and fw2.has(ADDRESS6) and ping(client, ADDRESS6)
    _assert_told(first)
    first.wait_state("backup")
    assert second.carpctl("status").returncode == 0


def test_nothing_but_what_is_refused(lab, hosts):
    """Out of service, quietly, and in service again when the kernel takes it."""
    fw1 = hosts[0]
    _switch(fw1, off=True)
    first = Carpd(fw1, [Group(addresses=(ADDRESS6,))]).start()
    _assert_told(first)
    let_pass(5)
    assert first.status()["state"] == "init" and not transitions(first)
    _switch(fw1, off=False)
    first.wait_state("master", 15)
    assert fw1.has(ADDRESS6)


def test_after_a_reload(lab, hosts):
    """IPv6 that comes into the group with a reload, where it is switched off."""
    fw1, fw2, client = hosts
    _switch(fw1, off=True)
    first, second = start_pair(lab, [Group(addresses=(ADDRESS,))])
    first.write_config(BOTH)
    first.reload()
    _assert_told(first)
    second.write_config(BOTH)
    second.reload()
    wait_settled(second, first)
    assert fw2.has(ADDRESS6) and ping(client, ADDRESS)


def test_interface_too_narrow_for_ipv6(hosts):
    """An MTU below 1280 is as good as a switch."""
    fw1 = hosts[0]
    first = Carpd(fw1, [Group(addresses=(ADDRESS, ADDRESS6))]).start()
    first.wait_state("master")
    fw1.run("ip", "link", "set", "eth0", "mtu", "1200")
    problem = wait_for(lambda: _problem(first), 10, "it is told")
    assert ADDRESS6 in problem
    assert first.status()["state"] == "master" and fw1.has(ADDRESS)
    fw1.run("ip", "link", "set", "eth0", "mtu", "1500")
    wait_for(lambda: fw1.has(ADDRESS6), 15, "it is there again")
    wait_for(lambda: first.carpctl("status").returncode == 0, 10, "all is well")
