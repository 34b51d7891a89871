"""An inside host that is not listed is refused
Only the departments' servers may hand mail to the wall: a client that tries is refused before it can say MAIL, so is a host of
the private network that is no edge, and so is one at an edge's address without a node's certificate; the firewall lets no client
send to the world by itself."""
from .. import mail


def refused(tale, host, address):
    try:
        with mail.Conversation(tale.lab, host, address, seconds=5) as talk:
            talk.offer("trojan@example.ac.jp", ["victim@faraway.example"])
    except mail.Refused as error:
        return f"{error.text}"
    except OSError as error:
        return f"no connection ({error.__class__.__name__})"
    raise AssertionError(f"{host} could offer mail to {address}")


def tell(tale):
    lab = tale.lab
    wall = lab.walls["wall"]
    said = refused(tale, "client", wall.address("dmz"))
    assert said.startswith("55"), said
    tale.say(f"a client asks the wall: {said}")
    said = refused(tale, "client", "192.0.2.20")
    assert said.startswith("no connection"), said
    tale.say(f"it tries the world by itself: {said}")
    said = refused(tale, "wall2", wall.address("private"))
    assert said.startswith("no connection") or said[0] == "5", said
    tale.say(f"a host of the private network that is no edge tries the wall: {said}")
    said = refused(tale, "edge1", wall.address("private"))
    assert said.startswith("530"), said
    tale.say(f"a program on an edge that has no certificate: {said}")
    tale.wait_arrival("faraway", tale.from_inside())
    tale.say("a listed server's message has gone out")
