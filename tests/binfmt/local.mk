# The kernel starts programs by binfmt_misc: in a user namespace with one of its own.
TESTS += %D%/run.sh %D%/docker.sh
EXTRA_DIST += %D%/run.sh %D%/docker.sh %D%/guest.c %D%/flags.sh %D%/setuid.sh %D%/doctor.sh
