#!/usr/bin/env python3
"""Installs the configuration, unless there is one: it belongs to whoever runs the machine.

usage: install_config.py FILE FOLDER     run by `meson install`, which says where things go
"""
import os
import shutil
import sys


def main(source, folder):
    if not os.path.isabs(folder):
        folder = os.path.join(os.environ["MESON_INSTALL_PREFIX"], folder)
    folder = os.environ.get("DESTDIR", "") + folder
    target = os.path.join(folder, "gatherd.yaml")
    if os.path.exists(target):
        print(f"{target} is kept")
        return
    os.makedirs(folder, exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, 0o644)


if __name__ == "__main__":
    main(*sys.argv[1:])
