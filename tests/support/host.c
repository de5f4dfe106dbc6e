/* A host without a screen: host BUNDLE URI RATE AUDIO OUT TIMES BLOCK[,BLOCK ...] [PORT=VALUE ...]

   Plays the float32 samples of AUDIO through the plug-in, in blocks of these sizes in turn, so many
   times, and activates it before each. Writes the audio that comes out to OUT and each MIDI message
   to standard output: its frame, and its bytes. Then what run() asked of the C library: memory,
   locks; the ms of instantiate; and the time per block in us. Built with LV2's headers where
   they are, so that the plug-in's own declarations are held to them. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/urid/urid.h>

/* What is counted: the plug-in's calls find these before the C library's own. */

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

static const char *names[64];
static LV2_URID map(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle;
    for (LV2_URID n = 1; n < 64; n++) {
        if (!names[n])
            names[n] = uri;
        if (!strcmp(names[n], uri))
            return n;
    }
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

enum { PORTS = 128, MOST = 1 << 16 };
static float in[MOST], out[MOST], controls[PORTS];
static uint64_t midi[1 << 12];

int main(int argc, char **argv)
{
    char path[4096];
    if (argc < 8)
        return 2;
    snprintf(path, sizeof path, "%s/rtcluster.so", argv[1]);
    void *library = dlopen(path, RTLD_NOW);
    if (!library)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    LV2_Descriptor_Function find = (LV2_Descriptor_Function)dlsym(library, "lv2_descriptor");
    const LV2_Descriptor *plugin = find(0);
    if (strcmp(plugin->URI, argv[2]) || find(1))
        return fprintf(stderr, "another URI: %s\n", plugin->URI), 1;
    LV2_URID_Map urid = {NULL, map};
    LV2_Feature feature = {LV2_URID__map, &urid};
    const LV2_Feature *features[] = {&feature, NULL};
    double began = now();
    LV2_Handle instance = plugin->instantiate(plugin, atof(argv[3]), argv[1], features);
    double loading = now() - began;
    if (!instance)
        return 1;
    FILE *audio = fopen(argv[4], "rb"), *through = fopen(argv[5], "wb");
    plugin->connect_port(instance, 0, in);
    plugin->connect_port(instance, 1, out);
    plugin->connect_port(instance, 2, midi);
    for (uint32_t port = 3; port < PORTS; port++)
        plugin->connect_port(instance, port, &controls[port]);
    for (int n = 8; n < argc; n++)
        controls[atoi(argv[n])] = (float)atof(strchr(argv[n], '=') + 1);
    double spent = 0.0;
    long blocks = 0;
    for (int times = atoi(argv[6]); times; times--) {
        int64_t frame = 0;
        char *size = argv[7];
        rewind(audio);
        plugin->activate(instance);
        for (;;) {
            size_t wanted = (size_t)atoi(size), count = fread(in, sizeof(float), wanted, audio);
            size = strchr(size, ',') ? strchr(size, ',') + 1 : argv[7];
            if (!count)
                break;
            LV2_Atom_Sequence *sequence = (LV2_Atom_Sequence *)midi;
            sequence->atom.size = sizeof midi - sizeof(LV2_Atom);
            began = now();
            running = 1;
            plugin->run(instance, (uint32_t)count);
            running = 0;
            spent += now() - began;
            blocks++;
            fwrite(out, sizeof(float), count, through);
            char *at = (char *)(sequence + 1), *end = (char *)&sequence->body + sequence->atom.size;
            while (at < end) {
                LV2_Atom_Event *event = (LV2_Atom_Event *)at;
                unsigned char *bytes = (unsigned char *)(event + 1);
                if (event->time.frames < 0 || event->time.frames >= (int64_t)count)
                    return fprintf(stderr, "outside the block\n"), 1;
                printf("%lld %d %d %d\n", (long long)(frame + event->time.frames), bytes[0],
                       bytes[1], bytes[2]);
                at += sizeof(LV2_Atom_Event) + (event->body.size + 7) / 8 * 8;
            }
            frame += (int64_t)count;
        }
    }
    printf("end %d %d %.3f %.3f\n", allocations, locks, loading / 1e3, spent / (double)blocks);
    if (plugin->deactivate)
        plugin->deactivate(instance);
    plugin->cleanup(instance);
    fclose(audio);
    fclose(through);
    return 0;
}
