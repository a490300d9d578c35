"""The lab: a switch with up to two LANs, hosts on them, cables that can be pulled, and loss."""

import atexit
import ctypes
import fcntl
import glob
import itertools
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from .process import Process, family, kill
from .wait import wait_for

PREFIX = os.environ.get("LAB_PREFIX", "carplab")
_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1

# Not with ipv6.disable=1.
_HAVE_IPV6 = os.path.exists("/proc/net/if_inet6")

_SANITIZER = re.compile(r".*runtime error:|.*ERROR: \w+Sanitizer")

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def run(*argv, check=True, text=None):
    """Runs a command to its end; a failure carries what the command said, and a sanitizer's finding always is one."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if (check and done.returncode != 0) or _SANITIZER.search(done.stderr):
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{text or ''}{done.stdout}{done.stderr}")
    return done


def in_namespace(netns, make):
    """What make() returns, made in another network namespace: a descriptor that is usable from anywhere."""
    made = []

    def enter_and_make():
        try:
            with open(f"/run/netns/{netns}", "rb") as file:
                if _libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {netns}")
            made.append(make())
        except OSError as error:
            made.append(error)

    # setns moves one thread only; this one ends with the thing made.
    thread = threading.Thread(target=enter_and_make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def socket_in(netns, family, kind, protocol=0):
    """A socket that belongs to another network namespace; usable from any thread."""
    return in_namespace(netns, lambda: socket.socket(family, kind, protocol))


def _sweep():
    """Removes what labs of processes that no longer live have left behind (they were killed)."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return
    for name in names:
        match = re.fullmatch(rf"{re.escape(PREFIX)}-(\d+)-\d+-.*", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
                os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", name, check=False)


class Host:
    """A network namespace with eth0 on the first LAN and, if asked for, eth1 on the second."""

    def __init__(self, lab, name, number, lans):
        self.lab = lab
        self.name = name
        self.number = number
        self.lans = lans
        self.netns = lab.netns(name)
        self.ipv4 = self.address(4)
        self.ipv6 = self.address(6)

    def address(self, family, lan=0):
        return f"10.{lan}.0.{self.number}" if family == 4 else f"fd00:{lan}::{self.number}"

    def run(self, *argv, check=True, text=None):
        """A command on this host, to its end."""
        return run("ip", "netns", "exec", self.netns, *argv, check=check, text=text)

    def start(self, *argv, name=None, environment=None):
        """A program on this host that goes on running."""
        return Process(self, argv, name=name, environment=environment)

    def mac(self, interface="eth0"):
        return self.run("cat", f"/sys/class/net/{interface}/address").stdout.strip()

    def addresses(self, interface="eth0"):
        """The addresses this interface has now, without prefix lengths."""
        found = run("ip", "-n", self.netns, "-o", "addr", "show", "dev", interface, check=False).stdout
        return set(re.findall(r"inet6? ([0-9a-f.:]+)", found))

    def has(self, address, interface="eth0"):
        return address in self.addresses(interface)


class Lab:
    """
    with Lab() as lab:
        fw1, fw2, client = lab.hosts("fw1", "fw2", "client")

    Host n has 10.0.0.n/16 and fd00:0::n/64 on eth0, 10.1.0.n/16 and fd00:1::n/64 on eth1. Namespaces carry the
    process id, so that several labs run at once; at the end, by whatever exception, all processes and namespaces
    go away. The environment variable LAB_KEEP=1 keeps the directory with logs and captures.
    """

    def __init__(self):
        _sweep()
        self._stem = f"{PREFIX}-{os.getpid()}-{next(_numbers)}"
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        # In memory where possible: a log or a capture must not wait for a disk.
        self.directory = tempfile.mkdtemp(prefix=f"{self._stem}-", dir=base)
        os.chmod(self.directory, 0o755)
        self._tracked = []
        self._files = itertools.count(1)
        self._namespaces = []
        self.all_hosts = []
        self._closed = False
        self._old_sigterm = None
        atexit.register(self.close)
        try:
            self._make_switch()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            self._old_sigterm = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        return self

    def __exit__(self, kind, *_):
        try:
            found = self.findings()
        finally:
            self.close()
        # An engine that a finding ended is started again: the story itself may have noticed nothing.
        assert kind is not None or not found, "a sanitizer complains\n" + "\n".join(found)

    def netns(self, name):
        return f"{self._stem}-{name}"

    def new_path(self, name):
        """A path in the lab's directory that nobody else has."""
        return os.path.join(self.directory, f"{next(self._files):03}-{name}")

    def logs(self):
        """(name, text) of what every process has said."""
        for path in sorted(glob.glob(os.path.join(self.directory, "*.log"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                yield os.path.basename(path), file.read()

    def findings(self):
        """What sanitizers have said, each from its first line on."""
        return [f"{name}: {text[found.start():]}" for name, text in self.logs() if (found := _SANITIZER.search(text))]

    def track(self, process):
        """It is killed, and all its children, when the lab ends."""
        self._tracked.append(process)

    def _add_namespace(self, name):
        netns = self.netns(name)
        run("ip", "netns", "add", netns)
        self._namespaces.append(netns)
        if not _HAVE_IPV6:
            return
        # Duplicate address detection would keep every host silent for its first second or two.
        settings = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"]
        run("ip", "netns", "exec", netns, "sysctl", "-qw", *settings)

    def _make_switch(self):
        self._add_namespace("switch")
        self.switch = self.netns("switch")
        lines = []
        for lan in (0, 1):
            # Without forward delay, and flooding multicast as a simple switch does.
            lines.append(f"link add br{lan} type bridge forward_delay 0 mcast_snooping 0")
            lines.append(f"link set br{lan} up")
        run("ip", "-n", self.switch, "-batch", "-", text="\n".join(lines) + "\n")
        run("ip", "netns", "exec", self.switch, "nft", "-f", "-", text=(
            "table bridge lab {\n chain forward {\n type filter hook forward priority 0; policy accept;\n }\n}\n"))
        self._ioctl = socket_in(self.switch, socket.AF_INET, socket.SOCK_DGRAM)

    def host(self, name, lans=1, numbered=True):
        """One more host; numbered=False gives it interfaces without addresses."""
        host = Host(self, name, len(self.all_hosts) + 1, lans)
        self._add_namespace(name)
        inside, outside = ["link set lo up"], []
        for lan in range(lans):
            port = self.port(host, lan)
            outside.append(f"link add {port} type veth peer name eth{lan} netns {host.netns}")
            outside.append(f"link set {port} master br{lan} up")
            inside.append(f"link set eth{lan} up")
            if numbered:
                inside.append(f"addr add {host.address(4, lan)}/16 dev eth{lan}")
                inside += [f"addr add {host.address(6, lan)}/64 dev eth{lan} nodad"] if _HAVE_IPV6 else []
        run("ip", "-n", self.switch, "-batch", "-", text="\n".join(outside) + "\n")
        run("ip", "-n", host.netns, "-batch", "-", text="\n".join(inside) + "\n")
        self.all_hosts.append(host)
        return host

    def hosts(self, *names, lans=1):
        return [self.host(name, lans=lans) for name in names]

    @staticmethod
    def port(host, lan=0):
        """The switch's end of a host's cable."""
        return host.name if lan == 0 else f"{host.name}.{lan}"

    def ports(self):
        """{interface index in the switch: name of the host behind it}, without the bridges, which are no ports."""
        found = json.loads(run("ip", "-n", self.switch, "-j", "link").stdout)
        return {link["ifindex"]: link["ifname"].partition(".")[0] for link in found if "link_index" in link}

    def switch_run(self, *argv):
        """A command on the switch."""
        return run("ip", "netns", "exec", self.switch, *argv)

    def _set_port(self, port, up):
        # An ioctl on a socket made beforehand: a crash and its dead cable come within microseconds.
        request = struct.pack("16sh22x", port.encode(), 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(self._ioctl, _SIOCGIFFLAGS, request))[1]
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(self._ioctl, _SIOCSIFFLAGS, struct.pack("16sh22x", port.encode(), flags))

    def unplug(self, host, lan=0, carrier=False):
        """Pulls the cable; with carrier=True the host's interface notices nothing (a dead switch in between)."""
        if carrier:
            run("ip", "-n", self.switch, "link", "set", self.port(host, lan), "nomaster")
        else:
            self._set_port(self.port(host, lan), up=False)

    def plug(self, host, lan=0):
        run("ip", "-n", self.switch, "link", "set", self.port(host, lan), "master", f"br{lan}", "up")

    def lose(self, host, percent, protocol=112, lan=0, direction="to"):
        """Drops this share of the frames to (or from) a host at random; protocol=None means of all protocols."""
        key = {"to": "oifname", "from": "iifname"}[direction]
        which = [f"ip protocol {protocol}", f"ip6 nexthdr {protocol}"] if protocol is not None else [""]
        # nft refuses a comparison that is always true.
        chance = f"numgen random mod 1000 < {round(percent * 10)}" if percent < 100 else ""
        rules = [f'add rule bridge lab forward {key} "{self.port(host, lan)}" {match} {chance} drop' for match in which]
        run("ip", "netns", "exec", self.switch, "nft", "-f", "-", text="\n".join(rules) + "\n")

    def heal(self):
        """Ends all loss."""
        run("ip", "netns", "exec", self.switch, "nft", "flush", "chain", "bridge", "lab", "forward")

    def owners(self, address, interface="eth0"):
        """The hosts that have the address on their interface now."""
        return [host for host in self.all_hosts if host.has(address, interface)]

    def wait_for_owner(self, address, host, timeout_s=10, interface="eth0"):
        """Until this host, and no other, has the address."""
        return wait_for(
            lambda: self.owners(address, interface) == [host],
            timeout_s,
            lambda: f"{address} at {host.name} only, but at {[owner.name for owner in self.owners(address, interface)]}",
        )

    def close(self):
        """Ends every process and removes every namespace; may be called again."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        main = threading.current_thread() is threading.main_thread()
        # A second Ctrl-C must not leave half of it behind.
        old = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
        try:
            if self._tracked:
                kill(family({process.pid for process in self._tracked}))
            for process in reversed(self._tracked):
                process.reap()
            if hasattr(self, "_ioctl"):
                self._ioctl.close()
            for netns in self._namespaces:
                run("ip", "netns", "del", netns, check=False)
            # One that was about to start another child when it was killed may still be writing.
            wait_for(lambda: not family({process.pid for process in self._tracked}), 5, "all processes of the lab end")
            if os.environ.get("LAB_KEEP") != "1":
                shutil.rmtree(self.directory, ignore_errors=True)
        finally:
            if main:
                signal.signal(signal.SIGINT, old)
                if self._old_sigterm is not None:
                    signal.signal(signal.SIGTERM, self._old_sigterm)
