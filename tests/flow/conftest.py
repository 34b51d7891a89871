"""Fixtures: nodes and sinks that end with their test, whatever happens in it."""
import pytest

import lab


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
        text = node.text()
        assert "panic:" not in text and "AddressSanitizer" not in text and "runtime error" not in text, text[-6000:]


@pytest.fixture
def inside(sinks):
    """One inside server."""
    return sinks()


@pytest.fixture
def node(nodes, inside):
    """A single node before that server, everything at its defaults."""
    return nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
