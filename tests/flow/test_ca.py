"""Goal: `sekimori ca` makes an authority and nodes' certificates that other programs believe, and never loses a key."""
import json
import os
import re
import stat
import subprocess

import lab


def ca(*arguments, code=0):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"ca {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60)


def test_openssl_believes_what_was_made(tmp_path):
    there = tmp_path / "a/b"
    ca("init", "--dir", there, "--name", "Example University")
    ca("issue", "edge1.example.jp", "--dir", there, "--ip", "192.0.2.1", "--ip", "2001:db8::1", "--dns", "edge1", "--dns", "EDGE1.example.jp")
    ca("issue", "wall1", "--dir", there, "--days", "10")
    for node in ("edge1.example.jp", "wall1"):
        for purpose in ("sslserver", "sslclient"):
            done = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", there / "ca.pem", there / f"{node}.pem")
            assert done.returncode == 0, done.stdout + done.stderr
        public = openssl("x509", "-in", there / f"{node}.pem", "-noout", "-pubkey").stdout
        assert public and public == openssl("pkey", "-in", there / f"{node}.key", "-pubout").stdout
    text = openssl("x509", "-in", there / "edge1.example.jp.pem", "-noout", "-text", "-nameopt", "oneline").stdout
    for part in ("DNS:edge1.example.jp, DNS:edge1, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1\n", "CA:FALSE",
                 "TLS Web Server Authentication, TLS Web Client Authentication", "O = Example University"):
        assert part in text, text
    text = openssl("x509", "-in", there / "ca.pem", "-noout", "-text").stdout
    assert "CA:TRUE, pathlen:0" in text and "Certificate Sign, CRL Sign" in text, text
    assert openssl("x509", "-in", there / "wall1.pem", "-noout", "-checkend", str(9 * 86400)).returncode == 0
    assert openssl("x509", "-in", there / "wall1.pem", "-noout", "-checkend", str(11 * 86400)).returncode == 1


def test_nothing_is_overwritten(tmp_path):
    there = tmp_path / "ca"
    ca("init", "--dir", there)
    ca("issue", "edge1", "--dir", there)
    before = {file.name: file.read_bytes() for file in there.iterdir()}
    assert sorted(before) == ["ca.key", "ca.pem", "edge1.key", "edge1.pem"]
    assert "there already" in ca("init", "--dir", there, code=73)
    assert "there already" in ca("issue", "edge1", "--dir", there, code=73)
    os.unlink(there / "edge1.pem")  # a key alone is worth as much
    ca("issue", "edge1", "--dir", there, code=73)
    (there / "edge1.pem").write_bytes(before["edge1.pem"])
    assert {file.name: file.read_bytes() for file in there.iterdir()} == before
    ca("issue", "edge1", "--dir", there, "--force")
    after = {file.name: file.read_bytes() for file in there.iterdir()}
    assert sorted(after) == sorted(before) and after["edge1.key"] != before["edge1.key"] and after["ca.key"] == before["ca.key"]
    for name in after:
        mode = stat.S_IMODE((there / name).stat().st_mode)
        assert mode == (0o600 if name.endswith(".key") else 0o644), (name, oct(mode))


def test_what_is_refused(tmp_path):
    there = tmp_path / "ca"
    assert "ca init" in ca("issue", "edge1", "--dir", there, code=66)
    ca("init", "--dir", there)
    for words in (["issue", "ca"], ["issue", "../x"], ["issue", "edge1", "--ip", "edge2"], ["issue", "edge1", "--dns", "*.jp"],
                  ["issue", "edge1", "--days", "0"], ["issue", "a" * 63 + "." + "b"], ["issue"], ["issue", "a", "b"], ["sign"], []):
        ca(*words, "--dir", there, code=64)
    assert sorted(file.name for file in there.iterdir()) == ["ca.key", "ca.pem"]
    (there / "ca.key").write_text("")
    assert "key cannot be read" in ca("issue", "edge1", "--dir", there, code=65)


def test_list(tmp_path):
    there = tmp_path / "ca"
    ca("init", "--dir", there)
    ca("issue", "edge1", "--dir", there, "--ip", "192.0.2.1", "--days", "20")
    (there / "other.pem").write_text("no certificate\n")
    rows = {row["file"]: row for row in json.loads(ca("list", "--dir", there, "--json"))["certificates"]}
    assert sorted(rows) == ["ca.pem", "edge1.pem"]
    edge = rows["edge1.pem"]
    assert (edge["name"], edge["names"], edge["authority"]) == ("edge1", "edge1, 192.0.2.1", False)
    assert edge["days_left"] in (19, 20) and rows["ca.pem"]["days_left"] in (3649, 3650) and rows["ca.pem"]["authority"]
    assert openssl("x509", "-in", there / "edge1.pem", "-noout", "-serial").stdout.strip() == "serial=" + edge["serial"]
    assert re.search(r"^edge1\.pem +[0-9A-F]{32}  until \d{4}-\d\d-\d\d \((19|20) days\)  edge1, 192\.0\.2\.1$", ca("list", "--dir", there), re.M)
