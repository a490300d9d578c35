"""
Cables and interfaces that come and go.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client
"""

import json
import socket

import pytest
from lab import ArpObserver, Carpd, Group, boottime_ns, let_pass, wait_for
from words import ADDRESS, ADDRESS6, detail, neighbour, ping, start_pair, transitions, virtual_mac, wait_settled


@pytest.fixture(name="hosts")
def _hosts(lab):
    return lab.hosts("fw1", "fw2", "client")


def _all_routes(host):
    found = []
    for family in ("-4", "-6"):
        text = host.run("ip", family, "-j", "route", "show", "table", "all").stdout
        found += [json.dumps(route, sort_keys=True) for route in json.loads(text or "[]")]
    return found


def _assert_no_duplicates(host):
    routes = _all_routes(host)
    assert len(routes) == len(set(routes))
    lines = host.run("ip", "-o", "addr").stdout.splitlines()
    addresses = [line.split()[3] for line in lines]
    assert len(addresses) == len(set(addresses))


def test_master_loses_its_link(lab, hosts):
    fw1, fw2, client = hosts
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))], preempt=True)
    lab.unplug(fw1)
    first.wait_state("init", 2)
    assert not fw1.has(ADDRESS) and not fw1.has(ADDRESS6)
    second.wait_state("master")
    assert ping(client, ADDRESS)
    lab.plug(fw1)
    wait_settled(first, second)
    assert lab.owners(ADDRESS) == [fw1] and lab.owners(ADDRESS6) == [fw1]
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)


def test_backup_loses_its_link(lab, hosts):
    _, fw2, client = hosts
    first, second = start_pair(lab)
    before = transitions(first)
    lab.unplug(fw2)
    second.wait_state("init", 2)
    lab.plug(fw2)
    second.wait_state("backup", 3)
    wait_settled(first, second)
    assert transitions(first) == before
    assert ("group1", "backup", "master") not in transitions(second)
    assert ping(client, ADDRESS)


def test_set_down_by_the_administrator(lab, hosts):
    fw1, fw2, client = hosts
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))], preempt=True)
    fw1.run("ip", "link", "set", "eth0", "down")
    first.wait_state("init", 2)
    second.wait_state("master")
    fw1.run("ip", "link", "set", "eth0", "up")
    # Setting it down has flushed its IPv6 addresses, the shared one and the host's own.
    fw1.run("ip", "addr", "add", f"{fw1.ipv6}/64", "dev", "eth0")
    wait_settled(first, second)
    assert ping(client, ADDRESS6) and lab.owners(ADDRESS6) == [fw1]
    _assert_no_duplicates(fw1)


def test_deleted_and_created_again(lab, hosts):
    fw1, fw2, client = hosts
    first, second = start_pair(lab, preempt=True)
    fw1.run("ip", "link", "del", "eth0")
    first.wait_state("init", 2)
    second.wait_state("master")
    lines = f"link add {lab.port(fw1)} type veth peer name eth0 netns {fw1.netns}\n"
    lab.all_hosts[2].run("true")
    lab_run = ["ip", "-n", lab.switch, "-batch", "-"]
    fw1.run(*lab_run, text=lines + f"link set {lab.port(fw1)} master br0 up\n")
    fw1.run("ip", "addr", "add", f"{fw1.ipv4}/16", "dev", "eth0")
    fw1.run("ip", "link", "set", "eth0", "up")
    wait_settled(first, second)
    wait_for(lambda: ping(client, ADDRESS), 3, "the client is answered")
    assert neighbour(client, ADDRESS) == virtual_mac() and lab.owners(ADDRESS) == [fw1]


def test_renamed(lab, hosts):
    """The name is what the configuration says: under another one the interface is not its own, and back it is."""
    fw1, _, client = hosts
    first, second = start_pair(lab, preempt=True)
    for step in (("down",), ("name", "other0"), ("up",)):
        fw1.run("ip", "link", "set", "other0" if step == ("up",) else "eth0", *step)
    first.wait_state("init", 2)
    second.wait_state("master")
    assert not fw1.has(ADDRESS, "other0")
    for step in (("down",), ("name", "eth0"), ("up",)):
        fw1.run("ip", "link", "set", "eth0" if step == ("up",) else "other0", *step)
    wait_settled(first, second)
    assert ping(client, ADDRESS)


def test_renamed_while_it_is_up(lab, hosts):
    """Newer kernels allow that; the addresses must not stay behind under the new name, outside of the gate."""
    fw1, _, client = hosts
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))], preempt=True)
    if fw1.run("ip", "link", "set", "eth0", "name", "other0", check=False).returncode != 0:
        pytest.skip("this kernel renames interfaces only while they are down")
    wait_for(lambda: not fw1.has(ADDRESS, "other0") and not fw1.has(ADDRESS6, "other0"), 1, "fw1 gives them up")
    second.wait_state("master")
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    fw1.run("ip", "link", "set", "other0", "name", "eth0")
    wait_settled(first, second)
    assert lab.owners(ADDRESS) == [fw1] and ping(client, ADDRESS)


