# python3: a mix of the interpreter's own work.
exec python3 << 'SCRIPT'
import sys, os, hashlib, json, re, subprocess, threading, math, random, collections, decimal, fractions, time, signal, socket, tempfile, zlib, bz2, lzma, struct, sqlite3
random.seed(42); print([random.random() for _ in range(3)], random.gauss(0, 1))
print(sum(1 for n in range(2, 3000) if all(n % d for d in range(2, int(n ** .5) + 1))))
print(hashlib.sha256(b'x' * 100000).hexdigest(), hashlib.md5(b'abc').hexdigest(), hashlib.blake2b(b'q').hexdigest()[:16])
print(math.sin(1e22), math.exp(-745.1), math.gamma(0.5), float('nan'), 1e308 * 10, -0.0, 0.1 + 0.2)
decimal.getcontext().prec = 60; print(decimal.Decimal(2).sqrt(), fractions.Fraction(355, 113) ** 5)
print(re.sub(r'(\w+) (\w+)', r'\2 \1', 'hello world foo bar'), json.dumps({'a': [1, 2.5, None]}, sort_keys=True))
d = bytes(random.randrange(256) for _ in range(5000)) * 10
for m in zlib, bz2, lzma: print(m.__name__, len(m.compress(d)), m.decompress(m.compress(d)) == d)
print(subprocess.run(['sh', '-c', 'echo child; exit 3'], capture_output=True))
out = []; lock = threading.Lock()
def w(i):
    for _ in range(200):
        with lock: out.append(i)
ts = [threading.Thread(target=w, args=(i,)) for i in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]; print(len(out), collections.Counter(out)[3])
signal.signal(signal.SIGALRM, lambda *a: print('alarm')); signal.setitimer(signal.ITIMER_REAL, .02); time.sleep(.1)
a, b = socket.socketpair(); a.send(b'ping'); print(b.recv(9))
pid = os.fork()
if pid == 0: os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
c = sqlite3.connect(':memory:'); c.execute('create table t(x)'); c.executemany('insert into t values(?)', [(i,) for i in range(100)]); print(c.execute('select sum(x*x), avg(x) from t').fetchall())
print(2 ** 500 % 10 ** 40, sys.byteorder, struct.pack('>dIq', 1.5, 7, -1), sys.maxsize, hash((1, 2.5)))
try: subprocess.run(['/no/such'])
except FileNotFoundError as e: print(e)
SCRIPT
