/* What is left of threads and processes: robust and priority-inheriting locks, exec from a thread,
 * forks while others hold locks, a thousand threads, what the kernel clears. */
#include <dirent.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

static pthread_mutex_t *shared_mutex(bool robust, int protocol)
{
    pthread_mutexattr_t a;
    pthread_mutex_t *m =
        mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
    pthread_mutexattr_setprotocol(&a, protocol);
    pthread_mutex_init(m, &a);
    return m;
}

static void *lock_and_end(void *m)
{
    pthread_mutex_lock(m);
    return NULL;
}

static void *lock_later(void *m)
{
    int r = pthread_mutex_lock(m);
    if (r == EOWNERDEAD)
        pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);
    return (void *)(long)r;
}

static void owner(const char *how, pthread_mutex_t *m)
{
    int r = pthread_mutex_lock(m);
    printf("%s: %s", how, r ? strerrorname_np(r) : "locked");
    if (r == EOWNERDEAD)
        printf(" %d", pthread_mutex_consistent(m));
    printf(" %d\n", pthread_mutex_unlock(m));
}

static void robust(int protocol)
{
    pthread_mutex_t *m = shared_mutex(true, protocol);
    pthread_t t, waiter;
    void *result;
    int status;
    printf("protocol %d\n", protocol);
    pthread_create(&t, NULL, lock_and_end, m);
    pthread_join(t, NULL);
    owner("thread ended", m);
    for (int how = 0; how < 4; how++) {
        int p[2];
        char c;
        pipe(p);
        pid_t pid = fork();
        if (!pid) {
            pthread_mutex_lock(m);
            write(p[1], "", 1);
            usleep(20000); /* somebody waits by now */
            if (how == 0)
                _exit(0);
            if (how == 1)
                kill(getpid(), SIGKILL);
            if (how == 2)
                execl("/proc/self/exe", "threads-end", "nothing", NULL);
            pthread_create(&t, NULL, (void *(*)(void *))_exit, NULL);
            pause();
        }
        read(p[0], &c, 1);
        pthread_create(&waiter, NULL, lock_later, m);
        pthread_join(waiter, &result);
        waitpid(pid, &status, 0);
        printf("owner gone %d: %s\n", how, strerrorname_np((long)result));
        close(p[0]), close(p[1]);
    }
    pthread_create(&t, NULL, lock_and_end, m);
    pthread_join(t, NULL);
    SHOW(pthread_mutex_trylock(m));
    pthread_mutex_unlock(m); /* not made consistent */
    SHOW(pthread_mutex_trylock(m));
}

/* ---- priority inheritance, condition variables ---- */

static pthread_mutex_t *pi;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready, woken;

static void *wait_for_it(void *arg)
{
    pthread_mutex_lock(pi);
    while (!ready)
        pthread_cond_wait(&cond, pi);
    woken++;
    pthread_mutex_unlock(pi);
    return NULL;
}

static void *add_up(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(pi);
        ++*(int *)arg;
        pthread_mutex_unlock(pi);
    }
    return NULL;
}

static void inheritance(void)
{
    pthread_t t[8];
    int sum = 0;
    pi = shared_mutex(false, PTHREAD_PRIO_INHERIT);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, add_up, &sum);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, wait_for_it, NULL);
    usleep(10000);
    pthread_mutex_lock(pi);
    ready = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(pi);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    printf("sum %d woken %d\n", sum, woken);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 5000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    pthread_mutex_lock(pi);
    printf("locked by me: %s\n", strerrorname_np(pthread_mutex_timedlock(pi, &soon)));
    pthread_mutex_unlock(pi);
    int words[2] = {0, 0};
    SHOW(syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, 1, 1, &words[1], 5));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, 1, 1, &words[1], 0));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_UNLOCK_PI, 0, 0, 0, 0));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_TRYLOCK_PI, 0, 0, 0, 0));
    printf("owner %d\n", words[0] == syscall(SYS_gettid));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_LOCK_PI, 0, 0, 0, 0));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_UNLOCK_PI, 0, 0, 0, 0));
    SHOW(syscall(SYS_futex, BAD, FUTEX_WAIT, 0, 0, 0, 0));
    SHOW(syscall(SYS_futex, &words[0], FUTEX_WAIT, 1, 0, 0, 0));
    SHOW(syscall(SYS_futex, (char *)words + 1, FUTEX_WAIT, 0, 0, 0, 0));
}

