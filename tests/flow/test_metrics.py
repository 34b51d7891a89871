"""Goal: monitors read how a node is, over HTTP on its socket and on loopback, in a form that a real Prometheus takes; counts are those
of the mail that went through and hold over restarts; the shipped alerts and board name only what there is; whoever connects, and
however slowly he reads, costs nothing without bound; nothing that a client says stands in a label."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

import lab

CONFIG = """domains {{ example.test 127.0.0.1:{inside}; down.test 127.0.0.1:9 }}
listen 127.0.0.1:{port} {{ direction in; tls certificate {cert} key {key} }}
processes {{ receive 2; scan 1 }}
metrics {{ listen 127.0.0.1:{monitors} }}
"""
ALERTS = lab.ROOT / "packaging/prometheus-alerts.yml"
BOARD = lab.ROOT / "packaging/grafana-board.json"
# Series that make the condition of each alert: a value in five minutes, in promtool's words.
FIRED_BY = {
    "SekimoriGone": {'up{job="sekimori"}': "0x14"},
    "SekimoriDoesNotServe": {"sekimori_serving": "0x14", "sekimori_draining": "0x14", "sekimori_up": "1x14"},
    "SekimoriProcesses": {'sekimori_health_check_good{check="node"}': "0x14"},
    "SekimoriProcessRestarts": {'sekimori_process_restarts_total{process="scan"}': "0+5x14"},
    "SekimoriDrained": {"sekimori_draining": "1x14"},
    "SekimoriListenersShut": {'sekimori_health_check_good{check="listeners"}': "0x14"},
    "SekimoriQueueStands": {'sekimori_health_check_good{check="queue"}': "0x14"},
    "SekimoriOldMail": {'sekimori_queue_age_seconds_bucket{le="+Inf"}': "5x14", 'sekimori_queue_age_seconds_bucket{le="14400.0"}': "4x14"},
    "SekimoriDiskLow": {'sekimori_health_check_good{check="disk"}': "0x14"},
    "SekimoriUpstreamCut": {'sekimori_health_check_good{check="upstream"}': "0x14"},
    "SekimoriDnsDead": {'sekimori_health_check_good{check="dns"}': "0x14"},
    "SekimoriClock": {'sekimori_health_check_good{check="clock"}': "0x14"},
    "SekimoriScanDown": {'sekimori_health_check_good{check="scan"}': "0x14"},
    "SekimoriSignatures": {'sekimori_health_check_good{check="signatures"}': "0x14"},
    "SekimoriEngineOutside": {'sekimori_health_check_good{check="engines"}': "0x14"},
    "SekimoriListAside": {'sekimori_lists{state="aside"}': "1x14"},
    "SekimoriUnscanned": {"sekimori_messages_unscanned_total": "0+5x14"},
    "SekimoriRepliesSlow": {'sekimori_reply_seconds_bucket{le="15.0"}': "0x14", 'sekimori_reply_seconds_bucket{le="60.0"}': "0+9x14",
                            'sekimori_reply_seconds_bucket{le="+Inf"}': "0+9x14"},
    "SekimoriLedgerFailing": {"sekimori_ledger_lag_seconds": "0+60x14"},
    "SekimoriEventsLost": {'sekimori_ledger_events_lost_total{kind="accounted"}': "0+5x14"},
    "SekimoriBalance": {"sekimori_balance_difference_recipients": "-1x14"},
    "SekimoriQuarantineFull": {"sekimori_quarantine_full": "1x14"},
    "SekimoriCertificateEnds": {'sekimori_certificate_remaining_seconds{use="listen"}': "600000x14"},
    "SekimoriCertificateOver": {'sekimori_health_check_good{check="certificates"}': "0x14"},
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    cert, key = lab.certificate(folder)
    with lab.standing(folder, CONFIG, cert=cert, key=key, monitors=lab.free_port()) as (node, sink):
        yield node, sink


def by_socket(path, request=b"GET /metrics HTTP/1.0\r\n\r\n", seconds=10):
    """The whole of the reply: head, content."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(seconds)
        link.connect(str(path))
        link.sendall(request)
        reply = b""
        while piece := link.recv(65536):
            reply += piece
    head, _, content = reply.partition(b"\r\n\r\n")
    return head.decode(), content.decode()


def scrape(node):
    """Samples by name and labels, as prometheus_client's strict parser of OpenMetrics reads them."""
    from prometheus_client.openmetrics import parser
    text = by_socket(node.state / "run/metrics")[1]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parser.text_string_to_metric_families(text) for sample in family.samples}


