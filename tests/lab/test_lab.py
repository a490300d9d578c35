"""The lab measured with daemons that are known: what it reports of ucarp and keepalived is what they do."""

import hashlib
import hmac
import ipaddress
import os
import subprocess
import sys
import textwrap

import pytest
from lab import (
    ArpObserver,
    Flood,
    Group,
    Keepalived,
    Lab,
    LabTimeout,
    Prober,
    Sniffer,
    TcpEcho,
    TcpHold,
    Ucarp,
    boottime_ns,
    let_pass,
    wait_for,
)

ADDRESS = "10.0.0.100"


@pytest.fixture(name="lab")
def _lab():
    with Lab() as lab:
        yield lab


def _digest(passphrase, vhid, address, counter):
    """The HMAC of an IPv4 group with one address: version and type, vhid, address, counter."""
    data = bytes([2, 1, vhid]) + ipaddress.ip_address(address).packed + counter
    return hmac.new(passphrase.encode(), data, hashlib.sha1).digest()


@pytest.mark.alone
def test_ucarp_pair(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    sniffer = Sniffer(lab)
    first = Ucarp(fw1).start()
    lab.wait_for_owner(ADDRESS, fw1)
    second = Ucarp(fw2, advskew=50).start()
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    advert = sniffer.adverts(fw1)[-1]
    assert (advert.protocol, advert.id, advert.interval_s) == ("carp", 1, 1.0)
    group = first.groups[0]
    assert advert.payload[16:36] == _digest(group.passphrase, 1, ADDRESS, advert.payload[8:16])

    # ucarp reads an advert up to a second late: only now it certainly knows of its master.
    seen = len(sniffer.adverts(fw1))
    wait_for(lambda: len(sniffer.adverts(fw1)) >= seen + 2, 5, "two more adverts")
    assert lab.owners(ADDRESS) == [fw1]
    crash_ns = first.crash()
    wait_for(lambda: fw2.has(ADDRESS), 10, "fw2 takes over")
    prober.wait_answered()
    prober.stop()
    last_advert = [one for one in sniffer.adverts(fw1) if one.time_ns < crash_ns][-1]
    beyond_s = (prober.first_answer_ns(crash_ns) - last_advert.time_ns) / 1e9 - second.window_s
    # ucarp looks at the clock late, by up to 1.8 s, and never early.
    assert -0.01 < beyond_s < 2.5
    assert [one.mac for one in sniffer.announcements(ADDRESS, crash_ns)][0] == fw2.mac()
    outage = max(prober.outages(), key=lambda one: one.lost)
    assert abs(outage.lost - outage.ms) < 0.15 * outage.ms


@pytest.mark.alone
def test_keepalived_takes_over_on_time(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    sniffer = Sniffer(lab)
    first = Keepalived(fw1, priority=200, advert_s=0.1).start()
    second = Keepalived(fw2, priority=100, advert_s=0.1).start()
    lab.wait_for_owner(ADDRESS, fw1)
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    assert len(first.pids()) == 2 and first.pss_kib() > 500
    process = first.processes[0]
    crash_ns = first.crash()
    assert not process.pids() and not first.running()
    wait_for(lambda: fw2.has(ADDRESS), 10, "fw2 takes over")
    prober.wait_answered()
    beyond_ms = (prober.stop().first_answer_ns(crash_ns) - sniffer.adverts(fw1)[-1].time_ns) / 1e6
    beyond_ms -= second.window_s * 1e3
    assert -1 < beyond_ms < 50
    sniffer.stop()


def test_observer_tells_two_owners_apart(lab):
    """Also while somebody listens at the switch, which then sees each answer twice itself."""
    fw1, fw2, observer = lab.hosts("fw1", "fw2", "observer")
    Sniffer(lab)
    arp = ArpObserver(observer, ADDRESS)
    fw1.run("ip", "addr", "add", f"{ADDRESS}/32", "dev", "eth0")
    wait_for(lambda: arp.owners() == {"fw1"}, 5, "fw1 answers")
    assert arp.two_owners_ms() == 0
    fw2.run("ip", "addr", "add", f"{ADDRESS}/32", "dev", "eth0")
    begin_ns = boottime_ns()
    wait_for(lambda: arp.two_owners_ms(begin_ns) > 100, 5, "both answer")
    assert arp.owners(begin_ns) == {"fw1", "fw2"}
    fw1.run("ip", "addr", "del", f"{ADDRESS}/32", "dev", "eth0")
    end_ns = boottime_ns()
    let_pass(0.1, end_ns)
    assert arp.owners(end_ns + 5_000_000) == {"fw2"}
    assert arp.last_answer_of(fw1) < end_ns
    assert {mac for *_, port, mac in arp.answers() if port == "fw2"} == {fw2.mac()}


def test_prober_both_families_and_loss(lab):
    server, client = lab.hosts("server", "client")
    prober = Prober(client, [server.ipv4, server.ipv6])
    prober.wait_answered()
    begin_ns = boottime_ns()
    lab.lose(server, 50, protocol=None)
    wait_for(lambda: len(prober.records(begin_ns)) > 2000, 10, "two seconds of probes")
    lab.heal()
    end_ns = boottime_ns()
    prober.wait_answered()
    prober.stop()
    for target in (0, 1):
        sent = [one for one in prober.records(begin_ns) if one.sent_ns < end_ns and one.target == target]
        assert 0.3 < prober.lost(begin_ns, end_ns, target) / len(sent) < 0.7
        assert not prober.lost(end_ns + 50_000_000, target=target)


def test_everything_lost(lab):
    server, client = lab.hosts("server", "client")
    prober = Prober(client, [server.ipv4, server.ipv6])
    prober.wait_answered()
    lab.lose(server, 100, protocol=None)
    begin_ns = boottime_ns()
    let_pass(0.5, begin_ns)
    assert prober.records(begin_ns) and not any(one.answered_ns for one in prober.records(begin_ns))
    lab.heal()
    prober.wait_answered()


def test_rate_with_many_addresses(lab):
    server, client = lab.hosts("server", "client")
    addresses = [group.addresses[0] for group in Group.many(100)]
    batch = "".join(f"addr add {address}/32 dev eth0\n" for address in addresses)
    server.run("ip", "-batch", "-", text=batch)
    prober = Prober(client, addresses, interval_us=20000)
    prober.wait_answered()
    prober.stop()
    assert {one.target for one in prober.records()} == set(range(100))


def test_tcp_holds_over_a_pulled_cable(lab):
    server, client = lab.hosts("server", "client")
    TcpEcho(server)
    hold = TcpHold(client, server.ipv4)
    hold.wait_answered()
    lab.unplug(server, carrier=True)
    begin_ns = boottime_ns()
    let_pass(0.5, begin_ns)
    assert hold.last_answer_ns < begin_ns + 50_000_000
    lab.plug(server)
    hold.wait_answered()
    assert hold.alive()


@pytest.mark.alone
def test_flood_counts_what_it_sends(lab):
    sender, receiver = lab.hosts("sender", "receiver")
    frame = bytes.fromhex("ffffffffffff 020000000001 88b5") + bytes(50)
    sniffer = Sniffer(lab, receiver, expression="ether proto 0x88b5")
    sent = Flood(sender, [frame, frame[:40]], seconds=1, per_s=500).wait()
    wait_for(lambda: len(sniffer.frames()) == sent, 5, "every frame at the receiver's port")
    assert 450 <= sent <= 510


def test_both_lans_and_two_labs_at_once(lab):
    with Lab() as other:
        for one in (lab, other):
            left, right = one.hosts("left", "right", lans=2)
            left.run("ping", "-c1", "-W2", right.address(4, lan=1))
            left.run("ping", "-c1", "-W2", right.address(6, lan=1))


def test_waiting_says_what_for(lab):
    with pytest.raises(LabTimeout, match="the moon.*last seen: 0"):
        wait_for(lambda: 0, 0.02, "the moon")
    host = lab.host("fw1")
    with pytest.raises(RuntimeError, match="no-such-command"):
        host.run("no-such-command")


def test_nothing_stays_after_a_signal():
    script = textwrap.dedent("""
        import sys, time
        from lab import Lab, Ucarp
        with Lab() as lab:
            Ucarp(lab.host("fw1")).start()
            print(lab.directory, lab.switch, flush=True)
            time.sleep(60)
    """)
    path = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name in ("SIGINT", "SIGTERM"):
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": path},
        ) as process:  # fmt: skip
            directory, switch = process.stdout.readline().split()
            assert os.path.exists(f"/run/netns/{switch}")
            process.send_signal(getattr(__import__("signal"), name))
            process.wait(20)
        assert not os.path.exists(f"/run/netns/{switch}") and not os.path.exists(directory)