/* ---- many ---- */

static atomic_int here, go;
static void *stand(void *arg)
{
    here++;
    while (!go)
        syscall(SYS_futex, &go, FUTEX_WAIT, 0, 0, 0, 0);
    return arg;
}

static int tasks(void)
{
    int n = -2;
    DIR *d = opendir("/proc/self/task");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void thousand(void)
{
    static pthread_t t[1000];
    pthread_attr_t a;
    long sum = 0;
    void *r;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    for (long i = 0; i < 1000; i++)
        if (pthread_create(&t[i], &a, stand, (void *)i))
            printf("no thread %ld\n", i);
    while (here < 1000)
        usleep(1000);
    printf("tasks %d\n", tasks());
    go = 1;
    syscall(SYS_futex, &go, FUTEX_WAKE, 1000, 0, 0, 0);
    for (int i = 0; i < 1000; i++) {
        pthread_join(t[i], &r);
        sum += (long)r;
    }
    printf("sum %ld\n", sum);
}

/* ---- forks beside threads ---- */

static atomic_bool stop;
static void *allocate(void *arg)
{
    while (!stop) {
        void *p[32];
        for (int i = 0; i < 32; i++)
            p[i] = malloc(100 + i * 1000);
        for (int i = 0; i < 32; i++)
            free(p[i]);
        void *m = mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(m, 65536);
    }
    return NULL;
}

static void *short_lived(void *arg)
{
    pthread_t t;
    while (!stop) {
        pthread_create(&t, NULL, lock_and_end, arg);
        pthread_join(t, NULL);
        pthread_mutex_unlock(arg);
    }
    return NULL;
}

static void *just_return(void *arg) { return arg; }

static void forks(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t[3];
    int good = 0, status;
    void *r;
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, allocate, NULL);
    pthread_create(&t[2], NULL, short_lived, &m);
    for (int i = 0; i < 60; i++) {
        long flags = SIGCHLD | (geteuid() ? 0 : CLONE_NEWUTS);
        pid_t pid = i % 3 < 2 ? fork() : (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
        if (pid < 0)
            pid = fork();
        if (!pid) {
            if (i % 3 < 2) {
                pthread_t n;
                free(malloc(1 << i % 20));
                pthread_create(&n, NULL, just_return, &m);
                pthread_join(n, &r);
                if (r != &m || tasks() != 1)
                    _exit(1);
            }
            _exit(5);
        }
        waitpid(pid, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 5;
        char *args[] = {"threads-end", "nothing", NULL};
        posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, NULL);
        waitpid(pid, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    printf("forks %d\n", good);
}

static void *exec_again(void *arg)
{
    execl("/proc/self/exe", "threads-end", arg, NULL);
    return NULL;
}

static void exec_from_thread(void)
{
    pthread_t t;
    int status;
    pid_t pid = fork();
    if (!pid) {
        char text[20];
        snprintf(text, sizeof text, "%d", getpid());
        for (int i = 0; i < 5; i++)
            pthread_create(&t, NULL, stand, NULL);
        go = 0;
        pthread_create(&t, NULL, exec_again, text);
        pause();
        for (;;)
            pause();
    }
    waitpid(pid, &status, 0);
    printf("exec from a thread %d\n", status);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1 && argv[1][0] == 'n')
        return 0;
    if (argc > 1) {
        printf("again: pid %d tid %d tasks %d\n", getpid() == atoi(argv[1]),
               (int)syscall(SYS_gettid) == getpid(), tasks());
        return 0;
    }
    robust(PTHREAD_PRIO_NONE);
    robust(PTHREAD_PRIO_INHERIT);
    inheritance();
    thousand();
    forks();
    exec_from_thread();
    return 0;
}