def value(samples, name, **labels):
    return samples[(name, tuple(sorted(labels.items())))]


def test_counts_are_those_of_the_mail(shared):
    node, sink = shared
    before = scrape(node)
    client = lab.Client(node.port, hello="EHLO curious.outside.example")
    client.secure()
    for number in range(3):
        assert client.send(lab.message(subject=f"mail {number}"), recipients=("user@example.test", "other@example.test"))[0] == 250
    assert client.send(lab.message(body=lab.eicar() + "\n"))[0] == 550
    assert client.send(lab.message(), recipients=("user@elsewhere.test",))[0] in (550, 554)
    client.close()
    sink.wait(3)
    verdicts = {"accepted": 3, "rejected": 1, "deferred": 0, "quarantined": 0, "discarded": 0, "tagged": 0, "relayed": 0, "aborted": 0}

    def grown(samples, name, **labels):
        return value(samples, name, **labels) - value(before, name, **labels)

    def arrived():
        samples = scrape(node)
        return grown(samples, "sekimori_deliveries_total", result="delivered") == 6 and samples
    now = lab.wait_for(arrived, "the last delivery is counted")
    for verdict, count in verdicts.items():
        assert grown(now, "sekimori_messages_total", verdict=verdict) == count, verdict
    assert grown(now, "sekimori_recipients_total", verdict="accepted") == 6
    assert grown(now, "sekimori_refusals_total", stage="rcpt", **{"class": "5xx"}) == 1
    assert grown(now, "sekimori_refusals_total", stage="content", **{"class": "5xx"}) == 1
    assert grown(now, "sekimori_messages_infected_total") == 1 and grown(now, "sekimori_messages_scanned_total") == 4
    assert sum(grown(now, "sekimori_tls_handshakes_total", result=one) for one in ("TLSv1.2", "TLSv1.3", "other")) == 1
    for name, count in (("reply", 4), ("judging", 4), ("commit", 3)):
        assert grown(now, f"sekimori_{name}_seconds_count") == count, name
        assert 0 < grown(now, f"sekimori_{name}_seconds_sum") < 60, name
    assert grown(now, "sekimori_message_size_bytes_count") == 4 and grown(now, "sekimori_queue_wait_seconds_count") == 6
    assert grown(now, "sekimori_delivery_seconds_count") >= 3
    assert value(now, "sekimori_up") == 1 and value(now, "sekimori_balance_difference_recipients") == 0
    assert 28 * 86400 < value(now, "sekimori_certificate_remaining_seconds", use=f"listen 127.0.0.1 port {node.port}") <= 30 * 86400
    processes = {dict(labels)["process"] for name, labels in now if name == "sekimori_process_up"}
    assert processes == {one["name"] for one in node.status()["processes"]} | {"master"}


def test_what_waits_and_what_is_held(shared):
    """The queue by age and by reason to hold: found by a walk, so a moment later."""
    node = shared[0]
    before = scrape(node)
    client = lab.Client(node.port)
    assert client.send(lab.message(subject="waits"), recipients=("one@down.test", "two@down.test"))[0] == 250
    client.close()

    def told(**wanted):
        now = scrape(node)
        found = {"age": value(now, "sekimori_queue_age_seconds_gcount"), "old": value(now, "sekimori_queue_age_seconds_bucket", le="60.0"),
                 "held": value(now, "sekimori_queue_held_recipients", reason="admin"), "recipients": value(now, "sekimori_queue_recipients"),
                 "deferred": value(now, "sekimori_deliveries_total", result="deferred") - value(before, "sekimori_deliveries_total", result="deferred")}
        return all(found[name] == count for name, count in wanted.items())
    lab.wait_for(lambda: told(age=1, old=1, held=0, recipients=2, deferred=2), "the message waits")
    node.run("queue", "hold", "--to", "*@down.test")
    lab.wait_for(lambda: told(age=1, held=2, recipients=2), "it is held")
    node.run("queue", "remove", "--to", "*@down.test", "--yes")
    lab.wait_for(lambda: told(age=0, held=0, recipients=0), "it is gone")
    ended = "sekimori_endings_total"
    assert value(scrape(node), ended, ending="removed") - value(before, ended, ending="removed") == 2


