/* A host of CLAP plug-ins without a screen:
   clap_host PLUGIN ID RATE AUDIO OUT TIMES BLOCK[,BLOCK ...] [CONTROL=VALUE ...]
             [CONTROL@FRAME=VALUE ...] [load=FILE] [save=FILE]

   Plays the float32 samples of AUDIO through the plug-in, in blocks of these sizes in turn, so many
   times, and resets it before each. Writes the audio that comes out to OUT and each MIDI message to
   standard output: its frame, and its bytes; what each control is, with a *; then what process()
   asked of the C library: memory, locks; the ms of activate; and the time per block in us.

   A control is its place in the plug-in's list. It is set by a message before the first block, or
   at a frame, in the order given. A state is loaded before, and saved after all. */

#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "clap_abi.h"
#include "counting.h"

/* Where CLAP's own headers have them, on a machine of 64 bits. */
_Static_assert(sizeof(clap_event_header_t) == 16, "");
_Static_assert(offsetof(clap_event_header_t, space_id) == 8, "");
_Static_assert(offsetof(clap_event_header_t, flags) == 12, "");
_Static_assert(offsetof(clap_event_param_value_t, cookie) == 24, "");
_Static_assert(offsetof(clap_event_param_value_t, value) == 48, "");
_Static_assert(offsetof(clap_event_midi_t, data) == 18, "");
_Static_assert(sizeof(clap_audio_buffer_t) == 32, "");
_Static_assert(offsetof(clap_process_t, audio_inputs) == 24, "");
_Static_assert(offsetof(clap_process_t, in_events) == 48, "");
_Static_assert(offsetof(clap_plugin_descriptor_t, id) == 16, "");
_Static_assert(offsetof(clap_plugin_descriptor_t, features) == 80, "");
_Static_assert(offsetof(clap_plugin_t, reset) == 64, "");
_Static_assert(sizeof(clap_plugin_t) == 96, "");
_Static_assert(offsetof(clap_host_t, get_extension) == 56, "");
_Static_assert(offsetof(clap_plugin_entry_t, init) == 16, "");
_Static_assert(offsetof(clap_audio_port_info_t, flags) == 260, "");
_Static_assert(offsetof(clap_audio_port_info_t, in_place_pair) == 280, "");
_Static_assert(offsetof(clap_note_port_info_t, name) == 12, "");
_Static_assert(offsetof(clap_param_info_t, min_value) == 1296, "");

enum { MOST = 1 << 16, CHANGES = 64 };
static float in[MOST], out[MOST];
static clap_event_param_value_t changes[CHANGES];
static int64_t due[CHANGES];
static uint32_t known, first, given; /* changes in all; those of the block */
static clap_event_midi_t told[4096];
static uint32_t tellings;

static uint32_t size(const clap_input_events_t *list) { (void)list; return given; }
static const clap_event_header_t *get(const clap_input_events_t *list, uint32_t n)
{
    (void)list;
    return &changes[first + n].header;
}
static bool push(const clap_output_events_t *list, const clap_event_header_t *event)
{
    (void)list;
    if (event->type != CLAP_EVENT_MIDI || event->size != sizeof *told || tellings == 4096)
        return false;
    memcpy(&told[tellings++], event, sizeof *told);
    return true;
}
static int64_t pull(const clap_istream_t *stream, void *to, uint64_t n)
{
    return (int64_t)fread(to, 1, n, stream->ctx);
}
static int64_t put(const clap_ostream_t *stream, const void *from, uint64_t n)
{
    return (int64_t)fwrite(from, 1, n < 7 ? n : 7, stream->ctx); /* as little as it likes */
}
static const void *nothing(const clap_host_t *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}
static void ignore(const clap_host_t *host) { (void)host; }

