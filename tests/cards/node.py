"""A guest with one card and carpd on it."""

import json
import time

from guest import Guest
from switch import CLIENT_MAC, PATIENCE_S

VLAN = 7
OTHER_MAC = "02:00:00:00:00:99"  # nobody's
TCP_PORT = 7777


def wait_for(condition, what):
    end_s = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end_s, f"not within {PATIENCE_S} s: {what() if callable(what) else what}"
        time.sleep(0.2)
    return value


class Group:
    """One shared address of each family, seen by a client in the same VLAN or none."""

    def __init__(self, vhid, interface, client, address, address6):
        self.vhid = vhid
        self.interface = interface
        self.name = interface
        self.client = client
        self.addresses = (address, address6)
        self.virtual_mac = f"00:00:5e:00:01:{vhid:02x}"

    def lines(self, words):
        addresses = ", ".join(f'"{one}"' for one in self.addresses)
        return (f"group {self.name} {{ interface = {self.interface} vhid = {self.vhid} addresses = {{ {addresses} }}\n"
                f'passphrase = "one of a card"\n{words} }}\n')  # fmt: skip


class Node:
    """`number` makes its addresses; eth0 is the card, and eth0.7 a VLAN on it."""

    def __init__(self, kernel, switch, card, build, directory, number):
        self.mac = f"02:00:00:00:00:0{number}"
        self.card = card
        self._number = number
        self._build = build
        path = directory / f"{number}.socket"
        switch.add_port(path, self.mac)
        self.guest = Guest(
            kernel, name=f"fw{number}", memory_mib=512, processors=1,
            qemu=("-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={path}",
                  "-device", f"{card.device},id=card,netdev=cable,mac={self.mac},romfile="),
        )  # fmt: skip

    def start(self):
        self.guest.start()
        self.guest.run(f"""set -e
            for module in {self.card.driver} 8021q nft_counter; do modprobe -q $module || true; done
            ip link add link eth0 name eth0.{VLAN} type vlan id {VLAN}
            ip link set eth0 up; ip link set eth0.{VLAN} up
            ip addr add 10.0.0.{self._number}/24 dev eth0; ip addr add fd00::{self._number}/64 dev eth0 nodad
            ip addr add 10.7.0.{self._number}/24 dev eth0.{VLAN}; ip addr add fd07::{self._number}/64 dev eth0.{VLAN} nodad
            for where in "10.0.0.9 dev eth0" "fd00::9 dev eth0" "10.7.0.9 dev eth0.{VLAN}" "fd07::9 dev eth0.{VLAN}"; do
                ip neigh add $where lladdr {CLIENT_MAC} nud permanent
            done
            nft "add table netdev card; add chain netdev card in {{ type filter hook ingress device eth0 priority 0; }}
                 add rule netdev card in ether daddr {OTHER_MAC} counter"
            setsid python3 -c 'import socket
            one = socket.create_server(("", {TCP_PORT}), family=socket.AF_INET6, dualstack_ipv6=True)
            while True: one.accept()' >/share/tcp.log 2>&1 &""".replace("\n            one", "\none").replace(
            "\n            while True", "\nwhile True"))  # fmt: skip

    def start_carpd(self, groups, words=""):
        """`words` are further ones for each group."""
        text = (f"control = \"/run/carpd.socket\"\nstate-directory = \"/run/carpd-state\"\nuser = nobody\n"
                f"preempt = true\nadvskew = {100 * (self._number - 1)}\n")  # fmt: skip
        (self.guest.share / "carpd.conf").write_text(text + "".join(group.lines(words) for group in groups))
        self.guest.run(f"""set -e
            install -d -o nobody /run/carpd-state
            install -m 600 /share/carpd.conf /run/carpd.conf
            setsid {self._build}/carpd/carpd -f /run/carpd.conf >>/share/carpd.log 2>&1 &
            echo $! >/run/carpd.pid""")
        wait_for(self.status, lambda: f"carpd answers\n{self.log()}")

    def stop_carpd(self):
        self.guest.run("pid=$(cat /run/carpd.pid); kill $pid; while [ -e /proc/$pid ]; do sleep 0.1; done")

    def carpctl(self, *words):
        status, output = self.guest.run(f"{self._build}/carpctl/carpctl -s /run/carpd.socket {' '.join(words)}", check=False)
        return output if status in (0, 1) else ""

    def status(self):
        """{group: its status}; nothing if carpd does not answer."""
        answer = self.carpctl("-j", "status")
        return {one["name"]: one for one in json.loads(answer)["groups"]} if answer.startswith("{") else {}

    def states(self):
        return {one["state"] for one in self.status().values()}

    def problems(self):
        return [text for one in self.status().values() for text in one["problems"]]

    def gate(self, group):
        return json.loads(self.carpctl("-j", "show", group.name))["groups"][0]["detail"]["gate"]

    def transitions(self):
        return [(one["group"], one["from"], one["to"]) for one in json.loads(self.carpctl("-j", "log"))["entries"]
                if one["event"] == "transition"]  # fmt: skip

    def promiscuity(self):
        return json.loads(self.guest.run("ip -d -j link show dev eth0"))[0]["promiscuity"]

    def strays(self):
        """How many frames for somebody else the card has let through."""
        table = json.loads(self.guest.run("nft -j list chain netdev card in"))["nftables"]
        rule = next(one["rule"] for one in table if "rule" in one)
        return next(one["counter"]["packets"] for one in rule["expr"] if "counter" in one)

    def switch_offloads(self, on):
        """Those that the card has; what was wanted of them is what is then."""
        words = ("rx", "tx", "rxvlan", "txvlan", "sg", "tso", "gso", "gro")
        state = "on" if on else "off"
        self.guest.run("\n".join(f"ethtool -K eth0 {word} {state} || true" for word in words))
        if not self.card.offloads:
            return
        shown = self.guest.run("ethtool -k eth0").splitlines()
        names = ("rx-checksumming", "tx-checksumming", "rx-vlan-offload", "tx-vlan-offload")
        found = [line for line in shown if line.partition(":")[0] in names and "[fixed]" not in line]
        assert found and all(line.split()[1] == state for line in found), found

    def plug(self, cable):
        self.guest.monitor(f"set_link card {'on' if cable else 'off'}")

    def log(self):
        path = self.guest.share / "carpd.log"
        return path.read_text(errors="replace") if path.exists() else ""
