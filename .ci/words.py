"""Checks the READMEs: short, the example one that runs as a doctest, and links that lead somewhere from the package too."""

import re
import subprocess
import sys
from pathlib import Path

problems = []
readme = Path("README.md").read_text()
if (words := len(readme.split())) >= 700:
    problems.append(f"README.md has {words} words")


def first_example(text, fence):
    """The lines of the first block of Rust, without those that rustdoc hides."""
    block = text.split(f"\n{fence}\n", 1)[1].split("\n```\n", 1)[0]
    return [line for line in block.splitlines() if not re.match("#( |$)", line)]


docs = re.sub("^//! ?", "", Path("src/lib.rs").read_text(), flags=re.M)
fence = '#![cfg_attr(not(feature = "axum"), doc = "```ignore")]'
if first_example(readme, "```rust") != first_example(docs, fence):
    problems.append("README.md: the first example is not that of src/lib.rs")

for file in [Path("README.md"), *Path("crates").glob("*/README.md")]:
    listing = ["cargo", "package", "--list", "--allow-dirty", "--quiet", "--manifest-path", file.with_name("Cargo.toml")]
    packaged = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    for link in re.findall(r"(?:\]\(|^\[[^\]]+\]: )([^)#\s]+)", file.read_text(), flags=re.M):
        if not link.startswith("https://") and link not in packaged:
            problems.append(f"{file}: the package does not hold {link}")

sys.exit("\n".join(problems) or 0)
