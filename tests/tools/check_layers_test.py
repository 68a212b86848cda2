"""Tests of tools/check_layers.py, on small trees made for each case."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import check_layers  # noqa: E402

LAYERS = """
# tarsier_layer(comment DEPENDS nothing)
tarsier_layer(base LIBRARIES fmt::fmt)
tarsier_layer(media DEPENDS base LIBRARIES PkgConfig::FFMPEG)
tarsier_layer(text DEPENDS base)
tarsier_layer(tensor TORCH DEPENDS base)
tarsier_layer(processors TORCH DEPENDS tensor media)
tarsier_layer(cli TORCH DEPENDS processors)
"""


class CheckLayersTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        (self.root / "tarsier").mkdir()
        self.write("cmake/Layers.cmake", LAYERS)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def source(self, layer: str, name: str, text: str) -> None:
        """A source of a layer, listed as it must be."""
        self.write(f"tarsier/{layer}/{name}", text)
        lists = self.root / "tarsier" / layer / "CMakeLists.txt"
        listed = lists.read_text(encoding="utf-8") if lists.exists() else ""
        if name.endswith(".cpp"):
            lists.write_text(listed + f"tarsier_sources({layer} {name})\n", encoding="utf-8")

    def assert_problem(self, *words: str) -> None:
        problems = check_layers.check_tree(self.root)
        self.assertEqual(len(problems), 1, problems)
        for word in words:
            self.assertIn(word, problems[0])

    def assert_clean(self) -> None:
        self.assertEqual(check_layers.check_tree(self.root), [])

    def test_includes_along_the_arrows_pass(self) -> None:
        self.source("cli", "a.cpp", '#include "tarsier/cli/a.h"\n#include "tarsier/media/b.h"\n#include <vector>\n')
        self.assert_clean()

    def test_up(self) -> None:
        self.source("base", "a.cpp", '\n#include "tarsier/media/b.h"\n')
        self.assert_problem("tarsier/base/a.cpp:2", "goes up")

    def test_sideways(self) -> None:
        self.source("media", "a.cpp", '#include "tarsier/text/b.h"\n')
        self.assert_problem("tarsier/media/a.cpp:1", "goes sideways")

    def test_short_path(self) -> None:
        self.source("media", "a.cpp", '#include "a.h"\n')
        self.assert_problem('"a.h" is not the full path')

    def test_unknown_layer(self) -> None:
        self.source("media", "a.cpp", '#include "tarsier/nowhere/b.h"\n')
        self.assert_problem("in no layer")

    def test_folder_that_is_no_layer(self) -> None:
        self.write("tarsier/extras/a.h", "#pragma once\n")
        self.assert_problem("tarsier/extras: not a layer")

    def test_ffmpeg_outside_media(self) -> None:
        self.source("processors", "a.cpp", "#include <libavutil/frame.h>\n")
        self.assert_problem("FFmpeg belongs in media")

    def test_ffmpeg_inside_media(self) -> None:
        self.source("media", "a.cpp", "#include <libavformat/avformat.h>\n")
        self.source("media", "handles.h", "#pragma once\n#include <libavutil/frame.h>\n")
        self.source("media", "b.cpp", '#include "tarsier/media/handles.h"\n')
        self.assert_clean()

    def test_ffmpeg_through_headers(self) -> None:
        self.source("media", "handles.h", "#pragma once\n#include <libavutil/frame.h>\n")
        self.source("media", "reader.h", '#pragma once\n#include "tarsier/media/handles.h"\n')
        self.source("processors", "a.cpp", '#include "tarsier/media/reader.h"\n')
        self.assert_problem("tarsier/processors/a.cpp:1", "tarsier/media/reader.h brings FFmpeg")

    def test_json_in_a_header(self) -> None:
        self.source("base", "a.cpp", "#include <nlohmann/json.hpp>\n")
        self.source("base", "a.h", "#pragma once\n#include <nlohmann/json.hpp>\n")
        self.assert_problem("nlohmann-json stays in the .cpp")

    def test_libtorch_in_a_layer_without_it(self) -> None:
        self.source("media", "a.cpp", "#include <ATen/ATen.h>\n")
        self.assert_problem("media is built without libtorch")

    def test_all_of_aten_in_a_header(self) -> None:
        self.source("tensor", "a.h", "#pragma once\n#include <ATen/ATen.h>\n")
        self.assert_problem("at most <ATen/core/Tensor.h>")

    def test_tensor_in_a_header(self) -> None:
        self.source("tensor", "a.h", "#pragma once\n#include <ATen/core/Tensor.h>\n")
        self.assert_clean()

    def test_torch_h_anywhere(self) -> None:
        self.source("cli", "a.cpp", "#include <torch/torch.h>\n")
        self.assert_problem("costs every build seconds")

    def test_unlisted_source(self) -> None:
        self.write("tarsier/media/a.cpp", "")
        self.assert_problem("a.cpp is not listed")

    def test_listed_source_that_is_gone(self) -> None:
        self.write("tarsier/media/CMakeLists.txt", "tarsier_sources(media a.cpp)\n")
        self.assert_problem("a.cpp is listed and not there")

    def test_length(self) -> None:
        self.source("media", "a.cpp", "\n" * check_layers.MAX_LINES)
        self.assert_clean()
        self.write("tarsier/media/a.cpp", "\n" * (check_layers.MAX_LINES + 1))
        self.assert_problem("over 500 lines")

    def test_drawer(self) -> None:
        self.source("media", "utils.cpp", "")
        self.assert_problem("a drawer is not an idea")

    def test_pragma_once(self) -> None:
        self.source("media", "a.h", "int one();\n")
        self.assert_problem("no #pragma once")

    def test_tests_look_down_from_their_layer(self) -> None:
        self.write("tests/media/a_test.cpp", '#include <gtest/gtest.h>\n#include "tarsier/text/b.h"\n')
        self.write("tests/media/CMakeLists.txt", "tarsier_test(media a_test.cpp)\n")
        self.assert_problem("tests/media/a_test.cpp:2", "goes sideways")

    def test_graph_with_a_cycle(self) -> None:
        self.write("cmake/Layers.cmake", "tarsier_layer(a DEPENDS b)\ntarsier_layer(b DEPENDS a)\n")
        self.assert_problem("a depends on b, which is not declared above it")

    def test_torch_is_inherited(self) -> None:
        self.write("cmake/Layers.cmake", "tarsier_layer(a TORCH)\ntarsier_layer(b DEPENDS a)\n")
        self.assert_problem("b depends on a, so it needs TORCH")

    def test_this_tree(self) -> None:
        """The tree this test is in keeps its own rules."""
        self.assertEqual(check_layers.check_tree(Path(__file__).resolve().parents[2]), [])


if __name__ == "__main__":
    unittest.main()
