libtranslator_a_SOURCES += %D%/unit.h %D%/unit-points.h %D%/unit-points.c %D%/code-buffer.h %D%/code-buffer.c \
	%D%/store-format.h %D%/stored-chunk.h %D%/stored-chunk.c %D%/store.h %D%/store.c \
	%D%/store-build.h %D%/store-build.c %D%/store-history.h %D%/store-history.c %D%/store-write.c %D%/store-evict.c %D%/admin.h %D%/admin.c %D%/build-id.h

# What the translator was made from and by which compiler: stored translations of another one are
# not used.
%D%/build-id.c: libtranslator.a
	$(AM_V_GEN)$(MKDIR_P) %D% && { echo '#include "translator/cache/build-id.h"'; \
	  echo 'const char translator_build_id[] ='; \
	  sha256sum libtranslator.a | sed 's/ .*/";/; s/^/    "/'; } > $@.tmp && mv $@.tmp $@
EXTRA_DIST += %D%/FORMAT.md
CLEANFILES += %D%/build-id.c
%D%/build-id.$(OBJEXT): %D%/build-id.c
	$(AM_V_CC)$(MKDIR_P) %D% && $(CC) $(DEFS) $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -c -o $@ %D%/build-id.c
