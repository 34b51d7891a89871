"""One lab: all its namespaces, machines and programs. `Lab(name)` only describes it; `up` builds it, `attach` finds one that
another command built."""
import contextlib
import json
import pathlib
import shlex
import shutil

from . import mail, node, page, plan, programs, wires
from .machine import Machine, wait_for
from .names import NameServer

RUN = pathlib.Path("/run/sekimori-lab")


class Lab:
    def __init__(self, name="lab", folder=None):
        self.name = name
        self.folder = pathlib.Path(folder or page.ROOT / "var" / f"lab-{name}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = self.folder / "authority"
        self.wires = wires.Wires(name)
        self.post = mail.Post()
        self.names = NameServer(self, "names")
        self.edges = {one: node.Edge(self, one) for one in plan.EDGES}
        self.walls = {one: node.Node(self, one) for one in plan.WALLS}
        self.nodes = {**self.edges, **self.walls}
        self.mailboxes = {one: mail.Mailbox(self, one) for one in (*plan.DEPARTMENTS, *plan.WORLD)}
        self.firewall = Machine(self, "firewall")
        self.client = Machine(self, "client")

    # --- up and down ---

    def up(self, say=lambda text: None):
        self.down()
        self.folder.mkdir(parents=True, exist_ok=True)
        for machine in (self.names, self.firewall, self.client, *self.nodes.values(), *self.mailboxes.values()):
            machine.folder.mkdir(exist_ok=True)
        say("namespaces, bridges, links")
        RUN.mkdir(exist_ok=True)
        (RUN / f"{self.name}.json").write_text(json.dumps({"folder": str(self.folder), "build": str(programs.folder())}))
        self.wires.build()
        self.firewall_up()
        say("name server, mail servers")
        self.names.up()
        for box in self.mailboxes.values():
            box.up()
        self.make_authority()
        say("edges, wall")
        for one in self.nodes.values():
            one.write_files()
        begun = [*self.edges.values(), self.walls["wall"]]
        for one in begun:
            one.up(wait=False)
        for one in begun:
            one.wait_ready()
        self.wait_shared_address(60)

    def make_authority(self):
        """The private authority of the nodes and a certificate for each, by the page's own commands."""
        for command in page.commands("sekimori ca "):
            wires.run(programs.sekimori(), *shlex.split(command)[1:], "--dir", self.authority)

    def firewall_up(self):
        rules = self.firewall.folder / "nftables.conf"
        rules.write_text(page.of("firewall", "/etc/nftables.conf"))
        self.firewall.run("nft", "-f", rules)

    def down(self):
        """Leaves nothing of it behind, however it ended; again and again if wanted."""
        wires.remove(self.name)
        with contextlib.suppress(FileNotFoundError):
            (RUN / f"{self.name}.json").unlink()
        with contextlib.suppress(OSError):
            RUN.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_up(self):
        return bool(wires.namespaces_of(self.name))

    # --- the whole of it ---

    def nodes_up(self):
        return [one for one in self.nodes.values() if one.is_up()]

    def owners(self):
        return [name for name, edge in self.edges.items() if edge.has_shared_address()]

    def wait_shared_address(self, seconds=20):
        """Exactly one edge has it."""
        return wait_for(lambda: self.owners() if len(self.owners()) == 1 else None,
                        lambda: f"one edge has the shared address: {self.owners()}", seconds)[0]

    def heal(self):
        """As it was after `up`, whatever a story broke: the next one finds everything running."""
        self.wires.mend_all()
        for box in self.mailboxes.values():
            box.behave("")
            if not box.pid("sink"):
                box.up()
        if not self.names.pid("unbound"):
            self.names.up()
        for one in (*self.edges.values(), self.walls["wall"]):
            if not one.is_up():
                one.up()
            one.sekimori("undrain", check=False)
        for edge in self.edges.values():
            edge.restart_keepalived()
        for edge in self.edges.values():
            wait_for(edge.stands_by, f"keepalived on {edge.name} stands by", 60)
        self.wait_shared_address()


def known():
    """The labs that are up or were not taken down: name -> what is known of them."""
    found = {}
    if RUN.exists():
        for path in RUN.glob("*.json"):
            with contextlib.suppress(ValueError):
                found[path.stem] = json.loads(path.read_text())
    return found


def attach(name):
    """A lab that another command built, with the programs it was built with."""
    about = known().get(name)
    if about:
        programs.use(about["build"])
    return Lab(name, about and about["folder"])
