"""Goal: edge and wall hand mail to each other when both show a certificate of their authority, and never else; renewed
certificates come into force without a restart and without a dropped session."""
import json
import ssl
import subprocess
import time

import pytest

import lab

HURRY = {"SEKIMORI_TEST_LOOK_MS": "100"}
WALL = """listen 127.0.0.1:{port} {{ direction in; tls node }}
node {{ certificate {there}/wall1.pem; key {there}/wall1.key; ca {there}/ca.pem }}
domains {{ example.test 127.0.0.1:{inside} }}
virus mode off
"""
EDGE = """listen 127.0.0.1:{port} {{ direction in }}
node {{ certificate {certificate}; key {key}; ca {ca} }}
domains {{ example.test 127.0.0.1:{wall} {{ {tls} }} }}
virus mode off
"""


def ca(*arguments):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def there(tmp_path):
    """An authority, its two nodes, and one that only claims to be."""
    folder, other = tmp_path / "ca", tmp_path / "other"
    ca("init", "--dir", folder, "--name", "Example")
    ca("issue", "edge1", "--dir", folder, "--ip", "127.0.0.1")
    ca("issue", "wall1", "--dir", folder, "--ip", "127.0.0.1")
    ca("init", "--dir", other)
    ca("issue", "edge1", "--dir", other, "--ip", "127.0.0.1")
    (folder / "both.pem").write_bytes((folder / "ca.pem").read_bytes() + (other / "ca.pem").read_bytes())
    return folder


def expired(there):
    """A certificate of the authority that ended yesterday; its key is edge1's."""
    request, out, names = there / "request", there / "expired.pem", there / "names"
    names.write_text("subjectAltName=DNS:edge1,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    subprocess.run(["openssl", "req", "-new", "-key", there / "edge1.key", "-subj", "/CN=edge1", "-out", request], check=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", there / "ca.pem", "-CAkey", there / "ca.key", "-days", "-1",
                    "-extfile", names, "-out", out], check=True, capture_output=True)
    return out


def context(there, certificate=None, key=None, version=ssl.TLSVersion.TLSv1_3):
    """Of a client that shows a certificate and believes only the authority."""
    made = ssl.create_default_context(cafile=there / "ca.pem")
    made.maximum_version = version
    made.check_hostname = False
    if certificate:
        made.load_cert_chain(certificate, key)
    return made


def edge_to(nodes, wall, there, **values):
    values = {"certificate": there / "edge1.pem", "key": there / "edge1.key", "ca": there / "ca.pem", "tls": "tls node", **values}
    return nodes(EDGE, wall=wall.port, **values)


def log_has(node, *parts):
    return any(all(part in line for part in parts) for line in node.text().splitlines())


