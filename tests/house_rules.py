#!/usr/bin/python3
"""The rules of the house that no compiler checks: layers, circles of files, unique names and tags, licence lines, prototypes in
headers, contracts, checked contexts, one file for each foreign header. What an object includes is asked of the build, and so is
what it calls. One is for Python: what a script takes from another of ours is there.
usage: house_rules.py [--root FOLDER] [--build FOLDER]"""
import argparse
import ast
import collections
import functools
import pathlib
import re
import subprocess
import sys

LICENCE = "/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */"
FOREIGN = ("clamav.h", "unbound.h", "unbound-event.h", "sqlite3.h", "jansson.h", "seccomp.h", "uchardet/uchardet.h",
           "unicode/", "idn2.h", "openssl/ssl.h", "openssl/x509v3.h", "event2/event.h",
           "pango/pangocairo.h", "libpsl.h", "pcre2.h", "maxminddb.h", "zstd.h", "xxhash.h", "poppler.h", "zbar.h", "gd.h", "librsvg/rsvg.h", "curl/curl.h")
GROUP_LINES = 4  # of prototypes that one comment above them may speak for
EXTRA_HOME = {"zbar.h": {"open/code_finder.c", "open/finder_pattern.c"}, "unicode/": {"mail/charset_table.c", "mail/skeleton.c"},
              "event2/event.h": {"base/loop.c", "lookup/resolver.c"}, "unbound-event.h": {"lookup/resolver.c"},
              # one streams whole messages into files, the other packs records in memory
              "zstd.h": {"ledger/quarantine/quarantine_store.c", "ledgerdb/explained_file.c"}}

# Tags of a header that other files define too, and what they mean there.
TAGS_OF_TWO = {"service": "all that a process holds, in each main.c", "receiver": "a channel to receive, in queue and in scan",
               "recipient": "an address as a key, in config/table.c", "errand": "a mail to report, in its inbox alone",
               "line": "a line of a header, in mail/header.c alone", "look": "one look at the node, in report/facts.c alone"}

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDING = re.compile(r"^[ \t\1]*(?:#|%:|\?\?=)[ \t\1]*(?:include|include_next|import)\b(.*)$", re.M)
PROTOTYPE = re.compile(r"(?!static\b|typedef\b|_Static_assert\b|static_assert\b)[\w\s*]+\b\w+\s*\([^{}]*\)[^{}=]*$")
HEADING = re.compile(r"/\* (SPDX|---|\w+\.c( again)? \*/)")  # a comment that says nothing of a function
CHECKED_STRUCT = re.compile(r"^struct (\w+) \{\n\s+enum \{ (\w+_MAGIC) = (0x[0-9a-f]+) \} magic;", re.M)
PLAIN_INCLUDE = re.compile(r'^#include ("((?:[a-z0-9_]+/){1,2}[a-z0-9_]+\.h)"|<[^">]+>)$', re.M)


def without_comments(text):
    """Each comment becomes one byte of value 1; strings stay."""
    return COMMENT_OR_STRING.sub(lambda found: "\1" if found[0].startswith("/") else found[0], text)


def file_scope(text):
    """The statements of a C file outside all braces, without comments, strings and directives; a block is written {}."""
    text = COMMENT_OR_STRING.sub(lambda found: " " if found[0].startswith("/") else '""', text)
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"^[ \t]*(?:#|%:).*$", "", text, flags=re.M)
    text = text.replace("<%", "{").replace("%>", "}")
    depth, outside, statements = 0, [], []
    for c in text:
        if c == "{":
            depth += 1
            if depth == 1:
                outside.append("{}")
        elif c == "}":
            depth -= 1
            if depth == 0 and re.search(r"\)\s*\{\}$", "".join(outside)):  # the end of a function's body
                outside = []
        elif depth == 0:
            if c == ";":
                statements.append(" ".join("".join(outside).split()))
                outside = []
            else:
                outside.append(c)
    return statements


def statements_outside_braces(code):
    """(first, end, words) of each statement of a header at file scope; a block is no part of its words."""
    start, depth, words = None, 0, ""
    for at, c in enumerate(code):
        if start is None:
            if c.isspace():
                continue
            start, words = at, ""
        depth += (c == "{") - (c == "}")
        if depth == 0 and (c == ";" or c == "}" and words.rstrip().endswith(")")):  # the latter: of a function's body
            yield start, at, " ".join(words.split())
            start = None
        elif depth == 0 and c != "}":
            words += c


