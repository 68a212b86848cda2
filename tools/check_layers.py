#!/usr/bin/env python3
"""Checks that the tree keeps the architecture: docs/architecture.md says why each rule is there.

Reads the graph of layers out of cmake/Layers.cmake and fails on
- an include that goes up or sideways, or is not written "tarsier/<layer>/<file>.h";
- a library's header outside the layers it belongs to, be it reached through headers of ours;
- a source that no CMakeLists.txt lists, or a listed one that is not there;
- a file over 500 lines, or one named utils, common, helpers or misc; a header without #pragma once.

usage: tools/check_layers.py [ROOT]     exits 1 when something is wrong, one line each: "file:line: what; hint"
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 500
DRAWER_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
SOURCE_SUFFIXES = {".cpp", ".h", ".cu", ".cuh"}
# Light enough for headers of the layers on libtorch; the rest of ATen costs seconds for every source.
LIBTORCH_IN_HEADERS = re.compile(r"ATen/core/Tensor\.h|c10/")


@dataclass(frozen=True)
class Library:
    """Its headers match `pattern` and belong in `layers` alone; without layers, in the .cpp files of any."""

    name: str
    pattern: re.Pattern[str]
    layers: frozenset[str] | None


def library(name: str, pattern: str, *layers: str) -> Library:
    return Library(name, re.compile(pattern), frozenset(layers) or None)


LIBRARIES = (
    library("FFmpeg", r"lib(av(format|codec|util|filter|device)|sw(scale|resample))/", "media"),
    library("PCRE2", r"pcre2\w*\.h", "text"),
    library("utf8proc", r"utf8proc\.h", "text"),
    library("SentencePiece", r"sentencepiece\w*\.h", "text"),
    library("OpenSSL", r"openssl/", "checkpoint"),
    library("libcurl", r"curl/", "judge"),
    library("libarchive", r"archive(_entry)?\.h", "data"),
    library("CUDA and NCCL", r"(cuda\w*|nccl)\.h", "train"),
    library("CLI11", r"CLI/", "cli"),
    library("nlohmann-json", r"nlohmann/json\.hpp"),
)
# torch/ headers cost 25 s a source. Allowed by name, each with its reason.
TORCH_HEADERS = {
    ("train/gradients.cpp", "torch/csrc/autograd/autograd.h"): "the one file that differentiates",
    ("train/next_token.cpp", "torch/csrc/autograd/custom_function.h"): "the same: chunks of logits",
    ("nn/fused_ops.cpp", "torch/csrc/autograd/custom_function.h"): "gradients written by hand: element-wise",
    ("nn/mixed_linear.cpp", "torch/csrc/autograd/custom_function.h"): "the same: products in bf16",
    ("nn/int8_weight.cpp", "torch/csrc/autograd/custom_function.h"): "the same: weights widened a panel at a time",
    ("nn/segment_attention_op.cpp", "torch/csrc/autograd/custom_function.h"): "the same: attention",
    ("nn/recompute.cpp", "torch/csrc/autograd/custom_function.h"): "gradients by running a part again",
    ("nn/recompute.cpp", "torch/csrc/autograd/autograd.h"): "and differentiating that",
    ("train/gloo.cpp", "torch/csrc/distributed/c10d/ProcessGroupGloo.hpp"): "ranks on CPUs",
    ("train/rendezvous.cpp", "torch/csrc/distributed/c10d/TCPStore.hpp"): "where they meet",
    ("train/rendezvous.cpp", "torch/csrc/distributed/c10d/PrefixStore.hpp"): "the same",
    ("train/nccl.cpp", "torch/csrc/distributed/c10d/Store.hpp"): "the same",
    ("cli/version.cpp", "torch/version.h"): "one macro, no code",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass
class Graph:
    """The layers in the order they are declared, lowest first."""

    below: dict[str, set[str]]  # every layer reachable along the arrows
    torch: set[str]

    def may_include(self, layer: str, other: str) -> bool:
        return layer == other or other in self.below[layer]


def strip_comments(text: str) -> str:
    return re.sub(r"#[^\n]*", "", text)


def read_graph(layers_cmake: Path) -> tuple[Graph, list[str]]:
    graph, problems = Graph({}, set()), []
    text = strip_comments(layers_cmake.read_text(encoding="utf-8"))
    for call in re.finditer(r"^tarsier_layer\(([^)]*)\)", text, re.MULTILINE):
        name, *words = call.group(1).split()
        if "TORCH" in words:
            graph.torch.add(name)
        section, depends = "", []
        for word in words:
            if word in ("TORCH", "DEPENDS", "LIBRARIES", "PRECOMPILE"):
                section = word
            elif section == "DEPENDS":
                depends.append(word)
        graph.below[name] = set()
        for other in depends:
            if other not in graph.below:
                problems.append(f"cmake/Layers.cmake: {name} depends on {other}, which is not declared above it")
                continue
            graph.below[name] |= {other} | graph.below[other]
            if other in graph.torch and name not in graph.torch:
                problems.append(f"cmake/Layers.cmake: {name} depends on {other}, so it needs TORCH")
    if not graph.below:
        problems.append("cmake/Layers.cmake: no tarsier_layer(...) found")
    return graph, problems


def listed_sources(cmake_lists: Path) -> set[str]:
    if not cmake_lists.exists():
        return set()
    text = strip_comments(cmake_lists.read_text(encoding="utf-8"))
    return set(re.findall(r"[\w./-]+\.(?:cpp|cu)\b", text))


def check_include(graph: Graph, layer: str, path: Path, quoted: bool, name: str) -> str | None:
    """What is wrong with one include of a file in tarsier/<layer>/, or None."""
    ours = re.fullmatch(r"tarsier/(\w+)/.+\.h", name)
    is_header = path.suffix in (".h", ".cuh")
    if ours:
        other = ours.group(1)
        if other not in graph.below:
            return f"{name} is in no layer of cmake/Layers.cmake"
        if not graph.may_include(layer, other):
            way = "up" if layer in graph.below[other] else "sideways"
            return f"{layer} includes {name}, which goes {way}; layers look down only: see cmake/Layers.cmake"
        return None
    if quoted:
        return f'"{name}" is not the full path; write "tarsier/{layer}/..."'
    if re.match(r"(ATen|c10|caffe2|torch)/", name):
        if layer not in graph.torch:
            return f"<{name}>: {layer} is built without libtorch"
        if re.match(r"(caffe2|torch)/", name) and (f"{layer}/{path.name}", name) not in TORCH_HEADERS:
            return f"<{name}> costs every build seconds; use ATen, or list the file in tools/check_layers.py"
        if is_header and not LIBTORCH_IN_HEADERS.match(name):
            return f"<{name}> in a header; headers include at most <ATen/core/Tensor.h> and c10"
        return None
    lib = library_of(name)
    if lib and lib.layers is not None and layer not in lib.layers:
        return f"<{name}>: {lib.name} belongs in {', '.join(sorted(lib.layers))}"
    if lib and lib.layers is None and is_header:
        return f"<{name}> in a header; {lib.name} stays in the .cpp that needs it"
    return None


def library_of(include: str) -> Library | None:
    return next((lib for lib in LIBRARIES if lib.pattern.match(include)), None)


def read_includes(path: Path) -> list[tuple[int, bool, str]]:
    """(line, quoted, name) of every include of a file."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(1) == '"', match.group(2)))
    return found


