/*
 * What forked children look up, the parent looks up before its next fork.
 *
 * A shell forks again and again, and its children run code that it never runs itself, to redirect
 * and to execute. Each child would load the same chunks of the store, link the same exits and fill
 * the same jump cache, and each page that it writes to for that is copied for it. So children note
 * what they had to look up in memory that they share with their parent, and it does the same in its
 * own before it forks again. From the third child on there is nothing left to look up.
 *
 * Notes are proposals. Everything is checked again, and only code that is there or in the store is
 * looked up; nothing is translated.
 */
#ifndef TRANSLATOR_RUNTIME_FORK_NOTES_H
#define TRANSLATOR_RUNTIME_FORK_NOTES_H

#include "translator/runtime/runtime.h"

/* Before a fork, with the translator's lock; v is the vcpu of the thread that forks, or NULL. */
void fork_notes_prepare(Translator *t, Vcpu *v);
/* In the child, with the lock. */
void fork_notes_child(Translator *t);
/* The link leads to its target now. With the lock. */
void fork_notes_link(Translator *t, const Vcpu *v, const UnitLink *link);
/* The dispatcher has found the unit at pc. */
void fork_notes_entry(const Translator *t, const Vcpu *v, GuestAddr pc);

#endif
