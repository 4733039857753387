/*
 * Which translator this is: a hash of all its machine code, made when it is built.
 */
#ifndef TRANSLATOR_CACHE_BUILD_ID_H
#define TRANSLATOR_CACHE_BUILD_ID_H

extern const char translator_build_id[];

#endif
