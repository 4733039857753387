#include "linux-user/gdbstub/gdbstub.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux-user/gdbstub/inferior.h"
#include "linux-user/gdbstub/packet.h"
#include "linux-user/procfs/other.h"

typedef struct Stub {
    Inferior inferior;
    PacketLine line;
    int signals;         /* a signalfd of SIGCHLD */
    pid_t chosen;        /* the thread that g, m … are about */
    pid_t told;          /* the one of the last stop reply, and its status */
    int told_status;
    bool running, done;
    char buf[PACKET_BYTES];
} Stub;

/* GDB's own numbers of Linux's signals (include/gdb/signals.def of GDB), where they differ. */
static int signal_to_gdb(int sig)
{
    static const uint8_t low[32] = {
        0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21, 22, 16,
        24, 25, 26, 27, 28, 23, 32, 12,
    };
    return sig < 32 ? low[sig] : sig == 32 ? 77 : sig < 64 ? sig + 12 : 78;
}

static int signal_from_gdb(int sig)
{
    for (int i = 1; i <= 64; i++)
        if (signal_to_gdb(i) == sig)
            return i;
    return 0;
}

/* ---- stop replies ---- */

static void send_stop(Stub *s)
{
    const InferiorThread *th = inferior_thread(&s->inferior, s->told);
    PacketLine *l = &s->line;
    char byte[2] = {0};
    packet_begin(l);
    if (s->inferior.ended) {
        int end = s->inferior.end;
        packet_text(l, WIFEXITED(end) ? "W" : "X");
        byte[0] = (char)(WIFEXITED(end) ? WEXITSTATUS(end) : signal_to_gdb(WTERMSIG(end)));
        packet_hex(l, byte, 1);
        packet_send(l);
        s->done = true;
        return;
    }
    byte[0] = (char)signal_to_gdb(s->told_status >> 8 & 0xff);
    packet_text(l, "T");
    packet_hex(l, byte, 1);
    packet_text(l, "thread:");
    packet_number(l, (uint64_t)s->told);
    packet_text(l, ";");
    if (th && th->at_watch > '1') {
        static const char *const names[] = {"watch:", "rwatch:", "awatch:"};
        packet_text(l, names[th->at_watch - '2']);
        packet_number(l, th->watch_at);
        packet_text(l, ";");
    } else if (th && th->at_watch) {
        packet_text(l, "hwbreak:;");
    } else if (th && th->at_breakpoint) {
        packet_text(l, "swbreak:;");
    }
    if (th && s->told_status >> 16) {
        char path[40];
        snprintf(path, sizeof path, "/proc/%d/exe", (int)s->told);
        ssize_t n = readlink(path, s->buf, sizeof s->buf);
        packet_text(l, "exec:");
        packet_hex(l, s->buf, n > 0 ? (size_t)n : 0);
        packet_text(l, ";");
    }
    packet_send(l);
}

static void tell(Stub *s, InferiorThread *th, int status)
{
    s->running = false;
    if (th) {
        s->told = s->chosen = th->tid;
        s->told_status = status;
        th->status = 0;
    }
    send_stop(s);
}

/* While the guest runs: until it stops, or the debugger wants it to. */
static void watch(Stub *s)
{
    InferiorThread *th;
    while (s->running) {
        struct pollfd p[2] = {{.fd = s->line.fd, .events = POLLIN},
                              {.fd = s->signals, .events = POLLIN}};
        if (inferior_poll(&s->inferior, &th)) {
            int status = th ? th->status : 0;
            pid_t tid = th ? th->tid : 0;
            if (th)
                inferior_stop_all(&s->inferior);
            tell(s, s->inferior.ended ? NULL : inferior_thread(&s->inferior, tid), status);
            return;
        }
        poll(p, 2, -1);
        if (p[1].revents) {
            struct signalfd_siginfo info;
            if (read(s->signals, &info, sizeof info) < 0)
                continue;
        }
        if (p[0].revents && !packet_poll(&s->line)) {
            inferior_kill(&s->inferior);
            s->done = true;
            return;
        }
        if (s->line.interrupted) {
            s->line.interrupted = false;
            inferior_stop_all(&s->inferior);
            th = inferior_thread(&s->inferior, s->inferior.pid);
            tell(s, th ? th : s->inferior.threads, SIGINT << 8 | 0x7f);
        }
    }
}

