"""Goal: nothing acknowledged is lost, whatever process dies, whenever, also all at once; and the sums say so."""
import os
import random
import signal
import struct
import time

import pytest

import lab

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nqueue {{ retry first 1s; retry most 2s }}\n"
MESSAGES = 600 if lab.QUICK else 2000
KILLS = 2 if lab.QUICK else 20
PAUSE = 0 if lab.QUICK else 0.05  # between two messages of a connection, so that the sink is not flooded while we kill


def seen(inside):
    """The numbers of the messages that arrived, and how many arrived twice."""
    numbers = []
    for one in inside.messages():
        for line in one.splitlines():
            if line.startswith(b"X-Load: "):
                numbers.append(int(line.split()[1]))
                break
    return set(numbers), len(numbers) - len(set(numbers))


def settle(node, inside, load, seconds=120):
    load.join(240)
    assert not load.is_alive(), "the load has not ended"
    lab.wait_for(node.queue_is_empty, "the queue is empty", seconds)
    arrived, doubled = seen(inside)
    missing = load.acknowledged - arrived
    assert not missing, f"{len(missing)} acknowledged messages are missing: {sorted(missing)[:10]}"
    assert len(load.acknowledged) == load.count >= MESSAGES // 2
    node.balance()
    return doubled


def kill_one(node, name, chance, dead):
    """kill -9 of one process of that name that lives, when the node is ready: earlier, master would rightly take its time."""
    def alive():
        status = node.status()
        return status["ready"] and [one["pid"] for one in status["processes"] if one["name"] == name and one["pid"] not in dead]
    pid = chance.choice(lab.wait_for(alive, f"{name} runs", 40))
    time.sleep(chance.uniform(0, 0.2))
    os.kill(pid, signal.SIGKILL)
    dead.add(pid)


@pytest.mark.parametrize("name", [name for name in lab.PROGRAMS if name not in ("consult", "courier", "engine", "helper", "metrics", "open", "signer")])  # their own tests do
def test_kill_one_process_at_random_moments(nodes, inside, name):
    node = nodes(CONFIG, inside=inside.port)
    chance, dead = random.Random(name), set()
    load = lab.Load(node.port, MESSAGES, connections=10, pause=PAUSE, until_enough=True)
    load.start()
    for _ in range(KILLS):
        kill_one(node, name, chance, dead)
    assert len(dead) == KILLS and load.is_alive()
    load.enough()
    settle(node, inside, load)


@pytest.mark.parametrize("who", ["deliver", "deliver and queue"])
def test_what_deliver_read_is_not_sent_again(nodes, inside, who):
    """queue hears of nothing while deliver hands over all it has; then deliver dies, with or without queue: not one message comes twice."""
    node = nodes(CONFIG, inside=inside.port)
    load = lab.Load(node.port, MESSAGES // 2, connections=24, until_enough=True)
    load.start()
    for _ in range(2 if lab.QUICK else 5):
        lab.wait_for(lambda: len(inside.files()) > 50, "mail flows")
        queue, deliver = node.pids("queue")[0], node.pids("deliver")[0]
        os.kill(queue, signal.SIGSTOP)
        is_quiet = Quiet(inside)
        lab.wait_for(is_quiet, "deliver has handed over what it has", 30)
        os.kill(deliver, signal.SIGKILL)
        os.kill(queue, signal.SIGCONT if who == "deliver" else signal.SIGKILL)
        lab.wait_for(lambda: node.status()["ready"] and node.pids("deliver") not in ([], [deliver]), "deliver is back", 40)
        lab.wait_for(lambda: len(inside.files()) > is_quiet.count + 50, "mail flows again")
    load.enough()
    assert settle(node, inside, load) == 0


def test_a_death_of_deliver_doubles_at_most_one(nodes, inside):
    """Whatever its connections were waiting for: the next life hears the replies."""
    node = nodes(CONFIG, inside=inside.port)
    chance, dead = random.Random("flights"), set()
    load = lab.Load(node.port, MESSAGES, connections=24, pause=PAUSE, until_enough=True)
    load.start()
    for _ in range(KILLS):
        time.sleep(0.5)
        kill_one(node, "deliver", chance, dead)
    load.enough()
    doubled = settle(node, inside, load)
    assert doubled <= KILLS, f"{doubled} messages came twice in {KILLS} deaths"
    assert "their replies are awaited" in node.text()


class Quiet:
    """True once nothing has arrived for half a second."""

    def __init__(self, inside):
        self.inside, self.count, self.since = inside, -1, 0

    def __call__(self):
        count = len(self.inside.files())
        if count != self.count:
            self.count, self.since = count, time.monotonic()
        return time.monotonic() - self.since > 0.5


def kill_master(node):
    """The others notice and end by themselves."""
    pids = [one["pid"] for one in node.status()["processes"] if one["pid"]]
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait(10)
    lab.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "its processes have ended", 20)


