#!/usr/bin/env bash
# The status page is tested in a real browser, with axe-core for accessibility. Without them those tests
# are skipped and say so; nothing else needs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
AXE=4.14.1

have_browser() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
if ! have_browser; then
  if command -v apt-get >/dev/null 2>&1; then
    { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
      echo "Chromium could not be installed: the browser tests are skipped" >&2
  else
    echo "No Chromium or Chrome found: the browser tests are skipped (macOS: brew install --cask google-chrome)" >&2
  fi
fi

target=.venv/axe-core-$AXE.js
if [ ! -s "$target" ]; then
  if command -v npm >/dev/null 2>&1; then
    place=$(mktemp -d)
    if npm pack --silent --pack-destination "$place" "axe-core@$AXE" >/dev/null 2>&1; then
      mkdir -p .venv
      tar -xzOf "$place/axe-core-$AXE.tgz" package/axe.min.js >"$target"
    else
      echo "axe-core could not be fetched: the accessibility test is skipped" >&2
    fi
    rm -rf "$place"
  else
    echo "npm is missing: the accessibility test is skipped" >&2
  fi
fi
