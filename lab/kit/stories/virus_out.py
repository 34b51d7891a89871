"""A virus from inside going out is stopped and the administrator is told
The department's server is refused while it is on the line, nothing reaches the world, and a notice with the client's address,
the sender and the virus's name is in the administrator's mailbox: one, however many times it is tried."""
import email

from .. import mail
from ..machine import wait_for

TRIES = 20


def eicar():
    """The test string of virus scanners, put together so that it stands in no file."""
    return r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


def tell(tale):
    lab = tale.lab
    for _ in range(TRIES):
        try:
            tale.from_inside("friend@faraway.example", sender="saburo@econ.example.ac.jp", host="econ", body=eicar() + "\n")
            raise AssertionError("the wall took a virus")
        except mail.Refused as error:
            assert error.code == 550, error
            said = error.text
    tale.say(f"an infected host behind the econ server tries {TRIES} times: {said}")
    wait_for(lambda: told(lab), "the administrator is told", 30)
    alert = told(lab)[0]
    text = alert.get_payload(decode=True).decode()
    for word in ("10.2.0.25", "saburo@econ.example.ac.jp", "Eicar"):
        assert word in text, text
    tale.say(f"the administrator has a mail: {alert['Subject'].splitlines()[0]}")
    tale.wait_arrival("faraway", tale.from_inside(host="econ", sender="saburo@econ.example.ac.jp"))
    assert len(told(lab)) == 1, "one mail an hour is enough"
    tale.say("clean mail of the same server goes out")


def told(lab):
    """The mails that the gateway wrote to the administrator about a virus."""
    texts = [text for text in lab.mailboxes["campus"].texts() if b"To: <postmaster@example.ac.jp>" in text]
    mails = [email.message_from_bytes(text) for text in texts]
    return [one for one in mails if one["Auto-Submitted"] and "virus from inside" in one["Subject"]]
