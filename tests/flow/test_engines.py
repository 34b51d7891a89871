# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what any engine outside finds counts, and is named with that engine; what it did not look into is not called clean; one that answers
nonsense, half, twice, out of order or never costs a bounded time and a 451, or what its statement says, and is left alone after a while. With
clamd and c-icap of Debian, and with doubles that misbehave."""
import os
import re
import signal
import threading

import engine_doubles
import lab
import pytest

CONFIG = """
domains {{ example.test 127.0.0.1:{inside} }}
limits {{ bodies in frame 20K; bodies in memory 200K }}
virus {{ engine clamav {{ unavailable accept }}; {engines} }}
spam {{ mode off }}
processes {{ receive 1; scan 1 }}
"""
REAL = """
engine near clamd unix:{clamd.path} {{ size most 3M }}
engine far clamd localhost:{clamd.port} {{ size most 3M }}
engine wall icap icap://127.0.0.1:{icap.port}/avscan
"""
SIZES = {"frame": 1, "memfd": 600, "file": 5000}  # lines: where the body is kept


def engine(words, more="", failures=1000, name="double", pause="300ms"):
    return f"engine {name} {words} {{{{ connections 1; time most 500ms; failures {failures}; pause {pause}; {more} }}}}"


def configure(node, sink, engines, said):
    """A reload with these engines, until mail is judged by them: `said` is of X-Virus-Scanned."""
    node.write(CONFIG.replace("{engines}", engines))
    node.run("reload")
    lab.wait_for(lambda: send(node, lab.message())[0] == 250 and said in judged(sink), "mail is judged by what was reloaded")
    lab.wait_for(node.queue_is_empty, "all of it is delivered")
    sink.empty()


def send(node, mail):
    client = lab.Client(node.port)
    try:
        return client.send(mail)
    finally:
        client.close()


def scanned(mail):
    """X-Virus-Scanned of a mail."""
    return re.sub(r"\s+", " ", re.search(r"^X-Virus-Scanned: (.*?)\r?\n(?=\S)", mail.decode(), re.M | re.S)[1])


def judged(sink):
    """The same of the one message that came."""
    header = scanned(sink.wait(1)[0])
    sink.empty()
    return header


def told(node):
    """Of each engine what `status` says."""
    values = [one["values"] for one in node.status()["processes"] if one["name"] == "consult"][0]
    return {name[len("engine "):]: value for name, value in values.items() if name.startswith("engine ")}


# --- real ones ---

@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not engine_doubles.CLAMD.exists() or not engine_doubles.ICAP.exists():
        pytest.skip("clamav-daemon and libc-icap-mod-virus-scan are not here")
    folder = tmp_path_factory.mktemp("real")
    clamd = engine_doubles.Clamd(folder)
    try:
        icap = engine_doubles.Icap(folder, clamd)
        try:
            with lab.standing(folder, CONFIG.replace("{engines}", REAL), clamd=clamd, icap=icap) as (node, sink):
                yield node, sink
        finally:
            icap.stop()
    finally:
        clamd.stop()


@pytest.mark.parametrize("size", SIZES)
def test_real_engines(real, size):
    """Found by each of the three, by the way that a body of this size goes; what they do not find is delivered."""
    node, sink = real
    filler = "a line of text that fills the message up, and nothing else\n" * SIZES[size]
    code, text = send(node, lab.message(body=filler + engine_doubles.PATTERN + "\n"))
    assert code == 550 and "Outside-Test (near, far, wall)" in text, text
    assert send(node, lab.message(body=filler))[0] == 250
    assert "near clean, far clean, wall clean" in judged(sink)
    by_descriptor = re.findall(r"\(deleted\): (OK|Outside-Test)|/spool/.*: (OK|Outside-Test)", node.values["clamd"].log_file.read_text())
    assert len(by_descriptor) == 2 * list(SIZES).index(size), by_descriptor


def test_all_engines_name_it(real):
    node, _ = real
    code, text = send(node, lab.message(body=lab.eicar() + "\n"))
    assert code == 550 and "(clamav, near, far, wall; in text/plain)" in text, text


def test_what_is_too_large_is_not_called_clean(real):
    node, sink = real
    assert send(node, lab.message(body=("a line of text " * 60 + "\n") * 4000))[0] == 250
    assert "near limits, far limits, wall clean" in judged(sink)


def test_versions_are_told(real):
    said = told(real[0])
    assert "ClamAV " in said["near"] and "C-ICAP" in said["wall"] and said["far"].startswith("well"), said
    assert ", failed 0, late 0" in said["near"] + said["wall"], said


# --- doubles ---

@pytest.fixture(scope="module")
def double(tmp_path_factory):
    folder = tmp_path_factory.mktemp("double")
    clamd, icap = engine_doubles.ClamdDouble(folder), engine_doubles.IcapDouble()
    words = f"clamd unix:{clamd.path}"
    with lab.standing(folder, CONFIG.replace("{engines}", engine(words))) as (node, sink):
        yield node, sink, clamd, icap
    clamd.stop()
    icap.stop()


@pytest.fixture
def folder_of_doubles(double, tmp_path):
    node, sink, _, _ = double
    doubles = {}
    for way in ("defer", "unscanned", "accept"):
        (tmp_path / way).mkdir()
        doubles[way] = engine_doubles.ClamdDouble(tmp_path / way)
    yield node, sink, doubles
    for one in doubles.values():
        one.stop()


CLAMD = {"clean": 250, "found": 550, "error": 451, "nonsense": 451, "half": 451, "twice": 250, "number": 451, "long": 451, "close": 451, "never": 451}
ICAP = {"clean": 250, "same": 250, "found": 550, "page": 550, "changed": 550, "shortened": 550, "error": 451, "nonsense": 451, "half": 451,
        "header": 451, "close": 451, "never": 451, "early": 250}


def manners(node, sink, double, expected):
    """All of them on one engine; after each one a good one is judged again."""
    for manner, code in expected.items():
        double.manner = manner
        reply = send(node, lab.message(body="a line\n" * (500 if manner == "early" else 50)))
        assert reply[0] == code and (code != 550 or "(double)" in reply[1] or "(preview)" in reply[1]), (manner, reply)
        double.manner = "clean"
        assert send(node, lab.message(subject="afterwards"))[0] == 250, manner
    assert len(sink.wait(len(expected))) >= len(expected)
    sink.empty()


def test_clamd_of_all_manners(double):
    node, sink, clamd, _ = double
    manners(node, sink, clamd, CLAMD)


def test_replies_out_of_order(double):
    """Two messages on one connection: each gets its own answer, whichever comes first."""
    node, sink, clamd, _ = double
    clamd.manner, before, replies = "reversed", clamd.connections, {}

    def one(word):
        replies[word] = send(node, lab.message(body=f"{word}\n"))[0]

    for _ in range(3):
        threads = [threading.Thread(target=one, args=(word,)) for word in ("good", "bad")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == {"good": 250, "bad": 550}
    assert clamd.connections - before <= 1
    sink.wait(3)
    sink.empty()
    clamd.manner = "clean"


def test_sick_ones_are_left_alone(folder_of_doubles):
    """Each by its statement: deferred, delivered with a warning, delivered as if there were none; and each is well again after a while."""
    node, sink, doubles = folder_of_doubles
    engines = "; ".join(engine(f"clamd unix:{one.path}", f"unavailable {way}", failures=2, name=way, pause="2s") for way, one in doubles.items())
    configure(node, sink, engines, "defer clean, unscanned clean, accept clean")
    node.text_begins()
    for way in ("accept", "unscanned", "defer"):
        one = doubles[way]
        one.manner, looks = "close", one.looks
        for _ in range(4):
            assert send(node, lab.message())[0] == (451 if way == "defer" else 250)
        assert one.looks - looks == 4, "each of the first two is tried twice, then nobody is asked"
        assert node.text().count(f"ALARM: engine {way} ") == 1 and told(node)[way].startswith("sick: ")
        mails, one.manner = sink.wait(0 if way == "defer" else 4), "clean"
        sink.empty()
        for mail in mails:
            assert (b"UNSCANNED] hello" in mail) == (way == "unscanned") == ("unscanned unscanned" in scanned(mail)), mail
            assert way != "accept" or "accept" not in scanned(mail), mail
    lab.wait_for(lambda: send(node, lab.message())[0] == 250 and all(said.startswith("well") for said in told(node).values()), "all are asked again")
    assert node.text().count(" answers again") == 3
    lab.wait_for(node.queue_is_empty, "all is delivered")
    sink.empty()


def test_icap_of_all_manners(double):
    node, sink, _, icap = double
    configure(node, sink, engine(f"icap icap://127.0.0.1:{icap.port}/scan", name="preview"), "preview clean")
    manners(node, sink, icap, ICAP)
    assert 'Double "one"' in told(node)["preview"]


def test_nobody_listens_and_consult_dies(double):
    """Where nobody listens, and while consult is away, mail is deferred at once; a killed consult is started again."""
    node, sink, clamd, _ = double
    words = engine(f"clamd unix:{clamd.path}", name="dying") + "; " + engine("clamd 127.0.0.1:1", "unavailable unscanned", name="absent")
    configure(node, sink, words, "dying clean, absent unscanned")
    assert "Connection refused" in told(node)["absent"]
    pid, clamd.manner = node.pids("consult")[0], "never"
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(lab.message().replace("\n", "\r\n").encode() + b".\r\n")
    os.kill(pid, signal.SIGKILL)
    assert client.reply()[0] == 451
    client.close()
    clamd.manner = "clean"
    lab.wait_for(lambda: node.pids("consult") not in ([], [pid]) and node.is_ready(), "consult is there again")
    assert send(node, lab.message())[0] == 250 and "dying clean" in judged(sink)
    configure(node, sink, "", "Sekimori (clamav")  # and none is asked any more
    assert "dying" not in told(node)
