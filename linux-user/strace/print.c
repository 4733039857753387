/* data plane */
#include "linux-user/strace/print.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "linux-user/mem/map.h"
#include "linux-user/syscalls/convert.h"

bool print_load(StraceCall *c, GuestAddr a, unsigned bytes, bool is_signed, uint64_t *ret)
{
    uint8_t raw[8];

    if (!mem_read(raw, a, bytes))
        return false;
    *ret = convert_load(c->table, raw, bytes, is_signed);
    return true;
}

void print_address(StraceCall *c, uint64_t a)
{
    if (a)
        text_hex(c->o, a);
    else
        text_put(c->o, "NULL");
}

/* ---- constants ---- */

bool print_value_name(StraceCall *c, unsigned set, uint64_t v)
{
    const TableSet *s = &c->table->sets[set];
    const TableConst *k = &table_consts[s->first];

    for (unsigned i = 0; i < s->n; i++) {
        if (k[i].value == v) {
            text_put(c->o, table_strings + k[i].name);
            return true;
        }
    }
    return false;
}

void print_flags(StraceCall *c, unsigned set, uint64_t v)
{
    const TableSet *s = &c->table->sets[set];
    const TableConst *k = &table_consts[s->first];
    uint64_t left = v;
    bool any = false;

    for (unsigned i = 0; i < s->n; i++) {
        /* A field's zero value prints (O_RDONLY), a zero flag (PROT_NONE) only when alone. */
        bool hit = k[i].mask ? (v & k[i].mask) == k[i].value : v == 0;
        if (!hit || (k[i].value && (left & k[i].value) != k[i].value))
            continue;
        if (any)
            text_char(c->o, '|');
        text_put(c->o, table_strings + k[i].name);
        any = true;
        left &= ~k[i].value;
    }
    if (left || !any) {
        if (any)
            text_char(c->o, '|');
        text_hex(c->o, left);
    }
}

void print_signal(StraceCall *c, int sig)
{
    if (sig == 32) {
        text_put(c->o, "SIGRTMIN"); /* the kernel's, not libc's */
    } else if (sig > 32 && sig <= 64) {
        text_put(c->o, "SIGRT_");
        text_dec(c->o, sig - 32);
    } else if (!print_value_name(c, TABLE_SET_SIG, (uint32_t)sig)) {
        text_dec(c->o, sig);
    }
}

/* 0644, 022, 000: at least three digits, the first a zero. */
static void print_mode(StraceCall *c, uint64_t v)
{
    if (print_value_name(c, TABLE_SET_FILETYPE, v & S_IFMT))
        text_char(c->o, '|');
    v &= 07777;
    text_char(c->o, '0');
    for (int shift = 9, on = 0; shift >= 0; shift -= 3) {
        on |= (v >> shift & 7) != 0 || shift <= 3;
        if (on)
            text_char(c->o, '0' + (v >> shift & 7));
    }
}

static void print_dev(StraceCall *c, uint64_t v)
{
    text_put(c->o, "makedev(");
    text_hex(c->o, major(v));
    text_put(c->o, ", ");
    text_hex(c->o, minor(v));
    text_char(c->o, ')');
}

