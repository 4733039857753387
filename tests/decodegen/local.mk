TESTS += %D%/decodegen-test.sh
EXTRA_DIST += %D%/decodegen-test.sh %D%/run.py %D%/good %D%/bad
