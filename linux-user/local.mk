include %D%/syscalls/local.mk
include %D%/ioctl/local.mk