void print_value(StraceCall *c, unsigned kind, unsigned ref, uint64_t v)
{
    switch ((TableKind)kind) {
    case TABLE_INT:
    case TABLE_FD:
    case TABLE_PID:
        text_dec(c->o, (int32_t)v);
        break;
    case TABLE_ATFD:
        if ((int32_t)v == AT_FDCWD)
            text_put(c->o, "AT_FDCWD");
        else
            text_dec(c->o, (int32_t)v);
        break;
    case TABLE_UINT:
        text_udec(c->o, (uint32_t)v);
        break;
    case TABLE_UID:
        if ((uint32_t)v == UINT32_MAX)
            text_put(c->o, "-1");
        else
            text_udec(c->o, (uint32_t)v);
        break;
    case TABLE_SLONG:
    case TABLE_LONG:
    case TABLE_OFF:
    case TABLE_POSLO:
    case TABLE_POSHI:
        text_dec(c->o, v);
        break;
    case TABLE_SIZE:
    case TABLE_ULONG:
        text_udec(c->o, v);
        break;
    case TABLE_HEX:
    case TABLE_HEX64:
        text_hex(c->o, v);
        break;
    case TABLE_OCTAL:
        text_octal(c->o, v);
        break;
    case TABLE_MODE:
    case TABLE_FILEMODE:
        print_mode(c, (uint32_t)v);
        break;
    case TABLE_SIG:
        print_signal(c, v);
        break;
    case TABLE_DEV:
        print_dev(c, v);
        break;
    case TABLE_FLAGS:
        print_flags(c, ref, v);
        break;
    case TABLE_VALUES:
        if (!print_value_name(c, ref, v) && !print_value_name(c, ref, (uint32_t)v))
            text_hex(c->o, v);
        break;
    case TABLE_RLIM:
        if (v == UINT64_MAX || (c->table->word_bytes == 4 && v == UINT32_MAX))
            text_put(c->o, "RLIM64_INFINITY");
        else if (v > 1024 && v % 1024 == 0) {
            text_udec(c->o, v / 1024);
            text_put(c->o, "*1024");
        } else
            text_udec(c->o, v);
        break;
    case TABLE_EPOLLDATA:
        text_put(c->o, "{u32=");
        text_udec(c->o, (uint32_t)v);
        text_put(c->o, ", u64=");
        text_udec(c->o, v);
        text_char(c->o, '}');
        break;
    case TABLE_CLONEFLAGS:
        if (v & ~UINT64_C(0xff) || !(v & 0xff))
            print_flags(c, TABLE_SET_CLONE, v & ~UINT64_C(0xff));
        if (v & 0xff) {
            if (v & ~UINT64_C(0xff))
                text_char(c->o, '|');
            print_signal(c, v & 0xff);
        }
        break;
    case TABLE_IOCTL:
        print_ioctl(c, v);
        break;
    case TABLE_FUTEXOP:
        print_futex_op(c, v);
        break;
    default:
        print_address(c, v);
    }
}

/* ---- memory ---- */

void print_bytes(StraceCall *c, GuestAddr a, uint64_t n)
{
    uint8_t buf[STRACE_STRING];
    size_t shown = n < sizeof buf ? n : sizeof buf;

    if (!a || !mem_read(buf, a, shown))
        print_address(c, a);
    else
        text_quote(c->o, buf, shown, n > shown);
}

/* File names are never cut, as strace does; other strings are only read through here too. */
void print_string(StraceCall *c, GuestAddr a)
{
    char buf[4096];
    long n = a ? mem_read_string(buf, a, sizeof buf) : -1;

    if (n >= 0)
        text_quote(c->o, (const uint8_t *)buf, n, false);
    else if (a && mem_read(buf, a, STRACE_STRING))
        text_quote(c->o, (const uint8_t *)buf, STRACE_STRING, true);
    else
        print_address(c, a);
}

static void print_field(StraceCall *c, const TableField *f, const uint8_t *at)
{
    if (f->kind == TABLE_STRUCT) {
        print_struct_bytes(c, f->ref, at);
        return;
    }
    uint64_t v = convert_load(c->table, at, f->guest_bytes, f->is_signed);
    /* A negative number of a field of flags is so many bits, not a sign. */
    if (f->kind == TABLE_FLAGS && f->guest_bytes < 8)
        v &= (UINT64_C(1) << 8 * f->guest_bytes) - 1;
    print_value(c, f->kind, f->ref, v);
}

/* Of a device its numbers are shown, of anything else its size. */
static bool stat_hides(StraceCall *c, const TableLayout *l, const TableField *f,
                       const uint8_t *guest)
{
    const TableField *mode = &table_fields[l->first];

    if (f->kind != TABLE_DEV && f->kind != TABLE_INT)
        return false;
    while (mode->kind != TABLE_FILEMODE)
        mode++;
    uint64_t v = convert_load(c->table, guest + mode->guest_offset, mode->guest_bytes, false);
    return (S_ISCHR(v) || S_ISBLK(v)) != (f->kind == TABLE_DEV);
}

