/* class: threads; creation and joining of threads; args: 8000 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *w(void *a) { return (char *)a + 1; }
int main(int c, char **v) { long s = 0; for (int i = atoi(v[1]); i--;) { pthread_t t; void *r; pthread_create(&t, 0, w, (void *)(long)i); pthread_join(t, &r); s += (long)r; } printf("%ld\n", s); return 0; }
