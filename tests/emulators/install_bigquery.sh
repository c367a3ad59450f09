#!/usr/bin/env bash
# The BigQuery emulator in an environment of its own (it needs Python 3.13 or newer, the project
# does not). Safe to repeat; says why when it cannot. Usage: install_bigquery.sh [FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../../.emulator/bigquery}
stamp=$target/installed.sum

find_python() {
  local candidate
  for candidate in "${PYTHON313:-}" python3.13 python3.14 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[3-9]*/bin/python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 13))' \
      2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

wanted=$(cksum <"$here/bigquery.lock")
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi
python=$(find_python)
if [ -z "$python" ]; then
  echo "BigQuery emulator not installed: it needs Python 3.13 or newer (set PYTHON313 to one);" \
    "tests that use it will be skipped" >&2
  exit 0
fi
rm -rf "$target"
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/bigquery.lock"
mkdir -p "$target/home"  # the emulator's home: DuckDB looks for its extensions there
HOME=$target/home "$target/bin/python" -c '
from duckdb_extensions import import_extension
for name in ("ducklake", "icu", "spatial"):
    import_extension(name)'
echo "$wanted" >"$stamp"
