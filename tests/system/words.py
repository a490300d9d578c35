"""What the stories have in common: a pair that is started, settled, and looked at."""

import json

from lab import Carpd, Prober, boottime_ns, wait_for

ADDRESS = "10.0.0.100"
ADDRESS6 = "fd00::100"


def start_pair(lab, groups=None, skews=(0, 100), **options):
    """fw1 and fw2, started and settled: fw1 is master, fw2 has heard it."""
    hosts = {host.name: host for host in lab.all_hosts}
    first = Carpd(hosts["fw1"], groups, advskew=skews[0], **options).start()
    second = Carpd(hosts["fw2"], groups, advskew=skews[1], **options).start()
    wait_settled(first, second)
    return first, second


def wait_settled(master, backup, timeout_s=15):
    """Until one is master of all its groups, and the other backup of all and knows its master."""

    def settled():
        return all(group["state"] == "master" for group in master.ctl("status")["groups"]) and all(
            group["state"] == "backup" and group["master"] for group in backup.ctl("status")["groups"]
        )

    wait_for(settled, timeout_s, lambda: f"{master.host.name} master, {backup.host.name} backup\n"
             f"{master.carpctl('status').stdout}{backup.carpctl('status').stdout}")  # fmt: skip


def stop_and_return(first, second, prober):
    """The master of a pair that preempts leaves and comes back; no probe is lost."""
    begin_ns = boottime_ns()
    first.stop()
    second.wait_state("master")
    first.start()
    wait_settled(first, second)
    prober.wait_answered()
    assert prober.lost(begin_ns, boottime_ns() - 50_000_000) == 0


def live_through(first, second, client, addresses):
    """Stop, return and crash: nothing lost where nothing may be, and the service goes on."""
    prober = Prober(client, addresses)
    prober.wait_answered()
    stop_and_return(first, second, prober)
    crashed_ns = first.crash()
    second.wait_state("master")
    wait_for(lambda: prober.last_answer_ns > crashed_ns + 500_000_000, 10, "answers after the crash")
    prober.wait_answered()
    prober.stop()
    for target in range(len(addresses)):
        assert prober.worst_outage_ms(crashed_ns - 100_000_000, target=target) < second.window_s * 1000 + 200


def detail(daemon, group=None):
    name = group or daemon.groups[0].name
    return daemon.ctl("show", name)["groups"][0]["detail"]


def transitions(daemon):
    """[(group, from, to)] so far."""
    return [
        (entry["group"], entry["from"], entry["to"])
        for entry in daemon.ctl("log")["entries"]
        if entry["event"] == "transition"
    ]


def _command(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def pid_of(daemon, engine):
    """The engine's process, or the keeper's."""
    return next(pid for pid in daemon.pids() if (_command(pid) == "carpd-engine") == engine)


def leftovers(host, interface="eth0"):
    """What carpd may have put into this namespace: addresses, routes, programs, entries of a bridge, sockets."""
    text = host.run("ip", "-d", "-o", "addr", "show", "dev", interface).stdout
    found = [line for line in text.splitlines() if ADDRESS in line or ADDRESS6 in line]
    for family in ("-4", "-6"):
        routes = host.run("ip", family, "route", "show", "table", "all").stdout.splitlines()
        found += [line for line in routes if ADDRESS in line or ADDRESS6 in line or "proto 112" in line]
    found += host.run("tc", "filter", "show", "dev", interface, "ingress").stdout.splitlines()
    found += [line for line in host.run("tc", "qdisc", "show", "dev", interface).stdout.splitlines() if "clsact" in line]
    found += [line for line in host.run("bpftool", "net", "show", "dev", interface).stdout.splitlines() if "carp" in line
              or "tcx" in line]  # fmt: skip
    found += [line for line in host.run("bridge", "fdb", "show").stdout.splitlines()
              if "00:00:5e:00:01" in line and "permanent" in line]  # fmt: skip
    found += [line for line in host.run("ss", "-axp").stdout.splitlines() if "carpd" in line]
    found += host.run("ss", "-0").stdout.splitlines()[1:]
    return found


def neighbour(host, address, interface="eth0"):
    """The MAC this host has in its ARP or neighbour table for an address."""
    for entry in json.loads(host.run("ip", "-j", "neigh", "show", "dev", interface).stdout):
        if entry["dst"] == address:
            return entry.get("lladdr")
    return None


def ping(host, address, *words):
    """Whether one echo is answered within a second."""
    return host.run("ping", "-n", "-c1", "-W1", *words, address, check=False).returncode == 0


def virtual_mac(vhid=1):
    return f"00:00:5e:00:01:{vhid:02x}"
