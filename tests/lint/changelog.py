"""CHANGELOG.md has a section for the version in meson.build, under the agreed headings."""
import os
import re

from common import read

HEADINGS = ("Features", "Improvements", "Fixes", "Compatibility")


def check(root):
    if not os.path.exists(os.path.join(root, "CHANGELOG.md")):
        yield "CHANGELOG.md", 1, "there is no change log"
        return
    version = re.search(r"^\s*version:\s*'([^']+)'", read(root, "meson.build"), re.M)
    versions, current, entries = [], None, 0
    for number, line in enumerate(read(root, "CHANGELOG.md").split("\n"), 1):
        if line.startswith("## "):
            versions.append(line[3:].split(" ")[0])
        elif line.startswith("### "):
            current = line[4:].strip()
            if current not in HEADINGS:
                yield "CHANGELOG.md", number, f"heading {current}: use {', '.join(HEADINGS)}"
        elif line.startswith("- ") and len(versions) == 1:
            entries += 1
    if version and (not versions or versions[0] != version.group(1)):
        yield "CHANGELOG.md", 1, f"the first section is not of version {version.group(1)}"
    elif not entries:
        yield "CHANGELOG.md", 1, "the first section says nothing"


PROJECT = "project('x', 'c',\n  version: '1.2.0')\n"
BREAKS = [
    ({"meson.build": PROJECT}, "there is no change log"),
    ({"meson.build": PROJECT, "CHANGELOG.md": "## 1.1.0\n\n### Fixes\n\n- a\n"},
     "not of version 1.2.0"),
    ({"meson.build": PROJECT, "CHANGELOG.md": "## 1.2.0\n\n### News\n\n- a\n"}, "heading News"),
    ({"meson.build": PROJECT, "CHANGELOG.md": "## 1.2.0\n"}, "says nothing"),
]
