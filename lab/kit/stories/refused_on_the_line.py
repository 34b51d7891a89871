"""What the wall refuses is refused while the sender is on the line
A virus, junk over the limit and an unknown user are answered 5xx by the edge in the wall's words. The edge writes nothing to disk
for them, nor for what it hands through, and nobody gets a notice."""
from .. import mail
from .virus_out import eicar


def gtube():
    """The test string of spam filters, put together so that it stands in no file."""
    return "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def tell(tale):
    lab = tale.lab
    commits = {name: edge.counter("queue", "commits") for name, edge in lab.edges.items()}
    lab.mailboxes["campus"].behave("refuse-to unknown")
    for edge in lab.edges:
        for what, recipient, body, words in (("a virus", "taro@example.ac.jp", eicar(), "virus found"),
                                             ("junk", "taro@example.ac.jp", gtube(), "looks like spam"),
                                             ("an unknown user", "unknown@example.ac.jp", "A line.", "5.1.1")):
            said = refused(tale, edge, recipient, body + "\n")
            assert said.startswith("550") and words in said, said
            tale.say(f"{what}, by {edge}: {said}")
        tale.wait_arrival("campus", tale.from_world(edge))
    assert not any(box.notices() - tale.notices[name] for name, box in lab.mailboxes.items()), "somebody got a notice"
    assert commits == {name: edge.counter("queue", "commits") for name, edge in lab.edges.items()}, "an edge wrote to its journal"
    tale.say("good mail by each edge has arrived; the edges' journals were not written to once, nobody got a notice")


def refused(tale, edge, recipient, body):
    try:
        tale.from_world(edge, recipient, body=body)
    except mail.Refused as error:
        return error.text
    raise AssertionError(f"{edge} took it")
