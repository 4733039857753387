/*
 * What the generator makes of the text in this folder: per ABI one SyscallTable. All of it is
 * constant data; whoever reads it (dispatch, conversion, strace) is in linux-user/.
 *
 * Everything is indices into pools that all ABIs share (table_strings …), so that the data
 * need no relocation when the emulator starts.
 */
#ifndef SYSCALL_TABLES_TABLE_H
#define SYSCALL_TABLES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an argument, a field or a result is. */
typedef enum TableKind {
    TABLE_NONE,
    /* Values. */
    TABLE_INT, TABLE_UINT, TABLE_SLONG, TABLE_SIZE, TABLE_OFF, TABLE_POSLO, TABLE_POSHI, TABLE_HEX,
    TABLE_HEX64, TABLE_OCTAL, TABLE_MODE, TABLE_FILEMODE, TABLE_FD, TABLE_ATFD, TABLE_PID,
    TABLE_UID,
    TABLE_SIG, TABLE_DEV, TABLE_ADDR, TABLE_EPOLLDATA, TABLE_CLONEFLAGS, TABLE_FLAGS, TABLE_VALUES,
    TABLE_RLIM,
    /* Pointers to text and bytes. */
    TABLE_PATH, TABLE_LINKPATH, TABLE_RAWPATH, TABLE_STR, TABLE_BYTES,
    /* Pointers to numbers, to structures. */
    TABLE_I8, TABLE_U8, TABLE_I16, TABLE_U16, TABLE_I32, TABLE_U32, TABLE_I64, TABLE_U64,
    TABLE_LONG, TABLE_ULONG, TABLE_OFF64, TABLE_PTR, TABLE_STRUCT,
    /* Pointers to what only code can read. */
    TABLE_IOVEC, TABLE_SOCKADDR, TABLE_MSGHDR, TABLE_MMSGHDR, TABLE_SIGSET, TABLE_FDSET,
    TABLE_CPUSET,
    TABLE_SIGARG, TABLE_SIGEVENT, TABLE_SIGINFO, TABLE_SIGACTION, TABLE_STRV, TABLE_ENVV,
    TABLE_WSTATUS, TABLE_DIRENTS,
    /* Values whose meaning another argument tells. */
    TABLE_IOCTL, TABLE_IOCTLARG, TABLE_FCNTLARG, TABLE_FUTEXOP, TABLE_FUTEXARG, TABLE_SOCKOPT,
    TABLE_OPTVAL, TABLE_IPCBUF,
    /* Bytes in the network's order. */
    TABLE_IP,
    TABLE_N_KINDS
} TableKind;

typedef enum TableDir { TABLE_VALUE, TABLE_IN, TABLE_OUT, TABLE_IO } TableDir;

/* How many elements a pointer argument points to. */
typedef enum TableCount {
    TABLE_ONE,
    TABLE_CONST,  /* .count */
    TABLE_BY_ARG, /* the value of argument .count */
    TABLE_BY_RET, /* the result */
    TABLE_BY_PTR, /* what argument .count points to (a u32) */
} TableCount;

typedef struct TableArg {
    uint32_t name;
    uint16_t ref;       /* a set, a structure */
    uint16_t count;
    uint8_t kind;       /* TableKind */
    uint8_t dir;        /* TableDir */
    uint8_t count_kind; /* TableCount */
} TableArg;

typedef struct TableProto {
    uint32_t name;
    uint16_t args;      /* first, in table_args[] */
    uint8_t n_args;
    uint8_t ret;        /* TableKind */
    uint16_t ret_ref;
} TableProto;

typedef enum TableHow {
    TABLE_UNKNOWN, /* no such number */
    TABLE_PASS,    /* every argument means the same to the host */
    TABLE_CONVERT, /* convert_call() (linux-user/syscalls/convert.h), from the prototype */
    TABLE_OWN,     /* a handler */
    TABLE_REFUSE,  /* an errno and the reason */
} TableHow;

typedef struct TableCall {
    uint8_t how;         /* TableHow */
    uint8_t wide;        /* bit i: argument i takes two registers (32-bit guests) */
    uint16_t proto;
    uint16_t host_nr;    /* PASS, CONVERT, and for handlers; TABLE_NO_HOST_NR */
    uint16_t handler;    /* OWN: in syscall_handlers[] */
    uint16_t refuse;     /* REFUSE: the errno */
    uint32_t reason;     /* REFUSE */
} TableCall;

