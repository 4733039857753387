/* Core files: there, of this machine, with every thread, the files and the memory. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test.h"

static char mark[64];
static volatile long counter;

static void *wait_thread(void *arg)
{
    for (;;)
        pause();
}

static void *spin_thread(void *arg)
{
    for (;;)
        counter++;
}

static void die(int how)
{
    pthread_t t;
    sprintf(mark, "%s %d %s", "the mark of", 4711, "this process");
    pthread_create(&t, NULL, wait_thread, NULL);
    if (how == 8) { /* threads that have hardly begun */
        for (int i = 0; i < 3; i++)
            pthread_create(&t, NULL, wait_thread, NULL);
        *(volatile int *)test_bad = 1;
    }
    pthread_create(&t, NULL, spin_thread, NULL);
    while (!counter)
        ;
    switch (how) {
    case 0: *(volatile int *)test_bad = 1; break;
    case 1: abort();
    case 2: raise(SIGQUIT); break;
    case 3: raise(SIGTERM); break;
    case 4: kill(getpid(), SIGSEGV); pause(); break;
    case 5: prctl(PR_SET_DUMPABLE, 0); abort();
    }
}

static void show_core(const char *name)
{
    struct stat st;
    int fd = open(name, O_RDONLY), status = 0, signals = 0, files = 0, auxv = 0, info = 0, fp = 0;
    fstat(fd, &st);
    char *p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    Elf64_Ehdr *e = (void *)p, own;
    int self = open("/proc/self/exe", O_RDONLY);
    read(self, &own, sizeof own);
    printf("core: type %d own machine %d mode %#o\n", e->e_type, e->e_machine == own.e_machine,
           st.st_mode);
    Elf64_Phdr *ph = (void *)(p + e->e_phoff);
    bool found = false;
    for (int i = 0; i < e->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr <= (unsigned long)mark &&
            (unsigned long)mark < ph[i].p_vaddr + ph[i].p_filesz)
            found = !strcmp(p + ph[i].p_offset + ((unsigned long)mark - ph[i].p_vaddr),
                            "the mark of 4711 this process");
        if (ph[i].p_type != PT_NOTE)
            continue;
        for (char *q = p + ph[i].p_offset, *end = q + ph[i].p_filesz; q < end;) {
            Elf64_Nhdr *n = (void *)q;
            char *data = q + sizeof *n + (n->n_namesz + 3 & ~3);
            if (n->n_type == NT_PRSTATUS && status++ == 0)
                printf("first: signal %d\n", *(short *)(data + 12));
            files += n->n_type == NT_FILE && strstr(data + 16 + *(long *)data * 24, "/");
            auxv += n->n_type == NT_AUXV && *(long *)data != 0;
            fp += n->n_type == NT_PRFPREG && !strcmp(q + sizeof *n, "CORE");
            if (n->n_type == NT_SIGINFO && ++info)
                printf("siginfo: %d %d\n", ((siginfo_t *)data)->si_signo,
                       ((siginfo_t *)data)->si_code);
            q = data + (n->n_descsz + 3 & ~3);
        }
    }
    printf("threads %d %d files %d auxv %d siginfo %d mark %d\n", status, fp, files, auxv, info,
           found);
    close(fd);
    close(self);
}

static int is_core(const struct dirent *d) { return !strncmp(d->d_name, "core", 4); }

int main(void)
{
    char pattern[128] = "";
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
    read(fd, pattern, sizeof pattern - 1);
    if (strchr(pattern, '/') || pattern[0] == '|' || strncmp(pattern, "core", 4))
        return 0; /* the native ones go elsewhere */
    for (int how = 0; how < 9; how++) {
        struct rlimit limit = {how == 6 ? 0 : RLIM_INFINITY, RLIM_INFINITY};
        struct dirent **list;
        siginfo_t info;
        int status;
        OK(setrlimit(RLIMIT_CORE, &limit));
        pid_t c = fork();
        if (!c) {
            die(how == 6 || how == 7 ? 1 : how);
            _exit(0);
        }
        memset(&info, 0, sizeof info);
        if (how == 7) {
            waitid(P_PID, c, &info, WEXITED);
            printf("waitid: %d %d\n", info.si_code, info.si_status);
        } else {
            waitpid(c, &status, 0);
            printf("%d: %#x\n", how, status);
        }
        int n = scandir(".", &list, is_core, NULL);
        printf("files: %d\n", n);
        for (int i = 0; i < n; i++) {
            show_core(list[i]->d_name);
            unlink(list[i]->d_name);
        }
    }
    return 0;
}