def leaked_library(root: Path, layer: str, header: str) -> Library | None:
    """A library that a header of ours brings into a layer it does not belong to."""
    seen, waiting = set(), [header]
    while waiting:
        name = waiting.pop()
        path = root / name
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        for _, _, included in read_includes(path):
            lib = library_of(included)
            if lib and lib.layers is not None and layer not in lib.layers:
                return lib
            if included.startswith("tarsier/"):
                waiting.append(included)
    return None


def check_file(root: Path, graph: Graph, layer: str, path: Path, in_tests: bool) -> list[str]:
    where = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    problems = []
    if len(lines) > MAX_LINES:
        problems.append(f"{where}:{len(lines)}: over {MAX_LINES} lines; split it by idea")
    if path.stem.removesuffix("_test") in DRAWER_NAMES:
        problems.append(f"{where}: a drawer is not an idea; name the file after what it does")
    if path.suffix in (".h", ".cuh") and "#pragma once" not in text:
        problems.append(f"{where}:1: no #pragma once")
    for number, quoted, name in read_includes(path):
        ours = name.startswith("tarsier/")
        if in_tests and not ours:
            continue
        problem = check_include(graph, layer, path, quoted, name)
        if problem is None and ours and not name.startswith(f"tarsier/{layer}/"):
            lib = leaked_library(root, layer, name)
            if lib:
                problem = f"{name} brings {lib.name}, which belongs in {', '.join(sorted(lib.layers or ()))}"
        if problem:
            problems.append(f"{where}:{number}: {problem}")
    return problems


def check_folder(root: Path, graph: Graph, layer: str, folder: Path, in_tests: bool) -> list[str]:
    problems = []
    listed = listed_sources(folder / "CMakeLists.txt")
    found = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SOURCE_SUFFIXES or not path.is_file():
            continue
        problems += check_file(root, graph, layer, path, in_tests)
        if path.suffix in (".cpp", ".cu"):
            found.add(path.relative_to(folder).as_posix())
    where = (folder / "CMakeLists.txt").relative_to(root).as_posix()
    problems += [f"{where}: {name} is not listed, so nothing builds it" for name in sorted(found - listed)]
    problems += [f"{where}: {name} is listed and not there" for name in sorted(listed - found) if "/" not in name]
    return problems


def check_tree(root: Path) -> list[str]:
    """Every problem of the tree, one line each; empty when it keeps the architecture."""
    graph, problems = read_graph(root / "cmake" / "Layers.cmake")
    for folder in sorted(path for path in (root / "tarsier").iterdir() if path.is_dir()):
        if folder.name not in graph.below:
            problems.append(f"tarsier/{folder.name}: not a layer of cmake/Layers.cmake")
            continue
        problems += check_folder(root, graph, folder.name, folder, in_tests=False)
    for layer in graph.below:
        tests = root / "tests" / layer
        if tests.is_dir():
            problems += check_folder(root, graph, layer, tests, in_tests=True)
    return problems


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check_tree(root)
    for problem in problems:
        print(problem)
    if problems:
        print(f"check_layers: {len(problems)} problem{'s' if len(problems) > 1 else ''}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
