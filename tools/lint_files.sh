# Which files lint.sh checks and format.sh mends; sourced by both, from the root of the repository.
# Lists are separated by NUL, and hold new files too, as long as git does not ignore them.
lint_tools=${TARSIER_LIBTORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/tarsier.cpp/libtorch-2.11.0}
lint_tools=${lint_tools%/*}/lint-tools-1
lint_python=(PYTHONPATH="$lint_tools" PYTHONDONTWRITEBYTECODE=1)

existing() { while IFS= read -r -d '' file; do [[ -f $file ]] && printf '%s\0' "$file"; done; }
files_like() { git ls-files -z --cached --others --exclude-standard -- "$@" | existing; }
cpp_files() { files_like '*.cpp' '*.h' '*.cu' '*.cuh'; }
cmake_files() { files_like '*CMakeLists.txt' '*.cmake'; }
python_files() { files_like '*.py'; }
