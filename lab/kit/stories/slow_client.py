"""A client that sends slowly must not hold a wall's connection
Fifty clients send a byte now and then through a line that stalls; the edge collects their messages itself, so the wall has no
more connections than before, and others' mail is as quick as ever."""
import threading
import time

from .. import mail, plan
from ..machine import wait_for
from ..proxy import Proxy

CLIENTS = 50


def tell(tale):
    lab = tale.lab
    before = connections_of(lab.walls["wall"])
    with Proxy(lab, "faraway", (lab.edges["edge1"].address(), 25)) as line:
        clients = [Slow(tale, line.address) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        wait_for(lambda: all(one.is_ready for one in clients), "all slow clients were told to send their message", 60)
        line.rate = 400
        for one in clients:
            one.go.set()
        tale.say(f"{CLIENTS} clients send 400 bytes a second together")
        took = []
        for _ in range(10):
            begun = time.monotonic()
            tale.wait_arrival("campus", tale.from_world("edge1"))
            took.append(time.monotonic() - begun)
        open_now = connections_of(lab.walls["wall"])
        assert open_now <= before + 2, f"{open_now} connections at the wall, {before} before"
        tale.say(f"meanwhile ten messages of another client took {max(took):.2f} s at most to their mailbox; the wall has "
                 f"{open_now} connections from the edges, before it had {before}")
        line.rate = None
        for one in clients:
            one.join(60)
    numbers = [one.number for one in clients if one.is_taken]
    assert len(numbers) == CLIENTS, f"{len(numbers)} of the slow messages were taken"
    tale.wait_arrival("campus", numbers)
    tale.say("the line is free again: the slow messages have arrived, too")


def connections_of(wall):
    listed = wall.run("ss", "-Htn", "state", "established", f"( sport = :25 and src {plan.HOSTS[wall.name].address('private')} )")
    return len(listed.stdout.splitlines())


class Slow(threading.Thread):
    def __init__(self, tale, address):
        super().__init__(daemon=True)
        self.tale, self.address = tale, address
        self.number, self.go = tale.lab.post.number(), threading.Event()
        self.is_ready = self.is_taken = False

    def run(self):
        post = self.tale.lab.post
        text = post.compose(self.number, "slow@faraway.example", "taro@example.ac.jp", body="slow\n" * 400)
        with mail.Conversation(self.tale.lab, "faraway", self.address[0], self.address[1], seconds=300) as talk:
            talk.offer("slow@faraway.example", ["taro@example.ac.jp"])
            talk.say("DATA")
            self.is_ready = True
            self.go.wait()
            talk.raw(mail.stuffed(text))
            talk.expect(talk.reply())
        self.is_taken = True
        post.taken(self.number)
