check_PROGRAMS += tests/ir/ir-test
tests_ir_ir_test_SOURCES = %D%/ir-test.c %D%/run.c %D%/run.h %D%/test-isa.c %D%/test-isa.h
tests_ir_ir_test_LDADD = $(TRANSLATOR_LIBS)
TEST_EXTENSIONS += .ir
IR_LOG_COMPILER = $(top_builddir)/tests/ir/ir-test
EXTRA_DIST += $(IR_TESTS)
TESTS += $(IR_TESTS)
