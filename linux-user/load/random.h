/*
 * The random numbers of a program's start: addresses and AT_RANDOM; -seed makes them repeat.
 */
#ifndef LINUX_USER_LOAD_RANDOM_H
#define LINUX_USER_LOAD_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "linux-user/process.h"

/* 0 when the personality says that addresses aren't random. */
uint64_t load_random_layout(Process *p);
void load_random_bytes(Process *p, void *buf, size_t n);

#endif
