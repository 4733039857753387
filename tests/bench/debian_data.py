"""What workloads.py's rows about Debian's own tools need, per architecture and all of it offline
afterwards: a system before debootstrap's second stage, one after it, and apt's lists and packages.
"""
import glob
import os
import re
import shutil
import subprocess

PACKAGES = ['bc', 'dos2unix', 'ed', 'tree', 'time']


def mirror():
    """The machine's own, as its apt configuration has it."""
    lists = glob.glob('/etc/apt/sources.list.d/*.sources') + ['/etc/apt/sources.list']
    text = '\n'.join(open(f).read() for f in lists if os.path.exists(f))
    found = re.search(r'^(?:URIs: *|deb (?:\[[^]]*\] )?)(\S+/debian/?)(?:\s|$)', text, re.M)
    return found and found[1]


def quiet(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **more).returncode == 0


def apt_options(folder, kind, suite, *more):
    """For an apt-get that uses nothing of the machine's but its mirror."""
    os.makedirs(f'{folder}/lists/partial', exist_ok=True)
    os.makedirs(f'{folder}/archives/partial', exist_ok=True)
    os.makedirs(f'{folder}/none', exist_ok=True)
    with open(f'{folder}/sources.list', 'w') as f:
        f.write(f'{kind} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
                f'{mirror()} {suite} main\n')
    return ['apt-get', '-q', f'-oDir::Etc::sourcelist={folder}/sources.list',
            f'-oDir::Etc::sourceparts={folder}/none', f'-oDir::State::lists={folder}/lists',
            f'-oDir::Cache::archives={folder}/archives', '-oDir::Cache::pkgcache=',
            '-oDir::Cache::srcpkgcache=', '-oAcquire::Languages=none',
            '-oAcquire::GzipIndexes=false', '-oAPT::Sandbox::User=root',
            *more]


def fetch_hello(folder):
    """GNU hello's source; without it two workloads go."""
    if not mirror():
        return
    apt = apt_options(f'{folder}/apt', 'deb-src', 'bookworm')
    for command in ['update'], ['source', '--download-only', 'hello']:
        quiet([*apt, *command], cwd=folder)
    shutil.rmtree(f'{folder}/apt')
    tar = glob.glob(f'{folder}/hello_*.orig.tar.*z')
    if tar:
        os.mkdir(f'{folder}/hello')
        subprocess.check_call(['tar', '-xf', tar[0], '-C', f'{folder}/hello',
                               '--strip-components=1'])


def fetch_stage(folder, name, arch, suite):
    """{folder}/stage-NAME: what the second stage of debootstrap begins with."""
    stage = f'{folder}/stage-{name}'
    if os.path.isdir(stage) or not mirror() or not shutil.which('debootstrap'):
        return
    if not quiet(['debootstrap', '--foreign', '--variant=minbase', f'--arch={arch}', suite,
                  f'{stage}.new', mirror()]):
        shutil.rmtree(f'{stage}.new', True)
        return
    os.rename(f'{stage}.new', stage)


SECOND_STAGE = 'container=lxc /debootstrap/debootstrap --second-stage > /tmp/log 2>&1 && ' \
    'dpkg-query -W | wc -l'


def finish_stage(folder, name, runner):
    """{folder}/system-NAME: what it ends with, made by the runner."""
    system = f'{folder}/system-{name}'
    if os.path.isdir(system) or not os.path.isdir(f'{folder}/stage-{name}'):
        return
    subprocess.check_call(['cp', '-a', f'{folder}/stage-{name}', f'{system}.new'])
    if runner.run(SECOND_STAGE, lower=f'/data/system-{name}.new', in_place=True)[1]:
        print(f'debootstrap\'s second stage for {name} fails')
        subprocess.check_call(['rm', '-rf', f'{system}.new'])
        return
    os.rename(f'{system}.new', system)


def fetch_packages(folder, name, arch, suite):
    """{folder}/apt-NAME: lists, and the packages that system-NAME is to get."""
    apt, system = f'{folder}/apt-{name}', f'{folder}/system-{name}'
    if os.path.isdir(apt) or not os.path.isdir(system):
        return
    command = apt_options(f'{apt}.new', 'deb', suite, f'-oAPT::Architecture={arch}',
                          f'-oAPT::Architectures={arch}',
                          f'-oDir::State::status={system}/var/lib/dpkg/status')
    if quiet([*command, 'update']) and \
            quiet([*command, '-y', '--no-install-recommends', '--download-only', 'install',
                   *PACKAGES]):
        os.rename(f'{apt}.new', apt)
    else:
        shutil.rmtree(f'{apt}.new')


APT_INSTALL = 'cp /data/apt-$ARCH/lists/*_* /var/lib/apt/lists && ' \
    'cp /data/apt-$ARCH/archives/*.deb /var/cache/apt/archives && ' \
    'cp /data/apt-$ARCH/sources.list /etc/apt && ' \
    'DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-download ' \
    '-o APT::Sandbox::User=root install ' + ' '.join(PACKAGES) + ' > /tmp/log 2>&1 && ' \
    'echo 6*7 | bc && dpkg-query -W ' + ' '.join(PACKAGES) + ' | wc -l'
