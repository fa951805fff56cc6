#!/bin/sh
# The units in contrib/systemd, as systemd itself judges them. The programs need not be installed:
# they are looked for where they were built.
#
#   systemd_units_test.sh UNIT_DIRECTORY VIADUCTD VIADUCT
set -eu

units=$1
viaductd=$2
viaduct=$3
# Of 10; below 4 systemd calls a service "OK".
exposure=40

if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not installed"
  exit 77
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for unit in viaductd.service viaductd.socket; do
  sed "s|/usr/sbin/viaductd|$viaductd|g; s|/usr/bin/viaduct|$viaduct|g" "$units/$unit" >"$copy/$unit"
done

# Unknown keys are only warnings to systemd; here they are mistakes.
complaints=$(systemd-analyze verify --man=no "$copy/viaductd.service" "$copy/viaductd.socket" 2>&1) || {
  echo "$complaints"
  exit 1
}
if [ -n "$complaints" ]; then
  echo "$complaints"
  exit 1
fi

systemd-analyze security --offline=true --threshold=$exposure "$copy/viaductd.service" >"$copy/report" || {
  cat "$copy/report"
  exit 1
}
tail -n 1 "$copy/report"
