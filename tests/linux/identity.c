/* Time, limits, identity, System V IPC, message queues, scheduling: calls that go to the kernel
 * with or without a word of the emulator's. */
#include "test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

static volatile int alarms;
static void on_alarm(int sig) { alarms++; }

static void clocks(void)
{
    struct timespec a, b, res, rem = { 7, 7 };

    SHOW(clock_gettime(CLOCK_MONOTONIC, &a));
    SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b));
    printf("forward %d\n", b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
    SHOW(clock_getres(CLOCK_MONOTONIC, &res));
    printf("%ld %ld\n", (long)res.tv_sec, res.tv_nsec);
    SHOW(syscall(SYS_clock_gettime, 99, &a));
    SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, BAD));
    struct timespec ms = { 0, 2000000 };
    SHOW(nanosleep(&ms, &rem));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
    ms.tv_nsec = -1;
    SHOW(nanosleep(&ms, NULL));

    /* A sleep that a handler interrupts tells what is left. */
    struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
    sigaction(SIGALRM, &sa, NULL);
    struct itimerval it = { { 0, 0 }, { 0, 20000 } };
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    ms = (struct timespec){ 5, 0 };
    SHOW(nanosleep(&ms, &rem));
    printf("alarms %d left %ld\n", alarms, (long)rem.tv_sec);
    SHOW(getitimer(ITIMER_REAL, &it));
    printf("%ld %ld\n", (long)it.it_value.tv_sec, (long)it.it_value.tv_usec);

    timer_t timer;
    struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    SHOW(timer_create(CLOCK_MONOTONIC, &ev, &timer));
    struct itimerspec its = { { 0, 0 }, { 0, 5000000 } };
    SHOW(timer_settime(timer, 0, &its, NULL));
    while (alarms < 2)
        pause();
    SHOW(timer_gettime(timer, &its));
    SHOW(timer_getoverrun(timer));
    SHOW(timer_delete(timer));
    SHOW(timer_create(99, &ev, &timer));
    struct timeval tv;
    SHOW(gettimeofday(&tv, NULL));
    struct tms tms;
    printf("times %d\n", times(&tms) != (clock_t)-1);
    struct timex tx = { 0 };
    printf("adjtimex %d\n", adjtimex(&tx) >= 0 && tx.tick > 0);
    SHOW(alarm(100));
    SHOW(alarm(0));
}

static void limits(void)
{
    struct rlimit r;

    SHOW(getrlimit(RLIMIT_CORE, &r));
    r.rlim_cur = 0;
    SHOW(setrlimit(RLIMIT_CORE, &r));
    SHOW(getrlimit(RLIMIT_CORE, &r));
    printf("%ld\n", (long)r.rlim_cur);
    r = (struct rlimit){ 64, 64 };
    SHOW(setrlimit(RLIMIT_NOFILE, &r));
    SHOW(getrlimit(RLIMIT_NOFILE, &r));
    printf("%ld %ld\n", (long)r.rlim_cur, (long)r.rlim_max);
    SHOW(dup2(0, 64));
    SHOW(dup2(0, 63));
    close(63);
    /* The emulator mustn't suffer from what is meant for the program. */
    r = (struct rlimit){ 512 << 20, 1 << 30 };
    SHOW(setrlimit(RLIMIT_AS, &r));
    SHOW(getrlimit(RLIMIT_AS, &r));
    printf("%ld %ld\n", (long)r.rlim_cur, (long)r.rlim_max);
    SHOW(setrlimit(RLIMIT_DATA, &(struct rlimit){ 5, 4 }));
    SHOW(setrlimit(999, &r));
    SHOW(getrlimit(RLIMIT_AS, BAD));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, BAD, NULL));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
    struct rusage u;
    SHOW(getrusage(RUSAGE_SELF, &u));
    printf("memory %d\n", u.ru_maxrss > 0);
    SHOW(getrusage(99, &u));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 5));
    SHOW(getpriority(PRIO_PROCESS, 0));
}

static void who(void)
{
    uid_t r, e, s;
    struct utsname u;

    SHOW(getresuid(&r, &e, &s));
    printf("%d %d\n", r == getuid() && e == geteuid(), getpid() == (pid_t)syscall(SYS_gettid));
    SHOW(getresuid(BAD, &e, &s));
    SHOW(uname(&u));
    printf("%s\n", u.sysname);
    SHOW(uname(BAD));
    SHOW(getpgid(0) == getpgrp());
    SHOW(getsid(0) > 0);
    SHOW(getpgid(-5));
    SHOW(setpgid(0, 0) == 0 || errno == EPERM);
    gid_t groups[64];
    printf("groups %d\n", getgroups(64, groups) == getgroups(0, NULL));
    struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct d[2];
    SHOW(syscall(SYS_capget, &h, d));
    h.version = 1;
    SHOW(syscall(SYS_capget, &h, d));
    printf("%x\n", h.version);
    struct sysinfo si;
    SHOW(sysinfo(&si));
    printf("%d %u\n", si.totalram > 0, si.mem_unit);
    char buf[16] = { 0 };
    SHOW(getrandom(buf, sizeof buf, 0));
    SHOW(getrandom(buf, sizeof buf, 99));
    SHOW(getrandom(BAD, 4, 0));
    unsigned cpu = 9999, node = 9999;
    SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
    printf("%d\n", cpu < 4096 && node < 1024);
    SHOW(prctl(PR_SET_NAME, "renamed"));
    SHOW(prctl(PR_GET_NAME, buf));
    printf("%s\n", buf);
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(9999));
    SHOW(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
    /* Numbers that nobody has. */
    SHOW(syscall(3000));
    SHOW(syscall(-1));
    SHOW(syscall(0x7fffffff));
}

