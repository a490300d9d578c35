"""What a client sees: probe.c compiled, started, and its records read, also while it runs."""

import atexit
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
from typing import NamedTuple

from .wait import PATIENCE, boottime_ns, wait_for

_HEADER = struct.Struct("=QQq40x")
_RECORD = struct.Struct("=qqIi6s2x")
_program = None


def program():
    """The path of the compiled helper, compiled once per run."""
    global _program
    if _program is None:
        directory = tempfile.mkdtemp(prefix="carplab-probe-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.c")
        path = os.path.join(directory, "probe")
        subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", path, source], check=True)
        _program = path
    return _program


class Record(NamedTuple):
    """One probe, or one ARP answer."""

    sent_ns: int
    answered_ns: int  # 0: never
    target: int  # index into the addresses
    value: int  # errno of the send; for ARP the switch port's index
    mac: bytes


class Outage(NamedTuple):
    """Two answered probes in a row with nothing answered in between."""

    start_ns: int  # when the last answer before it came
    end_ns: int  # when the first answer after it came
    lost: int

    @property
    def ms(self):
        return (self.end_ns - self.start_ns) / 1e6


class _Instrument:
    """A running probe program that writes records."""

    def __init__(self, host, mode, interval_us, *words):
        self.host = host
        # A slow machine would have no time for anything else.
        self.interval_us = round(interval_us * PATIENCE)
        self._path = host.lab.new_path(f"{host.name}-{mode}.records")
        self._map = None
        self.process = host.start(program(), mode, self._path, self.interval_us, *words, name=f"probe-{mode}")
        wait_for(self._begun, 5, lambda: f"probe {mode} starts\n{self.process.tail()}")

    def _begun(self):
        if not self.process.running():
            raise RuntimeError(f"probe ended: {self.process.tail()}")
        if not os.path.exists(self._path) or os.stat(self._path).st_size == 0:
            return False
        with open(self._path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return True

    @property
    def count(self):
        return _HEADER.unpack_from(self._map)[0]

    @property
    def last_answer_ns(self):
        return _HEADER.unpack_from(self._map)[2]

    def records(self, since_ns=0, until_ns=None):
        """The records sent in this span; `until_ns` of a running probe should leave time for the answers."""
        begin, count = _HEADER.size, self.count
        data = self._map[begin : begin + count * _RECORD.size]
        found = (Record._make(fields) for fields in _RECORD.iter_unpack(data))
        return [one for one in found if one.sent_ns >= since_ns and (until_ns is None or one.sent_ns < until_ns)]

    def stop(self):
        """Ends it, and waits until late answers had their time."""
        if self.process.running():
            self.process.stop()
        return self


class Prober(_Instrument):
    """Sends an ICMP echo to each address every interval_us, through the client's own stack and its ARP."""

    mode = "ping"

    def __init__(self, host, addresses, interval_us=1000):
        self.addresses = [addresses] if isinstance(addresses, str) else list(addresses)
        super().__init__(host, self.mode, interval_us, *self.addresses)

    def wait_answered(self, timeout_s=10, for_s=0.1):
        """Until every probe of the last for_s seconds but the freshest ones was answered."""

        fresh_ns = round(20_000_000 * PATIENCE)
        span_ns = round(for_s * 1e9 * PATIENCE)

        def steady():
            now = boottime_ns()
            recent = self.records(now - span_ns - fresh_ns, now - fresh_ns)
            return len(recent) * self.interval_us > span_ns / 2000 * len(self.addresses) and all(
                one.answered_ns for one in recent
            )

        wait_for(steady, timeout_s, lambda: f"{', '.join(self.addresses[:5])} answered\n{self.process.tail()}")

    def lost(self, since_ns=0, until_ns=None, target=None):
        """How many probes sent in this span were never answered."""
        return sum(
            1
            for one in self.records(since_ns, until_ns)
            if one.answered_ns == 0 and (target is None or one.target == target)
        )

    def first_answer_ns(self, after_ns, target=0):
        """When the first answer came to a probe sent after this; None if there was none."""
        return min(
            (one.answered_ns for one in self.records(after_ns) if one.answered_ns and one.target == target),
            default=None,
        )

    def outages(self, since_ns=0, until_ns=None, target=0):
        """The spans without an answer in which a probe was lost; one that has not ended counts up to its last probe."""
        found, lost, last, latest = [], 0, None, None
        for one in self.records(since_ns, until_ns):
            if one.target != target:
                continue
            last = one.sent_ns if last is None else last
            latest = one.sent_ns
            if one.answered_ns == 0:
                lost += 1
                continue
            if lost:
                found.append(Outage(last, one.answered_ns, lost))
            last, lost = max(one.answered_ns, last), 0
        if lost:
            found.append(Outage(last, latest, lost))
        return found

    def worst_outage_ms(self, since_ns=0, until_ns=None, target=0):
        """The longest span without an answer that lost a probe, 0.0 without one."""
        return max((one.ms for one in self.outages(since_ns, until_ns, target)), default=0.0)


class TcpHold(Prober):
    """Holds one connection and sends a numbered word every interval_us; a break of it ends the process."""

    mode = "tcp"

    def __init__(self, host, address, port=7, interval_us=10000):
        self.addresses = [address]
        _Instrument.__init__(self, host, self.mode, interval_us, address, port)

    def alive(self):
        return self.process.running()


class TcpEcho:
    """The other end of a TcpHold: sends back whatever comes, IPv4 and IPv6."""

    def __init__(self, host, port=7):
        self.process = host.start(program(), "echo", port, name="probe-echo")
        wait_for(lambda: "listening" in self.process.log(), 5, lambda: f"echo server\n{self.process.tail()}")


class ArpObserver(_Instrument):
    """
    Asks who has each address every interval_us and notes at which switch port an answer came in: two hosts that
    share a virtual MAC are told apart. Give it a host of its own, since the answers also reach that host's ARP cache.
    """

    def __init__(self, host, addresses, interval_us=1000):
        self.addresses = [addresses] if isinstance(addresses, str) else list(addresses)
        switch = host.lab.switch
        super().__init__(host, "arp", interval_us, "eth0", f"/run/netns/{switch}", *self.addresses)
        self._ports = host.lab.ports()

    def records(self, since_ns=0, until_ns=None):
        """Those of the ports: while somebody listens at the bridge itself, each frame is seen there once more."""
        return [one for one in super().records(since_ns, until_ns) if one.value in self._ports]

    def answers(self, since_ns=0, until_ns=None):
        """[(time_ns, address, name of the port's host, MAC told)] in the order of arrival."""
        return [
            (one.answered_ns, self.addresses[one.target], self._ports[one.value], one.mac.hex(":"))
            for one in self.records(since_ns, until_ns)
        ]

    def owners(self, since_ns=0, until_ns=None):
        """The names of the hosts that answered in this span."""
        return {port for _, _, port, _ in self.answers(since_ns, until_ns)}

    def two_owners_ms(self, since_ns=0, until_ns=None):
        """For how many milliseconds one and the same question was answered by more than one host."""
        by_question = {}
        for one in self.records(since_ns, until_ns):
            by_question.setdefault((one.target, one.sent_ns), set()).add(one.value)
        doubles = sum(1 for ports in by_question.values() if len(ports) > 1)
        return doubles * self.interval_us / 1000

    def last_answer_of(self, host, since_ns=0):
        """When this host answered last, None if it did not."""
        return max((time_ns for time_ns, _, port, _ in self.answers(since_ns) if port == host.name), default=None)


class Flood:
    """Sends frames round and round, at most 10 s; per_s=0 is as fast as it goes. `wait()` gives how many were sent."""

    def __init__(self, host, frames, seconds, per_s=0, interface="eth0"):
        path = host.lab.new_path(f"{host.name}.frames")
        with open(path, "wb") as file:
            for frame in frames:
                file.write(struct.pack("<H", len(frame)) + frame)
        self.seconds = min(seconds, 10)
        self.process = host.start(program(), "flood", interface, self.seconds, per_s, path, name="probe-flood")

    def wait(self):
        if self.process.wait(self.seconds + 5) != 0:
            raise RuntimeError(f"flood failed: {self.process.tail()}")
        return int(self.process.log().split()[0])


class Hog:
    """
    Takes one processor away from everybody else, real-time programs included, for `seconds` (at most 8). Returns
    when it has it.
    """

    def __init__(self, host, processor, seconds):
        self.seconds = seconds
        self.process = host.start("taskset", "-c", processor, program(), "hog", seconds, name="probe-hog")
        wait_for(lambda: "running" in self.process.log(), 5, lambda: f"the hog runs\n{self.process.tail()}")

    def running(self):
        return self.process.running()

    def wait(self):
        if self.process.wait(self.seconds + 5) != 0:
            raise RuntimeError(f"hog failed: {self.process.tail()}")
