#!/bin/sh
# Installs Chromium for the tests that open pages, where that can be done: on Debian or Ubuntu, as root. It never
# fails: without Chromium they are skipped and say so.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "no chromium and no way to install it here: the tests that open pages will be skipped"
  exit 0
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-liberation; } >"$log" 2>&1; then
  echo "chromium could not be installed: the tests that open pages will be skipped; see $log"
fi
exit 0
