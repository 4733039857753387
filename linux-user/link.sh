#!/bin/sh
# usage: link.sh FILE COMMAND…: links, and writes the file again in large pieces.
#
# The linker writes it piece by piece, so the kernel keeps it in single pages; what is written at
# once it keeps in large folios, of which it maps the pages that a process touches at once. That is
# a tenth of a millisecond for each process (a tenth of a hello). Who installs the file copies it.
set -e
file=$1
shift
"$@"
dd if="$file" of="$file.tmp" bs=16M 2> /dev/null
chmod 755 "$file.tmp"
mv -f "$file.tmp" "$file"