void print_struct_bytes(StraceCall *c, unsigned layout, const uint8_t *guest)
{
    const TableLayout *l = &c->table->layouts[layout];
    const TableField *f = &table_fields[l->first];
    bool any = false;

    text_char(c->o, '{');
    for (unsigned i = 0; i < l->n; i++, f++) {
        if (l->abbreviate && !f->show)
            continue;
        if (layout == TABLE_STRUCT_STAT && stat_hides(c, l, f, guest))
            continue;
        if (any)
            text_put(c->o, ", ");
        any = true;
        text_put(c->o, table_strings + f->name);
        text_char(c->o, '=');
        const uint8_t *at = guest + f->guest_offset;
        if (f->kind == TABLE_STR) {
            size_t n = 0;
            while (n < f->count && at[n])
                n++;
            text_quote(c->o, at, n, false);
        } else if (f->kind == TABLE_IP && (f->count == 4 || f->count == 16)) {
            print_ip(c, at, f->count);
        } else if (f->count) {
            unsigned step = f->kind == TABLE_STRUCT ? c->table->layouts[f->ref].guest_bytes
                                                    : f->guest_bytes;
            for (unsigned k = 0; k < f->count; k++) {
                text_put(c->o, k ? ", " : "[");
                if (k == STRACE_ELEMENTS) {
                    text_put(c->o, "...");
                    break;
                }
                print_field(c, f, at + k * step);
            }
            text_char(c->o, ']');
        } else {
            print_field(c, f, at);
        }
    }
    text_put(c->o, l->abbreviate ? ", ...}" : "}");
}

void print_struct(StraceCall *c, unsigned layout, GuestAddr a)
{
    uint8_t guest[TABLE_STRUCT_BYTES_MAX];

    if (a && mem_read(guest, a, c->table->layouts[layout].guest_bytes))
        print_struct_bytes(c, layout, guest);
    else
        print_address(c, a);
}

void print_iovec(StraceCall *c, GuestAddr a, uint64_t n, uint64_t total)
{
    unsigned word = c->table->word_bytes;
    uint64_t base, len;

    if (!a) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n; i++, a += 2 * word) {
        if (i)
            text_put(c->o, ", ");
        if (i == STRACE_ELEMENTS || !print_load(c, a, word, false, &base) ||
            !print_load(c, a + word, word, false, &len)) {
            text_put(c->o, "...");
            break;
        }
        uint64_t used = len < total ? len : total;
        total -= used;
        text_put(c->o, "{iov_base=");
        print_bytes(c, base, used);
        text_put(c->o, ", iov_len=");
        text_udec(c->o, len);
        text_char(c->o, '}');
    }
    text_char(c->o, ']');
}

void print_sigset_value(StraceCall *c, uint64_t set)
{
    bool most = __builtin_popcountll(set) >= 43; /* fewer names that way */
    bool any = false;

    text_put(c->o, most ? "~[" : "[");
    if (most)
        set = ~set;
    for (int sig = 1; sig <= 64; sig++) {
        if (!(set >> (sig - 1) & 1))
            continue;
        if (any)
            text_char(c->o, ' ');
        any = true;
        size_t at = c->o->n;
        print_signal(c, sig);
        /* Without the SIG, as strace shows sets. */
        if (c->o->n - at > 3 && c->o->buf[at] == 'S') {
            __builtin_memmove(c->o->buf + at, c->o->buf + at + 3, c->o->n - at - 3);
            c->o->n -= 3;
        }
    }
    text_char(c->o, ']');
}

/* The sets of 32-bit guests are two words, the lower signals first. */
void print_sigset(StraceCall *c, GuestAddr a, uint64_t bytes)
{
    unsigned word = c->table->word_bytes;
    uint64_t set = 0, part;

    if (!a || bytes != 8) {
        print_address(c, a);
        return;
    }
    for (unsigned i = 0; i < 8; i += word) {
        if (!print_load(c, a + i, word, false, &part)) {
            print_address(c, a);
            return;
        }
        set |= part << 8 * i;
    }
    print_sigset_value(c, set);
}

/* Codes above 0 mean something else for each signal. */
void print_si_code(StraceCall *c, int sig, int code)
{
    unsigned set = code <= 0 || code == SI_KERNEL ? TABLE_SET_SI_CODE
                   : sig == SIGCHLD               ? TABLE_SET_CLD
                   : sig == SIGSEGV               ? TABLE_SET_SEGV_CODE
                   : sig == SIGBUS                ? TABLE_SET_BUS_CODE
                   : sig == SIGILL                ? TABLE_SET_ILL_CODE
                   : sig == SIGFPE                ? TABLE_SET_FPE_CODE
                   : sig == SIGTRAP               ? TABLE_SET_TRAP_CODE
                                                  : TABLE_SET_SI_CODE;

    if (!print_value_name(c, set, (int64_t)code))
        text_dec(c->o, code);
}

