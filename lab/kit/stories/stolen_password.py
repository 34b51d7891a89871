"""A stolen password: spam at speed to 2,200 people, and what comes behind the line stays here
A user's mail goes out as every day. Then somebody else sends as that user, as fast as the wall takes it. At the line of the default
(2,000 recipients an hour) the sender is held: the rest waits in the quarantine, the administrator has one mail that names the
sender, the others' mail flows on. Released, the user writes again; nothing is lost and nothing was refused."""
import email
import json
import threading

from .. import mail
from ..machine import wait_for

MAILS, RECIPIENTS, LINE, THREADS = 220, 10, 2000, 4
USER = "taro@example.ac.jp"


def tell(tale):
    lab = tale.lab
    wall = lab.nodes["wall"]
    tale.wait_arrival("faraway", {tale.from_inside(sender=USER) for _ in range(5)})
    tale.say("the user's mail goes out, five of it")
    numbers, lock = iter(range(MAILS)), threading.Lock()
    threads = [threading.Thread(target=spam, args=(tale, numbers, lock)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    others = set()
    while any(thread.is_alive() for thread in threads):
        others.add(tale.from_inside(sender="jiro@example.ac.jp"))
    for thread in threads:
        thread.join()
    tale.wait_arrival("faraway", others)
    tale.say(f"meanwhile {len(others)} mails of others went out and arrived")
    (held,) = [json.loads(line) for line in wall.sekimori("inside", "held", "--json").stdout.splitlines()]
    left = MAILS - held["messages"]
    assert held["sender"] == USER and held["cause"] == "recipients", held
    assert abs(left * RECIPIENTS + 5 - LINE) <= THREADS * RECIPIENTS, held  # as many are on their way when the line is passed
    tale.say(f"{MAILS} spam mails to {RECIPIENTS} people each: {left} left, {held['messages']} are held: {held['says']}")
    (told,) = wait_for(lambda: alerts(lab), "the administrator is told", 30)
    text = told.get_payload(decode=True).decode()
    assert USER in text and "10.1.0.25" in text and held["says"] in text, text
    tale.say(f"the administrator has a mail: {told['Subject'].splitlines()[0]}")
    tale.close_account()
    wall.sekimori("inside", "release", USER)
    tale.wait_arrival("faraway", tale.from_inside(sender=USER))
    tale.say("released: the user's mail goes out again")
    wall.sekimori("quarantine", "delete", *[message["id"] for message in wall.quarantined()])
    tale.say("the administrator deletes what was held")


def spam(tale, numbers, lock):
    lab = tale.lab
    with mail.Conversation(lab, "campus", lab.walls["wall"].address("dmz")) as talk:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            recipients = [f"victim{number}.{i}@faraway.example" for i in range(RECIPIENTS)]
            marked = lab.post.number()
            talk.send(USER, recipients, lab.post.compose(marked, USER, recipients[0], subject="You won", body="Claim it now.\n"))
            lab.post.taken(marked)


def alerts(lab):
    texts = [text for text in lab.mailboxes["campus"].texts() if b"To: <postmaster@example.ac.jp>" in text]
    mails = [email.message_from_bytes(text) for text in texts]
    return [one for one in mails if one["Auto-Submitted"] and "mail of a sender inside is held" in one["Subject"]]
