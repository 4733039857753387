#!/usr/bin/env python3
"""The translation store: what is in it is used, what can't be trusted isn't, and no damage matters.

usage: cache.py CALQUE [TEST…]
"""
import collections
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CALQUE = os.path.abspath(sys.argv[1])
TESTS = ("reuse", "hot", "far", "lower", "patched", "changed", "refused", "damage", "crowd", "full",
         "joining", "looked_up", "forks", "common", "ways", "guess", "kinds", "tool")
failures = 0


def check(name, ok, what=""):
    global failures
    print(("ok " if ok else "FAILED ") + name + ("" if ok else f": {what}"), flush=True)
    failures += not ok


def build(compiler, source, output, *flags):
    subprocess.run([compiler, "-O1", "-std=gnu17", "-w", "-static", "-pthread", *flags, "-o", output,
                    os.path.join(HERE, source), "-lm"], check=True)


def command(program, *arguments, options=()):
    return [CALQUE, *options, program, *arguments]


def environment(store, **more):
    env = dict(os.environ, CALQUE_CACHE_DIR=store, **more)
    if store is None:
        del env["CALQUE_CACHE_DIR"]
    return env


def run(store, program, *arguments, options=(), before=(), **more):
    r = subprocess.run([*before, *command(program, *arguments, options=options)],
                       env=environment(store, **more), capture_output=True, text=True,
                       errors="replace", timeout=120)
    return r.returncode, r.stdout, r.stderr


def translated(store, program, *arguments):
    """How many units the last process translated, and how many it met in the store."""
    _, _, err = run(store, program, *arguments, options=["-stats"])
    units = re.findall(r"^calque: (\d+) units of \d+ guest", err, re.M)
    met = re.findall(r"(\d+) units of the store", err)
    return int(units[-1]), int(met[-1])


def files(store):
    return [os.path.join(top, f) for top, _, names in os.walk(store) for f in names
            if f.startswith("c-")]


def groups(path):
    """Of each group of a store's file that has any, how many units each chunk has."""
    with open(path, "rb") as f:
        data = f.read()
    end, at, found = struct.unpack_from("<Q", data, 232)[0], 256, []
    while at < end:
        _, _, _, size, n_chunks, _, index, slots = struct.unpack_from("<QQQQIIII", data, at)
        chunks = collections.Counter(struct.unpack_from("<IHH", data, at + index + 8 * n)[1]
                                     for n in range(slots))
        if n_chunks:
            found.append([n for chunk, n in chunks.items() if chunk])
        at += size
    return found


def records(path):
    """How many processes' records of what they ran the first group of a store's file has."""
    with open(path, "rb") as f:
        return struct.unpack_from("<I", f.read(256 + 80), 256 + 68)[0]


def loaded(store, program, *arguments):
    """How many units of the program the last process took from the store."""
    _, _, err = run(store, program, *arguments, options=["-d", "cache"])
    return sum(map(int, re.findall(r"(\d+) units at 0x[0-9a-f]+ from the store", err)))