def without_contract(text):
    """(line, words) of each prototype of a header that no comment speaks for: none behind it, none directly above it, and none
    above the group it stands in, as far as GROUP_LINES go."""
    lines = [""] * (text.count("\n") + 1)  # what stands on each: a comment, a prototype, a remark behind something

    def span(found_start, found_end):
        first = text.count("\n", 0, found_start)
        return slice(first, first + text.count("\n", found_start, found_end) + 1)

    def blanked(found):
        is_alone = not text[text.rfind("\n", 0, found.start()) + 1:found.start()].strip()
        if found[0].startswith("/") and re.search(r"\w\w", found[0]) and not HEADING.match(found[0]):
            here = span(*found.span())
            lines[here] = ["comment" if is_alone else "remark"] * (here.stop - here.start)
        return re.sub(r"[^\n]", " " if found[0].startswith("/") else "_", found[0])

    code = COMMENT_OR_STRING.sub(blanked, text)
    code = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", lambda found: re.sub(r"[^\n]", " ", found[0]), code, flags=re.M)
    for start, end, words in statements_outside_braces(code):
        if not PROTOTYPE.match(words) or not code[end] == ";":
            continue
        here = span(start, end)
        has_remark = "remark" in lines[here]
        lines[here] = ["prototype"] * (here.stop - here.start)
        above = here.start - 1
        while lines[above] in ("prototype", "remark"):
            above -= 1
        is_in_group = above == here.start - 1 or here.stop - 1 - above <= GROUP_LINES
        if not has_remark and not (lines[above] == "comment" and is_in_group):
            yield here.start + 1, words


