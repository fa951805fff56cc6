#!/bin/sh
# The units in contrib/systemd, as systemd itself judges them. The programs need not be installed:
# they are looked for where they were built.
#
#   systemd_units_test.sh UNIT_DIRECTORY VIADUCTD VIADUCT
set -eu

units=$1
viaductd=$2
viaduct=$3
if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not installed"
  exit 77
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for unit in viaductd.service viaductd@.service viaductd.socket; do
  sed "s|/usr/sbin/viaductd|$viaductd|g; s|/usr/bin/viaduct|$viaduct|g" "$units/$unit" >"$copy/$unit"
done

# Unknown keys are only warnings to systemd; here they are mistakes.
for unit in "$copy"/*; do
  complaints=$(systemd-analyze verify --man=no "$unit" 2>&1) || {
    echo "$complaints"
    exit 1
  }
  if [ -n "$complaints" ]; then
    echo "$complaints"
    exit 1
  fi
done

# What the environment lacks passes, however long that takes; mistakes do not.
for unit in viaductd.service viaductd@.service; do
  for line in Restart=on-failure RestartSec=2s StartLimitIntervalSec=0 \
    'RestartPreventExitStatus=64 78' LimitNOFILE=1024:65536; do
    grep -qx "$line" "$copy/$unit" || {
      echo "$unit lacks $line"
      exit 1
    }
  done
done

# exposure UNIT TENTHS: at most so much of 10, where less is better.
exposure() {
  systemd-analyze security --offline=true --no-pager --threshold="$2" "$copy/$1" >"$copy/report" || {
    cat "$copy/report"
    exit 1
  }
  grep 'Overall exposure' "$copy/report"
}
exposure viaductd.service 45
exposure viaductd@.service 15

# The runtime directory is removed with the service, whose sockets outlive it.
for path in $(sed -n 's/^ListenStream=//p' "$copy/viaductd.socket"); do
  case $path in
    /run/viaduct/*)
      echo "viaductd.socket: $path lies in the runtime directory of viaductd.service"
      exit 1
      ;;
  esac
done
