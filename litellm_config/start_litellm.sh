#!/usr/bin/env bash
# Starts the gateway and becomes it: `exec` leaves no shell behind. `.env` is read as data by
# `aicc serve`, never sourced, so a stray `$(…)` in it does nothing. Options are passed on.
set -euo pipefail
umask 077
# macOS gives a shell 256 open files; each stream to a client holds two.
ulimit -n 8192 2>/dev/null || true
installed=""
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# A copy made by `aicc init` serves the folder it lies in, wherever that was moved to.
if [ -z "${AICC_HOME:-}" ] && [ -f "$here/.env" ]; then export AICC_HOME="$here"; fi
for candidate in "${AICC_VENV:+$AICC_VENV/bin/aicc}" "$installed" "$here/../.venv/bin/aicc" "$HOME/.local/share/aicc/venv/bin/aicc"; do
  if [ -n "$candidate" ] && [ -x "$candidate" ]; then
    exec "$candidate" serve "$@"
  fi
done
if command -v aicc >/dev/null 2>&1; then exec aicc serve "$@"; fi
echo "aicc is not installed where this script looks; set AICC_VENV to its virtual environment" >&2
exit 127
