"""
Parents that are no plain cable: a bridge with guests behind it, a macvlan.

    fw1 ---+
    fw2 ---+- switch - client
"""

from lab import Carpd, Group, wait_for
from words import ADDRESS, ADDRESS6, live_through, ping, start_pair, transitions, virtual_mac


def test_bridge_with_a_guest(lab):
    """The guest behind each host reaches the address wherever its master is (no promiscuity, no stale entry)."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add bridge0 type bridge forward_delay 0; ip link set bridge0 up
            ip addr flush dev eth0; ip link set eth0 master bridge0
            ip addr add {host.ipv4}/16 dev bridge0; ip addr add {host.ipv6}/64 dev bridge0 nodad""")
    pair = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="bridge0")], preempt=True)
    assert pair[0].status()["mac"] == "virtual"
    entry = f"{virtual_mac()} dev bridge0"
    wait_for(lambda: virtual_mac() in fw1.run("bridge", "fdb", "show").stdout, 5, "the master's entry")
    assert entry not in fw2.run("bridge", "fdb", "show", "br", "bridge0").stdout
    assert fw1.run("cat", "/sys/class/net/bridge0/flags").stdout.strip() == fw2.run(
        "cat", "/sys/class/net/bridge0/flags").stdout.strip(), "the bridge is not promiscuous"
    live_through(*pair, client, [ADDRESS, ADDRESS6])


def test_macvlan_keeps_its_own_mac(lab):
    """A macvlan cannot carry a second MAC: `auto` says so and uses the first."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add mv0 link eth0 type macvlan mode bridge; ip addr flush dev eth0; ip link set mv0 up
            ip addr add {host.ipv4}/16 dev mv0; ip addr add {host.ipv6}/64 dev mv0 nodad""")
    pair = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="mv0")], preempt=True)
    assert pair[0].status()["mac"] == "interface"
    assert "macvlan" in pair[0].log()
    live_through(*pair, client, [ADDRESS, ADDRESS6])


def test_virtual_mac_that_cannot_be_is_a_problem(lab):
    fw1 = lab.host("fw1")
    fw1.run("sh", "-ec", "ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 up")
    daemon = Carpd(fw1, [Group(1, (ADDRESS,), interface="mv0", options={"mac": "virtual"})]).start()
    assert daemon.status()["state"] == "init"
    assert "mac = virtual is not possible" in daemon.status()["problems"][0]
    assert daemon.carpctl("status").returncode == 1
    daemon.reload()
    assert daemon.status()["state"] == "init" and transitions(daemon) == []
    # The way out, and back in.
    daemon.write_config([Group(1, (ADDRESS,), interface="mv0", options={"mac": "interface"})])
    daemon.reload()
    daemon.wait_state("master")
    daemon.write_config([Group(1, (ADDRESS,), interface="mv0", options={"mac": "virtual"})])
    daemon.reload()
    daemon.wait_state("init", 2)
    assert not fw1.has(ADDRESS, "mv0")


def test_groups_share_the_route_of_an_unnumbered_parent(lab):
    """It goes with the last of them."""
    fw1 = lab.host("fw1", numbered=False)
    client = lab.host("client")
    groups = [Group(1, (f"{ADDRESS}/16", f"{ADDRESS6}/64")), Group(2, ("10.0.0.102/16", "fd00::102/64"))]
    one = Carpd(fw1, groups).start()
    for group in groups:
        one.wait_state("master", group=group.name)
    one.write_config(groups[1:])
    one.reload()
    assert not fw1.has(ADDRESS) and ping(client, "10.0.0.102") and ping(client, "fd00::102")
    lab.unplug(fw1)
    one.wait_state("init", 2)
    assert "proto 112" not in fw1.run("ip", "route").stdout + fw1.run("ip", "-6", "route").stdout
