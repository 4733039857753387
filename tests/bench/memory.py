#!/usr/bin/env python3
"""Proportional set size of processes that do nothing, many at once, beside native ones: what a
hello costs in memory that it doesn't share. The store is warm.

usage: memory.py --calque FILE [--processes N] [--qemu FILE-WITH-%s]
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

GUESTS = {'aarch64': 'aarch64-linux-gnu', 'riscv64': 'riscv64-linux-gnu'}
SOURCE = '''
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    puts("hello");
    fflush(stdout);
    if (argc == 1)
        pause();
    return 0;
}
'''


def sizes(pid):
    with open(f'/proc/{pid}/smaps_rollup') as f:
        rows = dict(line.split()[:2] for line in list(f)[1:])
    return int(rows['Pss:']), int(rows['Pss_Anon:'])


def measure(command, n, env):
    """Mean PSS, and that of anonymous memory, in KiB."""
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=env) for _ in range(n)]
    try:
        for process in running:
            if process.stdout.readline() != b'hello\n':
                sys.exit(f'{" ".join(command)}: said nothing')
        found = [sizes(process.pid) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return [sum(column) // n for column in zip(*found)]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1])
    parser.add_argument('--calque', required=True)
    parser.add_argument('--processes', type=int, default=16)
    parser.add_argument('--qemu')
    options = parser.parse_args()
    calque = os.path.abspath(options.calque)
    print(f'{options.processes} processes: mean PSS (of it anonymous), KiB')
    with tempfile.TemporaryDirectory() as scratch:
        source = f'{scratch}/hello.c'
        with open(source, 'w') as f:
            f.write(SOURCE)
        env = {**os.environ, 'CALQUE_CACHE_DIR': f'{scratch}/store'}
        os.mkdir(f'{scratch}/store')
        for guest, triplet in {'native': None, **GUESTS}.items():
            cc = f'{triplet}-gcc' if triplet else 'cc'
            if not shutil.which(cc):
                continue
            for link in 'static', 'dynamic':
                program = f'{scratch}/{guest}-{link}'
                subprocess.check_call([cc, '-O2', '-o', program, source,
                                       *(['-static'] if link == 'static' else [])])
                prefix = ['-L', f'/usr/{triplet}'] if link == 'dynamic' else []
                runs = {'native': [program]} if not triplet else {
                    'calque': [calque, *prefix, program]}
                if triplet and options.qemu:
                    runs['qemu'] = [options.qemu % guest, *prefix, program]
                for name, command in runs.items():
                    for _ in range(2):  # those that are killed store nothing
                        subprocess.check_call([*command, 'end'], env=env,
                                              stdout=subprocess.DEVNULL)
                    pss, anonymous = measure(command, options.processes, env)
                    print(f'{guest:8} {link:8} {name:7}{pss:7} ({anonymous})')


main()
