/* What a host without a screen has: clocks, and counts of what a plug-in asks of the C library while
   `running` is set. Include it once, with _GNU_SOURCE defined. */

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* The plug-in's calls find these before the C library's own. */

static int running, allocations, locks;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
void *malloc(size_t n) { allocations += running; return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { allocations += running; return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { allocations += running; return __libc_realloc(p, n); }
void free(void *p) { allocations += running; __libc_free(p); }
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*own)(pthread_mutex_t *);
    locks += running;
    if (!own)
        own = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    return own(mutex);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}
