/* execve and execveat in all their ways: scripts, descriptors, names, and the errors of files that
 * can't be run, found before the old program is gone. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096], dir[] = "/tmp/calque-exec-XXXXXX";

/* The name without the folder, which differs from run to run. */
static const char *short_name(const char *s)
{
    if (!strncmp(s, dir, sizeof dir - 1))
        return s + sizeof dir - 1;
    return !strcmp(s, self) ? "SELF" : s;
}

static int child_main(int argc, char **argv)
{
    char comm[16], exe[4096], cmdline[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    prctl(PR_GET_NAME, comm);
    strcpy(dir, getenv("DIR"));
    strcpy(self, getenv("SELF"));
    printf("  argv");
    for (int i = 0; i < argc; i++)
        printf(" [%s]", short_name(argv[i]));
    const char *execfn = (const char *)getauxval(AT_EXECFN);
    printf("\n  execfn %s exe %s secure %lu execfd %lu", short_name(execfn), short_name(exe),
           getauxval(AT_SECURE), getauxval(AT_EXECFD));
    if (strncmp(execfn, "/dev/fd/", 8)) /* what the name then is depends on the kernel */
        printf(" comm %s", comm);
    int fd = open("/proc/self/cmdline", O_RDONLY);
    n = read(fd, cmdline, sizeof cmdline);
    close(fd);
    size_t want = 0;
    for (int i = 0; i < argc; i++)
        want += strlen(argv[i]) + 1;
    printf(" cmdline %s open", n == (ssize_t)want && !memcmp(cmdline, argv[0], want) ? "ok" : "no");
    for (int i = 3; i < 200; i++)
        if (fcntl(i, F_GETFD) >= 0)
            printf(" %d", i);
    printf("\n");
    fflush(stdout);
    return 7;
}

/* Runs in a child: execveat(dfd, path, argv, flags), through the number, as the C library changes
 * some of it. */
static void try(const char *what, int dfd, const char *path, int flags, char **argv)
{
    char *none[] = {(char *)"zero", (char *)"one", NULL};
    int s;
    printf("%s:\n", what);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, dfd, path, argv ? argv : none, environ, flags);
        printf("  %s\n", strerror(errno));
        fflush(stdout);
        _exit(9);
    }
    waitpid(pid, &s, 0);
    printf("  status %d\n", WIFEXITED(s) ? WEXITSTATUS(s) : -WTERMSIG(s));
}

static char *in_dir(const char *name)
{
    char *s;
    return asprintf(&s, "%s/%s", dir, name) < 0 ? NULL : s;
}

static char *make(const char *name, const void *bytes, size_t n, mode_t mode)
{
    char *path = in_dir(name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);
    if (write(fd, bytes, n) != (ssize_t)n || fchmod(fd, mode))
        printf("can't write %s\n", name);
    close(fd);
    return path;
}

static char *make_script(const char *name, const char *line)
{
    return make(name, line, strlen(line), 0755);
}

static char *copy_self(const char *name, void **ret_bytes, size_t *ret_n)
{
    int fd = open(self, O_RDONLY);
    struct stat st;
    fstat(fd, &st);
    *ret_bytes = malloc(st.st_size);
    *ret_n = read(fd, *ret_bytes, st.st_size);
    close(fd);
    return make(name, *ret_bytes, *ret_n, 0755);
}