class Tree:
    """The sources below `root`/src, and what the build below `build` knows of them."""

    def __init__(self, root, build):
        self.root, self.source, self.build = root, root / "src", build
        self.texts = {path.relative_to(self.source).as_posix(): path.read_text()
                      for path in sorted(self.source.rglob("*.[ch]"))}
        self.includes = {name: set(found[1] for found in PLAIN_INCLUDE.findall(text) if found[1])
                         for name, text in self.texts.items()}
        self.layers = {}
        for line in (self.source / "LAYERS").read_text().splitlines():
            if line and not line.startswith("#"):
                folder, _, rest = line.partition(":")
                self.layers[folder.strip()] = rest.split()

    def allowed(self, folder):
        return {folder, *self.layers.get(folder, ())}

    def compiled(self):
        """(object, source, project files it was made of), as the compiler told ninja."""
        told = subprocess.run(["ninja", "-C", self.build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
        for block in told.split("\n\n"):
            head, *lines = block.splitlines() or [""]
            if "(VALID)" not in head:  # of a file that is gone
                continue
            inside = set()
            for line in lines:
                path = pathlib.Path(self.build, line.strip()).resolve()
                if path.is_relative_to(self.source.resolve()):
                    inside.add(path.relative_to(self.source.resolve()).as_posix())
            yield head.partition(":")[0], {name for name in inside if name.endswith(".c")}, inside

    def symbols(self):
        """By source file: what its object defines for others, and what it wants of others."""
        defines, wants = collections.defaultdict(set), collections.defaultdict(set)
        sources = {built: next(iter(of)) for built, of, _ in self.compiled() if built.startswith("src/") and len(of) == 1}
        told = subprocess.run(["nm", "-A", "-P", *sources], cwd=self.build, capture_output=True, text=True, check=True)
        for line in told.stdout.splitlines():
            built, name, kind = line.split()[:3]
            source = sources[built.removesuffix(":")]
            if kind == "U":
                wants[source].add(name)
            elif kind in "TDBRCGSVW":
                defines[source].add(name)
        return defines, wants

    @functools.cached_property
    def calls(self):
        """(user, used, symbol): one file's object needs what another one's defines. Who calls what a header says to be INSTEAD_OF a
        name of libc's means libc."""
        defines, wants = self.symbols()
        of_libc = {name for header in self.source.rglob("*.h") for name in re.findall(r'INSTEAD_OF\("(\w+)"\)', header.read_text())}
        home = {name: source for source, names in defines.items() for name in names - of_libc if name != "main"}
        return [(source, home[name], name) for source, names in sorted(wants.items()) for name in sorted(names)
                if home.get(name, source) != source]


def circles_of(edges):
    """Strongly connected components of more than one node, by Tarjan."""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            circle = set()
            while node not in circle:
                circle.add(stack.pop())
            if len(circle) > 1:
                found.append(circle)

    sys.setrecursionlimit(10000)
    for node in sorted(edges):
        if node not in order:
            visit(node)
    return found


def licence_lines(tree):
    for name, text in tree.texts.items():
        if not text.startswith(LICENCE):
            yield f"{name}: the licence line is missing"


def unique_names(tree):
    stems = collections.defaultdict(list)
    for name in tree.texts:
        path = pathlib.PurePosixPath(name)
        if path.suffix == ".c" and path.stem != "main":
            stems[path.stem].append(name)
    for stem, names in stems.items():
        if len(names) > 1:
            yield f"file name {stem} is used twice: {', '.join(names)}"


def unique_tags(tree):
    """What a header calls a struct, union or enum is called so nowhere else, so that a reader may look it up by its name."""
    homes = collections.defaultdict(set)
    for name, text in tree.texts.items():
        for tag in re.findall(r"\b(?:struct|union|enum)[\s\1]+(\w+)[\s\1]*\{", without_comments(text)):
            homes[tag].add(name)
    for tag, names in homes.items():
        if len(names) > 1 and tag not in TAGS_OF_TWO and any(name.endswith(".h") for name in names):
            yield f"tag {tag} is defined more than once: {', '.join(sorted(names))}"


def spelling_of_includes(tree):
    for name, text in tree.texts.items():
        for line in INCLUDING.finditer(without_comments(text)):
            if not PLAIN_INCLUDE.match(line[0].rstrip()):
                yield f"{name}: {line[0].strip()}: an include is written #include \"folder/file.h\" or #include <name.h>"
        for angled in re.findall(r"^#include <([^>]+)>", text, re.M):
            if (tree.source / angled).exists():
                yield f"{name}: <{angled}> is a file of ours: it stands in quotes"
        for ours in tree.includes[name]:
            if ours not in tree.texts and not (tree.build / "src" / ours).exists():  # some are made by the build
                yield f"{name}: includes {ours}, which is not there"


def layers(tree):
    for name, included in tree.includes.items():
        folder = name.split("/")[0]
        if folder not in tree.layers:
            yield f"{name}: the folder is not in LAYERS"
            continue
        for other in sorted(included):
            if other.split("/")[0] not in tree.allowed(folder):
                yield f"{name}: includes {other}, which LAYERS does not let {folder}/ do"


def layers_of_symbols(tree):
    for user, used, symbol in tree.calls:
        folder, other = user.split("/")[0], used.split("/")[0]
        if folder in tree.layers and other not in tree.allowed(folder):
            yield f"{user}: uses {symbol} of {used}, which LAYERS does not let {folder}/ do"


def what_the_compiler_read(tree):
    """Every file of ours that went into an object is reached by include lines that these rules have read."""
    for built, sources, files in tree.compiled():
        if not sources:
            continue
        reached, open_ends = set(), set(sources)
        while open_ends:
            name = open_ends.pop()
            reached.add(name)
            open_ends |= tree.includes.get(name, set()) - reached
        for name in sorted(files - reached):
            yield f"{built}: the compiler read {name}, which no include line names"


def layers_are_no_circle(tree):
    edges = {folder: set(others) - {folder} for folder, others in tree.layers.items()}
    for circle in circles_of(edges):
        yield f"LAYERS: {', '.join(sorted(circle))} include each other"
    for folder, others in tree.layers.items():
        for other in others:
            if other not in tree.layers:
                yield f"LAYERS: {folder} may include {other}, which has no line"


def layers_are_used(tree):
    used = collections.defaultdict(set)
    for name, included in tree.includes.items():
        used[name.split("/")[0]] |= {other.split("/")[0] for other in included}
    for user, other, _ in tree.calls:
        used[user.split("/")[0]].add(other.split("/")[0])
    for folder, others in tree.layers.items():
        if not any(name.startswith(folder + "/") for name in tree.texts):
            yield f"LAYERS: there is no folder {folder}"
        for other in others:
            if other not in used[folder]:
                yield f"LAYERS: {folder} may include {other} and does not"


def prototypes(tree):
    """What other files may call is declared in a header, once; a .c file declares only what is its own."""
    for name, text in tree.texts.items():
        if not name.endswith(".c"):
            continue
        for statement in file_scope(text):
            if PROTOTYPE.match(statement) or re.match(r"extern\b", statement):
                yield f"{name}: {statement[:60]}: declarations that others share stand in a header"
        for inner in re.findall(r"^[ \t]+extern\b[^\n]*", without_comments(text), re.M):
            yield f"{name}: {inner.strip()}: declarations that others share stand in a header"


def contracts(tree):
    """A comment says of each prototype in a header who owns what, units, and what false or NULL means."""
    for name, text in tree.texts.items():
        if name.endswith(".h"):
            for line, words in without_contract(text):
                yield f"{name}:{line}: {words[:60]}: no comment above it, behind it, or above its group of {GROUP_LINES} lines"


def checked_contexts(tree):
    """A struct that begins with a word (base/context.h) is never taken from a `void *` unchecked, and no two have one word."""
    words, checked = collections.defaultdict(list), collections.defaultdict(set)
    for name, text in tree.texts.items():
        for struct, magic, word in CHECKED_STRUCT.findall(text):
            words[int(word, 16)].append(f"{name}: struct {struct}")
            checked[name.split("/")[0]].add(struct)
    for word, structs in words.items():
        if len(structs) > 1 or word == 0:
            yield f"{', '.join(structs)}: the word {word:#010x} is not of one kind alone"
    for name, text in tree.texts.items():
        for line, struct in re.findall(r"^\s*((?:const )?struct (\w+) \*\w+ = (?:context|owner|argument);)", text, re.M):
            if struct in checked[name.split("/")[0]]:
                yield f"{name}: {line} is taken without CONTEXT()"


def circles_of_files(tree):
    """src/CIRCLES names, a line each, the circles that may stand, with the reason; a new one is a broken rule, and so is a line
    that is not needed any more."""
    allowed = {}
    for line in (tree.source / "CIRCLES").read_text().splitlines():
        if line and not line.startswith("#"):
            names, _, reason = line.partition(":")
            allowed[frozenset(names.split())] = reason.strip()
    for names, reason in allowed.items():
        if not reason:
            yield f"CIRCLES: {' '.join(sorted(names))}: no reason is given"
    edges = collections.defaultdict(set)
    for user, used, _ in tree.calls:
        if user.split("/")[0] == used.split("/")[0]:
            edges[user.removesuffix(".c")].add(used.removesuffix(".c"))
    found = {frozenset(circle) for circle in circles_of(edges)}
    for circle in found - set(allowed):
        yield f"files that call each other in a circle: {' '.join(sorted(circle))}"
    for circle in set(allowed) - found:
        yield f"CIRCLES: {' '.join(sorted(circle))}: this circle is no more"


def foreign_headers(tree):
    homes = collections.defaultdict(set)
    for name, text in tree.texts.items():
        for included in re.findall(r"^#include <([^>]+)>", text, re.M):
            for header in FOREIGN:
                if included == header or (header.endswith("/") and included.startswith(header)):
                    homes[header].add(name)
    for header, names in homes.items():
        if len(names) > 1 and not names <= EXTRA_HOME.get(header, set()):
            yield f"<{header}> stands in more than one file: {', '.join(sorted(names))}"


def names_at_top(path):
    """What a Python file defines outside functions, in whatever branch."""
    names, open_ = set(), list(ast.parse(path.read_text()).body)
    while open_:
        node = open_.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(name.asname or name.name).partition(".")[0] for name in node.names}
        else:
            names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            open_ += [one for one in ast.walk(node) if one is not node and isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom))]
    return names


