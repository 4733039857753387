# Node: worker threads with shared memory.
node workers.js
