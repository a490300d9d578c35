"""carpd, ucarp and keepalived on a host of the lab, with one set of words for all."""

import functools
import json
import os
import pwd
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass, field

from .net import run
from .process import command, cpu_s, family, pss_kib, kill, send
from .wait import boottime_ns, wait_for

BUILD = os.path.abspath(
    os.environ.get("CARPD_BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build"))
)

# What `ctl` asks without carpctl.
_LOOKING = ("status", "show", "log")


@functools.cache
def sanitized():
    """Whether the build under test has sanitizers: its memory and its speed are not carpd's."""
    with open(os.path.join(BUILD, "carpd", "carpd"), "rb") as file:
        return b"__asan_init" in file.read()


@dataclass
class Group:
    """One group of redundancy; `options` are further words of carpd.conf for it."""

    vhid: int = 1
    addresses: tuple = ("10.0.0.100",)
    name: str = ""
    interface: str = "eth0"
    passphrase: str = "correct horse"
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        self.addresses = tuple(self.addresses)
        self.name = self.name or f"group{self.vhid}"

    @staticmethod
    def many(count):
        """Groups 1..count with one IPv4 address each, vhid n with 10.0.200.n."""
        return [Group(vhid, (f"10.0.200.{vhid}",)) for vhid in range(1, count + 1)]