def test_mail_goes_from_node_to_node(nodes, inside, there):
    wall = nodes(WALL, there=there, inside=inside.port)
    edge = edge_to(nodes, wall, there)
    assert lab.Client(edge.port).send(lab.message("between nodes"))[0] == 250
    assert b"Subject: between nodes" in inside.wait(1)[0]
    lab.wait_for(lambda: log_has(edge, "status=sent"), "the edge's log of it")
    assert log_has(wall, "Trusted TLS connection established from", "TLSv1.3", "node=edge1"), wall.text()
    assert log_has(edge, "Verified TLS connection established to 127.0.0.1"), edge.text()
    edge.balance()
    wall.balance()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_a_node_may_and_others_may_not(nodes, inside, there, version):
    wall = nodes(WALL, there=there, inside=inside.port)
    client = lab.Client(wall.port)
    assert client.say("MAIL FROM:<a@b.example>") == (530, "530 5.7.0 say STARTTLS first") and "XCLIENT" not in client.features
    client.secure(context(there, version=version))
    code, text = client.say("MAIL FROM:<a@b.example>")
    assert code == 530 and "for nodes" in text and "yours" not in text and "XCLIENT" not in client.features
    assert client.say("XCLIENT ADDR=192.0.2.7")[0] == 550
    assert client.say("RCPT TO:<user@example.test>")[0] == 503
    node = lab.Client(wall.port)
    node.secure(context(there, there / "edge1.pem", there / "edge1.key", version))
    assert node.socket.version() == version.name.replace("_", ".")
    assert "XCLIENT NAME ADDR" in node.features
    assert node.say("XCLIENT ADDR=192.0.2.7 NAME=mail.example")[0] == 220
    node.say("EHLO real.example")
    assert node.send(lab.message())[0] == 250
    assert b"from real.example (mail.example [192.0.2.7])" in inside.wait(1)[0]
    assert log_has(wall, "NOQUEUE: reject: MAIL from", "530 5.7.0 this port is for nodes"), wall.text()
    assert log_has(wall, "xclient: edge1 speaks for mail.example[192.0.2.7]"), wall.text()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed(nodes, inside, there, version):
    wall = nodes(WALL, there=there, inside=inside.port)
    shown, session = context(there, there / "edge1.pem", there / "edge1.key", version), None
    for _ in range(2):
        client = lab.Client(wall.port)
        assert client.say("STARTTLS")[0] == 220
        client.socket = shown.wrap_socket(client.socket, session=session)
        client.file = client.socket.makefile("rb")
        assert "XCLIENT" in client.say("EHLO client.example")[1] and not client.socket.session_reused
        session = client.socket.session
        assert not session.has_ticket
        client.close()


