#!/bin/sh
# Makes configure. Options: --deps installs what the build needs (Debian), --demo goes on to
# configure, build and run a foreign program, --check goes on to build and run the tests.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force