/* ---- requests ---- */

static void answer_registers(Stub *s)
{
    TargetSets sets;
    if (!inferior_get_registers(&s->inferior, s->chosen, &sets)) {
        packet_answer(&s->line, "E01");
        return;
    }
    size_t n = s->inferior.arch->gather(&sets, (uint8_t *)s->buf);
    packet_begin(&s->line);
    packet_hex(&s->line, s->buf, n);
    packet_send(&s->line);
}

static bool set_registers(Stub *s, const char *hex)
{
    const TargetArch *arch = s->inferior.arch;
    TargetSets sets;
    if (!inferior_get_registers(&s->inferior, s->chosen, &sets) ||
        packet_unhex(hex, s->buf, arch->packet_bytes) != arch->packet_bytes)
        return false;
    arch->scatter(&sets, (const uint8_t *)s->buf);
    return inferior_set_registers(&s->inferior, s->chosen, &sets);
}

static void answer_memory(Stub *s, const char *p)
{
    GuestAddr at = packet_parse(&p);
    size_t n = *p == ',' ? (p++, packet_parse(&p)) : 0;
    n = n < PACKET_BYTES / 2 ? n : PACKET_BYTES / 2;
    /* What there is of it. */
    while (n && !inferior_read(&s->inferior, at, s->buf, n))
        n /= 2;
    if (!n) {
        packet_answer(&s->line, "E01");
        return;
    }
    packet_begin(&s->line);
    packet_hex(&s->line, s->buf, n);
    packet_send(&s->line);
}

/* M in digits, X in bytes. */
static bool write_memory(Stub *s, const char *p, bool binary)
{
    GuestAddr at = packet_parse(&p);
    size_t n = *p == ',' ? (p++, packet_parse(&p)) : 0;
    if (*p++ != ':' || n > PACKET_BYTES)
        return false;
    const char *end = s->line.packet + s->line.n_packet;
    if (binary)
        return (size_t)(end - p) == n && inferior_write(&s->inferior, at, p, n);
    return packet_unhex(p, s->buf, n) == n && inferior_write(&s->inferior, at, s->buf, n);
}

static void answer_threads(Stub *s)
{
    packet_begin(&s->line);
    for (size_t i = 0; i < s->inferior.n_threads; i++) {
        packet_text(&s->line, i ? "," : "m");
        packet_number(&s->line, (uint64_t)s->inferior.threads[i].tid);
    }
    packet_send(&s->line);
}

/* vCont;ACTION[:THREAD]…: the first that fits a thread counts. */
static void resume(Stub *s, const char *p)
{
    for (size_t i = 0; i < s->inferior.n_threads; i++)
        s->inferior.threads[i].action = 0;
    while (*p == ';') {
        char action = p[1];
        p += 2;
        int sig = action == 'C' || action == 'S' ? signal_from_gdb((int)packet_parse(&p)) : 0;
        bool all = *p != ':' || p[1] == '-';
        pid_t tid = all ? 0 : (p++, (pid_t)packet_parse(&p));
        for (size_t i = 0; i < s->inferior.n_threads; i++) {
            InferiorThread *th = &s->inferior.threads[i];
            if (th->action || (!all && th->tid != tid))
                continue;
            th->action = action == 's' || action == 'S' ? 's' : 'c';
            th->sig = sig;
        }
        p += strcspn(p, ";");
    }
    s->running = true;
    inferior_resume(&s->inferior);
}

static void send_part(Stub *s, const char *data, size_t n, size_t at, size_t want)
{
    size_t part = at < n ? n - at : 0;
    part = part < want ? part : want;
    part = part < PACKET_BYTES / 2 ? part : PACKET_BYTES / 2;
    packet_begin(&s->line);
    packet_text(&s->line, at + part < n ? "m" : "l");
    packet_escaped(&s->line, data + at, part);
    packet_send(&s->line);
}

/* qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH */
static void answer_transfer(Stub *s, const char *p)
{
    char name[40] = "", path[40];
    siginfo_t info;
    size_t n = strcspn(p, ":");
    if (n < sizeof name)
        memcpy(name, p, n);
    const char *numbers = strrchr(p, ':');
    if (!numbers || strncmp(p + n, ":read:", 6)) {
        packet_answer(&s->line, "");
        return;
    }
    numbers++;
    size_t at = packet_parse(&numbers), want = *numbers ? (numbers++, packet_parse(&numbers)) : 0;
    if (!strcmp(name, "features")) {
        n = s->inferior.arch->describe(s->buf, sizeof s->buf);
        send_part(s, s->buf, n, at, want);
    } else if (!strcmp(name, "auxv")) {
        snprintf(path, sizeof path, "/proc/%d/auxv", (int)s->inferior.pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t r = fd < 0 ? -1 : read(fd, s->buf, sizeof s->buf);
        close(fd);
        send_part(s, s->buf, r > 0 ? (size_t)r : 0, at, want);
    } else if (!strcmp(name, "siginfo") && inferior_get_siginfo(&s->inferior, s->chosen, &info)) {
        send_part(s, (const char *)&info, sizeof info, at, want);
    } else if (!strcmp(name, "exec-file")) {
        OtherProcess other;
        bool known = other_open(s->inferior.pid, &other);
        strcpy(s->buf, known ? other.exe_path : "");
        if (known)
            other_close(&other);
        send_part(s, s->buf, strlen(s->buf), at, want);
    } else {
        packet_answer(&s->line, "E00");
    }
}

static void answer_query(Stub *s, const char *p)
{
    PacketLine *l = &s->line;
    if (!strncmp(p, "qSupported", 10)) {
        packet_answer(l, "PacketSize=3f00;QStartNoAckMode+;vContSupported+;exec-events+;swbreak+;"
                         "hwbreak+;"
                         "qXfer:features:read+;qXfer:auxv:read+;qXfer:siginfo:read+;"
                         "qXfer:exec-file:read+");
    } else if (!strcmp(p, "QStartNoAckMode")) {
        packet_answer(l, "OK");
        l->no_acks = true;
    } else if (!strncmp(p, "qAttached", 9)) {
        packet_answer(l, "0");
    } else if (!strcmp(p, "qC")) {
        packet_begin(l);
        packet_text(l, "QC");
        packet_number(l, (uint64_t)s->told);
        packet_send(l);
    } else if (!strcmp(p, "qfThreadInfo")) {
        answer_threads(s);
    } else if (!strcmp(p, "qsThreadInfo")) {
        packet_answer(l, "l");
    } else if (!strncmp(p, "qSymbol", 7)) {
        packet_answer(l, "OK");
    } else if (!strncmp(p, "qXfer:", 6)) {
        answer_transfer(s, p + 6);
    } else {
        packet_answer(l, "");
    }
}

static void answer_v(Stub *s, const char *p)
{
    if (!strcmp(p, "vCont?")) {
        packet_answer(&s->line, "vCont;c;C;s;S");
    } else if (!strncmp(p, "vCont;", 6)) {
        resume(s, p + 5);
    } else if (!strncmp(p, "vKill", 5)) {
        inferior_kill(&s->inferior);
        packet_answer(&s->line, "OK");
        s->done = true;
    } else {
        packet_answer(&s->line, "");
    }
}

static void choose_thread(Stub *s, const char *p)
{
    pid_t tid = *p == '-' ? 0 : (pid_t)packet_parse(&p);
    if (tid && !inferior_thread(&s->inferior, tid)) {
        packet_answer(&s->line, "E01");
        return;
    }
    s->chosen = tid ? tid : s->told;
    packet_answer(&s->line, "OK");
}

/* Zn,ADDRESS,KIND and z: 0 is a breakpoint in memory; 1 to 4 are the hardware's, KIND then is a
 * watchpoint's size. */
static void set_breakpoint(Stub *s, const char *p)
{
    Inferior *f = &s->inferior;
    bool in = p[0] == 'Z', ok;
    char kind = p[1];
    if (kind < '0' || kind > '4') {
        packet_answer(&s->line, "");
        return;
    }
    p += 3;
    GuestAddr at = packet_parse(&p);
    uint64_t n = kind != '1' && *p == ',' ? (p++, packet_parse(&p)) : 1;
    if (kind == '0')
        ok = in ? inferior_break(f, at) : inferior_unbreak(f, at);
    else
        ok = in ? inferior_watch(f, kind, at, n) : inferior_unwatch(f, kind, at, n);
    packet_answer(&s->line, ok ? "OK" : "E01");
}

static void answer(Stub *s)
{
    const char *p = s->line.packet;
    PacketLine *l = &s->line;
    switch (p[0]) {
    case '?': send_stop(s); return;
    case 'g': answer_registers(s); return;
    case 'G': packet_answer(l, set_registers(s, p + 1) ? "OK" : "E01"); return;
    case 'm': answer_memory(s, p + 1); return;
    case 'M': packet_answer(l, write_memory(s, p + 1, false) ? "OK" : "E01"); return;
    case 'X': packet_answer(l, write_memory(s, p + 1, true) ? "OK" : "E01"); return;
    case 'H': choose_thread(s, p + 2); return;
    case 'T':
        p++;
        packet_answer(l, inferior_thread(&s->inferior, (pid_t)packet_parse(&p)) ? "OK" : "E01");
        return;
    case 'Z': case 'z': set_breakpoint(s, p); return;
    case 'c': resume(s, ";c"); return;
    case 's': resume(s, ";s"); return;
    case 'q': case 'Q': answer_query(s, p); return;
    case 'v': answer_v(s, p); return;
    case 'D':
        inferior_detach(&s->inferior);
        packet_answer(l, "OK");
        s->done = true;
        return;
    case 'k':
        inferior_kill(&s->inferior);
        s->done = true;
        return;
    default: packet_answer(l, ""); return;
    }
}

/* ---- the start ---- */

static int listen_at(const char *where)
{
    char *end;
    unsigned long port = strtoul(where, &end, 10);
    int fd, one = 1;
    if (*where && !*end && port < 65536) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0)
            return fd;
    } else {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        if (strlen(where) >= sizeof a.sun_path)
            return errno = ENAMETOOLONG, -1;
        strcpy(a.sun_path, where);
        unlink(where);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0)
            return fd;
    }
    return -1;
}

