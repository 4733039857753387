LINUX_USER_SOURCES += %D%/load.h %D%/head.c %D%/elf.c %D%/program.c %D%/stack.c %D%/random.h \
	%D%/random.c %D%/prefix.h %D%/prefix.c %D%/origin.h %D%/origin.c \
	%D%/check.c %D%/libc-start.h %D%/libc-start.c
# The C library's own start, asking the processor for less (libc-start.py).
%D%/libc-start-quick.o: %D%/libc-start.py
	$(AM_V_GEN)$(MKDIR_P) %D% && $(PYTHON) $(srcdir)/%D%/libc-start.py '$(CC)' '$(AR)' '$(OBJDUMP)' $@
EXTRA_DIST += %D%/libc-start.py
CLEANFILES += %D%/libc-start-quick.o