void print_siginfo(StraceCall *c, GuestAddr a)
{
    uint64_t signo, code, pid, uid, status;
    unsigned rest = c->table->word_bytes == 8 ? 16 : 12;

    if (!a || !print_load(c, a, 4, true, &signo) || !print_load(c, a + 8, 4, true, &code) ||
        !print_load(c, a + rest, 4, true, &pid) || !print_load(c, a + rest + 4, 4, false, &uid) ||
        !print_load(c, a + rest + 8, 4, true, &status)) {
        print_address(c, a);
        return;
    }
    text_put(c->o, "{si_signo=");
    print_signal(c, signo);
    text_put(c->o, ", si_code=");
    bool child = signo == SIGCHLD && (int)code > 0;
    print_si_code(c, signo, code);
    if ((int)code <= 0 || child) {
        text_put(c->o, ", si_pid=");
        text_dec(c->o, pid);
        text_put(c->o, ", si_uid=");
        text_udec(c->o, uid);
    }
    if (child) {
        text_put(c->o, ", si_status=");
        if (code == CLD_EXITED)
            text_dec(c->o, status);
        else
            print_signal(c, status);
        /* Of a child that stopped or went on, times mean nothing. */
        uint64_t utime = 0, stime = 0;
        print_load(c, a + rest + 16, c->table->word_bytes, true, &utime);
        print_load(c, a + rest + 24, c->table->word_bytes, true, &stime);
        if (c->table->word_bytes == 8) {
            text_put(c->o, ", si_utime=");
            text_dec(c->o, utime);
            text_put(c->o, ", si_stime=");
            text_dec(c->o, stime);
        }
    } else if ((int)code > 0) {
        text_put(c->o, ", si_addr=");
        print_load(c, a + rest, c->table->word_bytes, false, &pid);
        print_address(c, pid);
    }
    text_char(c->o, '}');
}

/* ---- arguments ---- */

static unsigned number_bytes(StraceCall *c, unsigned kind, bool *is_signed)
{
    *is_signed = kind == TABLE_I8 || kind == TABLE_I16 || kind == TABLE_I32 || kind == TABLE_I64 ||
                 kind == TABLE_LONG || kind == TABLE_OFF64;
    unsigned bytes = table_number_bytes(kind, c->table->word_bytes);
    return bytes ? bytes : c->table->word_bytes;
}

/* One number that the call may change: [2], and [2 => 12] when it did. */
static void print_changed(StraceCall *c, unsigned i, unsigned kind, GuestAddr a)
{
    bool is_signed;
    unsigned bytes = number_bytes(c, kind, &is_signed);
    uint64_t v;

    if (!a || !print_load(c, a, bytes, is_signed, &v)) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    if (c->old && c->old->known >> i & 1 && c->old->value[i] != v) {
        text_dec(c->o, c->old->value[i]);
        text_put(c->o, " => ");
    }
    text_dec(c->o, v);
    text_char(c->o, ']');
}

void print_remember(StraceCall *c, StraceOld *old)
{
    old->known = 0;
    for (unsigned i = 0; i < c->proto->n_args; i++) {
        const TableArg *a = &table_args[c->proto->args + i];
        bool is_signed;
        unsigned bytes = number_bytes(c, a->kind, &is_signed);
        if (a->dir == TABLE_IO && a->kind >= TABLE_I8 && a->kind <= TABLE_OFF64 && c->args[i] &&
            print_load(c, c->args[i], bytes, is_signed, &old->value[i]))
            old->known |= 1u << i;
    }
}

static void print_numbers(StraceCall *c, unsigned kind, GuestAddr a, uint64_t n)
{
    bool is_signed;
    unsigned bytes = number_bytes(c, kind, &is_signed);
    uint64_t v;

    if (!a || !print_load(c, a, bytes, is_signed, &v)) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n; i++, a += bytes) {
        if (i)
            text_put(c->o, ", ");
        if (i == STRACE_ELEMENTS || !print_load(c, a, bytes, is_signed, &v)) {
            text_put(c->o, "...");
            break;
        }
        if (is_signed)
            text_dec(c->o, v);
        else
            text_udec(c->o, v);
    }
    text_char(c->o, ']');
}

