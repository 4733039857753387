import multiprocessing as mp, os, sys, time

def square(x): return x * x
def worker(q, r, lock, v):
    while True:
        item = q.get()
        if item is None: break
        with lock: v.value += item
        r.put(item * 2)
def pipe_end(c):
    c.send(['hello', 42]); print('child got', c.recv(), flush=True); c.close()

def run(method):
    ctx = mp.get_context(method)
    with ctx.Pool(4) as p:
        print(method, sum(p.map(square, range(200))), p.apply(square, (12,)))
    q, r, lock, v = ctx.Queue(), ctx.Queue(), ctx.Lock(), ctx.Value('i', 0)
    ps = [ctx.Process(target=worker, args=(q, r, lock, v)) for _ in range(3)]
    [p.start() for p in ps]
    for i in range(60): q.put(i)
    for _ in ps: q.put(None)
    print(sum(r.get() for _ in range(60)))
    [p.join() for p in ps]
    print(v.value, [p.exitcode for p in ps])
    a, b = ctx.Pipe()
    p = ctx.Process(target=pipe_end, args=(b,)); p.start()
    r = a.recv(); a.send('bye'); p.join(); print(r, p.exitcode)
    p = ctx.Process(target=time.sleep, args=(100,)); p.start(); p.terminate(); p.join(); print(p.exitcode)
    with ctx.Manager() as m:
        d = m.dict(); l = m.list([3, 1, 2]); d['k'] = 1; l.sort(); print(dict(d), list(l))
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=4096); s.buf[:3] = b'abc'
    t = shared_memory.SharedMemory(name=s.name); print(bytes(t.buf[:3])); t.close(); s.close(); s.unlink()

if __name__ == '__main__':
    for m in 'fork', 'spawn', 'forkserver': run(m)
