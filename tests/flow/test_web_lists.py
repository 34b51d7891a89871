# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a list by HTTPS is fetched, kept for the next start and asked like a file; what is wrong with a server or with what it sends is
told with its address and line, and the list stays as it was."""
import gzip
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

import lab
import pytest
from dns_server import DnsServer

GOOD = b"# fetched\n127.0.5.0/24 spam source\n"
CONFIG = """
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside} }}
spam {{ rules none; own rules none }}
list fetched {{ networks https://lists.example.test:{web}/list; ca {at}/ca.pem; within 4s; action reject }}
"""


class Server(http.server.ThreadingHTTPServer):
    """Answers by `answer(handler)`, and counts."""
    daemon_threads = True

    def __init__(self, chain):
        super().__init__(("127.0.0.1", 0), Handler)
        self.chain, self.answer, self.asked = chain, good, []
        self.bomb = gzip.compress(b"#" * (257 << 20), 1)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        link, address = super().get_request()
        link.settimeout(20)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context.wrap_socket(link, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        """Clients that hang up are what is tested."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.answer(self)

    def log_message(self, *what):
        """Nothing."""


def say(handler, content, status=200, kind="text/plain", **fields):
    handler.send_response(status)
    if kind:
        handler.send_header("Content-Type", kind)
    length = fields.pop("length", len(content))
    for name, value in fields.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(content)


def good(handler):
    if handler.headers["If-None-Match"] == '"one"':
        say(handler, b"", 304, kind=None)
    else:
        say(handler, GOOD, ETag='"one"', Last_Modified="Mon, 02 Nov 2026 10:00:00 GMT")


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"#\n")
        time.sleep(0.1)


def packed(handler, content):
    say(handler, gzip.compress(content, 1), Content_Encoding="gzip")


def bomb(handler):
    """257 MiB, in one."""
    say(handler, handler.server.bomb, Content_Encoding="gzip")


def run(folder, *words):
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def authority(folder):
    run(folder, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=lists' own",
        "-keyout", "ca.key", "-out", "ca.pem")


def certificate(folder, name, stem, *when):
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    run(folder, "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
    run(folder, "openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names",
        "-out", "server.pem", *(when or ("-days", "30")))
    chain = folder / f"{stem}.chain"
    chain.write_bytes((folder / "server.pem").read_bytes() + (folder / "server.key").read_bytes())
    return chain


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weblists")
    authority(folder)
    server = Server(certificate(folder, "lists.example.test", "good"))
    dns, inside = DnsServer("lists.example.test A 127.0.0.1\nelse.example.test A 127.0.0.1").start(), lab.Sink(folder)
    node = lab.Node(folder, CONFIG, inside=inside.port, dns=dns.address, at=folder, web=server.server_port).start()
    node.web, node.dns = server, dns
    yield node
    node.assert_sound()
    node.stop()
    server.shutdown()
    inside.stop()
    dns.stop()


def state_of(node):
    return json.loads(node.run("lists", "--json").stdout.splitlines()[0])


def until(node, **wanted):
    lab.wait_for(lambda: {key: state_of(node).get(key) for key in wanted} == wanted, f"the list says {wanted}", 20)


def rcpt(node, source):
    client = lab.Client(node.port, source=source)
    client.say("MAIL FROM:<sender@outside.example>")
    reply = client.say("RCPT TO:<user@example.test>")
    client.close()
    return reply


def test_it_is_fetched_kept_and_asked(stage):
    until(stage, state="in force", entries=1)
    assert rcpt(stage, "127.0.5.9")[0] == 554 and rcpt(stage, "127.0.6.9")[0] == 250
    assert "known to be the newest" in stage.run("lists").stdout
    kept = stage.state / "lists" / "fetched.networks"
    lab.wait_for(lambda: kept.exists() and '"one"' in (stage.state / "lists" / "fetched.networks.about").read_text(), "it is kept")
    assert kept.read_bytes() == GOOD
    asked = len(stage.web.asked)
    stage.run("reload")
    lab.wait_for(lambda: len(stage.web.asked) > asked, "a reload asks anew")
    assert stage.web.asked[-1][1]["If-None-Match"] == '"one"' and "If-Modified-Since" in stage.web.asked[-1][1]
    until(stage, state="in force", entries=1)


def refused(node, answer, says, trouble="trouble"):
    node.web.answer = answer
    node.text_begins()
    node.run("reload", check=False)
    lab.wait_for(lambda: "ALARM: list fetched" in node.text() and says in state_of(node).get(trouble, ""), f"it says {says}", 20)
    assert state_of(node)["state"] == "in force" and rcpt(node, "127.0.5.9")[0] == 554


def test_a_server_that_is_wrong_leaves_the_list_as_it_was(stage):
    url = f"https://lists.example.test:{stage.web.server_port}"
    refused(stage, lambda handler: say(handler, b"gone", 404), "/list: the server says 404")
    refused(stage, lambda handler: say(handler, GOOD, kind="text/html; charset=utf-8"), "/list: its Content-Type is text/html; charset=utf-8: this is no list")
    refused(stage, lambda handler: say(handler, GOOD, length=5000), "/list: transfer closed with")
    refused(stage, lambda handler: say(handler, GOOD, 200, Content_Encoding="gzip"), "/list: Error while processing content unencoding")
    refused(stage, lambda handler: handler.wfile.write(os.urandom(4096)), "/list: ")
    refused(stage, lambda handler: say(handler, b"", 302, Location=f"http://lists.example.test:{stage.web.server_port}/else"), "which is no https:// address")
    refused(stage, lambda handler: say(handler, b"", 302, Location="file:///etc/passwd"), "which is no https:// address")
    refused(stage, lambda handler: say(handler, b"", 302, Location=f"https://else.example.test:{stage.web.server_port}/inside"),
            "/inside: it was led there, and the address is none of the world")
    refused(stage, drip, "/list: Operation timed out")
    refused(stage, bomb, "/list: is larger than 256 MiB")
    assert url in state_of(stage)["trouble"]


def test_a_certificate_that_is_wrong(stage):
    folder, before = stage.folder, stage.web.chain
    for chain, says in ((certificate(folder, "else.example.test", "else"), "no alternative certificate subject name matches"),
                        (certificate(folder, "lists.example.test", "old", "-days", "-1"), "certificate has expired")):
        stage.web.chain = chain
        refused(stage, good, says)
    stage.web.chain = before


BAD_FILES = ((b"127.0.5.0/24\n\x00\x01\xff binary\n", "/list:2: a control character"), (b"# all\n0.0.0.0/0\n", '/list:2: "0.0.0.0/0" is too wide'),
             (b"10.0.0.1\n127.0.0.0/24\n", '/list:2: "127.0.0.0/24" has an address of our own'), (b"a" * 10000 + b"\n", "/list:1: "),
             (b"nonsense here\n", '/list:1: "nonsense"'))


def test_a_file_that_is_wrong_leaves_the_list_as_it_was(stage):
    for content, says in BAD_FILES:
        refused(stage, lambda handler, content=content: say(handler, content), says, "problem")
    refused(stage, lambda handler: packed(handler, b"\n" * 10000000), "/list:5000001: more than 5000000 lines", "problem")
    lab.wait_for(lambda: "fetched is put aside" in stage.run("health", check=False).stdout, "health names it")
    stage.web.answer = lambda handler: packed(handler, GOOD + b"127.0.8.0/24 new\n")
    stage.run("reload", check=False)
    until(stage, state="in force", entries=2, problem=None, trouble=None)
    assert rcpt(stage, "127.0.8.1")[0] == 554


def test_whoever_dies_the_list_is_there_again(stage):
    kept = stage.state / "lists" / "fetched.networks"
    lab.wait_for(lambda: b"127.0.8.0/24" in kept.read_bytes(), "it is kept")
    stage.web.answer = lambda handler: say(handler, b"later", 503)
    for name in ("lookup", "consult"):
        os.kill(stage.pids(name)[0], 9)
        lab.wait_for(stage.is_ready, f"{name} is back", 20)
        until(stage, state="in force", entries=2)
    stage.stop()
    stage.start()
    until(stage, state="in force", entries=2)
    assert rcpt(stage, "127.0.8.1")[0] == 554
    stage.config.write_text(stage.config.read_text().replace("list fetched {", "list other { networks /etc/hostname }\n#"))
    stage.config.write_text("\n".join(line for line in stage.config.read_text().splitlines() if "list other" not in line and not line.startswith("#")))
    assert stage.run("reload").returncode == 0
    lab.wait_for(lambda: not kept.exists(), "what is of no list goes")