def test_renamed_and_another_has_its_name(lab, hosts):
    """In one breath: what carpd had on the first goes, although its name is there, and it comes to the second."""
    fw1 = hosts[0]
    first = Carpd(fw1, [Group(addresses=(ADDRESS, ADDRESS6))]).start()
    first.wait_state("master")
    steps = "link set eth0 name other0\nlink add eth0 type veth peer name eth0-peer\n"
    if fw1.run("ip", "-batch", "-", text=steps, check=False).returncode != 0:
        pytest.skip("this kernel renames interfaces only while they are down")
    wait_for(lambda: not fw1.has(ADDRESS, "other0") and not fw1.has(ADDRESS6, "other0"), 2, "fw1 gives them up")
    first.wait_state("init", 2)
    fw1.run("sh", "-ec", "ip link set eth0-peer up; ip link set eth0 up")
    first.wait_state("master")
    assert fw1.has(ADDRESS) and not fw1.has(ADDRESS, "other0")


@pytest.mark.parametrize("who", [0, 1], ids=["master", "backup"])
def test_flapping(lab, hosts, who):
    """FRR's zebra_protodown_connected: 30 times down and up without a pause."""
    client = hosts[2]
    first, second = start_pair(lab, [Group(addresses=(f"{ADDRESS}/16", f"{ADDRESS6}/64"))], preempt=True)
    text = "link set eth0 down\nlink set eth0 up\n" * 30
    hosts[who].run("ip", "-batch", "-", text=text)
    wait_settled(first, second)
    assert lab.owners(ADDRESS) == [hosts[0]] and lab.owners(ADDRESS6) == [hosts[0]]
    for host in hosts[:2]:
        _assert_no_duplicates(host)
    wait_for(lambda: ping(client, ADDRESS) and ping(client, ADDRESS6), 3, "the client is answered")


def test_backup_never_answers(lab, hosts):
    """Also after its parent flapped (FRR#16995): only the master's switch port sends ARP replies."""
    _, fw2, client = hosts
    observer = lab.host("observer")
    first, second = start_pair(lab, preempt=True)
    arp = ArpObserver(observer, ADDRESS)
    wait_for(lambda: arp.owners() == {"fw1"}, 3, "the master answers")
    begin_ns = boottime_ns()
    for _ in range(5):
        fw2.run("ip", "link", "set", "eth0", "down")
        fw2.run("ip", "link", "set", "eth0", "up")
    second.wait_state("backup", 3)
    wait_settled(first, second)
    let_pass(2, begin_ns)
    assert arp.stop().owners() == {"fw1"}
    assert arp.two_owners_ms() == 0
    # To the backup's own MAC neither: the frame reaches it, and the address is not there.
    client.run("ip", "neigh", "replace", ADDRESS, "lladdr", fw2.mac(), "dev", "eth0")
    assert not ping(client, ADDRESS)


def test_address_taken_away_by_an_administrator(lab, hosts):
    fw1, _, client = hosts
    first, _ = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))])
    for address in (ADDRESS, ADDRESS6):
        words = f"{address}/{128 if ':' in address else 32}"
        fw1.run("ip", "addr", "del", words, "dev", "eth0")
        wait_for(lambda wanted=address: fw1.has(wanted), 1, "it is put back")
        assert ping(client, address)
    assert first.status()["state"] == "master"
    # ip(8) gives up, because what it flushes comes back.
    fw1.run("ip", "addr", "flush", "dev", "eth0", check=False)
    wait_for(lambda: fw1.has(ADDRESS) and fw1.has(ADDRESS6), 2, "both are put back")


def test_netlink_overrun(lab, hosts):
    """More changes than the socket holds while carpd is stopped for a moment: it reads the whole picture anew."""
    fw1, _, client = hosts
    first, second = start_pair(lab, [Group(addresses=(ADDRESS,)), Group(2, ("10.0.0.102",), interface="dummy7")][:1])
    text = "".join(f"addr add 10.77.{n // 250}.{n % 250 + 1}/32 dev lo\n" for n in range(4000))
    text += "".join(f"addr del 10.77.{n // 250}.{n % 250 + 1}/32 dev lo\n" for n in range(4000))
    first.pause()
    try:
        fw1.run("ip", "-batch", "-", text=text)
        fw1.run("ip", "addr", "del", f"{ADDRESS}/32", "dev", "eth0")
    finally:
        first.resume()
    wait_for(lambda: len(lab.owners(ADDRESS)) == 1 and ping(client, ADDRESS), 12, "one host answers")
    assert sorted(one.status()["state"] for one in (first, second)) == ["backup", "master"]


