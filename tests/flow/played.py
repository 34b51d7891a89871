"""A server that says what its test tells it to: a table of replies by what was said, and one for the rest."""
import contextlib
import socket
import threading


class Played(threading.Thread):
    """`script`: the beginning of a command ("" is the connection, "." the end of a content) and what is answered: text with
    its last CRLF left out, None to hang up instead, or a function of the command that gives one of these. The first that
    fits counts. `commands` and `contents` have what came, `connections` how often somebody did."""

    DEFAULTS = {"": "220 played ESMTP", "EHLO": "250-played\r\n250-PIPELINING\r\n250 8BITMIME", "DATA": "354 go on", "QUIT": "221 2.0.0 bye"}

    def __init__(self, script=()):
        super().__init__(daemon=True)
        self.script = {**dict(script)}
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.commands, self.contents, self.connections = [], [], 0
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def answer_to(self, command):
        for table in (self.script, self.DEFAULTS):
            for begin, answer in table.items():
                if command == begin or (begin and begin != "." and command.upper().startswith(begin.upper())):
                    return answer(command) if callable(answer) else answer
        return "250 2.0.0 ok"

    def serve(self, connection):
        lines = connection.makefile("rb")

        def say(command):
            """False: the connection ends."""
            answer = self.answer_to(command)
            if answer is not None:
                connection.sendall((answer if isinstance(answer, bytes) else answer.encode()) + b"\r\n")
            return answer is not None and not command.upper().startswith("QUIT")
        with contextlib.suppress(ConnectionError), connection, lines:
            goes_on = say("")
            while goes_on and (line := lines.readline()):
                command = line.decode(errors="surrogateescape").rstrip("\r\n")
                self.commands.append(command)
                goes_on = say(command)
                if goes_on and command.upper() == "DATA" and str(self.answer_to(command)).startswith("354"):
                    content = b""
                    while (line := lines.readline()) not in (b".\r\n", b""):
                        content += line
                    self.contents.append(content)
                    goes_on = say(".")

    def said(self, begin):
        return [command for command in self.commands if command.upper().startswith(begin.upper())]
