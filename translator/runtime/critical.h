/*
 * Critical code (TranslatorCritical): found when code is translated that stores the address of a
 * descriptor, which comes before the critical code runs. All with the translation lock.
 */
#ifndef TRANSLATOR_RUNTIME_CRITICAL_H
#define TRANSLATOR_RUNTIME_CRITICAL_H

#include "translator/runtime/state.h"

typedef enum CriticalAnswer {
    CRITICAL_NONE,   /* the unit has nothing to do with it */
    CRITICAL_KNOWN,  /* it has: it isn't for the store, nor for a region */
    CRITICAL_FOUND,  /* it stores a new descriptor: it is to be lifted again */
} CriticalAnswer;

/* Of an optimized unit. */
CriticalAnswer critical_look(Translator *t, const IrUnit *u);
/* Of a unit as it was lifted: puts its stores right. */
void critical_lift(Translator *t, IrUnit *u);
/* Code has changed. */
void critical_forget(Translator *t, GuestAddr start, uint64_t bytes);
void critical_free(Translator *t);

#endif
