#!/bin/sh
# Chat, then a thumb for the answer. AICC_MASTER_KEY must be set.
set -eu
url="${AICC_URL:-http://127.0.0.1:4000}"
headers="$(mktemp)"
trap 'rm -f "$headers"' EXIT
curl -sS "$url/v1/chat/completions" -D "$headers" \
  -H "Authorization: Bearer $AICC_MASTER_KEY" -H 'Content-Type: application/json' \
  -d '{"model": "auto", "user": "me", "messages": [{"role": "user", "content": "Say hello to my colleague."}]}'
echo
grep -i '^x-aicc-' "$headers"
id="$(tr -d '\r' <"$headers" | awk 'tolower($1) == "x-aicc-request-id:" {print $2}')"
curl -sS "$url/aicc/feedback" -H "Authorization: Bearer $AICC_MASTER_KEY" -H 'Content-Type: application/json' \
  -d "{\"request_id\": \"$id\", \"thumbs\": \"up\"}"
echo
