/* Threads that allocate, fork, spawn and exec while signals come in: no lost signal,
 * no deadlock. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 30, SENT = 2000 };
extern char **environ;
static char self[4096];
static atomic_int ticks, got, failures;

static void on_tick(int sig) { ticks++; }
static void on_queued(int sig, siginfo_t *info, void *uc) { got++; }

static void wait_for(pid_t pid, int want)
{
    int s = -1;
    while (waitpid(pid, &s, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(s) || WEXITSTATUS(s) != want)
        failures++;
}

static void *work(void *arg)
{
    long me = (long)arg;
    for (int i = 0; i < ROUNDS; i++) {
        void *blocks[50];
        for (int j = 0; j < 50; j++)
            blocks[j] = malloc((size_t)(j * 100 + 1));
        char *map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(map, (int)me, 65536);
        pid_t pid;
        switch ((me + i) % 4) {
        case 0:
            pid = fork();
            if (pid == 0) {
                free(malloc(100000));
                _exit(map[100] == me ? 11 : 1);
            }
            wait_for(pid, 11);
            break;
        case 1: {
            char *argv[] = {self, "child", NULL};
            if (posix_spawn(&pid, self, NULL, NULL, argv, environ))
                failures++;
            else
                wait_for(pid, 12);
            break;
        }
        case 2:
            pid = fork();
            if (pid == 0) {
                execl(self, self, "child", NULL);
                _exit(2);
            }
            wait_for(pid, 12);
            break;
        case 3:
            pid = vfork();
            if (pid == 0)
                _exit(13);
            wait_for(pid, 13);
            break;
        }
        munmap(map, 65536);
        for (int j = 0; j < 50; j++)
            free(blocks[j]);
    }
    return NULL;
}

static void *send(void *arg)
{
    for (int i = 0; i < SENT; i++)
        while (sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}) < 0)
            usleep(1000);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 12;
    self[readlink("/proc/self/exe", self, sizeof self - 1)] = 0;
    struct sigaction a = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &a, NULL);
    a = (struct sigaction){.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 3, &a, NULL);
    struct itimerval t = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &t, NULL);
    pthread_t threads[THREADS], sender;
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    pthread_create(&sender, NULL, send, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(sender, NULL);
    while (ticks <= 10) /* all that takes less than 20 ms on some machines */
        usleep(1000);
    memset(&t, 0, sizeof t);
    setitimer(ITIMER_REAL, &t, NULL);
    printf("failures %d, queued signals %d, ticks %d\n", failures, got, ticks > 10);
    return 0;
}
