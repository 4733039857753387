libsyscalls_a_SOURCES += %D%/dispatch.h %D%/dispatch.c %D%/convert.h %D%/convert.c \
	%D%/hidden.h %D%/hidden.c %D%/siginfo.h %D%/siginfo.c %D%/file.c %D%/desc.c %D%/ids.c %D%/ipc.c %D%/arch.c %D%/hwprobe.h
# What means most to the emulator: memory, processes, signals.
libsyscalls_a_SOURCES += %D%/memory.c %D%/advice.c %D%/sleep.h %D%/sleep.c %D%/tagged.h %D%/tagged.c %D%/perf.c %D%/words.c %D%/message.h %D%/message.c %D%/prctl.c %D%/uring.h %D%/uring.c %D%/seccomp.c %D%/process.c %D%/signal.c %D%/exec.c