static void try_scripts(void)
{
    char line[512], *long_line = malloc(8192);
    snprintf(line, sizeof line, "#!%s/prog\n", dir);
    char *a = make_script("a.sh", line);
    try("script", AT_FDCWD, a, 0, NULL);
    snprintf(line, sizeof line, "#! \t %s/prog  one argument  \t\nrest", dir);
    try("script with an argument", AT_FDCWD, make_script("b.sh", line), 0, NULL);
    snprintf(line, sizeof line, "#!%s/b.sh nested", dir);
    char *c = make_script("c.sh", line);
    try("script of a script, no newline", AT_FDCWD, c, 0, NULL);
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d.sh", i);
        snprintf(line, sizeof line, "#!%s/%s", dir, i ? (name[1]--, name) : "prog");
        name[1] = (char)('0' + i);
        free(make_script(name, line));
    }
    try("four more around it", AT_FDCWD, in_dir("d4.sh"), 0, NULL);
    try("five more around it", AT_FDCWD, in_dir("d5.sh"), 0, NULL);
    try("no interpreter", AT_FDCWD, make_script("e.sh", "#!   \n"), 0, NULL);
    try("missing interpreter", AT_FDCWD, make_script("f.sh", "#!/no/such/program -x\n"), 0, NULL);
    try("a folder as interpreter", AT_FDCWD, make_script("g.sh", "#!/usr\n"), 0, NULL);
    memset(long_line, 'x', 8192);
    snprintf(line, sizeof line, "#!%s/prog ", dir);
    memcpy(long_line, line, strlen(line));
    try("argument cut at 255 bytes", AT_FDCWD, make("h.sh", long_line, 400, 0755), 0, NULL);
    memcpy(long_line, "#!/xxxxx", 8);
    try("name too long", AT_FDCWD, make("i.sh", long_line, 400, 0755), 0, NULL);
    int fd = open(a, O_RDONLY), fc = open(a, O_RDONLY | O_CLOEXEC);
    try("script by a descriptor", fd, "", AT_EMPTY_PATH, NULL);
    try("script by one that is closed by exec", fc, "", AT_EMPTY_PATH, NULL);
    close(fd);
    close(fc);
    snprintf(line, sizeof line, "#!prog relative\n");
    free(make_script("j.sh", line));
    if (chdir(dir) == 0)
        try("relative interpreter", AT_FDCWD, "./j.sh", 0, NULL);
    free(long_line);
}

static void try_descriptors(void)
{
    char *empty[] = {NULL}, *long_argv[] = {(char *)"-0", (char *)"--", (char *)"", NULL};
    char *prog = in_dir("prog");
    int dfd = open(dir, O_RDONLY | O_DIRECTORY), dc = open(dir, O_PATH | O_CLOEXEC);
    int fd = open(prog, O_RDONLY), fc = open(prog, O_RDONLY | O_CLOEXEC);
    int fp = open(prog, O_PATH | O_CLOEXEC);
    try("by a descriptor", fd, "", AT_EMPTY_PATH, NULL);
    try("by one that is closed by exec", fc, "", AT_EMPTY_PATH, NULL);
    try("by an O_PATH one", fp, "", AT_EMPTY_PATH, NULL);
    try("without AT_EMPTY_PATH", fd, "", 0, NULL);
    try("a bad descriptor", 77, "", AT_EMPTY_PATH, NULL);
    try("a folder", dfd, "", AT_EMPTY_PATH, NULL);
    try("relative to a folder", dfd, "prog", 0, NULL);
    try("relative to one that is closed", dc, "prog", 0, NULL);
    try("absolute, descriptor ignored", 77, prog, 0, NULL);
    try("bad flags", AT_FDCWD, prog, 0x4000, NULL);
    try("empty argv", AT_FDCWD, prog, 0, empty);
    try("arguments like options", AT_FDCWD, prog, 0, long_argv);
    if (symlink("prog", in_dir("link")) == 0) {
        try("a link", AT_FDCWD, in_dir("link"), 0, NULL);
        try("a link not followed", AT_FDCWD, in_dir("link"), AT_SYMLINK_NOFOLLOW, NULL);
    }
    if (link(prog, in_dir("--strace")) == 0 && chdir(dir) == 0)
        try("a name like an option", AT_FDCWD, "--strace", 0, NULL);
    close(dfd);
    close(dc);
    close(fd);
    close(fc);
    close(fp);
    printf("descriptor 0 closed:\n");
    fflush(stdout);
    int zero = dup(0);
    close(0);
    try("by path", AT_FDCWD, prog, 0, NULL);
    dup2(zero, 0);
    close(zero);
}

