#!/usr/bin/python3
"""Plants each breach of the house's rules in a small tree of its own, builds that, and sees the rule say so; the tree without
a breach passes. So a rule that has gone blind fails here, and so does a fuzz run that loses a crash."""
import os
import pathlib
import subprocess
import sys
import tempfile

import house_rules

LICENCE = house_rules.LICENCE + "\n"
SOUND = {
    "LAYERS": "base:\nmail: base\nqueue: base mail\n",
    "CIRCLES": "# none\n",
    "base/text.h": LICENCE + "/* NULL is not allowed. */\nint text_length(const char *text);\n",
    "base/text.c": LICENCE + '#include "base/text.h"\n\n#include <string.h>\n\n'
                             "int text_length(const char *text)\n{\n    return (int)strlen(text);\n}\n",
    "mail/address.h": LICENCE + "/* With its domain, and in octets. */\nint address_length(const char *address);\n"
                                "int address_octets(const char *address);\n",
    "mail/address.c": LICENCE + '#include "mail/address.h"\n\n#include "base/text.h"\n\nstatic int twice(int a);\n\n'
                                "int address_length(const char *address)\n{\n    return twice(text_length(address));\n}\n\n"
                                "static int twice(int a)\n{\n    return a;\n}\n",
    "mail/domain.h": LICENCE + "int domain_length(const char *domain); /* without a last dot */\n",
    "mail/domain.c": LICENCE + '#include "mail/domain.h"\n\n#include "mail/address.h"\n\n'
                               "int domain_length(const char *domain)\n{\n    return address_length(domain);\n}\n",
    "queue/main.c": LICENCE + '#include "base/text.h"\n#include "mail/domain.h"\n\n'
                              "int main(int argc, char **argv)\n{\n    return domain_length(argv[0]) + text_length(argv[0]);\n}\n",
}
FUNCTION = "\nint {0}(const char *a)\n{{\n    return {1}(a);\n}}\n"
INCLUDES_MAIL = 'int text_mail(const char *a);\n\nint text_mail(const char *a)\n{\n    return address_length(a);\n}\n'

