"""Order of the system calls by which a training saves its checkpoints (reliability T3), and crashes simulated on it.

Usage: python3 checkpoint_order_test.py PROGRAM RECIPE_MAKER
RECIPE_MAKER (the test program cli_tests) writes a tiny model and recipe into the folder it is given. Watches one training
through strace; exits with 77 (skipped) where strace is missing or not allowed.
"""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

CALLS = "openat,mkdir,write,fsync,rename,renameat,renameat2,unlink,unlinkat,rmdir"
CRASHES = 1000
SKIPPED = 77
LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
NAMES = re.compile(r'"((?:[^"\\]|\\.)*)"')
OF_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")


def joined(lines):
    """Calls that strace cut in two, as one line where they ended."""
    begun = {}
    for line in lines:
        thread = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            yield begun.pop(thread, "") + line.split("resumed>", 1)[1]
        else:
            yield line


def operations(lines, folder):
    """(name, path, ...) of each call that succeeded on something in `folder` or the folder itself."""
    for line in joined(lines):
        match = LINE.match(line)
        if not match or int(match[4]) < 0:
            continue
        call, arguments, result = match[2], match[3], int(match[4])
        descriptor = OF_DESCRIPTOR.match(arguments)
        names = NAMES.findall(arguments)
        if call in ("write", "fsync"):
            if descriptor and is_in(descriptor[1], folder):
                yield (call, descriptor[1], result)
        elif call == "openat":
            if "O_CREAT" in arguments and is_in(names[0], folder):
                yield ("create", names[0])
        elif call.startswith("rename"):
            if is_in(names[-1], folder):
                yield ("rename", names[0], names[1])
        elif call == "unlinkat" and not names[0].startswith("/"):
            base = re.match(r"^\d+<([^>]*)>", arguments)
            path = f"{base[1]}/{names[0]}" if base else names[0]
            if is_in(path, folder):
                yield ("remove", path)
        elif is_in(names[0], folder):
            yield ("mkdir" if call == "mkdir" else "remove", names[0])


def is_in(path, folder):
    return path == folder or path.startswith(folder + "/")


class Node:
    """A file (bytes written, and those that are safe) or a folder (entries, and changes that are not safe yet)."""

    def __init__(self, is_folder):
        self.is_folder = is_folder
        self.size = self.safe_size = 0
        self.entries, self.safe_entries, self.pending = {}, {}, []

    def change(self, name, node):
        self.pending.append((name, node))
        apply(self.entries, name, node)

    def sync(self):
        self.safe_size = self.size
        self.safe_entries, self.pending = dict(self.entries), []


def apply(entries, name, node):
    if node is None:
        entries.pop(name, None)
    else:
        entries[name] = node


class Disk:
    def __init__(self, folder):
        self.folder, self.root = folder, Node(True)

    def find(self, path):
        node = self.root
        for part in pathlib.PurePath(path).relative_to(self.folder).parts:
            node = node.entries[part]
        return node

    def parent(self, path):
        pure = pathlib.PurePath(path)
        return self.find(pure.parent), pure.name

    def do(self, operation):
        call, path = operation[0], operation[1]
        if call == "write":
            self.find(path).size += operation[2]
        elif call == "fsync":
            self.find(path).sync()
        elif call in ("create", "mkdir"):
            folder, name = self.parent(path)
            if call == "mkdir" or name not in folder.entries:
                folder.change(name, Node(call == "mkdir"))
        elif call == "rename":
            (source, old), (target, new) = self.parent(path), self.parent(operation[2])
            node = source.entries[old]
            if source is target:  # one entry of the journal: both or neither
                source.pending.append(((old, new), node))
                del source.entries[old]
                source.entries[new] = node
            else:
                source.change(old, None)
                target.change(new, node)
        elif path != self.folder:
            folder, name = self.parent(path)
            folder.change(name, None)

    def after_crash(self, node, chance):
        """What may be found: of each folder the safe entries and a beginning of its later changes; of each file at least
        its safe bytes."""
        if not node.is_folder:
            return chance.randint(node.safe_size, node.size)
        entries = dict(node.safe_entries)
        for name, changed in node.pending[: chance.randint(0, len(node.pending))]:
            if isinstance(name, tuple):
                entries.pop(name[0], None)
                entries[name[1]] = changed
            else:
                apply(entries, name, changed)
        return {name: self.after_crash(child, chance) for name, child in entries.items()}


def is_final(name):
    return re.fullmatch(r"step-\d{8}", name) is not None


