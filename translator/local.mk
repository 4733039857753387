noinst_LIBRARIES += libtranslator.a
libtranslator_a_SOURCES =
TRANSLATOR_LIBS = translator/cache/build-id.$(OBJEXT) libtranslator.a $(FFI_LIBS) $(CAPSTONE_LIBS) $(GLIB_LIBS)

include %D%/decodegen/local.mk
include %D%/memory/local.mk
include %D%/ir/local.mk
include %D%/opt/local.mk
include %D%/region/local.mk
include %D%/regalloc/local.mk
include %D%/cache/local.mk
include %D%/runtime/local.mk
include %D%/debug/local.mk
include %D%/softfp/local.mk
include %D%/host/interp/local.mk
include %D%/host/x86_64/local.mk
include %D%/guest/aarch64/local.mk
include %D%/guest/riscv64/local.mk

libtranslator_a_SOURCES += %D%/translator.h %D%/guest/isa.h %D%/host/backend.h
