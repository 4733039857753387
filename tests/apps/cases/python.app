# Python: multiprocessing by fork, spawn and forkserver.
python3 processes.py
