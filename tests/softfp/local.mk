if HAVE_MPFR
check_PROGRAMS += tests/softfp/softfp-test
tests_softfp_softfp_test_SOURCES = %D%/softfp-test.c
tests_softfp_softfp_test_LDADD = $(TRANSLATOR_LIBS) -lmpfr -lgmp
TESTS += tests/softfp/softfp-test
endif
