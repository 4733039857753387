/* The first thread ends while another runs: the process lives on,
 * and ends with the group's status. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *other(void *arg)
{
    usleep(50000);
    printf("still here, pid %d\n", getpid() != gettid());
    exit(7);
}

int main(void)
{
    pthread_t t;
    int status;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (fork()) {
        wait(&status);
        printf("exit status %d\n", WEXITSTATUS(status));
        return 0;
    }
    pthread_create(&t, NULL, other, NULL);
    pthread_exit(NULL);
}
