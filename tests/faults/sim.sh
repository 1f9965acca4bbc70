#!/bin/sh
# sim.sh -- runs one of the simulations of the build's folder: sim.sh NAME [ARGUMENT...].
name=$1
shift
exec "$builddir/tests/faults/$name" "$@"
