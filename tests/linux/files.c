/* Files by name: opening with every flag that differs between ports, stat in its forms,
 * links, times. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void show_stat(const char *what, const struct stat *st)
{
    printf("%s: mode %o nlink %lu size %ld blksize %ld same owner %d\n", what, st->st_mode,
           (unsigned long)st->st_nlink, (long)st->st_size, (long)st->st_blksize,
           st->st_uid == getuid() && st->st_gid == getgid());
}

static void opening(void)
{
    int fd = OK(open("a", O_CREAT | O_EXCL | O_RDWR, 0640));
    SHOW(open("a", O_CREAT | O_EXCL | O_RDWR, 0640));
    SHOW(write(fd, "hello, world", 12));
    printf("flags %x\n", fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_NOATIME));
    printf("append %d nonblock %d noatime %d direct %d directory %d\n",
           !!(fcntl(fd, F_GETFL) & O_APPEND), !!(fcntl(fd, F_GETFL) & O_NONBLOCK),
           !!(fcntl(fd, F_GETFL) & O_NOATIME), !!(fcntl(fd, F_GETFL) & O_DIRECT),
           !!(fcntl(fd, F_GETFL) & O_DIRECTORY));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "!", 1)); /* appends */
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -100, SEEK_SET));
    SHOW(lseek(fd, 1L << 40, SEEK_SET));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(open("a", O_DIRECTORY));
    OK(open(".", O_DIRECTORY));
    SHOW(open(".", O_WRONLY));
    SHOW(symlink("a", "link"));
    SHOW(open("link", O_NOFOLLOW));
    fd = OK(open("link", O_NOFOLLOW | O_PATH));
    printf("O_PATH %d\n", !!(fcntl(fd, F_GETFL) & O_PATH));
    SHOW(write(fd, "x", 1));
    fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
    struct stat st;
    SHOW(fstat(fd, &st));
    show_stat("O_TMPFILE", &st);
    SHOW(open("nothing", O_RDONLY));
    SHOW(open("a/b", O_RDONLY));
    fd = open("a", O_RDONLY | O_CLOEXEC);
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, 0));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(truncate("a", 5));
    SHOW(truncate("a", -1));
    SHOW(ftruncate(fd, 5));
    SHOW(fallocate(fd, 0, 0, 100));

    struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
    OK((int)syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof how));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "../x", &how, sizeof how));
    how.resolve = RESOLVE_NO_SYMLINKS;
    SHOW(syscall(SYS_openat2, AT_FDCWD, "link", &how, sizeof how));
    how.resolve = 0;
    how.flags = O_DIRECTORY;
    SHOW(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof how));
    how.flags = 1ul << 40;
    SHOW(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof how));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "a", &how, 8));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "a", BAD, sizeof how));
    struct { struct open_how how; long more[2]; } longer = { .how.flags = O_RDONLY };
    OK((int)syscall(SYS_openat2, AT_FDCWD, "a", &longer, sizeof longer));
    longer.more[1] = 1;
    SHOW(syscall(SYS_openat2, AT_FDCWD, "a", &longer, sizeof longer));
}

