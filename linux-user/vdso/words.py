#!/usr/bin/env python3
"""Assembles a vDSO's source and writes its words: words.py AS OBJDUMP SOURCE > WORDS.

AS is a cross compiler (it takes -c -o). The words are kept in the repository, so that a build needs
no cross assembler; tests/load/vdso-words.sh compares them where there is one."""
import re
import subprocess
import sys
import tempfile

assembler, objdump, source = sys.argv[1:4]
settings = re.search(r'vdso: machine=(\d+) version=(\S+)', open(source).read())
print(f'machine {settings[1]}\nversion {settings[2]}')
with tempfile.NamedTemporaryFile(suffix='.o') as obj:
    subprocess.check_call([assembler, '-c', '-o', obj.name, source])
    text = subprocess.check_output([objdump, '-d', obj.name], text=True)
for line in text.splitlines():
    label = re.match(r'[0-9a-f]+ <(__\w+)>:', line)
    word = re.match(r'\s*[0-9a-f]+:\s+([0-9a-f]{8})\s', line)
    if label:
        print(label[1] + ':')
    elif word:
        print(word[1])
