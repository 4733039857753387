/* What threads get done in a while: scaling KIND THREADS SECONDS prints operations a second.
 * KIND is independent (a small hash over memory of the thread's own), counter (one atomic counter
 * for all) or mutex (one mutex for all). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORDS = 4096, BATCH = 1000 };

static atomic_int stop;
static atomic_long counter;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long guarded;
static atomic_ulong hashes; /* keeps the independent work from being optimized away */
static const char *kind;

static uint64_t mix(uint32_t *words, uint64_t h)
{
    for (int i = 0; i < BATCH; i++) {
        uint32_t *w = &words[h % WORDS];
        *w += (uint32_t)i;
        h = (h ^ *w) * 0x9e3779b97f4a7c15;
        h ^= h >> 29;
    }
    return h;
}

static void *work(void *arg)
{
    long done = 0;
    uint32_t *words = calloc(WORDS, sizeof *words);
    uint64_t h = (uintptr_t)arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        if (kind[0] == 'i') {
            h = mix(words, h);
        } else if (kind[0] == 'c') {
            for (int i = 0; i < BATCH; i++)
                atomic_fetch_add(&counter, 1);
        } else {
            for (int i = 0; i < BATCH; i++) {
                pthread_mutex_lock(&mutex);
                guarded++;
                pthread_mutex_unlock(&mutex);
            }
        }
        done += BATCH;
    }
    atomic_fetch_xor(&hashes, h);
    free(words);
    return (void *)done;
}

int main(int argc, char **argv)
{
    pthread_t thread[64];
    int threads = argc > 3 ? atoi(argv[2]) : 0;
    if (threads < 1 || threads > 64)
        return 2;
    kind = argv[1];
    double seconds = atof(argv[3]);
    struct timespec pause = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    for (int i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, work, (void *)(intptr_t)(i + 1));
    nanosleep(&pause, NULL);
    atomic_store(&stop, 1);
    double total = 0;
    for (int i = 0; i < threads; i++) {
        void *done;
        pthread_join(thread[i], &done);
        total += (double)(long)done;
    }
    if (kind[0] == 'm' && guarded != (long)total)
        return 1;
    printf("%.0f\n", total / seconds);
    return 0;
}