static void try_memfd(const void *bytes, size_t n)
{
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (write(fd, bytes, n) == (ssize_t)n)
        try("from memory", fd, "", AT_EMPTY_PATH, NULL);
    close(fd);
}

static void try_errors(void *bytes, size_t n)
{
    Elf64_Ehdr *h = bytes;
    Elf64_Phdr *ph = (Elf64_Phdr *)((char *)bytes + h->e_phoff);
    Elf64_Ehdr saved = *h;
    try("no such file", AT_FDCWD, "/no/such", 0, NULL);
    try("not a folder", AT_FDCWD, "/etc/passwd/x", 0, NULL);
    try("a folder by path", AT_FDCWD, "/usr", 0, NULL);
    try("a device", AT_FDCWD, "/dev/null", 0, NULL);
    try("not executable", AT_FDCWD, make("x0", bytes, n, 0644), 0, NULL);
    try("empty", AT_FDCWD, make("x1", "", 0, 0755), 0, NULL);
    try("text", AT_FDCWD, make("x2", "text\n", 5, 0755), 0, NULL);
    try("half a header", AT_FDCWD, make("x3", bytes, 40, 0755), 0, NULL);
    h->e_machine = EM_S390;
    try("another machine", AT_FDCWD, make("x4", bytes, n, 0755), 0, NULL);
    *h = saved;
    h->e_type = ET_REL;
    try("an object file", AT_FDCWD, make("x5", bytes, n, 0755), 0, NULL);
    *h = saved;
    h->e_phentsize = 12;
    try("wrong program headers", AT_FDCWD, make("x6", bytes, n, 0755), 0, NULL);
    *h = saved;
    h->e_phnum = 0;
    try("no program headers", AT_FDCWD, make("x7", bytes, n, 0755), 0, NULL);
    *h = saved;
    h->e_phoff = n + 4096;
    try("program headers behind the end", AT_FDCWD, make("x8", bytes, n, 0755), 0, NULL);
    *h = saved;
    /* No such interpreter: the last header is PT_INTERP, its name the file's end. */
    Elf64_Phdr *last = &ph[h->e_phnum - 1], saved_ph = *last;
    char *with_name = malloc(n + 64);
    last->p_type = PT_INTERP;
    last->p_offset = n;
    static const char *const names[] = {"/no/such/interpreter", "/etc/passwd", "/etc/passwd/x"};
    for (int i = 0; i < 3; i++) {
        char name[8] = "y0";
        name[1] += i;
        last->p_filesz = last->p_memsz = strlen(names[i]) + 1;
        memcpy(with_name, bytes, n);
        memcpy(with_name + n, names[i], last->p_filesz);
        printf("%s ", names[i]);
        try("as interpreter", AT_FDCWD, make(name, with_name, n + last->p_filesz, 0755), 0, NULL);
    }
    last->p_filesz--;
    memcpy(with_name, bytes, n);
    try("name without its end", AT_FDCWD, make("y3", with_name, n + last->p_filesz, 0755), 0, NULL);
    *last = saved_ph;
    free(with_name);
}

int main(int argc, char **argv)
{
    if (getenv("DIR"))
        return child_main(argc, argv);
    void *bytes;
    size_t n;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0 || !mkdtemp(dir))
        return 1;
    setenv("DIR", dir, 1);
    setenv("SELF", self, 1);
    char *prog = copy_self("prog", &bytes, &n);
    try("by path", AT_FDCWD, prog, 0, NULL);
    try("/proc/self/exe", AT_FDCWD, "/proc/self/exe", 0, NULL);
    try_scripts();
    try_descriptors();
    try_memfd(bytes, n);
    try_errors(bytes, n);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return chdir("/") || system(command);
}
