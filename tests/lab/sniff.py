"""A witness at the switch: tcpdump, and what it saw of adverts and announcements."""

import re
import time

from . import wire
from .process import Process
from .wait import boottime_ns, wait_for

_FILTER = "arp or ip proto 112 or ip6 proto 112 or (icmp6 and ip6[40] == 136)"


class _Switch:
    """The switch as a host that processes can run on."""

    def __init__(self, lab):
        self.lab = lab
        self.name = "switch"
        self.netns = lab.switch


class Sniffer:
    """
    Captures what enters the switch (or, with a host, what passes its port) from the moment the constructor
    returns. May be read while it runs. Times are the boot clock's.
    """

    def __init__(self, lab, host=None, lan=0, expression=_FILTER):
        self.path = lab.new_path(f"{host.name if host else 'switch'}.pcap")
        interface = lab.port(host, lan) if host else f"br{lan}"
        self._wall_minus_boot_ns = time.time_ns() - boottime_ns()
        self.process = Process(
            _Switch(lab),
            ["tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root", "-B", "16384", "-s", "512"]
            + ["--time-stamp-precision=nano", "-i", interface, "-w", self.path, expression],
            name="tcpdump",
        )
        wait_for(lambda: "listening on" in self.process.log(), 10, lambda: f"tcpdump listens\n{self.process.tail()}")

    def frames(self):
        """[(boot clock ns, frame)]."""
        return [(wall_ns - self._wall_minus_boot_ns, frame) for wall_ns, frame in wire.read_pcap(self.path)]

    def _parsed(self, kind, since_ns):
        found = (wire.parse(time_ns, frame) for time_ns, frame in self.frames() if time_ns >= since_ns)
        return [one for one in found if isinstance(one, kind)]

    def adverts(self, source=None, number=None, since_ns=0):
        """Adverts in order, of one source address or Host, of one vhid or router id."""
        return [
            one
            for one in self._parsed(wire.Advert, since_ns)
            if (source is None or one.source in (source, getattr(source, "ipv4", None), getattr(source, "ipv6", None)))
            and (number is None or one.id == number)
        ]

    def announcements(self, address=None, since_ns=0):
        """Gratuitous ARP and unsolicited neighbour advertisements in order."""
        return [one for one in self._parsed(wire.Announcement, since_ns) if address in (None, one.address)]

    def stop(self):
        """Ends the capture; an incomplete one is an error."""
        if self.process.running():
            self.process.stop()
        dropped = re.search(r"(\d+) packets? dropped by kernel", self.process.log())
        if dropped and int(dropped[1]):
            raise RuntimeError(f"tcpdump lost {dropped[1]} packets")
        return self
