# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""For a file of tests that share one node and one inside server: beside a fixture `servers` of its own, which yields both
(`lab.standing`), it takes from here what each test gets of them."""
import pytest


@pytest.fixture
def inside(servers):
    """The inside server, without what came before this test."""
    servers[1].empty()
    return servers[1]


@pytest.fixture
def node(servers):
    """The node; what the log had before this test is left out."""
    servers[0].text_begins()
    return servers[0]
