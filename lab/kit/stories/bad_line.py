"""A bad line between a sender and an edge
With 100 ms of delay, stalls, and connections that break off in the middle of a message, the sender goes on trying: each message
arrives, and twice only where the break hid the reply."""
from .. import mail
from ..proxy import Proxy

MESSAGES = 12
DOUBLES_MOST = MESSAGES  # a connection that broke after the message had gone: SMTP cannot tell


def tell(tale):
    lab = tale.lab
    with Proxy(lab, "partner", (lab.edges["edge2"].address(), 25), delay=0.05, drop_after=3000) as line:
        tale.say("a line with 50 ms each way that breaks after 3,000 bytes")
        sent, attempts = 0, 0
        while sent < MESSAGES:
            attempts += 1
            number = lab.post.number()
            try:
                with mail.Conversation(lab, "partner", *line.address) as talk:
                    for _ in range(3):
                        text = lab.post.compose(number, "hanako@partner.example", "taro@example.ac.jp", body="z" * 60 + "\n")
                        talk.send("hanako@partner.example", ["taro@example.ac.jp"], text)
                        lab.post.taken(number)
                        sent, number = sent + 1, lab.post.number()
                        if sent == MESSAGES // 2:
                            line.drop_after = 900
            except OSError:
                line.drop_after += 300
            assert attempts < 40, "the line is too bad for this story"
    tale.say(f"{sent} messages taken in {attempts} connections, {line.broken} of them broken")
    assert line.broken > 0
