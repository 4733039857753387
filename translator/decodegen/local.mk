# A guest's local.mk uses it so (in translator/guest/foo64/local.mk; a % pattern can't be used, since
# the stem is the decoder's name):
#
#   foo64_decode = %D%/integer.decode %D%/float.decode
#   foo64_decode_out = %D%/foo-decode.h %D%/foo-decode.c %D%/foo-rows.c %D%/foo-decode.json
#   libtranslator_a_SOURCES += %D%/cpu.h %D%/isa.c %D%/translate-integer.c %D%/translate-float.c
#   nodist_libtranslator_a_SOURCES += %D%/foo-decode.c %D%/foo-decode.h
#   BUILT_SOURCES += %D%/foo-decode.h
#   CLEANFILES += $(foo64_decode_out)
#   EXTRA_DIST += $(foo64_decode)
#   %D%/foo-decode.h: $(foo64_decode) $(DECODEGEN_DEPS)
#   	$(AM_V_GEN)$(MKDIR_P) %D% && $(DECODEGEN) -o %D% --name foo \
#   		--include translator/guest/foo64/lift.h $(foo64_decode:%=$(srcdir)/%)
#   %D%/foo-decode.c %D%/foo-rows.c %D%/foo-decode.json: %D%/foo-decode.h
#   # so that single objects can be made:
#   %D%/isa.$(OBJEXT) %D%/translate-integer.$(OBJEXT) %D%/translate-float.$(OBJEXT): %D%/foo-decode.h
DECODEGEN = $(PYTHON) $(srcdir)/%D%/decodegen.py
DECODEGEN_DEPS = %D%/decodegen.py
EXTRA_DIST += %D%/decodegen.py %D%/rows.h %D%/FORMAT.md
nodist_libtranslator_a_SOURCES =
