/* A little of everything, the same at each run: sorting, text, floating point, signals, a child. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VALUE
#define VALUE 1
#endif

__attribute__((noinline)) int value(int x) { return x + VALUE; }

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static volatile sig_atomic_t faults;
static char *page;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    faults += info->si_addr == page;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(int argc, char **argv)
{
    int numbers[500];
    char text[200] = "";
    double sum = 0;
    for (int turns = argc > 2 ? atoi(argv[2]) : 1; turns > 0; turns--) {
        unsigned seed = 7;
        for (int n = 0; n < 500; n++)
            numbers[n] = (int)((seed = seed * 1103515245 + 12345) >> 8) % 1000;
        qsort(numbers, 500, sizeof *numbers, compare);
    }
    for (int n = 0; n < 500; n++)
        sum += sin(numbers[n]) / (n + 1);
    for (int n = 0; n < 20; n++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%x;", numbers[n * 20], n);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = 1;
    pid_t child = fork();
    if (child == 0)
        _exit((int)fabs(sum * 100) & 63);
    int status;
    waitpid(child, &status, 0);
    printf("%s %.12f %d %d %d %d\n", text, sum, (int)faults, WEXITSTATUS(status), value(argc),
           atoi(argc > 1 ? argv[1] : "0"));
    return 0;
}
