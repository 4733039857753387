TESTS += %D%/hostile.sh
EXTRA_DIST += %D%/hostile.sh %D%/hostile.py
