"""The licences of everything that is linked into a binary: the texts that came with each crate, by `cargo metadata`.

    python3 deploy/release/licences.py x86_64-unknown-linux-gnu > THIRD-PARTY-LICENCES.txt
"""

import json
import re
import subprocess
import sys
from pathlib import Path

TEXTS = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)


def linked(target):
    """The packages that the binary and the Python package are made of, without what only builds or tests them."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, waiting = set(), list(metadata["workspace_members"])
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    members = set(metadata["workspace_members"])
    return sorted((packages[package] for package in found - members), key=lambda package: (package["name"], package["version"]))


def texts(package):
    """The files beside a crate's manifest that say how it is licensed."""
    folder = Path(package["manifest_path"]).parent
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and TEXTS.match(path.name)]
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    print("deepvis is made of these libraries, some of them on one platform only. The texts that they came with follow, each once.\n")
    number_of, order = {}, []
    for package in linked(sys.argv[1]):
        numbers = []
        for text in texts(package):
            if text not in number_of:
                order.append(text)
                number_of[text] = len(order)
            numbers.append(str(number_of[text]))
        where = "texts " + ", ".join(numbers) if numbers else "no text of its own"
        repository = package["repository"] or package["homepage"] or ""
        print("%s %s: %s, %s. %s" % (package["name"], package["version"], package["license"], where, repository))
    for number, text in enumerate(order, 1):
        print("\n\n%s\nText %d\n%s\n\n%s" % ("=" * 80, number, "=" * 80, text))


if __name__ == "__main__":
    main()
