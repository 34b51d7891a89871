"""Goal: a node is taken out of service and back without a message lost or doubled: it listens no more at once, sessions
end with their message, what waits goes to a peer, and the command says when the machine may be switched off."""
import json
import os
import signal
import socket
import subprocess

import pytest

import lab

# The inside server of the node that is drained is down, so that everything waits.
DRAINED = """listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{down}; other.test 127.0.0.1:{down} }}
drain {{ to 127.0.0.1:{peer} }}
health {{ clock error 0 }}
"""
PEER = """listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{inside}; other.test 127.0.0.1:{inside} }}
"""


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was in the queue of a listener that closes
        return False
    return False


def waits(node, count):
    lab.wait_for(lambda: node.status() and values(node, "queue").get("recipients") == count, f"{count} recipients wait")


def values(node, name):
    return next(one["values"] for one in node.status()["processes"] if one["name"] == name)


def drain(node, *options):
    """As in a terminal: a shell that runs the tests in the background lets its children ignore SIGINT."""
    return subprocess.Popen([lab.BUILD / "src/cli/sekimori", "drain", "--state", node.state, *options], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def subjects(sink):
    return sorted(line for one in sink.messages() for line in one.decode().splitlines() if line.startswith("Subject: "))


def fill(node, count, **envelope):
    client = lab.Client(node.port)
    for number in range(count):
        assert client.send(lab.message(f"number {number:03}"), **envelope)[0] == 250
    client.close()


def any_id(node):
    return json.loads(node.run("queue", "list", "--json").stdout.splitlines()[0])["id"]


def test_everything_goes_to_the_peer(nodes, inside):
    peer = nodes(PEER, inside=inside.port)
    node = nodes(DRAINED, peer=peer.port, down=lab.free_port())
    fill(node, 40, recipients=("user@example.test", "user@other.test"))
    node.run("queue", "hold", any_id(node))
    writing = lab.Client(node.port)
    writing.open()
    assert writing.say("DATA")[0] == 354
    idle = lab.Client(node.port)
    draining = drain(node)
    lab.wait_for(lambda: refused(node.port), "connections are refused", 5)
    assert idle.reply()[0] == 421
    assert "draining" in node.run("health", check=False).stdout and node.run("health", "--serving", check=False).returncode == 1
    assert "drained" in node.run("status").stdout and node.status()["drain_to"] == f"127.0.0.1:{peer.port}"
    lab.wait_for(lambda: len(inside.files()) >= 78, "the queue goes to the peer")
    assert draining.poll() is None  # one session is in the middle of its message
    writing.raw(lab.message("late").replace("\n", "\r\n").encode() + b"\r\n.\r\n")
    assert writing.reply()[0] == 250
    assert writing.reply()[0] == 421
    text = draining.communicate(timeout=30)[0]
    assert draining.returncode == 0, text
    assert "This machine may be switched off.\n1 held messages stay on its disk.\n" in text, text
    inside.wait(79)
    assert len(subjects(inside)) == 79 and len(set(subjects(inside))) == 40
    node.balance()
    peer.balance()
    # Back: it listens on the same port, and what is released goes its own way.
    node.run("undrain")
    assert node.run("health").returncode == 0
    assert lab.Client(node.port).send(lab.message("after"))[0] == 250
    waits(node, 3)


def test_between_nodes_with_certificates(nodes, inside, tmp_path):
    """The peer takes mail from nodes alone: what waits goes by `tls node` without a word about it."""
    def ca(*words):
        subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *words, "--dir", tmp_path / "ca"], check=True, capture_output=True, timeout=60)
    ca("init")
    identity = {}
    for name in ("edge1", "edge2"):
        ca("issue", name, "--ip", "127.0.0.1")
        identity[name] = f"node {{{{ certificate {tmp_path}/ca/{name}.pem; key {tmp_path}/ca/{name}.key; ca {tmp_path}/ca/ca.pem }}}}\n"
    peer = nodes(identity["edge2"] + PEER.replace("direction in", "direction in; tls node"), inside=inside.port)
    node = nodes(identity["edge1"] + DRAINED, peer=peer.port, down=lab.free_port())
    assert lab.Client(peer.port).open()[0][0] == 530
    fill(node, 5)
    assert "may be switched off" in node.run("drain").stdout
    inside.wait(5)
    assert len(set(subjects(inside))) == 5
    node.balance()
    peer.balance()


