"""Two hosts with the same daemon, a client and an observer: where every row begins."""

import time

from lab import Carpd, Group, Keepalived, Lab, Prober, Sniffer, Ucarp, wait_for

ADDRESS = "10.0.0.100"
KINDS = ("carpd", "ucarp", "keepalived", "keepalived-vmac")


def _make(kind, host, better, groups, fast):
    """One daemon; the better one is to be master. `fast` is the fastest setting the daemon can be given safely."""
    if kind == "carpd" and fast:
        return Carpd(host, groups, advbase=0, advskew=1)
    if kind == "carpd":
        return Carpd(host, groups, advskew=0 if better else 100, preempt=True)
    if kind == "ucarp":
        worse = 1 if fast else 100
        return Ucarp(host, groups, advskew=0 if better else worse)
    advert_s = 0.01 if fast else 1
    return Keepalived(host, groups, advert_s, priority=200 if better else 100, vmac=kind == "keepalived-vmac")


class Pair:
    """
    with Pair("ucarp") as pair:
        pair.start()        # pair.better is master on fw1, pair.worse backup on fw2
    """

    def __init__(self, kind, groups=None, fast=False):
        self.kind = kind
        self.groups = groups or [Group()]
        self.addresses = [address for group in self.groups for address in group.addresses]
        self.lab = Lab()
        try:
            # fw1 has the higher address: where both settings are equal, carpd lets that one stay master.
            self.fw2, self.fw1, self.client, self.observer = self.lab.hosts("fw2", "fw1", "client", "observer")
            self.better = _make(kind, self.fw1, True, self.groups, fast)
            self.worse = _make(kind, self.fw2, False, self.groups, fast)
        except BaseException:
            self.lab.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.close()

    def held_by(self, host):
        """Which of the shared addresses the host has now, on whatever interface."""
        found = self.lab_addresses(host)
        return {address for address in self.addresses if address in found}

    @staticmethod
    def lab_addresses(host):
        listing = host.run("ip", "-4", "-o", "addr", "show").stdout.split()
        return {word.partition("/")[0] for word in listing}

    def one_master_each(self):
        first, second = self.held_by(self.fw1), self.held_by(self.fw2)
        return not first & second and len(first | second) == len(self.addresses)

    def wait_held(self, host, timeout_s=20):
        """Until this host, and not the other, has every address."""
        other = self.fw2 if host is self.fw1 else self.fw1
        wait_for(
            lambda: len(self.held_by(host)) == len(self.addresses) and not self.held_by(other),
            timeout_s,
            lambda: f"{host.name} has all {len(self.addresses)} addresses: it has {len(self.held_by(host))}, "
            f"{other.name} {len(self.held_by(other))}\n{self.better.log()[-2000:]}\n{self.worse.log()[-2000:]}",
            every_s=0.02,
        )

    def wait_taken_over(self, timeout_s=20):
        """Until fw2 has every address, whatever the dead fw1 still has."""
        wait_for(
            lambda: len(self.held_by(self.fw2)) == len(self.addresses),
            timeout_s,
            lambda: f"fw2 takes over {len(self.addresses)} addresses: it has {len(self.held_by(self.fw2))}\n"
            f"{self.worse.log()[-2000:]}",
            every_s=0.02,
        )

    def start(self, settle_s=2.5):
        """
        The better one first and the other when it has the addresses, then a while: ucarp reads adverts up to a
        second late, and only a backup that knows its master measures its window from the last advert.
        """
        self.better.start()
        self.wait_held(self.fw1)
        self.worse.start()
        time.sleep(settle_s)
        self.wait_held(self.fw1)
        return self

    def probe(self, interval_us=1000):
        """A client that asks all the addresses and already gets answers from all."""
        prober = Prober(self.client, self.addresses, interval_us)
        prober.wait_answered()
        return prober

    def sniff(self):
        """Sees adverts and announcements of the two hosts, but not what an attacker sends."""
        hosts = f"(src host {self.fw1.ipv4} or src host {self.fw2.ipv4})"
        return Sniffer(self.lab, expression=f"(ip proto 112 and {hosts}) or arp")

    def last_advert_ns(self, sniffer, before_ns, vhid=1):
        """When the better one's last advert of this group crossed the switch."""
        return max(
            one.time_ns for one in sniffer.adverts(self.fw1, vhid) if one.time_ns <= before_ns and not one.gone
        )


def takeovers(adverts, host):
    """How often adverts began to come from this host after they had come from another, over all groups."""
    count, last = 0, {}
    for advert in adverts:
        if advert.source == host.ipv4 and last.get(advert.id, host.ipv4) != host.ipv4:
            count += 1
        last[advert.id] = advert.source
    return count
