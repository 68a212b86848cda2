#!/usr/bin/env bash
# Everything, before a release: the whole suite, the whole suite under sanitizers, the fuzz targets, full clang-tidy.
# usage: tools/check.sh [SECONDS_PER_FUZZ_TARGET]    default 60. Takes hours on two cores.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
fuzz_seconds=${1:-60}

./run setup lint
./run test
tools/lint.sh --all

libtorch=${TARSIER_LIBTORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/tarsier.cpp/libtorch-2.11.0}
for preset in asan-all tsan; do
  echo "check: $preset"
  cmake --preset "$preset" -DTARSIER_LIBTORCH="$libtorch"
  cmake --build --preset "$preset"
  # libtorch keeps its allocations for the life of the process, so leaks are looked for in the layers without it.
  ASAN_OPTIONS=detect_leaks=$([[ $preset == asan-all ]] && echo 0 || echo 1) \
    ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)"
done

if [[ -d fuzz ]]; then
  cmake --preset fuzz
  cmake --build --preset fuzz
  mkdir -p build/fuzz-findings
  for target in build/fuzz/fuzz/fuzz_*; do
    [[ -x $target ]] || continue
    name=$(basename "$target")
    name=${name#fuzz_}
    echo "check: fuzz $name, $fuzz_seconds s"
    mkdir -p "build/fuzz-findings/$name"
    seeds=()
    if [[ -d fuzz/corpus/$name ]]; then seeds=("fuzz/corpus/$name"); fi
    "$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 \
      -artifact_prefix="build/fuzz-findings/$name/" "build/fuzz-findings/$name" "${seeds[@]}"
  done
fi
echo "check: all passed"
