# Test files register themselves: autogen.sh lists them in lists.mk.
include %D%/lists.mk
TEST_EXTENSIONS =
AM_TESTS_ENVIRONMENT =
EXTRA_DIST += %D%/lists.mk

include %D%/cache/local.mk
include %D%/ir/local.mk
include %D%/memory/local.mk
include %D%/runtime/local.mk
include %D%/softfp/local.mk
include %D%/x86_64/local.mk
include %D%/isa/local.mk
include %D%/decodegen/local.mk
include %D%/syscalls/local.mk
include %D%/linux/local.mk
include %D%/codegen/local.mk
include %D%/ir-fuzz/local.mk
include %D%/kick-fuzz/local.mk
include %D%/load/local.mk
include %D%/gdbstub/local.mk
include %D%/binfmt/local.mk
include %D%/apps/local.mk
include %D%/bootstrap/local.mk
include %D%/programs/local.mk
include %D%/syscall-fuzz/local.mk
include %D%/stress-ng/local.mk
include %D%/cpython/local.mk
include %D%/go/local.mk
include %D%/glibc/local.mk
include %D%/torture/local.mk
include %D%/csmith/local.mk
include %D%/bench/local.mk
include %D%/lint/local.mk

# Programs again with all code optimized at first sight, and with both tiers mixed from the start.
# Without the store, so that nothing comes from another run.
TIER_CHECKS = $(LINUX_TESTS) tests/torture/torture-sample.sh
.PHONY: check-tiers
check-tiers: calque
	CALQUE_NO_CACHE=1 CALQUE_TIER=optimize TORTURE_SAMPLE=24 \
		$(MAKE) check-TESTS TESTS='$(TIER_CHECKS)'
	CALQUE_NO_CACHE=1 CALQUE_TIER_THRESHOLD=1 TORTURE_SAMPLE=24 \
		$(MAKE) check-TESTS TESTS='$(TIER_CHECKS)'

# What takes foreign input, under the sanitizers (configure --enable-sanitize). The emulator itself
# is linked statically and owns its address space, which the address sanitizer can't share.
SANITIZED_CHECKS = tests/ir/ir-test tests/softfp/softfp-test decode-test \
	tests/syscalls/convert-test tests/ir-fuzz/ir-fuzz tests/kick-fuzz/kick-fuzz
.PHONY: check-sanitized
check-sanitized: $(BUILT_SOURCES) $(SANITIZED_CHECKS)
	$(MAKE) check-TESTS TESTS='$(IR_TESTS) $(SANITIZED_CHECKS:tests/ir/ir-test=)'
