/* A host without a screen:
   host BUNDLE URI RATE AUDIO OUT TIMES BLOCK[,BLOCK ...] [PORT=VALUE ...] [PORT@FRAME=PATH ...]

   Plays the float32 samples of AUDIO through the plug-in, in blocks of these sizes in turn, so many
   times, and activates it before each. Writes the audio that comes out to OUT and each MIDI message
   to standard output: its frame, and its bytes. Then what run() asked of the C library: memory,
   locks; the ms of instantiate; and the time per block in us.

   With the first block from FRAME on it sends the port a message that sets the plug-in's parameter
   "kit" to a path. The port after it is for messages of the plug-in. What the plug-in schedules is
   done between two blocks. Built with LV2's headers, so that the plug-in's own declarations are held
   to them. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lv2/atom/atom.h>
#include <lv2/atom/forge.h>
#include <lv2/core/lv2.h>
#include <lv2/patch/patch.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>

#include "counting.h"

static const char *names[64];
static LV2_URID map(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle;
    for (LV2_URID n = 1; n < 64; n++) {
        if (!names[n])
            names[n] = strdup(uri);
        if (!strcmp(names[n], uri))
            return n;
    }
    return 0;
}

static struct { uint32_t size; char data[8192]; } orders[8];
static int ordered;
static LV2_Worker_Status schedule(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data)
{
    (void)handle;
    if (ordered == 8 || size > sizeof orders->data)
        return LV2_WORKER_ERR_NO_SPACE;
    orders[ordered].size = size;
    memcpy(orders[ordered++].data, data, size);
    return LV2_WORKER_SUCCESS;
}

static LV2_Handle instance;
static const LV2_Worker_Interface *worker;
static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void *data)
{
    (void)handle;
    running = 1;
    LV2_Worker_Status status = worker->work_response(instance, size, data);
    running = 0;
    return status;
}

static void work(void)
{
    for (int n = 0; n < ordered; n++)
        worker->work(instance, respond, NULL, orders[n].size, orders[n].data);
    ordered = 0;
}

static uint64_t incoming[1 << 11], outgoing[1 << 11];
static void write_messages(LV2_URID_Map *urid, const char *uri, const char *path)
{
    char parameter[256];
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame all, one;
    lv2_atom_forge_init(&forge, urid);
    lv2_atom_forge_set_buffer(&forge, (uint8_t *)incoming, sizeof incoming);
    lv2_atom_forge_sequence_head(&forge, &all, 0);
    if (path) {
        lv2_atom_forge_frame_time(&forge, 0);
        lv2_atom_forge_object(&forge, &one, 0, map(NULL, LV2_PATCH__Set));
        lv2_atom_forge_key(&forge, map(NULL, LV2_PATCH__property));
        snprintf(parameter, sizeof parameter, "%s#kit", uri);
        lv2_atom_forge_urid(&forge, map(NULL, parameter));
        lv2_atom_forge_key(&forge, map(NULL, LV2_PATCH__value));
        lv2_atom_forge_path(&forge, path, (uint32_t)strlen(path));
        lv2_atom_forge_pop(&forge, &one);
    }
    lv2_atom_forge_pop(&forge, &all);
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
    LV2_Worker_Schedule scheduler = {NULL, schedule};
    LV2_Feature other = {LV2_WORKER__schedule, &scheduler};
    const LV2_Feature *features[] = {&feature, &other, NULL};
    double began = now();
    instance = plugin->instantiate(plugin, atof(argv[3]), argv[1], features);
    double loading = now() - began;
    if (!instance)
        return 1;
    FILE *audio = fopen(argv[4], "rb"), *through = fopen(argv[5], "wb");
    plugin->connect_port(instance, 0, in);
    plugin->connect_port(instance, 1, out);
    plugin->connect_port(instance, 2, midi);
    for (uint32_t port = 3; port < PORTS; port++)
        plugin->connect_port(instance, port, &controls[port]);
    worker = plugin->extension_data(LV2_WORKER__interface);
    int messages = 8;
    for (int n = 8; n < argc; n++) {
        int port = atoi(argv[n]);
        if (!strchr(argv[n], '@')) {
            controls[port] = (float)atof(strchr(argv[n], '=') + 1);
            messages = n + 1;
            continue;
        }
        plugin->connect_port(instance, (uint32_t)port, incoming);
        plugin->connect_port(instance, (uint32_t)port + 1, outgoing);
    }
    double spent = 0.0;
    long blocks = 0;
    for (int times = atoi(argv[6]); times; times--) {
        int64_t frame = 0;
        char *size = argv[7], **message = argv + messages;
        rewind(audio);
        plugin->activate(instance);
        for (;;) {
            size_t wanted = (size_t)atoi(size), count = fread(in, sizeof(float), wanted, audio);
            size = strchr(size, ',') ? strchr(size, ',') + 1 : argv[7];
            if (!count)
                break;
            LV2_Atom_Sequence *sequence = (LV2_Atom_Sequence *)midi;
            sequence->atom.size = sizeof midi - sizeof(LV2_Atom);
            LV2_Atom *notify = (LV2_Atom *)outgoing;
            notify->size = sizeof outgoing - sizeof(LV2_Atom);
            int due = message < argv + argc && atoll(strchr(*message, '@') + 1) <= frame;
            write_messages(&urid, argv[2], due ? strchr(*message, '=') + 1 : NULL);
            message += due;
            began = now();
            running = 1;
            plugin->run(instance, (uint32_t)count);
            running = 0;
            spent += now() - began;
            blocks++;
            work();
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
