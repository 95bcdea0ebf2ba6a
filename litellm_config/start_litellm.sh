#!/usr/bin/env bash
# Starts the gateway as launchd and people do. `.env` is read as data by `aicc serve`, never sourced.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
for candidate in "${AICC_VENV:-}" "$here/../.venv" "$HOME/.local/share/aicc/venv"; do
  if [ -n "$candidate" ] && [ -x "$candidate/bin/aicc" ]; then
    exec "$candidate/bin/aicc" serve "$@"
  fi
done
exec aicc serve "$@"
