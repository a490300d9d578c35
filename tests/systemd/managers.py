"""What manages the network cards of fw1: Debian's three, each with addresses of its file or of a DHCP server."""

from pair import OWN

_STATIC, _INSIDE = OWN["fw1"]
GATEWAY = OWN["client"][0].split("/")[0]


class Ifupdown:
    """As Debian installs it on a server."""

    name = "ifupdown"
    begin = "systemctl enable networking; systemctl restart networking"
    end = "systemctl disable networking; systemctl stop networking; rm -f /etc/network/interfaces"
    restart = "systemctl restart networking"
    again = ("ifdown eth0; ifup eth0",)

    @staticmethod
    def files(dhcp):
        outside = "iface eth0 inet dhcp" if dhcp else f"iface eth0 inet static\n\taddress {_STATIC}\n\tgateway {GATEWAY}"
        text = f"auto lo eth0 eth1\niface lo inet loopback\n{outside}\niface eth1 inet static\n\taddress {_INSIDE}\n"
        return {"/etc/network/interfaces": text}


class Networkd:
    """systemd's own."""

    name = "networkd"
    begin = "systemctl enable --now systemd-networkd; networkctl reload"
    end = "systemctl disable --now systemd-networkd.socket systemd-networkd; rm -f /etc/systemd/network/*"
    restart = "systemctl restart systemd-networkd"
    again = ("networkctl reload", "networkctl reconfigure eth0", "networkctl down eth0; networkctl up eth0")

    @staticmethod
    def files(dhcp):
        return {
            f"/etc/systemd/network/{card}.network": f"[Match]\nName={card}\n[Network]\n{how}\n"
            for card, how in (("eth0", "DHCP=ipv4" if dhcp else f"Address={_STATIC}\nGateway={GATEWAY}"), ("eth1", f"Address={_INSIDE}"))
        }


class NetworkManager:
    """As on a desktop, and on many a server."""

    name = "NetworkManager"
    begin = "systemctl enable --now NetworkManager; nmcli connection reload; nmcli connection up eth0; nmcli connection up eth1"
    end = ("nmcli device disconnect eth0; nmcli device disconnect eth1; systemctl disable --now NetworkManager;"
           "rm -f /etc/NetworkManager/system-connections/*; ip link set eth0 up; ip link set eth1 up")  # fmt: skip
    restart = "systemctl restart NetworkManager"
    again = ("nmcli connection up eth0", "nmcli device reapply eth0", "nmcli device disconnect eth0; nmcli connection up eth0")

    @staticmethod
    def files(dhcp):
        return {
            f"/etc/NetworkManager/system-connections/{card}.nmconnection":
                f"[connection]\nid={card}\ntype=ethernet\ninterface-name={card}\n[ipv4]\n{how}\n"
            for card, how in (("eth0", "method=auto" if dhcp else f"method=manual\naddress1={_STATIC},{GATEWAY}"),
                              ("eth1", f"method=manual\naddress1={_INSIDE}"))
        }  # fmt: skip
