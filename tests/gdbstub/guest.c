/* Debugged by run.sh. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int total;
volatile double ratio = 0.5;
volatile long watched;
volatile short read_only[8] = {1, 2, 3, 4};

int add(int n)
{
    total += n;
    return total;
}

static long watches(void)
{
    long sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum += i;
        if (i == 500)
            watched = sum;
    }
    sum += read_only[1] + read_only[2];
    return sum;
}

static void *worker(void *arg)
{
    watches();
    for (int i = 0; i < 5; i++)
        add(1);
    return NULL;
}

int main(void)
{
    pthread_t t;
    signal(SIGUSR1, SIG_IGN);
    pthread_create(&t, NULL, worker, NULL);
    pthread_join(t, NULL);
    if (!fork())
        _exit(add(10));
    int status;
    wait(&status);
    raise(SIGUSR1);
    add(100);
    printf("total %d child %d\n", total, WEXITSTATUS(status));
    fflush(stdout);
    *(volatile int *)16 = 1;
    return 0;
}
