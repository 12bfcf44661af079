"""Checks what no compiler does: imports go one way, the core knows no runtime, and `events` alone emits."""

import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

CORE = ["secret", "signature", "notification", "rejection", "delivery", "callback_url", "events"]
SHELL = r"\b((tower|tokio|http_body|hyper|axum)\w*::|crate::middleware\b)"
PATHS = r"\b(crate|self|super)::((?:\w+::)*)(?:\{([^}]*)\}|(\w+))"


def modules(src):
    """The code of each module, without comments and docs, by its path: `("middleware", "future")`."""
    for file in src.rglob("*.rs"):
        path = file.relative_to(src).with_suffix("").parts
        lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("//")]
        yield path[:-1] if path[-1] in ("mod", "lib") else path, "\n".join(lines)


def imports(name, code, names):
    """The modules that one names, but for its parents and children, which may name each other."""
    base = {"crate": (), "self": name, "super": name[:-1]}
    for start, path, group, last in re.findall(PATHS, code):
        for end in (group or last).split(","):
            target = base[start] + tuple(re.findall(r"\w+", path + end))
            while target not in names:
                target = target[:-1]
            if target != name[: len(target)] and name != target[: len(name)]:
                yield target


def check(src, problems):
    """Looks for circles of files, and of folders, whose files name each other by re-exports."""
    sources = dict(modules(src))
    files = {name: set(imports(name, code, sources)) for name, code in sources.items()}
    folders = {}
    for name, imported in files.items():
        folders.setdefault(name[:1], set()).update(other[:1] for other in imported if other[:1] != name[:1])
    for graph in (files, folders):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = " <- ".join("::".join(name) for name in error.args[1])
            problems.append(f"{src}: imports in a circle: {circle}")
    return sources


problems = []
for package in ["testing", "diagnosis", "inbox"]:
    check(Path("crates", package, "src"), problems)
for name, code in check(Path("src"), problems).items():
    if name and name[0] in CORE and (found := re.search(SHELL, code)):
        problems.append(f"src: {'::'.join(name)} is part of the core and uses {found[0]}")
    if name[:1] != ("events",) and (found := re.search(r"\b(tracing|metrics)::", code)):
        problems.append(f"src: {'::'.join(name)} uses {found[0]} outside of `events`")
sys.exit("\n".join(problems) or 0)
