#!/usr/bin/env bash
# Checks form, not function: formatting, layers, spelling, Python, and clang-tidy on changed files.
# usage: tools/lint.sh [--all | --no-tidy]     --all: clang-tidy over every source (slow)
# Prints every finding; exits 1 when there is one. Needs `./run setup lint` once.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
. tools/lint_files.sh
mode=${1:-changed}
max_tidy_files=${TARSIER_TIDY_FILES:-12}
failed=()

step() {  # NAME COMMAND...
  local name=$1 begin=$SECONDS
  shift
  if "$@"; then
    echo "lint: $name: ok ($((SECONDS - begin)) s)"
  else
    echo "lint: $name: FAILED ($((SECONDS - begin)) s)"
    failed+=("$name")
  fi
}

check_clang_format() { cpp_files | xargs -0 -r clang-format --dry-run --Werror; }
check_cmake_format() { cmake_files | xargs -0 -r env "${lint_python[@]}" python3 -m cmakelang.format --check; }
check_python() {
  python_files | xargs -0 -r "$lint_tools/bin/ruff" check --quiet &&
    python_files | xargs -0 -r "$lint_tools/bin/ruff" format --check --quiet
}
check_spelling() { git ls-files -z --cached --others --exclude-standard | existing | xargs -0 -r codespell; }
check_scripts() {  # every shell script at least parses
  local script status=0
  for script in run .ci/run tools/*.sh; do bash -n "$script" || status=1; done
  return $status
}

# Sources changed since the branch left main, or, on main, in the last 20 commits; newest first, a bounded number.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null)
  if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-list --max-count=20 --first-parent HEAD | tail -n 1)
  fi
  git log --first-parent -m --name-only --format= "$base..HEAD" -- 'tarsier/*.cpp' |
    awk 'NF && !seen[$0]++' | while read -r file; do [[ -e $file ]] && echo "$file"; done | head -n "$max_tidy_files"
}

# A build folder of its own, without precompiled headers: clang cannot read GCC's, and a source must include what it uses.
check_tidy() {
  cmake -S . --preset release -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTARSIER_TESTS=OFF \
    >build/lint.log 2>&1 || { tail -n 20 build/lint.log; return 1; }
  local files
  if [[ $mode == --all ]]; then
    files=$(git ls-files 'tarsier/*.cpp')
  else
    files=$(changed_sources)
  fi
  [[ -n $files ]] || return 0
  # -Wno-*: GCC's flags in the commands are not all clang's.
  printf '%s\n' "$files" | xargs -P "$(nproc)" -n 1 clang-tidy -p build/lint --quiet \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument 2> >(grep -v 'warnings\? generated' >&2)
}

mkdir -p build
step clang-format check_clang_format
step cmake-format check_cmake_format
step check_layers python3 -B tools/check_layers.py
step codespell check_spelling
step ruff check_python
step scripts check_scripts
if [[ $mode != --no-tidy ]]; then
  step clang-tidy check_tidy
fi

if ((${#failed[@]})); then
  echo "lint: failed: ${failed[*]}; tools/format.sh mends formatting"
  exit 1
fi