def test_no_label_that_a_stranger_chooses(shared):
    node = shared[0]
    before = set(scrape(node))
    for number in range(20):
        client = lab.Client(node.port, hello=f"EHLO strange{number}.outside.example", source=f"127.0.0.{number + 2}")
        client.send(lab.message(subject=f"strange {number}"), sender=f"strange{number}@strange{number}.example",
                    recipients=(f"strange{number}@example.test",))
        client.open(recipients=(f"strange{number}@strange{number}.test",))
        client.close()
    grown = set(scrape(node)) - before  # what processes of a node this young had not told yet
    assert all(dict(labels).keys() <= {"check", "state"} for _, labels in grown), grown
    text = by_socket(node.state / "run/metrics")[1]
    assert "strange" not in text and set(re.findall(r"127\.0\.0\.\d+", text)) <= {"127.0.0.1"}


def test_one_text_three_ways(shared):
    node = shared[0]
    names = []
    for version in ("1.0", "1.1"):
        head, content = by_socket(node.state / "run/metrics", f"GET /metrics HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        assert head.startswith("HTTP/1.1 200 OK\r\n") and f"Content-Length: {len(content)}\r\n" in head + "\r\n"
        assert "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n" in head
        names.append({line.partition(" ")[0] for line in content.splitlines()})
    with urllib.request.urlopen(f"http://127.0.0.1:{node.values['monitors']}/metrics", timeout=10) as reply:
        names.append({line.decode().partition(" ")[0] for line in reply.read().splitlines()})
    names.append({line.partition(" ")[0] for line in node.run("metrics").stdout.splitlines()})
    assert all(one == names[0] for one in names[1:]) and len(names[0]) > 200


def test_requests_that_are_none(shared):
    node = shared[0]
    path = node.state / "run/metrics"
    host = b"Host: x\r\n\r\n"
    for request, status in ((b"GET / HTTP/1.1\r\n" + host, 404), (b"POST /metrics HTTP/1.1\r\n" + host, 405), (b"\x16\x03\x01 \r\n\r\n", 400),
                            (b"GET /metrics HTTP/1.1\r\n\r\n", 400), (b"GET /metrics HTTP/3.0\r\n" + host, 505),
                            (b"GET /metrics HTTP/1.0\r\nA: " + b"x" * 100000, 431)):
        head = by_socket(path, request)[0]
        assert head.startswith(f"HTTP/1.1 {status} "), (request[:40], head)
    head, content = by_socket(path, b"HEAD /metrics HTTP/1.0\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ") and not content
    with socket.socket(socket.AF_UNIX) as link:  # a client that closes its side is answered
        link.connect(str(path))
        link.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        link.shutdown(socket.SHUT_WR)
        link.settimeout(10)
        assert b"# EOF" in b"".join(iter(lambda: link.recv(65536), b""))


def memory_of(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def test_many_and_slow_clients_cost_nothing(shared):
    """Hundreds that say nothing, or ask and do not read: the next monitor is answered, and memory stays."""
    node = shared[0]
    pid, links = node.pids("metrics")[0], []
    by_socket(node.state / "run/metrics")
    before = memory_of(pid)
    for number in range(300):
        link = socket.socket(socket.AF_UNIX) if number % 2 else socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.settimeout(5)
        link.connect(str(node.state / "run/metrics") if number % 2 else ("127.0.0.1", node.values["monitors"]))
        if number % 3:
            link.sendall(b"GET /metrics HTTP/1.0\r\n" + (b"\r\n" if number % 3 == 1 else b"A: "))
        links.append(link)
    since = time.monotonic()
    assert "# EOF" in by_socket(node.state / "run/metrics")[1]
    assert time.monotonic() - since < 5
    told = next(one for one in node.status()["processes"] if one["name"] == "metrics")["values"]
    assert told["connections"] <= 16, told
    assert memory_of(pid) - before < 8192, (before, memory_of(pid))
    assert len(os.listdir(f"/proc/{pid}/fd")) < 60
    for link in links:
        link.close()
    assert node.pids("metrics") == [pid]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_who_may_look(shared):
    """By the socket's mode alone: the asker stands in its folder, which would keep him out too."""
    node = shared[0]
    path = node.state / "run/metrics"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    folder = os.open(path.parent, os.O_PATH)
    mode = stat.S_IMODE(path.parent.stat().st_mode)
    path.parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.fchdir(folder)
            socket.socket(socket.AF_UNIX).connect("metrics")
            os._exit(0)
        except PermissionError:
            os._exit(13)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    path.parent.chmod(mode)
    os.close(folder)
    assert code == 13


def with_work(node):
    """On a fast machine some mails take scan less than a tick."""
    client = lab.Client(node.port)
    return all(client.send(lab.message("work", "word " * 2000))[0] == 250 for _ in range(20))


def test_counts_hold_over_kills(shared):
    node, sink = shared
    before = scrape(node)
    for name in ("metrics", "receive", "queue"):
        pid = node.pids(name)[0]
        os.kill(pid, signal.SIGKILL)
        lab.wait_for(lambda: pid not in node.pids(name) and node.is_ready(), f"{name} is back")
    now = scrape(node)
    grows = ("sekimori_messages_total", "sekimori_recipients_total", "sekimori_reply_seconds_count", "sekimori_deliveries_total",
             "sekimori_connections_total", "sekimori_queue_wait_seconds_count", "sekimori_message_size_bytes_sum")
    for name, labels in before:
        assert name not in grows or now[(name, labels)] >= before[(name, labels)], (name, labels)
    assert value(now, "sekimori_messages_total", verdict="accepted") >= 3
    lab.wait_for(lambda: value(scrape(node), "sekimori_process_restarts_total", process="metrics", index="0") >= 1, "the restart is told", 10)
    for name in ("sekimori_process_resident_memory_bytes", "sekimori_process_cpu_seconds_total"):
        lab.wait_for(lambda: with_work(node) and value(scrape(node), name, process="scan", index="0") > 0, "what scan takes is told", 20)


# --- Prometheus ---

class Prometheus:
    def __init__(self, folder, target, rules):
        self.port, self.folder = lab.free_port(), folder
        config = {"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}, "rule_files": [str(rules)],
                  "scrape_configs": [{"job_name": "sekimori", "static_configs": [{"targets": [target]}]}]}
        (folder / "prometheus.yml").write_text(json.dumps(config))
        subprocess.run(["promtool", "check", "config", folder / "prometheus.yml"], check=True, capture_output=True)
        self.log = open(folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                                         f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)

    def get(self, path, **arguments):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("GET", f"{path}?{urllib.parse.urlencode(arguments)}")
            reply = link.getresponse()
            return reply.status, reply.read()
        except OSError as error:
            return 0, str(error).encode()
        finally:
            link.close()

    def query(self, expression):
        status, body = self.get("/api/v1/query", query=expression)
        assert status == 200, (expression, body)
        return json.loads(body)["data"]["result"]

    def number(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        return {one["metric"]["alertname"] for one in self.query('ALERTS{alertstate="firing"}')}

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture
def prometheus(shared, tmp_path):
    """The shipped alerts, without the time that their conditions have to last."""
    rules = tmp_path / "alerts.yml"
    rules.write_text(re.sub(r"^ +for: .*\n", "", ALERTS.read_text(), flags=re.M))
    made = Prometheus(tmp_path, f"127.0.0.1:{shared[0].values['monitors']}", rules)
    try:
        lab.wait_for(lambda: made.process.poll() is None and made.get("/-/ready")[0] == 200, "prometheus is ready", 30)
        yield made
    finally:
        made.stop()


def alerts():
    """(name, expression) of each."""
    names = re.findall(r"^ +- alert: (\w+)$", ALERTS.read_text(), re.M)
    expressions = re.findall(r"^ +expr: (.*)$", ALERTS.read_text(), re.M)
    assert len(names) == len(expressions) > 15
    return list(zip(names, expressions))


def board_expressions():
    """With a value in the place of each variable of Grafana."""
    board = json.loads(BOARD.read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(found) > 30
    return [one.replace("$__rate_interval", "5m").replace("$instance", ".*") for one in found]


def metrics_in(expression):
    return set(re.findall(r"\bsekimori_\w+", re.sub(r'"[^"]*"', "", expression)))


def samples_of(text):
    """The names of all samples that a node may tell, known now or not."""
    suffixes = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count"),
                "gaugehistogram": ("_bucket", "_gsum", "_gcount")}
    return {name + suffix for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M) for suffix in suffixes[kind]}


def test_a_real_prometheus_reads_the_node(shared, prometheus):
    node, sink = shared
    lab.wait_for(lambda: prometheus.number('up{job="sekimori"}') == 1, "the node is scraped", 20)
    before = prometheus.number("sum(sekimori_messages_total)")
    count = 7
    client = lab.Client(node.port)
    for number in range(count):
        assert client.send(lab.message(subject=f"counted {number}"))[0] == 250
    client.close()
    lab.wait_for(lambda: prometheus.number("sum(sekimori_messages_total)") == before + count, "the query returns the number of mails sent", 20)
    assert prometheus.number("sekimori_up") == 1
    types = json.loads(prometheus.get("/api/v1/metadata")[1])["data"]
    assert types["sekimori_reply_seconds"][0]["type"] == "histogram" and types["sekimori_reply_seconds"][0]["unit"] == "seconds"
    known = samples_of(by_socket(node.state / "run/metrics")[1])
    for expression in [one for _, one in alerts()] + board_expressions():
        prometheus.query(expression)
        assert metrics_in(expression) <= known, (expression, metrics_in(expression) - known)
    loaded = json.loads(prometheus.get("/api/v1/rules")[1])["data"]["groups"][0]["rules"]
    assert [one["name"] for one in loaded] == [name for name, _ in alerts()]
    assert "SekimoriDrained" not in prometheus.firing()
    node.run("drain", "--no-wait")
    lab.wait_for(lambda: "SekimoriDrained" in prometheus.firing(), "the alert fires", 20)
    node.run("undrain")
    lab.wait_for(lambda: "SekimoriDrained" not in prometheus.firing(), "it is over", 20)
    assert "SekimoriGone" not in prometheus.firing()


def test_each_alert_fires(tmp_path):
    """promtool evaluates the shipped rules over series that make each one's condition, and over a node that is well."""
    subprocess.run(["promtool", "check", "rules", ALERTS], check=True, capture_output=True)
    assert set(FIRED_BY) == {name for name, _ in alerts()}
    checks = set(re.findall(r'\[HEALTH_CHECK_\w+\] = "(\w+)"', (lab.ROOT / "src/ipc/health.c").read_text()))
    named = set(re.findall(r"check: (\w+)", ALERTS.read_text()))
    assert len(checks) > 10 and checks <= named, checks - named
    assert ALERTS.read_text().count("action: ") == len(FIRED_BY)

    def of_a_node(series):
        name, _, labels = series.rstrip("}").partition("{")
        return name + "{" + ",".join(one for one in ('instance="n"', labels) if one) + "}"
    well = {"sekimori_up": "1x14", "sekimori_serving": "1x14", "sekimori_draining": "0x14", "sekimori_quarantine_full": "0x14",
            "sekimori_balance_difference_recipients": "0x14", "sekimori_ledger_lag_seconds": "0x14", 'up{job="sekimori"}': "1x14",
            **{f'sekimori_health_check_good{{check="{check}"}}': "1x14" for check in checks}}
    tests = []
    for name, series in [*FIRED_BY.items(), ("", well)]:
        asked = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})' if name else "count(ALERTS)"
        tests.append({"interval": "5m", "input_series": [{"series": of_a_node(one), "values": values} for one, values in series.items()],
                      "promql_expr_test": [{"expr": asked, "eval_time": "65m", "exp_samples": [{"value": 1}] if name else []}]})
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "5m", "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_metric_is_explained(shared):
    """doc/monitoring.md has a line for each, and names none that is not there."""
    text = by_socket(shared[0].state / "run/metrics")[1]
    families = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    explained = set(re.findall(r"^\| `(sekimori_\w+)", (lab.ROOT / "doc/monitoring.md").read_text(), re.M))
    assert families == explained, families ^ explained


