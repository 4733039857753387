# calque-binfmt: tells the kernel about calque.
bin_PROGRAMS += calque-binfmt
calque_binfmt_SOURCES = %D%/main.c %D%/guests.h %D%/guests.c %D%/registry.h %D%/registry.c \
	%D%/emulator.h %D%/emulator.c %D%/report.h %D%/report.c %D%/doctor.h %D%/doctor.c \
	%D%/export.h %D%/export.c
calque_binfmt_CPPFLAGS = $(AM_CPPFLAGS) -DBINDIR='"$(bindir)"'
calque_binfmt_LDADD = $(GLIB_LIBS)
# Statically, as an image may hold nothing else.
calque_binfmt_LDFLAGS = -static $(AM_LDFLAGS)
dist_man_MANS += man/calque-binfmt.1
dist_bashcompletion_DATA = %D%/completion/calque-binfmt
bashcompletiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += %D%/README.md
