/* The foreign program of the binfmt_misc tests: says what it was given. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

static int show(int argc, char **argv)
{
    char comm[16];
    prctl(PR_GET_NAME, comm);
    printf("argv");
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    errno = 0;
    getauxval(AT_EXECFD);
    printf(" comm %s execfn %s flags %lu execfd %s secure %lu uid %d euid %d fds", comm,
           (char *)getauxval(AT_EXECFN), getauxval(AT_FLAGS), errno ? "none" : "some",
           getauxval(AT_SECURE), getuid(), geteuid());
    for (int i = 0; i < 100; i++)
        if (i != 1 && i != 2 && fcntl(i, F_GETFD) >= 0)
            printf(" %d", i);
    puts("");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "exec")) { /* exec PATH ARGV… */
        execve(argv[2], argv + 3, environ);
        printf("exec: %s\n", strerror(errno));
        return 9;
    }
    if (!strcmp(what, "sleep")) {
        puts("ready");
        fflush(stdout);
        return pause();
    }
    if (!strcmp(what, "env")) {
        for (char **e = environ; *e; e++)
            puts(*e);
        return 0;
    }
    return show(argc, argv);
}
