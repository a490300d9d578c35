"""What the cards are plugged into: a hub in this process, with a client of its own that asks by single frames."""

import contextlib
import socket
import struct
import threading
import time

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS
from scapy.layers.inet6 import ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.utils6 import in6_getnsma, in6_getnsmac

PATIENCE_S = 60
CLIENT_MAC = "02:00:00:00:00:09"


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Port:
    """One cable; QEMU connects to `path` when it starts. Each frame comes after its length."""

    def __init__(self, switch, path, mac):
        self.path = path
        self.mac = mac_bytes(mac)
        self._switch = switch
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._socket = None
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def send(self, frame):
        # One that is being killed takes no more.
        with contextlib.suppress(OSError):
            if self._socket:
                self._socket.sendall(struct.pack("!I", len(frame)) + frame)

    def _read(self, count):
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _carry(self):
        with contextlib.suppress(OSError, EOFError):
            self._socket = self._listener.accept()[0]
            while True:
                (length,) = struct.unpack("!I", self._read(4))
                self._switch.carry(self, self._read(length))

    def close(self):
        for end in (self._listener, self._socket):
            if end:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._thread.join()


class Switch:
    """
    A hub: every port gets every frame, so that it is the card that must tell which are its own. With `one_mac` it does
    as a cloud does: a port gets no frame to another MAC than its card's, and none from one leaves it.
    """

    def __init__(self):
        self.ports = []
        self.one_mac = False
        self._changed = threading.Condition()
        self._heard = []

    def add_port(self, path, mac):
        self.ports.append(Port(self, path, mac))
        return self.ports[-1]

    def carry(self, source, frame):
        with self._changed:
            if self.one_mac and source and frame[6:12] != source.mac:
                return
            for port in self.ports:
                if port is not source and not (self.one_mac and not frame[0] & 1 and frame[:6] != port.mac):
                    port.send(frame)
            if source:
                self._heard.append(frame)
                self._changed.notify_all()

    def exchange(self, question, is_answer):
        """Asks, once a second until an answer is heard: the answer as a packet, or None."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            with self._changed:
                self._heard.clear()
            self.carry(None, bytes(question))
            with self._changed:
                again_s = time.monotonic() + 1
                while (left_s := again_s - time.monotonic()) > 0:
                    for frame in self._heard:
                        packet = Ether(frame)
                        if is_answer(packet):
                            return packet
                    self._heard.clear()
                    self._changed.wait(left_s)
        return None

    def close(self):
        for port in self.ports:
            port.close()


class Client:
    """A host of the network, in a VLAN if one is given."""

    def __init__(self, switch, address, address6, vlan=None):
        self.switch = switch
        self.address = address
        self.address6 = address6
        self.vlan = vlan

    def _frame(self, to, packet):
        head = Ether(src=CLIENT_MAC, dst=to)
        if self.vlan:
            return head / Dot1Q(vlan=self.vlan) / packet
        return head / packet

    def _ask(self, to, packet, is_answer):
        return self.switch.exchange(
            self._frame(to, packet),
            lambda got: got.dst == CLIENT_MAC and self.vlan == (got[Dot1Q].vlan if Dot1Q in got else None) and is_answer(got),
        )

    def resolve(self, address):
        """The MAC that answers for the address, and that the answer comes from."""
        if ":" in address:
            raw = in6_getnsma(socket.inet_pton(socket.AF_INET6, address))
            group, solicited = in6_getnsmac(raw), socket.inet_ntop(socket.AF_INET6, raw)
            question = IPv6(src=self.address6, dst=solicited, hlim=255) / ICMPv6ND_NS(tgt=address)
            got = self._ask(group, question / ICMPv6NDOptSrcLLAddr(lladdr=CLIENT_MAC),
                            lambda got: ICMPv6ND_NA in got and got[ICMPv6ND_NA].tgt == address)  # fmt: skip
            said = got and got[ICMPv6NDOptDstLLAddr].lladdr
        else:
            question = ARP(op=1, hwsrc=CLIENT_MAC, psrc=self.address, pdst=address)
            got = self._ask("ff:ff:ff:ff:ff:ff", question, lambda got: ARP in got and got[ARP].op == 2 and got[ARP].psrc == address)
            said = got and got[ARP].hwsrc
        assert got is None or got.src == said
        return said

    def ping(self, address, mac):
        """The MAC that the echo comes from."""
        if ":" in address:
            got = self._ask(mac, IPv6(src=self.address6, dst=address) / ICMPv6EchoRequest(data=b"x" * 40),
                            lambda got: ICMPv6EchoReply in got and got[IPv6].src == address)  # fmt: skip
        else:
            got = self._ask(mac, IP(src=self.address, dst=address) / ICMP() / (b"x" * 40),
                            lambda got: ICMP in got and got[ICMP].type == 0 and got[IP].src == address)  # fmt: skip
        return got and got.src

    def connect(self, address, mac, port):
        """Whether a TCP connection is accepted, by a frame whose checksum is right."""
        ip = IPv6(src=self.address6, dst=address) if ":" in address else IP(src=self.address, dst=address)
        got = self._ask(mac, ip / TCP(sport=4000, dport=port, flags="S", seq=1),
                        lambda got: TCP in got and got[TCP].sport == port and got[TCP].flags == "SA")  # fmt: skip
        if got is None:
            return False
        again = got.copy()
        del again[TCP].chksum
        return Ether(bytes(again))[TCP].chksum == got[TCP].chksum and got.src == mac
