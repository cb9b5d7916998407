#!/bin/sh
# keep-output.sh <compiler command>...: runs it and keeps what it says in <object file>.log, for the
# report on registers; shows it only where it fails.
object=
previous=
for argument in "$@"; do
  if [ "$previous" = -o ]; then object=$argument; fi
  previous=$argument
done
if [ -z "$object" ]; then exec "$@"; fi
"$@" >"$object.log" 2>&1
status=$?
if [ $status -ne 0 ]; then cat "$object.log" >&2; fi
exit $status