class Order(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="tarsier-order-")
        folder = pathlib.Path(cls.scratch)
        maker = [RECIPE_MAKER, "--gtest_filter=TrainingRecipe.*", "--gtest_brief=1"]
        subprocess.run(maker, check=True, env={**os.environ, "TARSIER_RECIPE_FOLDER": cls.scratch})
        log = folder / "calls"
        train = [PROGRAM, "train", "sft", "--quiet", "--threads", "1", "--recipe", str(folder / "recipe.jsonc")]
        train += ["--out", str(folder / "run")]
        watch = ["strace", "-f", "-y", "-s", "256", "-e", f"trace={CALLS}", "-o", str(log)]
        subprocess.run(watch + train, check=True, stdout=subprocess.DEVNULL)
        cls.checkpoints = str((folder / "run" / "checkpoints").resolve())
        cls.sizes = {
            path.name: path.stat().st_size
            for path in sorted(pathlib.Path(cls.checkpoints).glob("step-*"))[-1].iterdir()
        }
        with open(log, encoding="utf-8", errors="replace") as lines:
            cls.operations = [
                operation
                for operation in operations((line.rstrip("\n") for line in lines), cls.checkpoints)
                if operation[:2] != ("mkdir", cls.checkpoints)
            ]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def finals(self):
        """(index of the operation, temporary folder, final folder) of each checkpoint."""
        for index, operation in enumerate(self.operations):
            if operation[0] == "rename" and is_final(pathlib.PurePath(operation[2]).name):
                yield index, operation[1], operation[2]

    def test_three_checkpoints_were_saved(self):
        self.assertEqual(
            [pathlib.PurePath(final).name for _, _, final in self.finals()],
            ["step-00000002", "step-00000004", "step-00000006"],
        )

    def test_each_step_is_safe_before_the_next_begins(self):
        for rename, temporary, final in self.finals():
            calls = [(i, o) for i, o in enumerate(self.operations[:rename]) if is_in(o[1], temporary)]
            written = {}  # file -> (last write, flush after it)
            for i, operation in calls:
                if operation[0] == "write":
                    written[operation[1]] = (i, None)
                elif operation[0] == "fsync" and operation[1] in written and written[operation[1]][1] is None:
                    written[operation[1]] = (written[operation[1]][0], i)
            manifest = next(name for name in written if pathlib.PurePath(name).name.startswith("manifest.json"))
            self.assertEqual(len(written), 3)
            first_of_manifest = min(i for i, o in calls if o[0] == "create" and o[1] == manifest)
            for name, (_, flushed) in written.items():
                self.assertIsNotNone(flushed, name)
                if name != manifest:
                    self.assertLess(flushed, first_of_manifest, name)
            last_entry = max(i for i, o in calls if o[0] in ("create", "rename"))
            self.assertTrue(any(i > last_entry and o[:2] == ("fsync", temporary) for i, o in calls))
            after = self.operations[rename + 1]
            self.assertEqual(after[:2], ("fsync", self.checkpoints), final)

    def crash_problem(self, operations):
        """What some crash during `operations` breaks, or None: half a checkpoint under a final name, or the loss of one that
        was safe. Also counts the crashes that came in the middle of a save."""
        chance = random.Random(3)
        self.within_a_save = 0
        for _ in range(CRASHES):
            end = chance.randint(0, len(operations))
            disk = Disk(self.checkpoints)
            safe = set()
            for operation in operations[:end]:
                disk.do(operation)
                if operation[:2] == ("fsync", self.checkpoints):
                    safe = {name for name in disk.root.entries if is_final(name)}
            found = disk.after_crash(disk.root, chance)
            finals = {name: files for name, files in found.items() if is_final(name)}
            self.within_a_save += len(found) > len(finals)
            for name, files in finals.items():
                if set(files) != set(self.sizes) or files["state.safetensors"] != self.sizes["state.safetensors"]:
                    return f"{name} holds {files} after {end} operations"
                if 0 in files.values():
                    return f"{name} has an empty file after {end} operations"
            if safe and max(finals, default="") < max(safe):
                return f"{max(safe)} is lost after {end} operations"
        return None

    def test_no_crash_leaves_half_a_checkpoint_under_a_final_name(self):
        self.assertIsNone(self.crash_problem(self.operations))
        self.assertGreater(self.within_a_save, CRASHES // 10)

    def test_the_simulation_finds_what_a_missing_flush_breaks(self):
        for part in ("/state.safetensors", "/state.json", "/manifest.json"):
            kept = [o for o in self.operations if not (o[0] == "fsync" and part in o[1])]
            self.assertIsNotNone(self.crash_problem(kept), part)
        unsynced = [o for o in self.operations if o[:2] != ("fsync", self.checkpoints)]
        self.assertIsNotNone(self.crash_problem(unsynced), "the folder of checkpoints")


def strace_works():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    PROGRAM, RECIPE_MAKER = sys.argv[1:3]
    if not strace_works():
        print("skipped: strace is not installed, or may not watch processes here")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])
