TESTS += %D%/reserved-va.sh %D%/hostile.sh %D%/vdso-words.sh
EXTRA_DIST += %D%/reserved-va.sh %D%/reserved-va.c %D%/hostile.sh %D%/hostile.py %D%/vdso-words.sh
