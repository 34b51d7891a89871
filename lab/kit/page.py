"""The configuration files of the lab are those that doc/three-servers.md shows to the administrator: a heading
`#### HOST: \\`PATH\\`` and the indented block after it are one file. So the page cannot say what does not work."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "doc" / "three-servers.md"
HEADING = re.compile(r"^#### ([\w, ]+): `(/[^`]+)`$")


def files(page=PAGE):
    """{(host, path): content}; a heading may name several hosts."""
    found, hosts, path, block = {}, [], None, []

    def close():
        text = "\n".join(block).strip("\n")
        for host in hosts:
            if text:
                found[host, path] = text + "\n"

    for line in page.read_text().splitlines():
        heading = HEADING.match(line)
        if heading:
            close()
            hosts, path, block = [one.strip() for one in heading[1].split(",")], heading[2], []
        elif hosts and (line.startswith("    ") or not line.strip()):
            block.append(line[4:])
        elif block and any(block):
            close()
            hosts, block = [], []
    close()
    return found


def of(host, path):
    return files()[host, path]


def commands(first_words):
    """The indented lines that begin so: commands that the page has the administrator type."""
    return [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    " + first_words)]
