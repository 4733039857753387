/*
 * Why a foreign program doesn't start: looks at everything between execve and the guest's first
 * instruction, in that order.
 */
#ifndef BINFMT_DOCTOR_H
#define BINFMT_DOCTOR_H

#include "binfmt/emulator.h"
#include "binfmt/registry.h"

typedef struct DoctorCase {
    const char *root;    /* where the program's absolute paths begin: "/" or a chroot */
    const char *binary;  /* NULL: the system as a whole */
    const Emulator *emulator;
    const Registry *registry;
} DoctorCase;

void doctor(const DoctorCase *c, Report *r);

#endif