static _Noreturn void end_as(int status)
{
    struct rlimit none = {0, 0};
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    exit(128 + WTERMSIG(status));
}

static _Noreturn void serve(Stub *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (!inferior_wait_start(&s->inferior))
        end_as(s->inferior.end);
    s->told = s->chosen = s->inferior.pid;
    s->told_status = SIGTRAP << 8 | 0x7f;
    inferior_thread(&s->inferior, s->told)->status = 0;
    while (!s->done) {
        if (!packet_read(&s->line)) {
            inferior_kill(&s->inferior);
            break;
        }
        answer(s);
        watch(s);
    }
    int status = s->inferior.end;
    /* Detached: as long as the guest runs. */
    if (!s->inferior.ended)
        waitpid(s->inferior.pid, &status, 0);
    end_as(status);
}

bool gdbstub_start(Process *p, const char *where)
{
    int go[2], listener = listen_at(where);
    if (listener < 0 || pipe(go) < 0) {
        fprintf(stderr, "calque: -g %s: %s\n", where, strerror(errno));
        exit(2);
    }
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        close(listener);
        close(go[1]);
        bool good = read(go[0], &byte, 1) == 1;
        close(go[0]);
        if (!good)
            exit(2);
        return true;
    }
    Stub *s = calloc(1, sizeof *s);
    Thread *t = calloc(1, sizeof *t);
    if (pid < 0 || !s || !t) {
        fprintf(stderr, "calque: -g %s: %s\n", where, strerror(errno));
        exit(2);
    }
    close(go[0]);
    t->process = p;
    t->tid = getpid();
    s->inferior.t = t;
    s->inferior.arch = target_find(p->abi->name);
    if (!s->inferior.arch || !inferior_begin(&s->inferior, p, pid)) {
        fprintf(stderr, "calque: -g: the program can't be traced\n");
        exit(2);
    }
    do
        s->line.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (s->line.fd < 0 && errno == EINTR);
    close(listener);
    if (s->line.fd < 0 || write(go[1], "", 1) != 1)
        exit(2);
    close(go[1]);
    serve(s);
}