int main(int argc, char **argv)
{
    static const clap_host_t host = {
        {1, 2, 0}, NULL, "host", "", "", "1", nothing, ignore, ignore, ignore,
    };
    if (argc < 8)
        return 2;
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    const clap_plugin_entry_t *entry = dlsym(library, "clap_entry");
    if (!entry->init(argv[1]))
        return fprintf(stderr, "no entry\n"), 1;
    const clap_plugin_factory_t *factory = entry->get_factory("clap.plugin-factory");
    const clap_plugin_t *plugin = factory->create_plugin(factory, &host, argv[2]);
    if (!plugin || factory->get_plugin_count(factory) != 1 || entry->get_factory("another") ||
        strcmp(factory->get_plugin_descriptor(factory, 0)->id, argv[2]) || !plugin->init(plugin))
        return fprintf(stderr, "another plug-in\n"), 1;
    const clap_plugin_params_t *params = plugin->get_extension(plugin, "clap.params");
    const clap_plugin_state_t *state = plugin->get_extension(plugin, "clap.state");
    const clap_plugin_audio_ports_t *ports = plugin->get_extension(plugin, "clap.audio-ports");
    const clap_plugin_note_ports_t *notes = plugin->get_extension(plugin, "clap.note-ports");
    clap_audio_port_info_t port;
    clap_note_port_info_t note_port;
    if (plugin->get_extension(plugin, "another") || notes->count(plugin, true) ||
        notes->count(plugin, false) != 1 || !notes->get(plugin, 0, false, &note_port))
        return fprintf(stderr, "other ports\n"), 1;
    for (int input = 0; input < 2; input++)
        if (ports->count(plugin, input) != 1 || !ports->get(plugin, 0, input, &port) ||
            port.channel_count != 1)
            return fprintf(stderr, "other ports\n"), 1;
    const char *saved = NULL;
    for (int n = 8; n < argc; n++) {
        const char *value = strchr(argv[n], '=') + 1, *frame = strchr(argv[n], '@');
        clap_param_info_t info;
        if (!strncmp(argv[n], "load=", 5)) {
            FILE *file = fopen(value, "rb");
            clap_istream_t stream = {file, pull};
            if (!state->load(plugin, &stream))
                return fprintf(stderr, "no state\n"), 1;
            fclose(file);
        } else if (!strncmp(argv[n], "save=", 5))
            saved = value;
        else if (!params->get_info(plugin, (uint32_t)atoi(argv[n]), &info))
            return fprintf(stderr, "no such control\n"), 1;
        else {
            due[known] = frame ? atoll(frame + 1) : 0;
            changes[known++] = (clap_event_param_value_t){
                {sizeof *changes, 0, 0, CLAP_EVENT_PARAM_VALUE, 0}, info.id, info.cookie, -1, -1, -1,
                -1, atof(value)};
        }
    }
    double began = now();
    if (!plugin->activate(plugin, atof(argv[3]), 1, MOST))
        return fprintf(stderr, "not activated\n"), 1;
    double loading = now() - began, spent = 0.0;
    FILE *audio = fopen(argv[4], "rb"), *through = fopen(argv[5], "wb");
    float *ins[] = {in}, *outs[] = {out};
    clap_audio_buffer_t source = {ins, NULL, 1, 0, 0}, target = {outs, NULL, 1, 0, 0};
    clap_input_events_t incoming = {NULL, size, get};
    clap_output_events_t outgoing = {NULL, push};
    long blocks = 0;
    plugin->start_processing(plugin);
    for (int times = atoi(argv[6]); times; times--) {
        int64_t frame = 0;
        char *block = argv[7];
        rewind(audio);
        plugin->reset(plugin);
        first = 0;
        for (;;) {
            size_t count = fread(in, sizeof(float), (size_t)atoi(block), audio);
            block = strchr(block, ',') ? strchr(block, ',') + 1 : argv[7];
            if (!count)
                break;
            for (given = 0; first + given < known; given++) {
                int64_t time = due[first + given] - frame;
                if (time >= (int64_t)count)
                    break;
                changes[first + given].header.time = time < 0 ? 0 : (uint32_t)time;
            }
            clap_process_t process = {
                frame, (uint32_t)count, NULL, &source, &target, 1, 1, &incoming, &outgoing,
            };
            tellings = 0;
            began = now();
            running = 1;
            int32_t status = plugin->process(plugin, &process);
            running = 0;
            spent += now() - began;
            blocks++;
            first += given;
            if (status != CLAP_PROCESS_CONTINUE)
                return fprintf(stderr, "no process\n"), 1;
            fwrite(out, sizeof(float), count, through);
            for (uint32_t n = 0; n < tellings; n++) {
                if (told[n].header.time >= count || (n && told[n].header.time < told[n - 1].header.time))
                    return fprintf(stderr, "outside the block, or in disorder\n"), 1;
                printf("%lld %d %d %d\n", (long long)frame + told[n].header.time, told[n].data[0],
                       told[n].data[1], told[n].data[2]);
            }
            frame += (int64_t)count;
        }
    }
    plugin->stop_processing(plugin);
    plugin->deactivate(plugin);
    for (uint32_t n = 0; n < params->count(plugin); n++) {
        clap_param_info_t info;
        char text[64];
        double value, again;
        params->get_info(plugin, n, &info);
        params->get_value(plugin, info.id, &value);
        if (!params->value_to_text(plugin, info.id, value, text, sizeof text) ||
            !params->text_to_value(plugin, info.id, text, &again) || again - value > 0.01 ||
            value - again > 0.01)
            return fprintf(stderr, "%s is no text of %f\n", text, value), 1;
        printf("* %f %s|%s\n", value, info.name, text);
    }
    if (saved) {
        FILE *file = fopen(saved, "wb");
        clap_ostream_t stream = {file, put};
        if (!state->save(plugin, &stream))
            return fprintf(stderr, "not saved\n"), 1;
        fclose(file);
    }
    printf("end %d %d %.3f %.3f\n", allocations, locks, loading / 1e3, spent / (double)blocks);
    plugin->destroy(plugin);
    entry->deinit();
    fclose(audio);
    fclose(through);
    return 0;
}