def test_it_stays_drained_over_a_restart(nodes, inside):
    peer = nodes(PEER, inside=inside.port)
    node = nodes(DRAINED, peer=peer.port, down=lab.free_port())
    node.run("drain", "--no-wait")
    lab.wait_for(lambda: refused(node.port), "connections are refused")
    node.kill()
    node.start(wait=False)
    lab.wait_for(node.is_ready, "the node is ready")
    assert refused(node.port) and "drain" in node.run("health", check=False).stdout
    # A receive process that is restarted meanwhile takes nothing either; nor does a reload listen.
    before = node.pids("receive")
    os.kill(before[0], signal.SIGKILL)
    lab.wait_for(lambda: len(now := node.pids("receive")) == len(before) and now != before, "receive is back")
    node.run("reload")
    assert refused(node.port)
    assert "may be switched off" in node.run("drain").stdout
    node.run("undrain")
    fill(node, 1)
    node.stop()
    node.start()
    fill(node, 1)
    node.balance()


def test_a_peer_that_is_down_is_waited_for(nodes, inside):
    """And a command that is interrupted does not end the drain."""
    free = lab.free_port()
    node = nodes(DRAINED, peer=free, down=lab.free_port())
    fill(node, 5)
    draining = drain(node)
    seen = ""
    while "is not taken there" not in seen:
        line = draining.stdout.readline()
        assert line, seen
        seen += line
    draining.send_signal(signal.SIGINT)
    draining.wait(10)
    assert draining.returncode != 0 and node.status()["draining"]
    nodes(PEER, inside=inside.port, port=free)
    inside.wait(5)
    assert node.run("drain").stdout.endswith("This machine may be switched off.\nNo message stays on its disk.\n")
    assert len(subjects(inside)) == len(set(subjects(inside))) == 5
    node.balance()


def test_a_peer_that_refuses_gets_the_last_word_of_nobody(nodes, inside, sinks):
    """What a peer refuses for good is not returned to its sender: the peer is not where it was meant for."""
    wrong = sinks("--refuse", "rcpt")
    node = nodes(DRAINED, peer=wrong.port, down=inside.port)
    port, node.values["down"] = inside.port, lab.free_port()
    node.write(DRAINED)
    node.run("reload")
    fill(node, 3)
    node.run("drain", "--no-wait")
    lab.wait_for(lambda: int(values(node, "deliver")["deferred"]) >= 6, "the peer has refused each twice")
    assert values(node, "queue")["recipients"] == 3 and "status=bounced" not in node.text()
    node.values["down"] = port
    node.write(DRAINED)
    node.run("reload")
    node.run("undrain")
    inside.wait(3)
    lab.wait_for(node.queue_is_empty, "nothing waits")
    assert len(set(subjects(inside))) == 3
    node.balance()


def test_without_a_peer(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    fill(node, 3)
    done = node.run("drain")
    assert "its usual servers" in done.stdout and "may be switched off" in done.stdout
    inside.wait(3)
    assert node.run("drain", "--to", f"127.0.0.1:{node.port}", check=False).returncode == 64
    assert node.run("drain", "--to", "nonsense", check=False).returncode == 64
    node.run("undrain")
    fill(node, 1)
    node.balance()


def test_a_session_that_does_not_end_is_ended(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\ndrain {{ sessions 1s }}\n", inside=inside.port)
    slow = lab.Client(node.port)
    slow.open()
    assert slow.say("DATA")[0] == 354
    slow.raw(b"Subject: never ends\r\n")
    assert "may be switched off" in node.run("drain").stdout
    assert slow.reply()[0] == 421 and not inside.files()
    node.balance()


@pytest.mark.parametrize("kill", ["queue", "deliver", "receive"])
def test_a_process_dies_meanwhile(nodes, inside, kill):
    peer = nodes(PEER, inside=inside.port)
    node = nodes(DRAINED, peer=peer.port, down=lab.free_port())
    fill(node, 60)
    draining = drain(node)
    lab.wait_for(lambda: refused(node.port), "connections are refused")
    os.kill(node.pids(kill)[0], signal.SIGKILL)
    text = draining.communicate(timeout=60)[0]
    assert draining.returncode == 0 and "may be switched off" in text, text
    # deliver may have died between the peer's 250 and its own record: only then SMTP itself cannot tell.
    lab.wait_for(lambda: len(set(subjects(inside))) == 60, "all are there")
    if kill != "deliver":
        assert len(subjects(inside)) == 60
    node.balance()
    peer.balance()
