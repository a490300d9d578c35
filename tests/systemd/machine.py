"""A virtual machine with systemd as a host of the lab: its cards are on the lab's switch, as the cables of others are."""

import fcntl
import json
import os
import shutil
import struct
import tempfile
from pathlib import Path

import image
from guest import Guest, fetch
from lab import wait_for
from lab.daemons import BUILD
from lab.net import in_namespace
from lab.net import run as run_here

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def _open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR))
    return fd


class Machine:
    """
    fw1 of the lab, with eth0 and eth1; `files` ({path: text}) are on its disk before it boots.

    An emulated machine is slow, so a story gives it much time, and counts what happened.
    """

    def __init__(self, lab, files, name="fw1", lans=2):
        self.lab = lab
        self.name = name
        self.lans = lans
        kernel = fetch(image.release())
        # Not in memory as the rest of the lab: it is large.
        self._directory = tempfile.mkdtemp(prefix="carpd-systemd-", dir="/var/tmp")
        disk = os.path.join(self._directory, "disk")
        image.make(disk, kernel, Path(BUILD), files)
        self._taps = [in_namespace(lab.switch, lambda lan=lan: _open_tap(lab.port(self, lan))) for lan in range(lans)]
        cards = []
        for lan, fd in enumerate(self._taps):
            run_here("ip", "-n", lab.switch, "link", "set", lab.port(self, lan), "master", f"br{lan}", "up")
            cards += ["-netdev", f"tap,id=lan{lan},fd={fd}"]
            cards += ["-device", f"virtio-net-pci,netdev=lan{lan},mac={self.mac(f'eth{lan}')}"]
        # Cards are eth0 and eth1 as in the README; what the console shows of each unit costs more than it tells.
        self.guest = Guest(kernel, name="systemd", disk=disk, qemu=cards, files=self._taps, memory_mib=1024, processors=1,
                           append="net.ifnames=0 systemd.show_status=0 audit=0 tsc=reliable")  # fmt: skip
        lab.all_hosts.append(self)

    def boot(self):
        self.guest.start(timeout_s=900)

    @staticmethod
    def mac(interface="eth0"):
        return f"52:54:00:00:01:0{interface[-1]}"

    def close(self):
        self.guest.close()
        for fd in self._taps:
            os.close(fd)
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(self, script, check=True, timeout_s=120):
        """A shell script to its end: what it printed, or with check=False (status, what it printed)."""
        return self.guest.run(script, timeout_s=timeout_s, check=check)

    def write(self, path, text, mode=0o644):
        """A file of the machine, root's."""
        (self.guest.share / "file").write_text(text, encoding="utf-8")
        self.run(f"mkdir -p {os.path.dirname(path)} && install -m {mode:o} /share/file {path}")

    def read(self, path):
        return self.run(f"cat {path}")

    def has(self, address, interface="eth0"):
        return f" {address}/" in self.run(f"ip -o address show dev {interface}")

    def status(self):
        """What carpctl tells of all groups, None if nobody answers."""
        text = self.run("carpctl -j -t 5 status", check=False)[1]
        return json.loads(text) if text.startswith("{") else None

    def states(self):
        """{group: state}"""
        return {group["name"]: group["state"] for group in (self.status() or {"groups": []})["groups"]}

    def wait_states(self, state, timeout_s=90):
        def reached():
            now = self.status()
            return now if now and {group["state"] for group in now["groups"]} == {state} else None

        return wait_for(reached, timeout_s, lambda: f"{self.name} is {state}\n{self.explain()}", every_s=0.5)

    def explain(self):
        return self.run("carpctl status; carpctl log; systemctl status --no-pager -l carpd; journalctl -n 40 --no-pager -u carpd", check=False)[1]

    def unit(self, *names):
        """Properties of carpd.service."""
        shown = self.run(f"systemctl show carpd -p {','.join(names)}")
        found = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        return found[names[0]] if len(names) == 1 else [found[name] for name in names]

    def cursor(self):
        """Where the journal ends now."""
        return self.run("journalctl -n 0 --show-cursor --no-pager").split("cursor: ")[1].strip()

    def journal(self, since=None):
        """[(priority, message)] of the service, behind a cursor or from the beginning."""
        behind = f"--after-cursor='{since}'" if since else ""
        text = self.run(f"journalctl -u carpd -o json --output-fields=PRIORITY,MESSAGE --no-pager {behind}")
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [(int(line["PRIORITY"]), line["MESSAGE"]) for line in lines]

    def wait_journal(self, since, priority, message, timeout_s=90):
        wait_for(lambda: (priority, message) in self.journal(since), timeout_s,
                 lambda: f"the journal has <{priority}>{message}\n{self.journal(since)}", every_s=0.5)  # fmt: skip

    def reboot(self, while_down=lambda: None):
        """Returns when it listens again; what is told is done while it is away."""
        self.run("systemctl reboot")
        self.guest.wait_end(300)
        while_down()
        self.boot()
