include %D%/syscalls/local.mk
include %D%/ioctl/local.mk
include %D%/strace/local.mk