@pytest.mark.parametrize("kill", [lab.Node.kill, kill_master], ids=["everything", "master"])
def test_kill_everything_at_once(nodes, inside, kill):
    if lab.QUICK and kill is kill_master:
        pytest.skip("the quick form kills master once, in test_node.py")
    node = nodes(CONFIG, inside=inside.port)
    chance = random.Random("all")
    load = lab.Load(node.port, MESSAGES, connections=10, pause=PAUSE, until_enough=True)
    load.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.6))
        kill(node)
        node.start()
    assert load.is_alive()
    load.enough()
    settle(node, inside, load)


def test_orderly_restart_under_load(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    load = lab.Load(node.port, MESSAGES // 2, connections=10)
    load.start()
    for _ in range(2):
        time.sleep(0.4)
        assert node.stop() == 0
        node.start()
    assert settle(node, inside, load) == 0


def test_server_down_then_up(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    inside.stop()
    client = lab.Client(node.port)
    for number in range(20):
        assert client.send(lab.message(f"waits {number}"))[0] == 250
    time.sleep(1)
    assert inside.files() == [] and not node.queue_is_empty()
    node.balance()
    inside.start()
    inside.wait(20)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    node.balance()


def test_client_hangs_up_before_the_reply(nodes, inside):
    """What was not finished with the final dot is never committed."""
    node = nodes(CONFIG, inside=inside.port)
    for _ in range(10):
        client = lab.Client(node.port)
        client.open()
        client.say("DATA")
        client.raw(b"Subject: half\r\n\r\nno end")
        client.close()
    time.sleep(0.5)
    assert node.queue_is_empty() and inside.files() == []
    node.balance()


def test_balance_sees_one_deleted_record(nodes, inside):
    import sqlite3
    node = nodes(CONFIG, inside=inside.port)
    client = lab.Client(node.port)
    for _ in range(5):
        client.send(lab.message())
    inside.wait(5)
    node.balance()
    node.stop()
    database = sqlite3.connect(node.state / "ledger" / "ledger.db")
    key = database.execute("select message, number from recipient limit 1").fetchone()
    database.execute("delete from recipient where message = ? and number = ?", key)
    database.commit()
    database.close()
    node.start()
    done = node.run("balance", "--wait", "2", check=False)
    assert done.returncode == 1, done.stdout


def test_reload_under_load(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    load = lab.Load(node.port, MESSAGES // 2, connections=10)
    session = lab.Client(node.port)
    session.open()
    load.start()
    good = node.config.read_text()
    for number in range(6):
        time.sleep(0.2)
        node.config.write_text(good + f"limits {{ recipients {100 + number} }}\n")
        node.run("reload")
    node.config.write_text(good + "limits { nonsense 1 }\n")
    done = node.run("reload", check=False)
    assert done.returncode == 78 and "nonsense" in done.stderr, done
    node.config.write_text(good)
    # The session that was open all the time goes on where it was.
    assert session.data(lab.message("through reloads"))[0] == 250
    load.join(120)
    lab.wait_for(node.queue_is_empty, "the queue is empty", 60)
    arrived, doubled = seen(inside)
    assert load.acknowledged == arrived and doubled == 0
    node.balance()


def test_reload_adds_and_removes_listeners(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    other = lab.free_port()
    text = node.config.read_text()
    node.config.write_text(text + f"listen 127.0.0.1:{other} {{ direction in }}\n")
    node.run("reload")
    assert lab.Client(other).greeting[0] == 220
    node.config.write_text(text)
    node.run("reload")
    with pytest.raises(OSError):
        lab.Client(other)
    assert lab.Client(node.port).greeting[0] == 220


def test_ids_go_on_where_they_were(nodes, inside):
    """A clock set back before a restart gives no id twice, which would take a new message for an old one."""
    node = nodes(CONFIG + "processes {{ receive 1 }}\n", inside=inside.port)
    assert lab.Client(node.port).send(lab.message("before"))[0] == 250
    node.stop()
    counters, page, last_id = node.state / "run/counters", 2 * 65536, 0
    with open(counters, "r+b") as file:
        file.seek(page + last_id)
        (last,) = struct.unpack("<Q", file.read(8))
        assert abs((last >> 8) - time.time() * 1000) < 600_000
        ahead = last + (3_600_000 << 8)  # an hour later, by the clock as it was before
        file.seek(page + last_id)
        file.write(struct.pack("<Q", ahead))
    node.start()
    code, text = lab.Client(node.port).send(lab.message("after"))
    assert code == 250
    number = 0
    for digit in text.split()[-1]:
        number = number << 5 | "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    assert number >> 22 >= ahead >> 8
    inside.wait(2)
    node.balance()


def held_back(node, name):
    """Kills that process while master sleeps; its successor starts when the returned function is called."""
    (pid,) = node.pids(name)
    os.kill(node.process.pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)  # receive hears of it from the kernel; nobody can see that from outside
    return lambda: os.kill(node.process.pid, signal.SIGCONT)


def test_mail_waits_while_queue_is_restarted(nodes, inside):
    """No client sees 452 for it: MAIL and what was sent along with it is answered when queue is back, in order."""
    node = nodes(CONFIG, inside=inside.port)
    client, hasty, gone = (lab.Client(node.port) for _ in range(3))
    let_start = held_back(node, "queue")
    content = lab.message("sent along").replace("\n", "\r\n").encode()
    client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\n")
    hasty.raw(b"RSET\r\nMAIL FROM:<a@b.example> SIZE=100\r\nRCPT TO:<user@example.test>\r\nBDAT %d LAST\r\n" % len(content) + content + b"QUIT\r\n")
    gone.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\n")
    assert hasty.reply()[0] == 250  # RSET needs nobody
    client.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    gone.close()
    client.socket.settimeout(60)
    let_start()
    client.file = client.socket.makefile("rb")
    assert [client.reply()[0] for _ in range(2)] == [250, 250]
    assert client.data(lab.message("waited"))[0] == 250
    assert [hasty.reply()[0] for _ in range(4)] == [250, 250, 250, 221]
    inside.wait(2)
    node.balance()


def test_mail_does_not_wait_for_queue_for_ever(nodes, inside):
    node = nodes(CONFIG + "limits {{ time verdict 1s }}\nvirus {{ most time 1s }}\n", inside=inside.port)
    client = lab.Client(node.port)
    let_start = held_back(node, "queue")
    assert client.say("MAIL FROM:<a@b.example>") == (451, "451 4.3.0 the queue is not there now, try again later")
    assert client.say("NOOP")[0] == 250
    let_start()
    assert lab.wait_for(lambda: client.say("MAIL FROM:<a@b.example>")[0] == 250, "queue is back", 40)
    client.say("RCPT TO:<user@example.test>")
    assert client.data(lab.message("later"))[0] == 250
    inside.wait(1)
    node.balance()


def test_a_recipient_waits_while_deliver_is_restarted(nodes, sinks):
    """Whoever would have said no says it when it can be asked; nobody is taken unasked for that time."""
    good, bad = sinks(), sinks("--refuse", "rcpt")
    node = nodes("domains {{ good.test 127.0.0.1:{good} {{ recipients call-out }}; bad.test 127.0.0.1:{bad} {{ recipients call-out }} }}\n"
                 "virus {{ mode off }}\nspam {{ mode off }}\n", good=good.port, bad=bad.port)
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<a@b.example>")[0] == 250
    let_start = held_back(node, "deliver")
    client.raw(b"RCPT TO:<user@bad.test>\r\nRCPT TO:<user@good.test>\r\nNOOP\r\n")
    time.sleep(0.5)
    let_start()
    assert [client.reply()[0] for _ in range(3)] == [550, 250, 250]
    assert client.data(lab.message("good"))[0] == 250
    good.wait(1)
    node.balance()
