"""A department's server is down for a while
Its mail waits at the wall, nobody is told of a failure, other departments' mail does not wait behind it, and all arrives when
the server is back."""


def tell(tale):
    lab = tale.lab
    lab.mailboxes["econ"].kill("sink")
    tale.say("the econ server is off")
    waits = [tale.from_world(edge, "jiro@econ.example.ac.jp") for edge in lab.edges for _ in range(5)]
    flows = tale.from_world("edge1", "taro@example.ac.jp")
    tale.wait_arrival("campus", flows, 20)
    tale.say("ten messages for econ were taken; one for campus, sent after them, has arrived")
    assert not set(waits) & set(lab.mailboxes["econ"].arrived())
    lab.mailboxes["econ"].up()
    tale.say("the econ server is on")
    tale.wait_arrival("econ", waits)
    tale.say("its ten messages have arrived")
    assert not any(box.notices() & set(waits) for box in lab.mailboxes.values())
