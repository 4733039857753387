const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
    const shared = new SharedArrayBuffer(64), a = new Int32Array(shared);
    let done = 0, total = 0;
    const n = 4;
    for (let i = 0; i < n; i++) {
        const w = new Worker(__filename, { workerData: { i, shared } });
        w.on('message', v => { total += v; });
        w.on('error', e => { console.log('error', e.message); process.exitCode = 1; });
        w.on('exit', c => {
            if (++done === n) console.log(total, Atomics.load(a, 0), c);
        });
    }
} else {
    const a = new Int32Array(workerData.shared);
    let objects = [];
    for (let r = 0; r < 20; r++) {
        objects = [];
        for (let j = 0; j < 2000; j++) objects.push({ j, s: 'x' + j, f: Math.sqrt(j) });
        Atomics.add(a, 0, 1);
    }
    let h = 0;
    for (let j = 0; j < 300000; j++) h = (h * 31 + j + workerData.i) | 0;
    parentPort.postMessage(h % 1000 + objects.length);
}