def python_imports(tree):
    for path in (one for folder in ("tests", "bench", "lab") for one in sorted((tree.root / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            beside = path.with_name(f"{node.module}.py") if isinstance(node, ast.ImportFrom) else path
            if beside != path and beside.exists():
                for name in sorted({name.name for name in node.names} - names_at_top(beside) - {"*"}):
                    yield f"{path.relative_to(tree.root)}: {beside.name} has no {name}"


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((name.asname or name.name).split(".")[0] for name in node.names)


def python_imports_are_used(tree):
    for path in (one for folder in ("tests", "bench", "lab") for one in sorted((tree.root / folder).rglob("*.py"))):
        parsed = ast.parse(path.read_text())
        used = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
        for name in sorted(set(imported_names(parsed)) - used - {"*"}):
            yield f"{path.relative_to(tree.root)}: nothing uses the import of {name}"


RULES = (licence_lines, unique_names, unique_tags, spelling_of_includes, layers, layers_of_symbols, what_the_compiler_read,
         layers_are_no_circle, layers_are_used, prototypes, contracts, checked_contexts,
         circles_of_files, foreign_headers, python_imports, python_imports_are_used)


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--root", type=pathlib.Path, default=here)
    options.add_argument("--build", type=pathlib.Path, default=None)
    chosen = options.parse_args()
    tree = Tree(chosen.root, chosen.build or chosen.root / "build")
    broken = [(rule.__name__, problem) for rule in RULES for problem in rule(tree)]
    for rule, problem in broken:
        print(f"{rule}: {problem}")
    print(f"{len(broken)} broken rules")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