# --- what changes the node: last ---

def test_reload_and_stop(shared):
    node = shared[0]
    text, path, port = node.config.read_text(), node.folder / "m.sock", node.values["monitors"]
    accepted = value(scrape(node), "sekimori_messages_total", verdict="accepted")
    path.write_text("a file")
    node.config.write_text(text.replace("metrics {", f"metrics {{ socket {path};"))
    refused = node.run("reload", check=False)
    assert refused.returncode == 78 and "no socket" in refused.stdout + refused.stderr
    assert path.read_text() == "a file" and "# EOF" in by_socket(node.state / "run/metrics")[1]
    path.unlink()
    node.run("reload")
    assert "# EOF" in by_socket(path)[1] and not (node.state / "run/metrics").exists()
    node.config.write_text(text.replace(f"metrics {{ listen 127.0.0.1:{port} }}", "metrics { socket none }"))
    node.run("reload")
    assert not path.exists()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 2)
    assert node.run("metrics").returncode == 0
    node.stop()
    down = node.run("metrics", check=False)
    assert down.returncode == 2 and "sekimori_up 0\n" in down.stdout
    assert f'sekimori_messages_total{{verdict="accepted"}} {int(accepted)}\n' in down.stdout
    assert node.run("metrics", "--state", node.folder, check=False, where=False).returncode == 66
