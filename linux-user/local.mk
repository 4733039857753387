include %D%/syscalls/local.mk
include %D%/ioctl/local.mk
include %D%/strace/local.mk
include %D%/arch/local.mk
include %D%/load/local.mk
include %D%/mem/local.mk
include %D%/signal/local.mk
include %D%/seccomp/local.mk
include %D%/thread/local.mk
include %D%/procfs/local.mk
include %D%/cache/local.mk
include %D%/vdso/local.mk
include %D%/ptrace/local.mk
include %D%/core/local.mk
include %D%/gdbstub/local.mk

bin_PROGRAMS += calque
calque_SOURCES = %D%/process.h %D%/abi.h %D%/options.h %D%/options.c %D%/main.c \
	$(LINUX_USER_SOURCES)
EXTRA_DIST += %D%/README.md
calque_LDADD = %D%/load/libc-start-quick.o libsyscalls.a $(TRANSLATOR_LIBS)
# Fixed addresses high in the two gigabytes that code can name: no relocation at start (80,000 and
# a megabyte of private pages as static-pie), and out of the way of programs with fixed addresses.
calque_LDFLAGS = -static -Wl,-Ttext-segment=0x7e000000 -Wl,-T,$(srcdir)/linux-user/start.ld \
	-Wl,--wrap=_dl_get_origin,--wrap=__register_frame_info,--wrap=__deregister_frame_info \
	-Wl,--wrap=__tunables_init \
	-Wl,-z,norelro $(AM_LDFLAGS)
calque_LINK = $(SHELL) $(srcdir)/%D%/link.sh $@ \
	$(CCLD) $(AM_CFLAGS) $(CFLAGS) $(calque_LDFLAGS) $(LDFLAGS) -o $@
EXTRA_calque_DEPENDENCIES = %D%/start.ld %D%/link.sh
EXTRA_DIST += %D%/start.ld %D%/link.sh
