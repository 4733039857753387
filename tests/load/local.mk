TESTS += %D%/hostile.sh %D%/vdso-words.sh
EXTRA_DIST += %D%/hostile.sh %D%/hostile.py %D%/vdso-words.sh
