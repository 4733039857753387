TESTS += %D%/brk.sh %D%/reserved-va.sh %D%/hostile.sh %D%/vdso-words.sh
EXTRA_DIST += %D%/brk.sh %D%/brk.c %D%/reserved-va.sh %D%/reserved-va.c %D%/hostile.sh %D%/hostile.py %D%/vdso-words.sh