# What is planted, in which file (a text that begins with + goes to its end), and the rule that has to say so.
BREACHES = [
    ("a file without the licence line", {"base/text.h": "int text_length(const char *text);\n"}, "licence_lines"),
    ("two files of one name", {"queue/text.c": LICENCE + "static int a;\nint *queue_a(void) { return &a; }\n"}, "unique_names"),
    ("a header's tag in another header",
     {"mail/domain.h": "+struct word {\n    int length;\n};\n", "base/word.h": LICENCE + "enum word { WORD };\n"}, "unique_tags"),
    ("a header's tag in a .c file",
     {"mail/domain.h": "+struct word {\n    int length;\n};\n", "base/text.c": "+struct word // a\n{\n    int a;\n};\n"},
     "unique_tags"),
    ("an include upwards", {"base/text.c": '+#include "mail/address.h"\n'}, "layers"),
    ("an include upwards in a header", {"base/text.h": '+#include "mail/address.h"\n'}, "layers"),
    ("a folder without a line", {"web/page.c": LICENCE + "int page_a;\n"}, "layers"),
    ("a relative include", {"mail/address.c": '+#include "../mail/domain.h"\n'}, "spelling_of_includes"),
    ("an include without its folder", {"mail/address.c": '+#include "domain.h"\n'}, "spelling_of_includes"),
    ("an include with blanks", {"base/text.c": '+# include  "mail/address.h"\n'}, "spelling_of_includes"),
    ("an include behind blanks", {"base/text.c": '+  #include "mail/address.h"\n'}, "spelling_of_includes"),
    ("an include through a comment", {"base/text.c": '+#include/**/"mail/address.h"\n'}, "spelling_of_includes"),
    ("an include of a macro", {"base/text.c": '+#define A "mail/address.h"\n#include A\n'}, "spelling_of_includes"),
    ("an include by a digraph", {"base/text.c": '+%:include "mail/address.h"\n'}, "spelling_of_includes"),
    ("an include over two lines", {"base/text.c": '+#inc\\\nlude "mail/address.h"\n'}, "what_the_compiler_read"),
    ("an include of ours in angles", {"mail/address.c": "+#include <mail/domain.h>\n"}, "spelling_of_includes"),
    ("an include of what is not there", {"mail/address.c": '+#if 0\n#include "mail/nothing.h"\n#endif\n'},
     "spelling_of_includes"),
    ("a call upwards by a prototype of one's own",
     {"base/text.c": "+int address_length(const char *address);\n" + FUNCTION.format("text_a", "address_length")},
     "layers_of_symbols"),
    ("a call upwards by a name of the linker's",
     {"base/text.c": '+static int up(const char *a) __asm__("address_length");\n' + FUNCTION.format("text_a", "up").replace(
         "int text_a", "int text_a(const char *a);\nint text_a")}, "layers_of_symbols"),
    ("layers in a circle", {"LAYERS": "base: queue\nmail: base\nqueue: base mail\n"}, "layers_are_no_circle"),
    ("a layer that is not there", {"LAYERS": "base:\nmail: base\nqueue: base mail web\n"}, "layers_are_no_circle"),
    ("a permission that nobody uses", {"LAYERS": "base:\nmail: base\nqueue: base mail\nsmtp: base\n"}, "layers_are_used"),
    ("a permission that one folder does not use",
     {"queue/main.c": LICENCE + '#include "mail/domain.h"\n\nint main(int argc, char **argv)\n{\n'
                                "    return domain_length(argv[0]);\n}\n"}, "layers_are_used"),
    ("a prototype in a .c file", {"mail/domain.c": "+int address_octets(const char *address);\n"}, "prototypes"),
    ("a prototype over two lines", {"mail/domain.c": "+int\n  address_octets(const char *\n  address);\n"}, "prototypes"),
    ("a prototype behind another", {"mail/domain.c": "+static int a(void); int address_octets(const char *address);\n"
                                                     "static int a(void) { return 0; }\nint b(void);\n"}, "prototypes"),
    ("an extern variable in a .c file", {"mail/domain.c": "+extern int domain_count;\n"}, "prototypes"),
    ("an extern in a block", {"mail/domain.c": "+static inline int a(void)\n{\n    extern int domain_count;\n    return domain_count;\n}\n"},
     "prototypes"),
    ("a prototype without a contract", {"mail/domain.h": LICENCE + "int domain_length(const char *domain);\n"}, "contracts"),
    ("a contract that a blank line parts from its prototype",
     {"mail/domain.h": LICENCE + "/* Without a last dot. */\n\nint domain_length(const char *domain);\n"}, "contracts"),
    ("a comment that speaks for a struct", {"mail/domain.h": LICENCE + "/* A name. */\nstruct domain {\n    int length;\n};\n"
                                           "int domain_length(const char *domain);\n"}, "contracts"),
    ("a comment that says nothing", {"mail/domain.h": LICENCE + "/* - */\nint domain_length(const char *domain);\n"}, "contracts"),
    ("a heading above a prototype",
     {"mail/domain.h": LICENCE + "/* domain.c */\nint domain_length(const char *domain);\n"}, "contracts"),
    ("a fifth line in a group", {"mail/address.h": "+int address_a(void);\nint address_b(void);\nint address_c(void);\n"},
     "contracts"),
    ("a second prototype behind the remark of the first",
     {"mail/domain.h": "+int domain_octets(const char *domain);\n"}, "contracts"),
    ("a context that nobody checks",
     {"mail/domain.c": "+struct page {\n    enum { PAGE_MAGIC = 0x1234abcd } magic;\n};\n"
                       "static inline int a(void *context)\n{\n    struct page *page = context;\n    return page->magic;\n}\n"},
     "checked_contexts"),
    ("two kinds of one word",
     {"mail/domain.h": "+struct page {\n    enum { PAGE_MAGIC = 0x1234abcd } magic;\n};\n",
      "base/text.h": "+struct leaf {\n    enum { LEAF_MAGIC = 0x1234abcd } magic;\n};\n"}, "checked_contexts"),
    ("a new circle of files",
     {"mail/address.c": '+#include "mail/domain.h"\n' + FUNCTION.format("address_octets", "domain_length")}, "circles_of_files"),
    ("a circle that is no more", {"CIRCLES": "mail/address mail/domain: they are one grammar\n"}, "circles_of_files"),
    ("a circle without a reason",
     {"CIRCLES": "mail/address mail/domain:\n",
      "mail/address.c": '+#include "mail/domain.h"\n' + FUNCTION.format("address_octets", "domain_length")}, "circles_of_files"),
    ("a foreign header in two files",
     {"base/text.c": "+#include <zstd.h>\n", "mail/domain.c": "+#include <zstd.h>\n", "../fake/zstd.h": "\n"}, "foreign_headers"),
    ("a test that takes from another what is no more there",
     {"../tests/test_a.py": "from lab_b import send, place\n", "../tests/lab_b.py": "def send():\n    place = 1\n"}, "python_imports"),
    ("an import that nothing uses", {"../tests/test_a.py": "import os\nimport re\n\nprint(os.name)\n"}, "python_imports_are_used"),
]