def test_interface_that_does_not_exist_yet(lab):
    fw1 = lab.host("fw1")
    first = Carpd(fw1, [Group(interface="later0")]).start()
    status = first.status()
    assert status["state"] == "init" and status["problems"]
    assert "later0" in " ".join(status["problems"])
    fw1.run("ip", "link", "set", "eth0", "down")
    fw1.run("ip", "link", "set", "eth0", "name", "later0")
    fw1.run("ip", "link", "set", "later0", "up")
    first.wait_state("master")
    assert fw1.has(ADDRESS, "later0") and detail(first)["gate"]


def test_clients_after_an_interface_has_gone(lab):
    """Their connections get the numbers of its sockets: the loop must have forgotten those."""
    fw1 = lab.host("fw1")
    first = Carpd(fw1, [Group(options={"mac": "interface"})]).start()
    first.wait_state("master")
    fw1.run("ip", "link", "del", "eth0")
    first.wait_state("init", 2)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(12)]
    for one in clients:
        one.settimeout(5)
        one.connect(first.socket)
    for one in clients:
        one.sendall(b'{"do":"log","count":1}\n')
        assert b'"ok":true' in one.recv(4096)
    for one in clients:
        one.close()


def _snoop(lab):
    """The switch forwards a multicast group to its members only, and asks who they are."""
    for word in ("mcast_snooping 1", "mcast_querier 1", "mcast_query_interval 100", "mcast_startup_query_interval 100"):
        lab.all_hosts[0].run("ip", "-n", lab.switch, "link", "set", "br0", "type", "bridge", *word.split())


def _is_member(host, group="ff02::12"):
    return group in host.run("ip", "maddr", "show", "dev", "eth0").stdout.split()


@pytest.mark.parametrize(
    "mac, step",
    [
        ("virtual", ("ip link set eth0 mtu 1200", "ip link set eth0 mtu 1500")),
        ("interface", ("ip link set eth0 mtu 1200", "ip link set eth0 mtu 1500")),
        ("virtual", tuple(f"sysctl -qw net.ipv6.conf.eth0.disable_ipv6={value}" for value in (1, 0))),
    ],
    ids=["mtu", "mtu-without-gate", "disabled"],
)
def test_ipv6_goes_and_comes_behind_a_snooping_switch(lab, hosts, mac, step):
    """The kernel forgets ff02::12 with the link's IPv6; without it the backup would hear nobody and take over."""
    _snoop(lab)
    _, fw2, client = hosts
    first, second = start_pair(lab, [Group(addresses=(ADDRESS6,), options={"mac": mac})], preempt=True)
    for command in step:
        fw2.run(*command.split())
    fw2.run("ip", "addr", "replace", f"{fw2.ipv6}/64", "dev", "eth0", "nodad")
    wait_for(lambda: _is_member(fw2), 10, "ff02::12 is joined again")
    wait_settled(first, second)
    heard = detail(second)["counters"]["adverts_received"]
    wait_for(lambda: detail(second)["counters"]["adverts_received"] >= heard + 5, 10, "the master is heard")
    assert lab.owners(ADDRESS6) == [hosts[0]] and ping(client, ADDRESS6)


@pytest.mark.parametrize("before", ["ip link set eth0 mtu 1200", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1"])
def test_ipv6_comes_later_than_carpd(lab, hosts, before):
    _snoop(lab)
    fw1, fw2, client = hosts
    fw2.run(*before.split())
    first = Carpd(fw1, [Group(addresses=(ADDRESS6,))], preempt=True).start()
    first.wait_state("master")
    second = Carpd(fw2, [Group(addresses=(ADDRESS6,))], preempt=True, advskew=100).start()
    fw2.run("ip", "link", "set", "eth0", "mtu", "1500")
    fw2.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0")
    fw2.run("ip", "addr", "replace", f"{fw2.ipv6}/64", "dev", "eth0", "nodad")
    wait_settled(first, second)
    assert _is_member(fw2) and lab.owners(ADDRESS6) == [fw1] and ping(client, ADDRESS6)


def test_mac_of_the_interface_changes(lab, hosts):
    """Without a virtual MAC: clients hear at once of the one that answers now, not a minute later."""
    fw1, _, client = hosts
    first, _ = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))], mac="interface")
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    # The repetitions of the takeover's announcement are over.
    wait_for(lambda: first.status()["since_s"] > 5.5, 10, "a calm master")
    fw1.run("ip", "link", "set", "eth0", "address", "02:00:00:00:77:01")
    for address in (ADDRESS, ADDRESS6):
        wait_for(lambda: neighbour(client, address) == "02:00:00:00:77:01", 20, "clients know the new MAC")
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
