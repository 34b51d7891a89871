"""Mail comes in by either MX
Both edges are in the MX set; what comes to either, for either department, is in the right mailbox, once, and the sender's
address and the wall's verdict stand in its header."""
from .. import names


def tell(tale):
    lab = tale.lab
    exchangers = sorted(names.exchangers(lab, "partner", "example.ac.jp"))
    assert exchangers == ["198.51.100.2", "203.0.113.2"], exchangers
    tale.say(f"the world's DNS names two exchangers for example.ac.jp: {' and '.join(exchangers)}")
    for edge in lab.edges:
        campus = tale.from_world(edge, "taro@example.ac.jp")
        econ = tale.from_world(edge, "jiro@econ.example.ac.jp")
        tale.wait_arrival("campus", campus)
        tale.wait_arrival("econ", econ)
        text = lab.mailboxes["campus"].text_of(campus)
        assert b"X-Virus-Scanned:" in text or b"X-Spam-Status:" in text, text[:2000]
        assert b"192.0.2.10" in text, text[:2000]
        tale.say(f"by {edge}: one message in each department's mailbox, judged by the wall, with 192.0.2.10 in its trace")
