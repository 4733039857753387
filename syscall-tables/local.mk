# Text in, C out; see FORMAT.md.
SYSCALL_TEXT = %D%/abis.tbl \
	%D%/numbers/generic64.tbl %D%/numbers/aarch64.tbl %D%/numbers/riscv64.tbl \
	%D%/numbers/x86_64.tbl %D%/numbers/arm.tbl \
	%D%/protos/arch.tbl %D%/protos/desc.tbl %D%/protos/file.tbl %D%/protos/ids.tbl \
	%D%/protos/ipc.tbl %D%/protos/legacy.tbl %D%/protos/memory.tbl %D%/protos/mount.tbl \
	%D%/protos/process.tbl %D%/protos/sched.tbl %D%/protos/signal.tbl %D%/protos/socket.tbl \
	%D%/protos/time.tbl %D%/protos/words.tbl %D%/structs/words.tbl \
	%D%/consts/desc.tbl %D%/consts/errno.tbl %D%/consts/file.tbl %D%/consts/ids.tbl \
	%D%/consts/ipc.tbl %D%/consts/memory.tbl %D%/consts/process.tbl %D%/consts/signal.tbl \
	%D%/consts/socket.tbl %D%/consts/time.tbl \
	%D%/structs/desc.tbl %D%/structs/file.tbl %D%/structs/ioctl.tbl %D%/structs/ipc.tbl \
	%D%/structs/process.tbl \
	%D%/structs/signal.tbl %D%/structs/socket.tbl %D%/sockopts/options.tbl %D%/sockopts/control.tbl \
	%D%/ioctls/file.tbl %D%/ioctls/net.tbl %D%/ioctls/tty.tbl \
	%D%/ioctls/block.tbl %D%/ioctls/btrfs.tbl %D%/ioctls/cdrom.tbl %D%/ioctls/dm.tbl \
	%D%/ioctls/drm.tbl %D%/ioctls/input.tbl %D%/ioctls/kernel.tbl %D%/ioctls/netdev.tbl \
	%D%/ioctls/refused.tbl %D%/ioctls/rtc.tbl %D%/ioctls/sound.tbl %D%/ioctls/usb.tbl \
	%D%/ioctls/video.tbl %D%/ioctls/vt.tbl %D%/structs/ioctl-block.tbl %D%/structs/ioctl-btrfs.tbl \
	%D%/structs/ioctl-cdrom.tbl %D%/structs/ioctl-dm.tbl %D%/structs/ioctl-drm.tbl %D%/structs/ioctl-input.tbl \
	%D%/structs/ioctl-kernel.tbl %D%/structs/ioctl-netdev.tbl %D%/structs/ioctl-rtc.tbl %D%/structs/ioctl-sound.tbl \
	%D%/structs/ioctl-usb.tbl %D%/structs/ioctl-video.tbl %D%/structs/ioctl-vt.tbl
SYSCALL_GEN = %D%/gen/generate.py %D%/gen/model.py
SYSCALL_OUT = %D%/common.c %D%/abi-aarch64.c %D%/abi-riscv64.c %D%/abi-x86_64.c %D%/abi-arm.c \
	%D%/abi-be32.c %D%/ids.h %D%/handlers.h

noinst_LIBRARIES += libsyscalls.a
libsyscalls_a_SOURCES = %D%/table.h
nodist_libsyscalls_a_SOURCES = $(SYSCALL_OUT)
BUILT_SOURCES += %D%/ids.h %D%/handlers.h
man_MANS += %D%/calque-syscalls.7
CLEANFILES += $(SYSCALL_OUT) %D%/calque-syscalls.7 %D%/coverage.txt %D%/stamp
EXTRA_DIST += $(SYSCALL_TEXT) $(SYSCALL_GEN) %D%/FORMAT.md %D%/README.md

%D%/stamp: $(SYSCALL_TEXT) $(SYSCALL_GEN)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(PYTHON) -B $(srcdir)/%D%/gen/generate.py \
		--top $(srcdir)/%D% --out %D% --host $(host_cpu) && echo done > $@
$(SYSCALL_OUT) %D%/calque-syscalls.7: %D%/stamp
	@test -f $@ || { rm -f %D%/stamp; $(MAKE) $(AM_MAKEFLAGS) %D%/stamp; }

.PHONY: syscall-coverage
syscall-coverage: %D%/stamp
	@cat %D%/coverage.txt