class Suite:
    def __init__(self, guest, compiler, top):
        self.guest, self.compiler, self.top = guest, compiler, top
        self.work, self.patch = os.path.join(top, "work"), os.path.join(top, "patch")
        build(compiler, "work.c", self.work)
        build(compiler, "patch.c", self.patch)
        self.other = os.path.join(top, "other")
        build(compiler, "work.c", self.other, "-DVALUE=2")
        self.want = run(None, self.work, options=["--no-cache"])
        assert self.want[0] == 0 and self.want[1], self.want

    def store(self, name):
        path = os.path.join(self.top, name)
        os.mkdir(path, 0o755)
        return path

    def right(self, store, **more):
        got = run(store, self.work, **more)
        return got[:2] == self.want[:2] and not got[2], got

    def check(self, name, result, what=""):
        check(f"{self.guest}: {name}", result, what)

    def test_reuse(self):
        store = os.path.join(self.top, "made-by-itself")
        self.check("a program runs with an empty store", *self.right(store))
        self.right(store)
        units, met = translated(store, self.work)
        self.check("a program that ran before is hardly translated", units <= 4 and met > 10,
                   f"{units} units, {met} of the store")
        self.check("stored code is what translating gives",
                   *self.right(store, options=["-d", "verify"]))
        units, _ = translated(store, self.work, "12")
        self.check("only what is new is translated", units < 60, f"{units} units")
        before = sum(map(os.path.getsize, files(store)))
        units, met = translated("", self.work)
        self.check("an empty CALQUE_CACHE_DIR means none", met == 0 and units > 100, f"{met} units")
        run(store, self.patch, options=["--no-cache"])
        self.check("--no-cache writes nothing",
                   before == sum(map(os.path.getsize, files(store))))

    def test_hot(self):
        """What becomes hot only in a later process takes its place in the store."""
        store = self.store("hot")
        run(store, self.work, "1", "1")
        want = run(None, self.work, "1", "60", options=["--no-cache"])
        regions = []
        for _ in range(5):
            got = run(store, self.work, "1", "60", options=["-stats"])
            self.check("hot stored code", got[:2] == want[:2], got)
            regions.append(int(re.findall(r"^calque: (\d+) regions", got[2], re.M)[-1]))
        self.check("regions of stored code are stored", regions[0] > 0 and not regions[-1],
                   f"{regions} regions")

    def test_far(self):
        """What leads farther than the store's links can say, where every process has it there."""
        store, far = self.store("far"), os.path.join(self.top, "far-program")
        build(self.compiler, "far.c", far)
        got = [run(store, far, "400000", before=["setarch", "-R"]) for _ in range(5)]
        self.check("regions that lead far", all(g[:2] == (0, "0\n") for g in got), got)

    def test_lower(self):
        lower, upper = os.path.join(self.top, "made-by-itself"), self.store("upper")
        _, _, err = run(upper, self.work, options=["-stats"], CALQUE_CACHE_PATH=lower)
        met = int(re.findall(r"(\d+) units of the store", err)[-1])
        self.check("a lower folder is used", met > 10, err)

    def test_patched(self):
        store = self.store("patched")
        want = run(None, self.patch, options=["--no-cache"])
        self.check("the patching program does what it should", want[:2] == (0, "1 2 3\n"), want)
        for n in range(3):
            got = run(store, self.patch)
            self.check(f"code that is patched or made at run time, run {n}", got == want, got)

    def test_changed(self):
        """Same place, size, times; the inode is the same, only ctime tells: so fake that too."""
        store, path = self.store("changed"), os.path.join(self.top, "same")
        shutil.copy(self.work, path)
        run(store, path)
        was = os.stat(path)
        with open(path, "r+b") as f, open(self.other, "rb") as g:
            f.write(g.read())
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        want = run(None, path, options=["--no-cache"])
        got = run(store, path)
        self.check("a file that was changed in place", got == want and got != self.want, got)
        # what the store knows of the old file, under the name of the new
        folder = os.path.dirname(files(store)[0])
        contents = sorted(f for f in os.listdir(folder) if f.startswith("c-"))
        names = [f for f in os.listdir(folder) if f.startswith("i-")]
        for n in names:
            for c in contents:
                os.unlink(os.path.join(folder, n))
                os.symlink(c, os.path.join(folder, n))
                got = run(store, path)
                if got != want:
                    self.check("the store's file of another program", False, got)
                    return
                if not os.path.lexists(os.path.join(folder, n)):
                    os.symlink(c, os.path.join(folder, n))
        self.check("the store's file of another program", True)

    def refused(self, name, store, reason):
        code, out, err = run(store, self.work)
        lines = [line for line in err.split("\n") if line]
        self.check(name, (code, out) == self.want[:2] and len(lines) == 1 and reason in lines[0]
                   and not files(store), (code, out, err))

    def test_refused(self):
        store = self.store("open")
        os.chmod(store, 0o777)
        self.refused("a store that others may write to", store, "other users may write")
        link = os.path.join(self.top, "link")
        os.symlink(self.store("target"), link)
        self.refused("a store that is a symbolic link", link, "symbolic link")
        if os.geteuid() == 0:
            theirs = self.store("theirs")
            os.chown(theirs, 12345, 12345)
            self.refused("another user's store", theirs, "another user")
            ours = self.store("ours")
            self.right(ours)
            for f in files(ours):
                os.chown(f, 12345, 12345)
            units, met = translated(ours, self.work)
            self.check("another user's file in it", met == 0 and units > 100, f"{met} met")

    def test_damage(self):
        good = os.path.join(self.top, "made-by-itself")
        chance = random.Random(5)
        for n in range(24):
            store = os.path.join(self.top, f"damaged-{n}")
            shutil.copytree(good, store, symlinks=True)
            for path in files(store):
                size = os.path.getsize(path)
                with open(path, "r+b") as f:
                    if n % 3 == 0:
                        f.truncate(chance.randrange(size))
                    else:
                        for _ in range(1 << n % 8):
                            f.seek(chance.choice([chance.randrange(size), chance.randrange(512)]))
                            f.write(bytes([chance.randrange(256)]))
            for _ in range(2):
                ok, got = self.right(store)
                if not ok:
                    self.check("a damaged file", False, (n, got))
                    return
            units, met = translated(store, self.work)
            if units > 60:
                self.check("a damaged file is mended", False, f"{n}: {units} units translated")
                return
            shutil.rmtree(store)
        self.check("damaged and truncated files", True)

    def test_crowd(self):
        """64 at once on an empty store; some are killed, and somebody cuts the files meanwhile."""
        store = self.store("crowd")
        chance = random.Random(9)
        env = environment(store)
        all_right = True
        for turn in range(2):
            alive = [subprocess.Popen(command(self.work), env=env, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) for _ in range(64)]
            killed = set()
            for p in chance.sample(alive, 20):
                time.sleep(chance.random() / 50)
                if p.poll() is None:
                    p.send_signal(signal.SIGKILL)
                    killed.add(p)
                for path in files(store) if turn else []:
                    if chance.random() < 0.3:
                        os.truncate(path, chance.randrange(os.path.getsize(path) + 1))
            for p in alive:
                out, err = p.communicate()
                if (p.returncode, out, err) != self.want and \
                        not (p in killed and p.returncode == -signal.SIGKILL):
                    all_right = False
                    self.check("64 processes at once", False, (p.returncode, out, err))
        self.check("64 processes at once, some of them killed", all_right)
        self.right(store)
        self.right(store)
        units, _ = translated(store, self.work)
        self.check("what they left is whole", units <= 60, f"{units} units translated")

    def test_tool(self):
        """calque-cache: a file translated as a whole, checked, carried to another store."""
        tool = os.path.join(os.path.dirname(CALQUE), "calque-cache")
        if not os.path.exists(tool):
            print(f"ok {self.guest}: calque-cache # SKIP not beside {CALQUE}")
            return

        def cache(store, *arguments):
            r = subprocess.run([tool, f"--dir={store}", *arguments], capture_output=True, text=True,
                               timeout=120)
            return r.returncode, r.stdout + r.stderr

        warm, other = self.store("warm"), self.store("imported")
        archive = os.path.join(self.top, "archive")
        said = cache(warm, "warm", self.work, f"--calque={CALQUE}")
        self.check("calque-cache warm", said[0] == 0 and "1 files translated" in said[1], said)
        self.check("what it translated is right", *self.right(warm, options=["-d", "verify"]))
        self.check_cross(lambda store, program: cache(store, "warm", program, f"--calque={CALQUE}"))
        shutil.copytree(warm, warm + "-copy", symlinks=True)
        units, met = translated(warm + "-copy", self.work)
        self.check("what it translated is used", units < 200 and met > 100, f"{units}, {met} met")
        said = cache(warm, "list")
        self.check("calque-cache list", said[0] == 0 and self.work in said[1], said)
        said = cache(warm, "verify")
        self.check("calque-cache verify", said == (0, "2 files, 0 of them damaged\n"),
                   said) # the vDSO's too
        said = cache(warm, "export", archive), cache(other, "import", archive)
        self.check("calque-cache export and import", said[0][0] == said[1][0] == 0, said)
        units, met = translated(other, self.work)
        self.check("an imported store is used", units < 200 and met > 100, f"{units}, {met} met")
        with open(archive, "r+b") as f:
            f.seek(os.path.getsize(archive) // 2)
            f.write(b"damage")
        said = cache(self.store("refusing"), "import", archive)
        self.check("a damaged archive", said[0] == 1 and "damaged" in said[1], said)
        path = files(warm)[0]
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            f.write(b"damage")
        said = cache(warm, "verify"), cache(warm, "verify")
        self.check("verify mends", said[0][0] == 1 and said[1][0] == 0, said)
        said = cache(other, "prune", "--size=1")
        self.check("calque-cache prune", said[0] == 0 and not files(other), said)

    def check_cross(self, warm):
        store, cross = self.store("cross"), os.path.join(self.top, "cross-program")
        build(self.compiler, "cross.c", cross)
        want = run(None, cross, options=["--no-cache"])
        numbers = want[1].split()
        self.check("a function changed under its callers", want[0] == 0 and len(set(numbers)) == 2,
                   want)
        warm(store, cross)
        self.check("the store has several chunks of them",
                   max(len(g) for f in files(store) for g in groups(f)) > 8)
        for n in range(3):
            got = run(store, cross)
            self.check(f"a function changed under callers of other chunks, run {n}", got == want, got)

    def test_full(self):
        """A disk with room for little, in namespaces of its own."""
        script = "mount -t tmpfs -o size=%s,mode=755 none %s && cd / && for n in 1 2 3; do %s; done"
        place = self.store("full")
        for size in ("16k", "64k", "200k"):
            line = script % (size, place, f"{CALQUE} {self.work}")
            r = subprocess.run(["unshare", "-Urm", "sh", "-c", line], capture_output=True, text=True,
                               env=environment(place), timeout=120)
            if "unshare" in r.stderr or "mount" in r.stderr:
                print(f"ok {self.guest}: a full disk # SKIP no user namespaces: {r.stderr.strip()}")
                return
            self.check(f"a disk of {size}", (r.returncode, r.stdout, r.stderr) ==
                       (0, self.want[1] * 3, ""), r)

    def test_joining(self):
        """Many groups become one, and nothing is lost."""
        store = self.store("joined")
        for n in range(30):
            run(store, self.work, *["12345678901234"[:n]] * (n > 0), LANG=f"C.{n}",
                options=["-E", f"EXTRA{n}={'x' * n}"])
        self.check("no file has more groups than are looked through",
                   all(len(groups(f)) <= 24 for f in files(store)))
        self.check("a file that was joined", *self.right(store))
        self.check("joined code is what translating gives",
                   *self.right(store, options=["-d", "verify"]))

    def test_looked_up(self):
        """Where indirect branches lead is known when code comes from the store."""
        store, kinds = self.store("looked-up"), os.path.join(self.top, "looked-up-program")
        build(self.compiler, "kinds.c", kinds)
        run(store, kinds)
        # some processes record what they run, for which they meet each unit
        met = min(translated(store, kinds)[1] for _ in range(10))
        self.check("900 functions needn't be looked up", met < 300, met)
        self.check("what is known of them is right", run(store, kinds, options=["-d", "verify"]) ==
                   run(store, kinds, options=["--no-cache"]))

    def test_forks(self):
        """What children load the parent loads before it forks again."""
        store, forks = self.store("forks"), os.path.join(self.top, "forks-program")
        build(self.compiler, "forks.c", forks)
        for children, functions in (3, 4), (3, 4), (1, 8):
            run(store, forks, str(children), str(functions))
        loads = []
        for n in 4, 16:
            out, err = run(store, forks, str(n), "8", options=["-d", "cache"])[1:]
            self.check("children get what they exit with", len(set(out.split())) == 1, out)
            loads.append(err.count("from the store"))
        self.check("later children load nothing", loads[1] <= loads[0] + 2, loads)

    def test_common(self):
        """What all who add to a file have loaded becomes one chunk; what few have stays apart."""
        store, parts = self.store("common"), os.path.join(self.top, "parts")
        build(self.compiler, "parts.c", parts)
        first, found = 0, []
        for n in range(30):
            wanted = run(store, parts, str(n), options=["--no-cache"])
            self.check(f"part {n}", run(store, parts, str(n)) == wanted)
            before = len(found)
            found = max((groups(f) for f in files(store)), key=lambda g: max(map(max, g)))
            first = first or max(found[0])
            if len(found) < before: # joined; what comes later may be common once more
                break
        self.check("what is common is one chunk", first < max(found[0]) < first + 60,
                   (first, found[0]))
        self.check("its file was joined", len(found) < 24, len(found))

    def test_ways(self):
        """Of what is there twice, entered by a direct branch and by indirect ones, the one that
        does for both is kept."""
        store, parts = self.store("ways"), os.path.join(self.top, "ways-program")
        build(self.compiler, "parts.c", parts)
        for way in (), ("indirectly",):
            for n in range(30):
                run(store, parts, str(n), *way)
        units = [translated(store, parts, str(n), *way)[0] for n in range(30)
                 for way in ((), ("indirectly",))]
        self.check("nothing is translated that was before files were joined", not any(units), units)

    def test_guess(self):
        """A stored region that guessed what isn't so here; in the end the store has one that
        doesn't."""
        store, guess = self.store("guess"), os.path.join(self.top, "guess-program")
        build(self.compiler, "guess.c", guess)
        for way in (), ("other",):
            want = run(None, guess, *way, options=["--no-cache", "-backend", "interp"])
            found = []
            for _ in range(40):
                got = run(store, guess, *way, options=["-stats"])
                regions = re.findall(r"^calque: (\d+) regions", got[2], re.M)[-1]
                wrong = re.findall(r"(\d+) invalidated", got[2])[-1]
                found.append((int(regions), int(wrong)))
                if got[:2] != want[:2] or len(found) > 2 and not any(map(any, found[-2:])):
                    break
            self.check("a stored region's guess" + " that is wrong" * bool(way),
                       got[:2] == want[:2], got)
            self.check("the region is stored", found[0][0] and not any(found[-1]), found)
            if way:
                self.check("a wrong guess is noticed", found[0][1], found)

    def test_kinds(self):
        """Processes record now and then what they run, by which the joined file is ordered."""
        store, kinds = self.store("kinds"), os.path.join(self.top, "of-kinds")
        build(self.compiler, "kinds.c", kinds)
        wanted = [run(store, kinds, str(n), options=["--no-cache"]) for n in (1, 2)]
        for n in (1, 2):
            run(store, kinds, str(n))
        mixed = sorted_ = loaded(store, kinds, "2")
        for n in range(400):
            got = run(store, kinds, str(n % 2 + 1))
            if got != wanted[n % 2]:
                break
            file = max(files(store), key=os.path.getsize)
            # which of the two kinds record is a matter of chance
            if records(file) >= 4:
                sorted_ = loaded(store, kinds, "2")
            if sorted_ < mixed * 0.85:
                break
        self.check("programs that record run right", got == wanted[n % 2], got)
        self.check("records order a file that is joined", records(file) >= 4, n)
        with open(file, "rb") as f:
            path = f.read(256)[32:224].rstrip(b"\0").decode()
        self.check("it still says whose it is", path == kinds, path)
        self.check("what one kind of process runs isn't loaded by another", sorted_ < mixed * 0.85,
                   (mixed, sorted_))
        self.check("what it has is what translating gives",
                   run(store, kinds, "2", options=["-d", "verify"]) == wanted[1])


def main():
    guests = [("aarch64", os.environ.get("AARCH64_CC", "aarch64-linux-gnu-gcc")),
              ("riscv64", os.environ.get("RISCV64_CC", "riscv64-linux-gnu-gcc"))]
    guests = [(g, c) for g, c in guests if shutil.which(c.split()[0])]
    if not guests:
        print("no cross compiler")
        sys.exit(77)
    for guest, compiler in guests:
        with tempfile.TemporaryDirectory(prefix="calque-cache-") as top:
            os.chmod(top, 0o755)
            suite = Suite(guest, compiler, top)
            for name in sys.argv[2:] or TESTS:
                getattr(suite, "test_" + name)()
    sys.exit(1 if failures else 0)


main()
