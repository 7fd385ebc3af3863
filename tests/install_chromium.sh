#!/bin/sh
# Installs Chromium for the test that opens the report, where that can be done: on Debian or Ubuntu, as root. It never
# fails: without Chromium the test is skipped and says so.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "no chromium and no way to install it here: the test that opens the report will be skipped"
  exit 0
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-liberation; } >"$log" 2>&1; then
  echo "chromium could not be installed: the test that opens the report will be skipped; see $log"
fi
exit 0