REFUSED = {
    "no certificate": (dict(tls="tls required"), "530 this port is for nodes: a certificate of their authority is needed",
                       "reject: MAIL from"),
    "another authority's": (dict(certificate="{there}/../other/edge1.pem", key="{there}/../other/edge1.key", ca="{there}/both.pem"),
                            "yours: unable to get local issuer certificate (certificate of edge1, 127.0.0.1)",
                            "showed counts as none: unable to get local issuer certificate (certificate of edge1, 127.0.0.1)"),
    "expired": (dict(certificate="{there}/expired.pem"), "yours: certificate has expired (certificate of edge1, 127.0.0.1)",
                "showed counts as none: certificate has expired (certificate of edge1, 127.0.0.1)"),
    "a stranger's wall": (dict(certificate="{there}/../other/edge1.pem", key="{there}/../other/edge1.key", ca="{there}/../other/ca.pem"),
                          "TLS failed: unable to get local issuer certificate (certificate of wall1, 127.0.0.1)",
                          "unknown ca"),
    "another name": (dict(tls="tls node name wall2"), "TLS failed: hostname mismatch (certificate of wall1, 127.0.0.1)", "lost connection"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_and_kept(nodes, inside, there, case):
    values, reason, wall_says = REFUSED[case]
    expired(there)
    wall = nodes(WALL, there=there, inside=inside.port)
    edge = edge_to(nodes, wall, there, **{name: value.format(there=there) for name, value in values.items()})
    assert lab.Client(edge.port).send(lab.message())[0] == 250
    lab.wait_for(lambda: log_has(edge, "status=deferred", reason), "the edge's log has the reason")
    lab.wait_for(lambda: log_has(wall, wall_says), "the wall's log has a line")
    assert not inside.files() and edge.run("queue", "list", "--json").stdout.strip()


def test_server_by_address_is_checked(nodes, inside, there):
    ca("issue", "wall1", "--dir", there, "--ip", "127.0.0.9", "--force")
    wall = nodes(WALL, there=there, inside=inside.port)
    edge = edge_to(nodes, wall, there)
    assert lab.Client(edge.port).send(lab.message())[0] == 250
    lab.wait_for(lambda: log_has(edge, "status=deferred", "TLS failed: IP address mismatch (certificate of wall1, 127.0.0.9)"), "deferred")


def serial_at(wall, there):
    client = lab.Client(wall.port)
    client.secure(context(there))
    der = client.socket.getpeercert(True)
    client.close()
    done = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-serial"], input=der, capture_output=True, check=True)
    return done.stdout.decode().strip().partition("=")[2]


def certificates_of(node):
    return {one["file"]: one for one in node.status()["certificates"]}


def test_renewed_under_a_running_session(nodes, inside, there):
    wall = nodes(WALL, start=False, there=there, inside=inside.port).start(env=HURRY)
    before = serial_at(wall, there)
    session = lab.Client(wall.port)
    session.secure(context(there, there / "edge1.pem", there / "edge1.key"))
    assert [code for code, _ in session.open()] == [250, 250]
    pids = {one["pid"] for one in wall.status()["processes"]}
    wall.config.write_text("this is no configuration\n")  # is not read for it
    ca("issue", "wall1", "--dir", there, "--ip", "127.0.0.1", "--days", "12", "--force")
    lab.wait_for(lambda: "the new configuration is in force" in wall.text(), "the new certificate is in force")
    after = lab.wait_for(lambda: (lambda serial: serial != before and serial)(serial_at(wall, there)), "new connections see it")
    shown = certificates_of(wall)[str(there / "wall1.pem")]
    assert (shown["serial"], shown["names"], shown["use"]) == (after, "wall1, 127.0.0.1", "node")
    assert shown["days_left"] in (11, 12) and shown["warning"] == f"expires in {shown['days_left']} days"
    assert session.data(lab.message("over the old certificate"))[0] == 250
    assert b"over the old certificate" in inside.wait(1)[0]
    assert {one["pid"] for one in wall.status()["processes"]} == pids
    wall.balance()


def test_a_half_written_pair_is_not_taken(nodes, inside, there):
    wall = nodes(WALL, start=False, there=there, inside=inside.port).start(env=HURRY)
    before, good = serial_at(wall, there), (there / "wall1.key").read_bytes()
    refusal = "the changed certificates are not taken"
    (there / "wall1.key").write_bytes(good[:100])
    lab.wait_for(lambda: refusal in wall.text(), "it is refused")
    time.sleep(1)  # ten more looks
    assert wall.text().count(refusal) == 1 and serial_at(wall, there) == before
    (there / "wall1.key").unlink()
    lab.wait_for(lambda: wall.text().count(refusal) == 2, "a missing file is another fault")
    (there / "wall1.key").write_bytes(good)
    ca("issue", "wall1", "--dir", there, "--ip", "127.0.0.1", "--force")
    lab.wait_for(lambda: "the new configuration is in force" in wall.text(), "a good pair is taken")
    lab.wait_for(lambda: serial_at(wall, there) != before, "new connections see it")


def test_status_shows_every_certificate(nodes, inside, there, tmp_path):
    certificate, key = lab.certificate(tmp_path)
    wall = nodes(WALL + "listen 127.0.0.1:{other} {{ tls certificate {certificate} key {key} }}\n", there=there, inside=inside.port,
                 other=lab.free_port(), certificate=certificate, key=key)
    found = certificates_of(wall)
    assert sorted(found) == sorted(map(str, (there / "wall1.pem", there / "ca.pem", certificate)))
    assert found[str(there / "ca.pem")]["use"] == "authority of nodes" and found[str(there / "ca.pem")]["days_left"] in (3649, 3650)
    mine = found[str(certificate)]
    assert mine["use"].startswith("listen 127.0.0.1 port ") and mine["names"] == "mx.example.test" and mine["days_left"] in (29, 30)
    assert mine.get("warning") == ("expires in 29 days" if mine["days_left"] == 29 else None)
    assert all(secret not in json.dumps(wall.status()) for secret in ("PRIVATE", str(there / "wall1.key")))
    text = wall.run("status", "--all").stdout
    assert f"certificate  {there}/wall1.pem\n" in text and "wall1, 127.0.0.1\n" in text
    assert "(729 days)" in text or "(730 days)" in text
