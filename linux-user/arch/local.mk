LINUX_USER_SOURCES = %D%/frame.h %D%/frame.c %D%/text.h \
	%D%/debug.h %D%/debug.c %D%/regset.h %D%/aarch64/regset.h %D%/aarch64/regset.c \
	%D%/riscv64/regset.h %D%/riscv64/regset.c \
	%D%/aarch64/abi.c %D%/aarch64/signal-frame.h %D%/aarch64/signal-frame.c \
	%D%/riscv64/abi.c %D%/riscv64/signal-frame.h %D%/riscv64/signal-frame.c
