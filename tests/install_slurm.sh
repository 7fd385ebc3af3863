#!/bin/sh
# Installs Slurm and munge for the test of hydra/launcher=slurm, where that can be done: on Debian or Ubuntu, as root. It
# never fails: without them the test is skipped and says so.
command -v slurmctld >/dev/null && command -v munged >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "no slurm and no way to install it here: the test of hydra/launcher=slurm will be skipped"
  exit 0
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge; } >"$log" 2>&1; then
  echo "slurm could not be installed: the test of hydra/launcher=slurm will be skipped; see $log"
fi
exit 0