static void status(void)
{
    struct stat st;
    struct statx x;
    struct statfs fs;

    SHOW(stat("a", &st));
    show_stat("a", &st);
    SHOW(lstat("link", &st));
    show_stat("link", &st);
    SHOW(stat("link", &st));
    show_stat("through the link", &st);
    SHOW(fstatat(AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW));
    show_stat("no follow", &st);
    SHOW(fstatat(AT_FDCWD, "", &st, 0));
    int fd = open("a", O_RDONLY);
    SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
    show_stat("empty path", &st);
    SHOW(stat("/dev/null", &st));
    printf("/dev/null is %u, %u\n", major(st.st_rdev), minor(st.st_rdev));
    SHOW(statx(AT_FDCWD, "a", 0, STATX_BASIC_STATS, &x));
    printf("statx: mode %o size %llu nlink %u\n", x.stx_mode, (unsigned long long)x.stx_size,
           x.stx_nlink);
    SHOW(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
    printf("statx: type %o\n", x.stx_mode & S_IFMT);
    SHOW(statfs("/proc", &fs));
    printf("/proc is %lx, block %ld\n", (long)fs.f_type, (long)fs.f_bsize);
    SHOW(statfs("nothing", &fs));
    SHOW(access("a", R_OK | W_OK));
    SHOW(access("a/", R_OK));
    SHOW(access("nothing", F_OK));
    SHOW(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(access("a", 99));

    struct timespec times[2] = { { 1000000000, 123456789 }, { 1500000000, 987654321 } };
    SHOW(utimensat(AT_FDCWD, "a", times, 0));
    SHOW(stat("a", &st));
    printf("atime %ld.%09ld mtime %ld.%09ld\n", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    times[0].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "a", times, 0));
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 42;
    times[1].tv_nsec = 0;
    SHOW(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
    SHOW(lstat("link", &st));
    printf("link's mtime %ld\n", (long)st.st_mtim.tv_sec);
}

static void names(void)
{
    char buf[64] = "";

    SHOW(readlink("link", buf, sizeof buf));
    printf("%s\n", buf);
    SHOW(readlink("link", buf, 0));
    SHOW(readlink("a", buf, sizeof buf));
    SHOW(readlink("link", BAD, 8));
    SHOW(link("a", "b"));
    SHOW(rename("b", "c"));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "link", RENAME_EXCHANGE));
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("d", 0755));
    SHOW(mkfifo("d/fifo", 0600));
    SHOW(rmdir("d"));
    SHOW(unlink("d"));
    SHOW(chdir("d"));
    SHOW(access("fifo", F_OK));
    SHOW(chdir(".."));
    SHOW(chdir("a/../nothing"));
    SHOW(chmod("c", 0444));
    SHOW(chown("c", -1, -1));
    SHOW(umask(027));
    SHOW(umask(022));
    char *cwd = getcwd(NULL, 0);
    printf("cwd %d\n", cwd && cwd[0] == '/');
    SHOW(syscall(SYS_getcwd, buf, 2));

    DIR *dir = opendir(".");
    char list[16][256];
    int n = 0;
    for (struct dirent *e; (e = readdir(dir)) && n < 16; n++)
        snprintf(list[n], sizeof list[n], "%s %d", e->d_name, e->d_type);
    qsort(list, n, sizeof list[0], (int (*)(const void *, const void *))strcmp);
    for (int i = 0; i < n; i++)
        printf("entry %s\n", list[i]);
    SHOW(syscall(SYS_getdents64, dirfd(dir), buf, 1));
    rewinddir(dir);
    SHOW(syscall(SYS_getdents64, dirfd(dir), BAD, 1000));
    closedir(dir);

    SHOW(setxattr("c", "user.x", "value", 5, 0));
    SHOW(chmod("c", 0644));
    SHOW(setxattr("c", "nonsense.x", "value", 5, 0));
    SHOW(getxattr("c", "user.none", buf, sizeof buf));
}

static void faults(void)
{
    struct stat st;

    SHOW(open(BAD, O_RDONLY));
    SHOW(stat(BAD, &st));
    SHOW(stat("c", BAD));
    SHOW(stat("c", (void *)-8l));
    SHOW(mkdir(BAD, 0));
    SHOW(rename("c", BAD));
    SHOW(syscall(SYS_statx, AT_FDCWD, "c", 0, STATX_ALL, BAD));
    SHOW(syscall(SYS_getcwd, BAD, 4096));
    char path[5000];
    memset(path, 'x', sizeof path);
    path[4999] = 0;
    SHOW(open(path, O_RDONLY));
    SHOW(stat(path, &st));
    path[300] = 0;
    SHOW(open(path, O_RDONLY));
    SHOW(open("", O_RDONLY));
    SHOW(readlink("", path, 10));
}

int main(void)
{
    umask(022);
    opening();
    status();
    names();
    faults();
    return 0;
}