enum { TABLE_NO_HOST_NR = 0xffff };

/* A constant of a set. mask: the bits that are compared; all ones in a set of values. */
typedef struct TableConst {
    uint64_t value, mask;
    uint32_t name;
} TableConst;

typedef struct TableSet {
    uint32_t name;
    uint16_t first, n;   /* in table_consts[] */
    uint16_t host_first; /* the same names with the host's values */
    bool flags;          /* else values */
    bool same;           /* as the host's */
} TableSet;

typedef struct TableField {
    uint32_t name;
    uint16_t guest_offset, host_offset;
    uint8_t guest_bytes, host_bytes; /* of an element; both 0 for a structure */
    uint8_t is_signed;   /* the guest's is sign-extended */
    uint8_t kind;        /* TableKind, to print it */
    uint16_t ref;        /* set, or layout of a structure */
    uint16_t count;      /* elements; 0: not an array */
    bool show;           /* strace shows it; if no field says so, all */
    bool on_host;        /* the host's structure has it */
} TableField;

typedef struct TableLayout {
    uint32_t name;
    uint16_t guest_bytes, host_bytes;
    uint16_t first, n;   /* in table_fields[] */
    bool same;           /* guest's bytes are the host's bytes */
    bool abbreviate;     /* some field has show */
    /* Straight-line code, made where word size and byte order are the host's; or NULL. */
    void (*to_guest)(uint8_t *guest, const uint8_t *host);
    void (*to_host)(uint8_t *host, const uint8_t *guest);
} TableLayout;

typedef struct TableIoctl {
    uint32_t guest, host;
    uint32_t name;
    uint16_t ref;        /* a structure */
    uint8_t kind;        /* TableKind; TABLE_NONE: no argument */
    uint8_t dir;
    uint16_t count;
    bool same;           /* number and argument are the host's */
} TableIoctl;

/* ioctls of a type that isn't there; a list ends with type 0. */
typedef struct TableRefusal {
    uint8_t type;        /* bits 8 to 15 of the number */
    uint16_t errno_value;
    uint32_t reason;
} TableRefusal;

typedef struct TableRange {
    uint32_t first_nr, n;
    const TableCall *calls;
} TableRange;

/* An option of a socket or a control message, by its level: what it holds. */
typedef struct TableSockopt {
    uint16_t level;
    bool control;
    uint8_t kind;        /* TableKind */
    uint32_t value;
    uint16_t ref;        /* a structure */
    uint32_t name;
} TableSockopt;

typedef struct SyscallTable {
    const char *name;
    uint8_t word_bytes;
    bool big_endian;
    bool like_host;      /* word size and byte order are the host's */
    bool pairs_even;
    uint32_t n;          /* calls[0..n) */
    const TableCall *calls;
    const TableRange *more; /* numbers far above; ends with n == 0 */
    const TableSet *sets;   /* by TABLE_SET_… */
    const TableLayout *layouts; /* by TABLE_STRUCT_… */
    const TableIoctl *ioctls;   /* by guest number, rising */
    uint32_t n_ioctls;
    const TableRefusal *refused;
} SyscallTable;

/* Of a number that an argument points to, or a structure has; 0: that is no number. */
static inline unsigned table_number_bytes(unsigned kind, unsigned word_bytes)
{
    switch (kind) {
    case TABLE_I8:
    case TABLE_U8: return 1;
    case TABLE_I16:
    case TABLE_U16: return 2;
    case TABLE_I32:
    case TABLE_U32: return 4;
    case TABLE_I64:
    case TABLE_U64:
    case TABLE_OFF64: return 8;
    case TABLE_LONG:
    case TABLE_ULONG:
    case TABLE_PTR: return word_bytes;
    default: return 0;
    }
}

extern const char table_strings[];
extern const TableArg table_args[];
extern const TableProto table_protos[];
extern const TableConst table_consts[];
extern const TableField table_fields[];
extern const TableSockopt table_sockopts[];
extern const unsigned table_n_sockopts;

#endif
