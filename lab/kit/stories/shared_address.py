"""The edges' shared address moves
kill -9 of keepalived or of a whole edge moves it in under 1 s, an orderly stop in under 0.3 s; afterwards exactly one edge has
it, and mail to the world goes on all the time."""
import signal
import threading
import time

from .. import mail, plan
from ..machine import wait_for

KILLED_S, STOPPED_S = 1.0, 0.3
DOUBLES_MOST = 4  # what came to the edge, or left it, when it died without a reply


def tell(tale):
    lab = tale.lab
    lab.wait_shared_address()
    numbers, over = [], threading.Event()
    sender = threading.Thread(target=keep_sending, args=(tale, numbers, over), daemon=True)
    sender.start()
    try:
        move(tale, "kill -9 of keepalived", lambda edge: edge.end_keepalived(signal.SIGKILL), KILLED_S)
        move(tale, "keepalived is stopped", lambda edge: edge.end_keepalived(signal.SIGTERM), STOPPED_S)
        move(tale, "kill -9 of everything on the edge", lambda edge: edge.die(), KILLED_S)
    finally:
        over.set()
        sender.join(60)
    tale.wait_arrival("faraway", numbers)
    tale.say(f"{len(numbers)} messages to the world meanwhile: all arrived")


def move(tale, what, act, limit):
    lab = tale.lab
    before = lab.wait_shared_address()
    after = next(one for one in plan.EDGES if one != before)
    with Watch(lab.edges[after]) as watch:
        begun = time.monotonic()
        act(lab.edges[before])
        wait_for(lambda: watch.since, f"{after} has the address", 10, 0.002)
    took = watch.since - begun
    lab.wait_shared_address(5)
    for _ in range(10):
        assert lab.owners() == [after], f"{lab.owners()} have the address"
    tale.say(f"{what} on {before}: {after} has the address after {took * 1000:.0f} ms (limit {limit * 1000:.0f}), and nobody else")
    assert took < limit, f"{took:.3f} s"
    tale.wait_arrival("faraway", tale.from_inside())
    edge = lab.edges[before]
    if not edge.is_up():
        edge.up()
    edge.restart_keepalived()
    wait_for(lambda: edge.stands_by(), f"keepalived on {before} stands by", 30)


class Watch(threading.Thread):
    """Looks when an edge gets the shared address: a socket there can be bound to it from then on."""

    def __init__(self, edge):
        super().__init__(daemon=True)
        self.edge, self.since, self.is_over = edge, None, False

    def run(self):
        import socket

        from .. import wires
        with wires.inside(self.edge.namespace):
            while not self.is_over and not self.since:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    try:
                        probe.bind((plan.SHARED_ADDRESS, 0))
                        self.since = time.monotonic()
                    except OSError:
                        time.sleep(0.002)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.join()


def keep_sending(tale, numbers, over):
    """A message to the world every 50 ms, as a department's server would: again when the wall says 4xx."""
    while not over.is_set():
        try:
            numbers.append(tale.from_inside())
        except (OSError, mail.Refused):
            pass
        over.wait(0.05)
