TESTS += %D%/cache.sh
EXTRA_DIST += %D%/cache.sh %D%/cache.py %D%/work.c %D%/patch.c
