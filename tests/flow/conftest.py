"""Fixtures: nodes and sinks that end with their test, whatever happens in it."""
import os
import pathlib
import shutil

import pytest

import lab
import own_users


# What `./test --quick` runs of the flows: the way of a message, and what an administrator does. The rest wants the full form.
QUICK = {"test_actions", "test_ca", "test_judged", "test_node", "test_parse", "test_queue", "test_relay"}


def pytest_configure(config):
    os.environ["LC_ALL"] = "C.UTF-8"  # the verbs speak the language of who calls them; tests read English
    config.addinivalue_line("markers", "alone: measures time, so nothing runs beside it")


def pytest_addoption(parser):
    parser.addoption("--share", metavar="N/M", default="1/1", help="only test N of each M, so that several runners share a long file")


def take_share(config, items):
    number, of = map(int, config.option.share.split("/"))
    mine = items[number - 1::of]
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = mine


def pytest_collection_modifyitems(config, items):
    take_share(config, items)
    if not lab.QUICK or config.option.keyword:
        return
    left_out = [item for item in items if item.module.__name__ not in QUICK]
    items[:] = [item for item in items if item.module.__name__ in QUICK]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    item.has_failed = getattr(item, "has_failed", False) or report.failed


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """A folder that goes with its test, unless that failed: a node's spool is large."""
    folder = tmp_path_factory.mktemp("".join(c if c.isalnum() else "_" for c in request.node.name)[:40])
    yield folder
    if not getattr(request.node, "has_failed", False):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place():
    """A folder where every user may go and no hook may write."""
    with own_users.open_folder() as folder:
        yield folder


@pytest.fixture(scope="session", autouse=True)
def few_roots(tmp_path_factory):
    """One of the system's root certificates instead of all: each start of a node reads them, with sanitizers slowly."""
    ends, bundle = "-----END CERTIFICATE-----\n", pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists():
        return
    bundle = bundle.read_text(encoding="ascii")
    first = tmp_path_factory.mktemp("roots") / "root.pem"
    first.write_text(bundle[:bundle.index(ends)] + ends)
    os.environ["SSL_CERT_FILE"] = str(first)  # also where the machine names all of them there


@pytest.fixture
def sinks(tmp_path):
    made = []

    def make(*options, **named):
        made.append(lab.Sink(tmp_path, *options, **named))
        return made[-1]

    yield make
    for sink in made:
        sink.stop()


@pytest.fixture
def nodes(tmp_path):
    made = []

    def make(config, start=True, **values):
        folder = tmp_path / f"node{len(made)}"
        folder.mkdir()
        made.append(lab.Node(folder, config, **values))
        return made[-1].start() if start else made[-1]

    yield make
    for node in made:
        if node.process and node.process.poll() is None:
            node.kill()
        node.text_from = 0
        node.assert_sound()


@pytest.fixture
def inside(sinks):
    """One inside server."""
    return sinks()


@pytest.fixture
def node(nodes, inside):
    """A single node before that server, everything at its defaults."""
    return nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
