libtranslator_a_SOURCES += \
	%D%/opt.h %D%/pipeline.c %D%/forward.c %D%/fold.c %D%/eval.c %D%/address.c %D%/index.c %D%/carry.c %D%/lanes.c %D%/bytes.c %D%/compare.c %D%/dce.c \
	%D%/cfg.h %D%/cfg.c %D%/layout.c %D%/alias.h \
	%D%/sticky.c %D%/truncation.c %D%/shortcut.c %D%/putoff.c %D%/unbox.c %D%/forms.c %D%/nan.c %D%/upper.c \
	%D%/vars.h %D%/vars.c %D%/ssa.c %D%/gvn.c %D%/licm.c %D%/polls.c %D%/unread.c %D%/bits.h %D%/bits.c %D%/extend.c %D%/reload.c %D%/dce-region.c %D%/split.c %D%/skip.h %D%/skip.c %D%/skip-match.c %D%/skip-store.c %D%/watch.c %D%/critical.c
EXTRA_DIST += %D%/foldgen.py %D%/fold.rules

%D%/fold-rules.h: %D%/foldgen.py %D%/fold.rules translator/ir/ops.def
	$(AM_V_GEN)$(MKDIR_P) %D% && $(PYTHON) $(srcdir)/%D%/foldgen.py $(srcdir)/%D%/fold.rules \
		$(top_srcdir)/translator/ir/ops.def $@
BUILT_SOURCES += %D%/fold-rules.h
CLEANFILES += %D%/fold-rules.h
%D%/fold.$(OBJEXT): %D%/fold-rules.h