static void scheduling(void)
{
    cpu_set_t set;
    struct sched_param sp = { 0 };

    CPU_ZERO(&set);
    SHOW(sched_getaffinity(0, sizeof set, &set));
    printf("%d\n", CPU_COUNT(&set) > 0);
    SHOW(sched_setaffinity(0, sizeof set, &set));
    SHOW(syscall(SYS_sched_getaffinity, 0, 1, &set));
    SHOW(syscall(SYS_sched_getaffinity, 0, sizeof set, BAD));
    SHOW(sched_getscheduler(0));
    SHOW(sched_getparam(0, &sp));
    SHOW(sched_setscheduler(0, SCHED_BATCH, &sp));
    SHOW(sched_getscheduler(0));
    SHOW(sched_setscheduler(0, 77, &sp));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_RR));
    SHOW(sched_yield());
}

static void ipc(void)
{
    /* Shared memory: what a child writes is seen; a second place for the same segment. */
    int id = OK(shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600));
    struct shmid_ds sd;
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    printf("attached %d\n", a != (void *)-1 && b != (void *)-1 && a != b);
    fflush(stdout);
    if (fork() == 0) {
        strcpy(a, "written by the child");
        _exit(0);
    }
    wait(NULL);
    printf("%s\n", b);
    SHOW(shmctl(id, IPC_STAT, &sd));
    printf("size %ld attached %ld mode %o mine %d\n", (long)sd.shm_segsz, (long)sd.shm_nattch,
           sd.shm_perm.mode, sd.shm_cpid == getpid());
    SHOW(shmdt(b));
    SHOW(shmdt(b));
    SHOW(shmdt(a + 1));
    SHOW(shmctl(id, IPC_STAT, &sd));
    printf("attached %ld\n", (long)sd.shm_nattch);
    SHOW((long)shmat(id, (void *)1, 0));
    SHOW(shmdt(a));
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW((long)shmat(id, NULL, 0));
    SHOW(shmget(IPC_PRIVATE, 0, 0600));

    int sem = OK(semget(IPC_PRIVATE, 3, IPC_CREAT | 0640));
    union { int val; struct semid_ds *buf; unsigned short *array; } un;
    un.val = 5;
    SHOW(semctl(sem, 1, SETVAL, un));
    SHOW(semctl(sem, 1, GETVAL));
    un.array = (unsigned short[]){ 1, 2, 3 };
    SHOW(semctl(sem, 0, SETALL, un));
    unsigned short out[3] = { 0 };
    un.array = out;
    SHOW(semctl(sem, 0, GETALL, un));
    printf("%d %d %d\n", out[0], out[1], out[2]);
    struct semid_ds ds = { 0 };
    un.buf = &ds;
    SHOW(semctl(sem, 0, IPC_STAT, un));
    printf("mode %o n %lu ctime %d otime %ld\n", ds.sem_perm.mode, (unsigned long)ds.sem_nsems,
           ds.sem_ctime > 1000000000, (long)ds.sem_otime);
    ds.sem_perm.mode = 0600;
    SHOW(semctl(sem, 0, IPC_SET, un));
    SHOW(semctl(sem, 0, IPC_STAT, un));
    printf("mode %o\n", ds.sem_perm.mode);
    struct sembuf ops[2] = { { 0, -1, 0 }, { 2, -4, IPC_NOWAIT } };
    SHOW(semop(sem, ops, 2));
    SHOW(semop(sem, ops, 1));
    struct timespec ts = { 0, 1000000 };
    SHOW(semtimedop(sem, ops, 1, &ts));
    un.buf = BAD;
    SHOW(semctl(sem, 0, IPC_STAT, un));
    SHOW(semctl(sem, 0, 999));
    SHOW(semctl(sem, 0, IPC_RMID));

    int q = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    struct { long type; char text[16]; } m = { 7, "message" };
    SHOW(msgsnd(q, &m, 8, 0));
    struct msqid_ds md;
    SHOW(msgctl(q, IPC_STAT, &md));
    printf("%ld %ld\n", (long)md.msg_qnum, (long)md.msg_cbytes);
    memset(&m, 0, sizeof m);
    SHOW(msgrcv(q, &m, 3, 7, 0));
    SHOW(msgrcv(q, &m, 16, 7, 0));
    printf("%ld %s\n", m.type, m.text);
    SHOW(msgrcv(q, &m, 16, 0, IPC_NOWAIT));
    SHOW(msgctl(q, IPC_RMID, NULL));

    char name[32];
    snprintf(name, sizeof name, "/calque-%d", (int)getpid());
    struct mq_attr at = { .mq_maxmsg = 4, .mq_msgsize = 32 };
    mqd_t mq = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &at);
    printf("mq_open %s\n", mq == -1 ? strerrorname_np(errno) : "ok");
    if (mq != -1) {
        unsigned prio;
        char buf[32] = "";
        SHOW(mq_send(mq, "low", 4, 1));
        SHOW(mq_send(mq, "high", 5, 9));
        SHOW(mq_receive(mq, buf, sizeof buf, &prio));
        printf("%s %u\n", buf, prio);
        SHOW(mq_getattr(mq, &at));
        printf("%ld %ld %ld %d\n", at.mq_maxmsg, at.mq_msgsize, at.mq_curmsgs,
               at.mq_flags == O_NONBLOCK);
        SHOW(mq_receive(mq, buf, 1, &prio));
        SHOW(mq_unlink(name));
    }
}

int main(void)
{
    clocks();
    who();
    scheduling();
    ipc();
    limits();
    return 0;
}