def written(folder, changes):
    """The sound tree with the changes, and a build of it; links nothing, since some breaches do not link."""
    files = dict(SOUND)
    for name, text in changes.items():
        files[name] = files.get(name, "") + text[1:] if text.startswith("+") else text
    for name, text in files.items():
        path = folder / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    build = folder / "build"
    build.mkdir()
    rules = "rule cc\n  command = cc -std=gnu17 -I../src -I../fake -MD -MF $out.d -c $in -o $out\n  depfile = $out.d\n  deps = gcc\n"
    for name in sorted(files):
        if name.endswith(".c"):
            rules += f"build src/{name}.o: cc ../src/{name}\n"
    (build / "build.ninja").write_text(rules)
    subprocess.run(["ninja", "-C", build], check=True, capture_output=True)
    return house_rules.Tree(folder, build)


def rules_broken(changes):
    with tempfile.TemporaryDirectory() as folder:
        tree = written(pathlib.Path(folder), changes)
        return {rule.__name__ for rule in house_rules.RULES if list(rule(tree))}


FUZZ_RUN = pathlib.Path(__file__).resolve().parent / "fuzz" / "run"
EXECUTED = "echo stat::number_of_executed_units: 1000\n"


def fuzz_status(code, *arguments):
    """The exit code of a run over one target that ends with that code; the build is played."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        programs = {"packaging/install-packages": "", "bin/ninja": "echo 'tests/fuzz/mail/fuzz-played: x'\n",
                    "tests/fuzz/run": FUZZ_RUN.read_text()}
        build = "build-test" if "--short" in arguments else "build-fuzz"
        programs |= {f"{build}/tests/fuzz/mail/fuzz-played": f"{EXECUTED}exit {code}\n", f"{build}/build.ninja": ""}
        for name, text in programs.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if name == "tests/fuzz/run" else "#!/bin/sh\n" + text)
            path.chmod(0o755)
        return subprocess.run([folder / "tests/fuzz/run", *arguments], capture_output=True,
                              env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}).returncode


def fuzz_blind():
    if fuzz_status(0, "--short", "fuzz-played") != 64:
        yield "a fuzz target that is not there: tests/fuzz/run does not say so"
    for arguments in (["--short"], ["--short", "played"], ["--seconds", "1", "played"]):
        for code, wanted in ((0, 0), (77, 1)):
            got = fuzz_status(code, *arguments)
            if got != wanted:
                yield f"a fuzz target that ends with {code}: tests/fuzz/run {' '.join(arguments)} ends with {got}"


def main():
    blind = list(fuzz_blind())
    sound = rules_broken({})
    if sound:
        blind.append(f"the sound tree is said to break {', '.join(sorted(sound))}")
    for what, changes, rule in BREACHES:
        said = rules_broken(changes)
        if rule not in said:
            blind.append(f"{what}: {rule} says nothing (said: {', '.join(sorted(said)) or 'nothing'})")
    never = {rule.__name__ for rule in house_rules.RULES} - {rule for _, _, rule in BREACHES}
    blind += [f"no breach of {rule} is planted" for rule in sorted(never)]
    for line in blind:
        print(line)
    print(f"{len(BREACHES)} breaches planted, {len(blind)} not caught")
    return 1 if blind else 0


if __name__ == "__main__":
    sys.exit(main())
