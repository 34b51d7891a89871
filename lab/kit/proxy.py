"""A bad line: a TCP proxy on a host of the lab that delays, slows, stalls and breaks what passes. (Not every kernel has netem.)"""
import contextlib
import selectors
import socket
import threading
import time

from . import plan, wires


class Proxy:
    """Takes connections on a free port of `host` and passes bytes on to `to`.
    delay: seconds each way. rate: bytes a second of all connections together, towards the server. stall: while true nothing
    passes. drop_after: a connection is reset after so many bytes from the client. All may be changed while it runs."""

    def __init__(self, lab, host, to, delay=0.0, rate=None, drop_after=None):
        self.lab, self.host, self.to = lab, host, to
        self.delay, self.rate, self.stall, self.drop_after = delay, rate, False, drop_after
        self.broken, self.is_over = 0, False
        self.lines = []
        with wires.inside(lab.wires.namespace(host)):
            self.listener = socket.create_server((plan.HOSTS[host].address(next(iter(plan.HOSTS[host].legs))), 0))
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join(10)
        for line in self.lines:
            line.close()
        self.listener.close()

    def run(self):
        with wires.inside(self.lab.wires.namespace(self.host)):
            allowance, last = 0.0, time.monotonic()
            while not self.is_over:
                now = time.monotonic()
                rate = self.rate
                allowance = 1e9 if rate is None else min(rate * 0.1 + 1, allowance + rate * (now - last))
                last = now
                self.accept()
                for line in list(self.lines):
                    allowance -= line.pass_on(now, 0 if self.stall else max(0, int(allowance)))
                    if line.is_closed:
                        self.lines.remove(line)
                self.wait()

    def wait(self):
        with selectors.DefaultSelector() as ready:
            ready.register(self.listener, selectors.EVENT_READ)
            for line in self.lines:
                for one in line.readable():
                    ready.register(one, selectors.EVENT_READ)
            ready.select(0.002 if any(line.has_pending() for line in self.lines) else 0.05)

    def accept(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                client, _ = self.listener.accept()
                self.lines.append(Line(self, client))


class Line:
    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.to, 5)
        self.pending = {client: [], self.server: []}  # what came from there, with the time at which it may leave
        self.ended = set()
        self.passed, self.is_closed = 0, False
        for one in (client, self.server):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def has_pending(self):
        return any(self.pending.values())

    def readable(self):
        return [one for one, waits in self.pending.items() if one not in self.ended and len(waits) < 16]

    def pass_on(self, now, allowance):
        """Moves what is due; returns how many bytes went to the server."""
        before = self.passed
        try:
            for source, waits in self.pending.items():
                self.read(source, waits, now)
                target = self.server if source is self.client else self.client
                while waits and waits[0][0] <= now:
                    self.write(source, target, waits, allowance - (self.passed - before))
                    if waits and waits[0][0] <= now:
                        break
                if source in self.ended and not waits:
                    target.shutdown(socket.SHUT_WR)
            if len(self.ended) == 2 and not self.has_pending():
                self.close()
        except OSError:
            self.close()
        return self.passed - before

    def read(self, source, waits, now):
        if source in self.ended or len(waits) >= 16:
            return
        with contextlib.suppress(BlockingIOError):
            data = source.recv(4096)
            if data:
                waits.append((now + self.proxy.delay, data))
            else:
                self.ended.add(source)

    def write(self, source, target, waits, allowance):
        due, data = waits[0]
        if source is self.client:
            limit = self.proxy.drop_after
            data = data[:max(0, allowance)]
            if limit is not None:
                data = data[:max(0, limit - self.passed)]
        sent = 0
        with contextlib.suppress(BlockingIOError):
            sent = target.send(data) if data else 0
        rest = waits[0][1][sent:]
        if rest:
            waits[0] = (due, rest)
        else:
            waits.pop(0)
        if source is self.client:
            self.passed += sent
            if limit is not None and self.passed >= limit:
                self.proxy.broken += 1
                self.close()

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            for one in (self.client, self.server):
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.close()
