#!/usr/bin/env bash
# Formats every source in place: C++, CMake and Python. Needs `./run setup lint` once.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/lint_files.sh
cpp_files | xargs -0 -r clang-format -i
cmake_files | xargs -0 -r env "${lint_python[@]}" python3 -m cmakelang.format -i
python_files | xargs -0 -r "$lint_tools/bin/ruff" check --fix --quiet
python_files | xargs -0 -r "$lint_tools/bin/ruff" format --quiet
