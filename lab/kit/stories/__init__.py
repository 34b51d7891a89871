"""The stories: each a module whose text says what happens and what it proves, whose `tell` makes it happen. Afterwards the
account over all nodes is closed; then the lab is healed for the next one."""
import importlib
import time

from .. import account, mail
from ..machine import wait_for

NAMES = ("mail_in", "refused_on_the_line", "department_down", "dns_dead", "unlisted_host", "upstream_cut", "edge_killed",
         "wall_killed", "second_wall", "virus_out", "bounce", "slow_client", "bad_line", "shared_address", "drained", "stolen_password")


class Tale:
    """What a story has at hand: the lab, a voice, a clock; and what was answered 250 meanwhile."""

    def __init__(self, lab, voice, story):
        self.lab, self.voice, self.story, self.begun = lab, voice, story, time.monotonic()
        self.before = set(lab.post.acknowledged)
        self.notices = {name: box.notices() for name, box in lab.mailboxes.items()}
        self.account = None

    def say(self, text):
        self.voice(f"{time.monotonic() - self.begun:7.2f} s  {text}")

    def acknowledged(self):
        return self.lab.post.acknowledged - self.before

    def until(self, true, what, seconds=30):
        return wait_for(true, what, seconds)

    def close_account(self):
        """Once; by the story itself when it takes nodes away at its end."""
        if self.account is None:
            self.account = account.close(self.lab, self.acknowledged(), getattr(self.story, "DOUBLES_MOST", 0))
            self.say("the account over all nodes:")
            for line in str(self.account).splitlines():
                self.voice(f"           {line}")
        return self.account

    # --- the three ways of mail that most stories need ---

    def from_world(self, edge, recipient="taro@example.ac.jp", sender="hanako@partner.example", **more):
        """One message to an edge's outside address. Its number; Refused if it was."""
        machine = self.lab.edges[edge]
        return self.send("partner", machine.address(), sender, recipient, **more)

    def from_inside(self, recipient="friend@faraway.example", sender="taro@example.ac.jp", host="campus", wall="wall", **more):
        """One message from a department server to the wall."""
        return self.send(host, self.lab.walls[wall].address("dmz"), sender, recipient, **more)

    def send(self, host, address, sender, recipient, **more):
        number = self.lab.post.number()
        with mail.Conversation(self.lab, host, address) as talk:
            talk.send(sender, [recipient], self.lab.post.compose(number, sender, recipient or "nobody", **more))
        self.lab.post.taken(number)
        return number

    def wait_arrival(self, box, numbers, seconds=60):
        numbers = {numbers} if isinstance(numbers, str) else set(numbers)
        mailbox = self.lab.mailboxes[box]
        wait_for(lambda: numbers <= set(mailbox.arrived()),
                 lambda: f"{len(numbers - set(mailbox.arrived()))} of {len(numbers)} messages arrive at {box}", seconds, 0.05)


def module(name):
    return importlib.import_module(f"{__name__}.{name}")


def about(name):
    """(the headline, what it proves)"""
    head, _, rest = module(name).__doc__.strip().partition("\n")
    return head.strip(), " ".join(rest.split())


def tell(lab, name, voice=print):
    """One story, its account, and everything whole again. Returns the account."""
    story = module(name)
    head, proves = about(name)
    voice(f"{name}: {head}")
    voice(f"           proves: {proves}")
    tale = Tale(lab, voice, story)
    try:
        story.tell(tale)
        return tale.close_account()
    finally:
        lab.heal()