class Daemon:
    """What the three have in common; `window_s` is how long a backup waits after the master's last advert."""

    kind = ""
    protocol = ""

    def __init__(self, host, groups):
        self.host = host
        self.groups = list(groups) if groups else [Group()]
        self.processes = []

    def start(self):
        raise NotImplementedError

    def running(self):
        return bool(self.processes) and all(process.running() for process in self.processes)

    def pids(self):
        return family({process.pid for process in self.processes}) if self.processes else []

    def signal(self, number):
        for process in self.processes:
            process.signal(number)

    def kill(self):
        """SIGKILL to all processes at once, so that none can react to another's death."""
        kill(self.pids())
        self._buried()

    def crash(self, lan=0):
        """
        A power cut: all processes killed and the cable dead within a millisecond. Returns from when on nothing more
        can come from this host (boot clock ns).
        """
        kill(self.pids())
        self.host.lab.unplug(self.host, lan)
        at_ns = boottime_ns()
        self._buried()
        return at_ns

    def _buried(self):
        processes, self.processes = self.processes, []
        for process in processes:
            process.wait(10)
        roots = {process.pid for process in processes}
        wait_for(lambda: not family(roots), 10, f"{self.kind} leaves no process behind")

    def pause(self):
        send(self.pids(), signal.SIGSTOP)

    def resume(self):
        send(self.pids(), signal.SIGCONT)

    def stop(self, timeout_s=15):
        """A clean stop: SIGTERM and the exit statuses."""
        processes, self.processes = self.processes, []
        for process in processes:
            process.signal(signal.SIGTERM)
        return [process.wait(timeout_s) for process in processes]

    def cpu_s(self):
        return cpu_s(self.pids())

    def pss_kib(self):
        return pss_kib(self.pids())

    def log_bytes(self):
        return sum(process.log_bytes() for process in self.processes)

    def log(self):
        return "".join(process.log() for process in self.processes)

    def _write(self, name, text, mode=0o644):
        path = self.host.lab.new_path(f"{self.host.name}-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path


def _word(value):
    """A value as carpd.conf writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(_word(one) for one in value) + " }"
    return str(value) if isinstance(value, int) else f'"{value}"'


class Carpd(Daemon):
    """Built in the directory CARPD_BUILD (default: build). All its files are in the lab's directory."""

    kind = "carpd"
    protocol = "carp"

    def __init__(self, host, groups=None, advbase=1, advskew=0, preempt=False, user="nobody", **options):
        super().__init__(host, groups)
        self.advbase = advbase
        self.advskew = advskew
        self.options = {"advbase": advbase, "advskew": advskew, "preempt": preempt, "user": user, **options}
        self.binary = os.path.join(BUILD, "carpd", "carpd")
        self.client = os.path.join(BUILD, "carpctl", "carpctl")
        self.directory = host.lab.new_path(f"{host.name}-carpd")
        os.makedirs(os.path.join(self.directory, "state"))
        os.chown(os.path.join(self.directory, "state"), pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        # The socket is named relative to a short path: sun_path holds 107 bytes.
        self.socket = os.path.join(self.directory, "control")
        self.config_path = os.path.join(self.directory, "carpd.conf")
        self.write_config()

    @property
    def window_s(self):
        return 3 * (self.advbase + (0 if self.advbase else self.advskew / 256)) + (
            self.advskew / 256 if self.advbase else 0
        )

    def write_config(self, groups=None, **options):
        """The file as it is to be read at the next start or reload; arguments change what was there."""
        self.groups = list(groups) if groups else self.groups
        self.options.update({key.replace("_", "-"): value for key, value in options.items()})
        self.advbase, self.advskew = self.options["advbase"], self.options["advskew"]
        lines = {"control": self.socket, "state-directory": os.path.join(self.directory, "state"), **self.options}
        text = "".join(f"{key.replace('_', '-')} = {_word(value)}\n" for key, value in lines.items())
        for group in self.groups:
            secret = os.path.join(self.directory, f"{group.name}.pass")
            with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(group.passphrase + "\n")
            words = {"interface": group.interface, "vhid": group.vhid, "addresses": group.addresses}
            if not {"passphrase", "passphrase-file"} & set(group.options):
                words["passphrase-file"] = secret
            words.update(group.options)
            text += f"\ngroup {group.name} {{\n"
            text += "".join(f"    {key.replace('_', '-')} = {_word(value)}\n" for key, value in words.items())
            text += "}\n"
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def environment(self):
        """For sanitizers: in the sandbox they cannot trace, to find leaks, or start a program, to find names."""
        if not self.options.get("sandbox", True) and self.options["user"] == "root":
            return {}
        return {"ASAN_OPTIONS": "detect_leaks=0:symbolize=0", "UBSAN_OPTIONS": "print_stacktrace=0"}

    def start(self, wait=True):
        """Starts it; returns when the control socket answers."""
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        argv = (self.binary, "-f", self.config_path)
        self.processes = [self.host.start(*argv, name="carpd", environment=self.environment)]
        if wait:
            wait_for(self._answers, 10, lambda: f"carpd answers on {self.socket}\n{self.processes[0].tail()}")
        return self

    def _answers(self):
        if not self.processes[0].running():
            raise RuntimeError(f"carpd ended with {self.processes[0].wait(1)}\n{self.processes[0].tail()}")
        return os.path.exists(self.socket) and self.ctl("status", check=False) is not None

    def ctl(self, *args, check=True):
        """What `carpctl --json ARGS` answers; an error is a RuntimeError, or with check=False None if unreadable."""
        text, complaint = self._look(*args) if args[0] in _LOOKING else self._act(*args)
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:
            if check:
                raise RuntimeError(f"carpctl {' '.join(args)}: {text}{complaint}") from None
            return None
        if check and not answer.get("ok"):
            raise RuntimeError(f"carpctl {' '.join(args)}: {answer.get('error')}")
        return answer

    def _act(self, *args):
        done = self.carpctl("--json", *args)
        return done.stdout, done.stderr

    def _look(self, word, group=None):
        """
        At the socket itself. A story that waits looks all the time, and a program each time would be most of what
        the machine does.
        """
        request = {"do": word, **({"group": group} if group else {})}
        try:
            with socket.socket(socket.AF_UNIX) as asking, asking.makefile("rw", encoding="utf-8") as line:
                # Not settimeout, which makes the socket one that does not wait: not for room to connect either.
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
                asking.connect(self.socket)
                line.write(json.dumps(request) + "\n")
                line.flush()
                return line.readline(), "no answer"
        except OSError as error:
            return "", str(error)

    def carpctl(self, *args):
        """carpctl as a person runs it: the finished process with its output and status."""
        return self.host.run(self.client, "-s", self.socket, *args, check=False)

    def pids(self):
        """Keeper and engine; what writes their state comes and goes."""
        return [pid for pid in super().pids() if command(pid) not in (None, "carpd-writer")]

    def status(self, group=None):
        """The status object of one group (default: the first)."""
        name = group or self.groups[0].name
        return next(one for one in self.ctl("status")["groups"] if one["name"] == name)

    def wait_state(self, state, timeout_s=10, group=None):
        return wait_for(
            lambda: self.status(group)["state"] == state,
            timeout_s,
            lambda: f"{self.host.name} is {state}\n{self.status(group)}\n{self.processes[0].tail()}",
        )

    def reload(self):
        return self.ctl("reload")


class Ucarp(Daemon):
    """Debian's ucarp: one process for each group, and a script that adds or deletes the address."""

    kind = "ucarp"
    protocol = "carp"

    def __init__(self, host, groups=None, advbase=1, advskew=0, preempt=True):
        super().__init__(host, groups)
        self.advbase = advbase
        self.advskew = advskew
        self.preempt = preempt
        self._up = self._write("up.sh", '#!/bin/sh\nexec ip addr add "$2/32" dev "$1"\n', 0o755)
        self._down = self._write("down.sh", '#!/bin/sh\nip addr del "$2/32" dev "$1" 2>/dev/null\nexit 0\n', 0o755)

    @property
    def window_s(self):
        return 3 * self.advbase + self.advskew / 256

    def start(self):
        self.processes = [self._start_one(group) for group in self.groups]
        return self

    def _start_one(self, group):
        secret = self._write(f"{group.name}.pass", group.passphrase + "\n", 0o600)
        argv = ["ucarp", f"--interface={group.interface}", f"--srcip={self.host.ipv4}", f"--vhid={group.vhid}"]
        argv += [f"--passfile={secret}", f"--addr={group.addresses[0]}", "--shutdown"]
        argv += [f"--advbase={self.advbase}", f"--advskew={self.advskew}"]
        argv += [f"--upscript={self._up}", f"--downscript={self._down}"]
        if self.preempt:
            argv.append("--preempt")
        return self.host.start(*argv, name="ucarp")


class Keepalived(Daemon):
    """Debian's keepalived with VRRP version 3; `vmac` gives each group a macvlan with the virtual MAC."""

    kind = "keepalived"
    protocol = "vrrp"

    def __init__(self, host, groups=None, advert_s=1.0, priority=100, preempt=True, vmac=False):
        super().__init__(host, groups)
        self.advert_s = advert_s
        self.priority = priority
        instances = "".join(self._instance(group, preempt, vmac) for group in self.groups)
        # Without a strict check of the interface's state at start, as its own default is.
        self._config = self._write(
            "keepalived.conf", f"global_defs {{\n    router_id {host.name}\n    vrrp_version 3\n}}\n{instances}"
        )

    @property
    def window_s(self):
        return 3 * self.advert_s + (256 - self.priority) / 256 * self.advert_s

    def _instance(self, group, preempt, vmac):
        lines = [f"vrrp_instance {group.name} {{", "    state BACKUP", f"    interface {group.interface}"]
        lines += [f"    virtual_router_id {group.vhid}", f"    priority {self.priority}"]
        lines += [f"    advert_int {self.advert_s:g}"]
        if not preempt:
            lines.append("    nopreempt")
        if vmac:
            lines += [f"    use_vmac vrrp.{group.vhid}", "    vmac_xmit_base"]
        lines += ["    virtual_ipaddress {"]
        lines += [f"        {address}/32" for address in group.addresses]
        return "\n".join(lines) + "\n    }\n}\n"

    def start(self):
        pids = self.host.lab.new_path(f"{self.host.name}-keepalived")
        # A pid file of an earlier run would make the new one end at once: each start has its own.
        self.processes = [
            self.host.start(
                "keepalived", "-n", "-P", "-f", self._config, "--log-console", "--no-syslog",
                "-p", f"{pids}.pid", "-r", f"{pids}-vrrp.pid", "-c", f"{pids}-check.pid", name="keepalived",
            )  # fmt: skip
        ]
        return self


def versions():
    """{name: version} of what is compared, as the packages say."""
    found = {}
    for package in ("ucarp", "keepalived"):
        done = run("dpkg-query", "-W", "-f", "${Version}", package, check=False)
        found[package] = done.stdout or "not installed"
    try:
        found["carpd"] = subprocess.run(
            ["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        found["carpd"] = "unknown"
    return found
