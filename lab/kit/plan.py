"""Figure 1 as data: networks, hosts, who is connected to what. Addresses of the Internet side are those for documentation."""
import dataclasses

#   Internet: 192.0.2.0/24 beyond the router, one upstream network before each edge
#   private:  edges and walls; the edges' shared address is 192.168.0.1
#   dmz:      the walls' leg to the firewall; inside: the departments behind it
NETWORKS = ("world", "up1", "up2", "private", "dmz", "inside")
SHARED_ADDRESS = "192.168.0.1"
NAME_SERVER = "192.0.2.53"


@dataclasses.dataclass(frozen=True)
class Host:
    """A namespace: its addresses by interface, where the rest goes, and whether it passes packets on."""
    name: str
    legs: dict          # network -> addresses with prefix lengths
    gateway: str = ""
    routes: tuple = ()  # (network, gateway)
    forwards: bool = False
    names: dict = dataclasses.field(default_factory=dict)  # network -> interface name, where it is not the network's

    def interface(self, network):
        return self.names.get(network, network)

    def address(self, network):
        return self.legs[network][0].split("/")[0]


TO_EDGES = {"up1": "outside", "up2": "outside"}
TO_INSIDE = (("10.1.0.0/24", "10.0.0.1"), ("10.2.0.0/24", "10.0.0.1"), ("192.0.2.0/24", "10.0.0.1"))

HOSTS = {host.name: host for host in (
    Host("internet", {"world": ["192.0.2.1/24"], "up1": ["203.0.113.1/24"], "up2": ["198.51.100.1/24"]}, forwards=True),
    Host("names", {"world": ["192.0.2.53/24"]}, "192.0.2.1"),
    Host("partner", {"world": ["192.0.2.10/24"]}, "192.0.2.1"),
    Host("faraway", {"world": ["192.0.2.20/24"]}, "192.0.2.1"),
    Host("edge1", {"up1": ["203.0.113.2/24"], "private": ["192.168.0.2/24"]}, "203.0.113.1", names=TO_EDGES),
    Host("edge2", {"up2": ["198.51.100.2/24"], "private": ["192.168.0.3/24"]}, "198.51.100.1", names=TO_EDGES),
    Host("wall", {"private": ["192.168.0.10/24"], "dmz": ["10.0.0.10/24"]}, routes=TO_INSIDE),
    Host("wall2", {"private": ["192.168.0.11/24"], "dmz": ["10.0.0.11/24"]}, routes=TO_INSIDE),
    Host("firewall", {"up1": ["203.0.113.3/24"], "dmz": ["10.0.0.1/24"], "inside": ["10.1.0.1/24", "10.2.0.1/24"]},
         "203.0.113.1", forwards=True, names=TO_EDGES),
    Host("campus", {"inside": ["10.1.0.25/24"]}, "10.1.0.1"),
    Host("econ", {"inside": ["10.2.0.25/24"]}, "10.2.0.1"),
    Host("client", {"inside": ["10.1.0.50/24"]}, "10.1.0.1"),
)}

EDGES = ("edge1", "edge2")
WALLS = ("wall", "wall2")
DEPARTMENTS = {"campus": "example.ac.jp", "econ": "econ.example.ac.jp"}
WORLD = {"partner": "partner.example", "faraway": "faraway.example"}

# What the Internet's own name server says; reverse names are made of the A records. Nobody keeps what is said of elsewhere.example.
TTL = {"elsewhere.example.": 0}
ZONES = ("example.ac.jp", "partner.example", "faraway.example", "elsewhere.example")
RECORDS = (
    "example.ac.jp.           MX 10 edge1.example.ac.jp.",
    "example.ac.jp.           MX 10 edge2.example.ac.jp.",
    "econ.example.ac.jp.      MX 10 edge1.example.ac.jp.",
    "econ.example.ac.jp.      MX 10 edge2.example.ac.jp.",
    "edge1.example.ac.jp.     A  203.0.113.2",
    "edge2.example.ac.jp.     A  198.51.100.2",
    "example.ac.jp.           TXT \"v=spf1 mx -all\"",
    "partner.example.         MX 10 mail.partner.example.",
    "mail.partner.example.    A  192.0.2.10",
    "faraway.example.         MX 10 mail.faraway.example.",
    "mail.faraway.example.    A  192.0.2.20",
    "elsewhere.example.       MX 10 mail.faraway.example.",
)
