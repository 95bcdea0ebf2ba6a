#!/usr/bin/env bash
# Redis is a real server in the tests. Installed from the system's packages when it is absent.
set -euo pipefail
if command -v redis-server >/dev/null 2>&1; then exit 0; fi
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
if command -v brew >/dev/null 2>&1; then
  brew install redis
elif command -v apt-get >/dev/null 2>&1; then
  $sudo apt-get update -qq
  # faketime: the chaos suite's clock jumps (make chaos), nothing in make test
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server faketime >/dev/null
else
  echo "redis-server is needed for the tests; install it with your system's package manager" >&2
  exit 1
fi
