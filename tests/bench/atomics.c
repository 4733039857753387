/* class: threads; two threads on atomic counters and a mutex; args: 3000000 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
static atomic_long n; static long m; static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER; static int rounds;
static void *w(void *a) { for (int i = 0; i < rounds; i++) { atomic_fetch_add(&n, 1); if (i % 16 == 0) { pthread_mutex_lock(&l); m++; pthread_mutex_unlock(&l); } } return 0; }
int main(int c, char **v) { rounds = atoi(v[1]); pthread_t t[2]; for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, w, 0); for (int i = 0; i < 2; i++) pthread_join(t[i], 0); printf("%ld %ld\n", (long)n, m); return 0; }