static void print_structs(StraceCall *c, const TableArg *arg, GuestAddr a, uint64_t n)
{
    unsigned bytes = c->table->layouts[arg->ref].guest_bytes;

    if (arg->count_kind == TABLE_ONE || !a) {
        print_struct(c, arg->ref, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n; i++, a += bytes) {
        if (i)
            text_put(c->o, ", ");
        if (i == STRACE_ELEMENTS) {
            text_put(c->o, "...");
            break;
        }
        print_struct(c, arg->ref, a);
    }
    text_char(c->o, ']');
}

static uint64_t argument_count(StraceCall *c, const TableArg *a)
{
    uint64_t n = 0;

    switch ((TableCount)a->count_kind) {
    case TABLE_ONE: return 1;
    case TABLE_CONST: return a->count;
    case TABLE_BY_ARG: return c->args[a->count];
    case TABLE_BY_RET: return c->ret > 0 ? (uint64_t)c->ret : 0;
    case TABLE_BY_PTR: return print_load(c, c->args[a->count], 4, false, &n) ? n : 0;
    }
    return 0;
}

static void print_pointer(StraceCall *c, const TableArg *a, uint64_t v)
{
    uint64_t n = argument_count(c, a);
    uint64_t moved = c->leaving && a->dir == TABLE_OUT ? (c->ret > 0 ? (uint64_t)c->ret : 0)
                                                       : UINT64_MAX;

    switch ((TableKind)a->kind) {
    case TABLE_STR: print_string(c, v); break;
    case TABLE_BYTES: print_bytes(c, v, n); break;
    case TABLE_STRUCT:
        if (a->ref == TABLE_STRUCT_POLLFD)
            print_pollfds(c, v, (uint32_t)n);
        else
            print_structs(c, a, v, n);
        break;
    case TABLE_IOVEC: print_iovec(c, v, n, moved); break;
    case TABLE_SOCKADDR: print_sockaddr(c, v, n); break;
    case TABLE_MSGHDR: print_msghdr(c, v, c->leaving ? moved : UINT64_MAX); break;
    case TABLE_MMSGHDR:
        print_mmsghdr(c, v, c->leaving && c->ret >= 0 ? (uint64_t)c->ret : n);
        break;
    case TABLE_SIGSET: print_sigset(c, v, n); break;
    case TABLE_FDSET: print_fdset(c, v, n); break;
    case TABLE_CPUSET: print_cpuset(c, v, n); break;
    case TABLE_SIGARG: print_sigarg(c, v); break;
    case TABLE_SIGEVENT: print_sigevent(c, v); break;
    case TABLE_SIGINFO: print_siginfo(c, v); break;
    case TABLE_SIGACTION: print_sigaction(c, v); break;
    case TABLE_STRV: print_strings(c, v, false); break;
    case TABLE_ENVV: print_strings(c, v, true); break;
    case TABLE_WSTATUS: print_wstatus(c, v); break;
    case TABLE_DIRENTS: print_dirents(c, v, n); break;
    case TABLE_OPTVAL: print_optval(c, c->args[1], c->args[2], v, n); break;
    case TABLE_ADDR:
    case TABLE_IPCBUF: print_address(c, v); break;
    default: print_numbers(c, a->kind, v, n);
    }
}

void print_argument(StraceCall *c, unsigned i)
{
    const TableArg *a = &table_args[c->proto->args + i];
    uint64_t v = c->args[i];

    switch ((TableKind)a->kind) {
    case TABLE_PATH:
    case TABLE_LINKPATH:
    case TABLE_RAWPATH:
        print_string(c, v);
        return;
    case TABLE_STR:
        if (a->dir == TABLE_VALUE) {
            print_string(c, v);
            return;
        }
        break;
    case TABLE_IOCTLARG: print_ioctl_argument(c, c->args[1], v); return;
    case TABLE_FCNTLARG: print_fcntl_argument(c, c->args[1], v); return;
    case TABLE_FUTEXARG: print_futex_argument(c, c->args[1], v); return;
    case TABLE_SOCKOPT: print_sockopt(c, c->args[a->count], v); return;
    default: break;
    }
    if (a->dir == TABLE_IO && a->kind >= TABLE_I8 && a->kind <= TABLE_OFF64)
        print_changed(c, i, a->kind, v);
    else if (a->dir == TABLE_VALUE)
        print_value(c, a->kind, a->ref, a->kind == TABLE_FLAGS ? (uint32_t)v : v);
    else if (c->leaving && c->ret < 0 && a->dir == TABLE_OUT)
        print_address(c, v);
    else
        print_pointer(c, a, v);
}
