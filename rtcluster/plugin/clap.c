/* rtcluster as a CLAP plug-in: audio in, audio through, a MIDI note for each drum.

   Its kit lies beside it, kit.rtkit, and is loaded when the host activates it.

   What runs when: process and reset are called by the host's audio thread, and flush may be. They
   allocate nothing, lock nothing, wait for nothing. All else is the main thread's. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clap_abi.h"
#include "player.h"

static const struct {
    uint32_t id;
    int whole; /* numbers only */
    float usual, least, most;
    const char *symbol, *label, *unit;
} controls[CONTROLS] = {CONTROL_TABLE};

typedef struct {
    clap_plugin_t clap;
    Player player;
    _Atomic(float) value[CONTROLS]; /* of the controls, which both threads set and read */
    const clap_output_events_t *out;
    uint32_t begin; /* of what is played, in the block */
} Plugin;

static char kit_path[4096];

static int index_of(uint32_t id)
{
    for (int n = 0; n < CONTROLS; n++)
        if (controls[n].id == id)
            return n;
    return -1;
}

static void set(Plugin *self, int n, double value)
{
    float least = controls[n].least, most = controls[n].most;
    if (value == value) /* a number */
        atomic_store(&self->value[n], value < least ? least : value > most ? most : (float)value);
}

/* The audio thread. */

static int send(void *host, int64_t frame, int kind, int note, int velocity)
{
    Plugin *self = host;
    clap_event_midi_t event = {
        {sizeof event, self->begin + (uint32_t)frame, 0, CLAP_EVENT_MIDI, 0},
        0,
        {(uint8_t)kind, (uint8_t)note, (uint8_t)velocity},
    };
    return self->out && self->out->try_push(self->out, &event.header);
}

static void take_event(Plugin *self, const clap_event_header_t *event)
{
    if (event->space_id != 0 || event->type != CLAP_EVENT_PARAM_VALUE)
        return;
    const clap_event_param_value_t *change = (const clap_event_param_value_t *)event;
    int n = index_of(change->param_id);
    if (n >= 0)
        set(self, n, change->value);
}

static void flush(const clap_plugin_t *clap, const clap_input_events_t *in,
                  const clap_output_events_t *out)
{
    (void)out;
    for (uint32_t n = 0; n < in->size(in); n++)
        take_event(clap->plugin_data, in->get(in, n));
}

static void play(Plugin *self, const clap_process_t *block, uint32_t begin, uint32_t end)
{
    const float *in = NULL;
    float *out = NULL;
    if (block->audio_inputs_count && block->audio_inputs[0].data32)
        in = block->audio_inputs[0].data32[0];
    if (block->audio_outputs_count && block->audio_outputs[0].data32)
        out = block->audio_outputs[0].data32[0];
    for (int n = 0; n < CONTROLS; n++)
        self->player.control[n] = atomic_load(&self->value[n]);
    self->begin = begin;
    player_run(&self->player, in ? in + begin : NULL, out ? out + begin : NULL, end - begin);
}

/* A control holds from the frame of its event on. */
static int32_t process(const clap_plugin_t *clap, const clap_process_t *block)
{
    Plugin *self = clap->plugin_data;
    const clap_input_events_t *in = block->in_events;
    uint32_t count = in ? in->size(in) : 0, at = 0;
    self->out = block->out_events;
    for (uint32_t n = 0; n < count; n++) {
        const clap_event_header_t *event = in->get(in, n);
        uint32_t time = event->time < block->frames_count ? event->time : block->frames_count;
        if (time > at) {
            play(self, block, at, time);
            at = time;
        }
        take_event(self, event);
    }
    play(self, block, at, block->frames_count);
    return CLAP_PROCESS_CONTINUE;
}

static void reset(const clap_plugin_t *clap)
{
    player_begin(&((Plugin *)clap->plugin_data)->player);
}

static bool start_processing(const clap_plugin_t *clap) { (void)clap; return true; }
static void stop_processing(const clap_plugin_t *clap) { (void)clap; }

/* The main thread. */

static bool init(const clap_plugin_t *clap)
{
    for (int n = 0; n < CONTROLS; n++)
        set(clap->plugin_data, n, controls[n].usual);
    return true;
}

static void deactivate(const clap_plugin_t *clap)
{
    Plugin *self = clap->plugin_data;
    kit_free(self->player.kit);
    self->player.kit = NULL;
}

static void destroy(const clap_plugin_t *clap)
{
    deactivate(clap);
    free(clap->plugin_data);
}

static bool activate(const clap_plugin_t *clap, double rate, uint32_t least, uint32_t most)
{
    Plugin *self = clap->plugin_data;
    (void)least, (void)most;
    deactivate(clap);
    self->player.rate = rate;
    self->player.kit = kit_load(kit_path, rate);
    if (!self->player.kit || !self->player.kit->state) {
        deactivate(clap);
        return false;
    }
    player_begin(&self->player);
    return true;
}

static void on_main_thread(const clap_plugin_t *clap) { (void)clap; }

static uint32_t count_audio(const clap_plugin_t *clap, bool input)
{
    (void)clap, (void)input;
    return 1;
}

static bool get_audio(const clap_plugin_t *clap, uint32_t index, bool input,
                      clap_audio_port_info_t *info)
{
    (void)clap;
    memset(info, 0, sizeof *info);
    strcpy(info->name, input ? "Audio in" : "Audio through");
    info->flags = CLAP_AUDIO_PORT_IS_MAIN;
    info->channel_count = 1;
    info->port_type = "mono";
    info->in_place_pair = 0; /* the number of the other; they may share a buffer */
    return index == 0;
}

static uint32_t count_notes(const clap_plugin_t *clap, bool input)
{
    (void)clap;
    return input ? 0 : 1;
}

static bool get_notes(const clap_plugin_t *clap, uint32_t index, bool input,
                      clap_note_port_info_t *info)
{
    (void)clap;
    memset(info, 0, sizeof *info);
    info->supported_dialects = info->preferred_dialect = CLAP_NOTE_DIALECT_MIDI;
    strcpy(info->name, "MIDI out");
    return index == 0 && !input;
}

static uint32_t count_params(const clap_plugin_t *clap) { (void)clap; return CONTROLS; }

static bool get_info(const clap_plugin_t *clap, uint32_t n, clap_param_info_t *info)
{
    (void)clap;
    if (n >= CONTROLS)
        return false;
    memset(info, 0, sizeof *info);
    info->id = controls[n].id;
    info->flags = CLAP_PARAM_IS_AUTOMATABLE | (controls[n].whole ? CLAP_PARAM_IS_STEPPED : 0);
    snprintf(info->name, sizeof info->name, "%s", controls[n].label);
    info->min_value = controls[n].least;
    info->max_value = controls[n].most;
    info->default_value = controls[n].usual;
    return true;
}

static bool get_value(const clap_plugin_t *clap, uint32_t id, double *value)
{
    Plugin *self = clap->plugin_data;
    int n = index_of(id);
    if (n >= 0)
        *value = atomic_load(&self->value[n]);
    return n >= 0;
}

static bool value_to_text(const clap_plugin_t *clap, uint32_t id, double value, char *text,
                          uint32_t room)
{
    int n = index_of(id);
    (void)clap;
    if (n == STAGE)
        snprintf(text, room, value > 0.5 ? "final, 90 ms" : "guess, 30 ms");
    else if (n >= 0)
        snprintf(text, room, "%.*f%s%s", controls[n].whole ? 0 : 2, value,
                 *controls[n].unit ? " " : "", controls[n].unit);
    return n >= 0;
}

static bool text_to_value(const clap_plugin_t *clap, uint32_t id, const char *text, double *value)
{
    int n = index_of(id);
    char *end;
    (void)clap;
    *value = strtod(text, &end);
    if (n == STAGE && end == text) {
        *value = *text == 'f';
        return *text == 'f' || *text == 'g';
    }
    return n >= 0 && end != text;
}

/* What is saved: a line for each control, its symbol and the bits of its value. So a kit that was
   taught anew, with other drums, keeps what it was set to. */

static bool save(const clap_plugin_t *clap, const clap_ostream_t *stream)
{
    Plugin *self = clap->plugin_data;
    for (int n = 0; n < CONTROLS; n++) {
        char line[1024];
        float value = atomic_load(&self->value[n]);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        int64_t size = snprintf(line, sizeof line, "%.1000s=%08x\n", controls[n].symbol, bits);
        for (int64_t at = 0, written; at < size; at += written)
            if ((written = stream->write(stream, line + at, (uint64_t)(size - at))) <= 0)
                return false;
    }
    return true;
}

static void load_line(Plugin *self, const char *line)
{
    const char *equals = strchr(line, '=');
    for (int n = 0; equals && n < CONTROLS; n++)
        if (strlen(controls[n].symbol) == (size_t)(equals - line) &&
            !strncmp(controls[n].symbol, line, (size_t)(equals - line))) {
            uint32_t bits = (uint32_t)strtoul(equals + 1, NULL, 16);
            float value;
            memcpy(&value, &bits, sizeof value);
            set(self, n, value);
        }
}

static bool load(const clap_plugin_t *clap, const clap_istream_t *stream)
{
    char line[1024], byte;
    size_t length = 0;
    int64_t got;
    init(clap);
    while ((got = stream->read(stream, &byte, 1)) == 1) {
        if (byte != '\n' && length < sizeof line - 1) {
            line[length++] = byte;
            continue;
        }
        line[length] = '\0';
        load_line(clap->plugin_data, line);
        length = 0;
    }
    return got == 0;
}

static const void *get_extension(const clap_plugin_t *clap, const char *id)
{
    static const clap_plugin_audio_ports_t audio_ports = {count_audio, get_audio};
    static const clap_plugin_note_ports_t note_ports = {count_notes, get_notes};
    static const clap_plugin_params_t params = {
        count_params, get_info, get_value, value_to_text, text_to_value, flush,
    };
    static const clap_plugin_state_t state = {save, load};
    (void)clap;
    return !strcmp(id, "clap.audio-ports") ? (const void *)&audio_ports
         : !strcmp(id, "clap.note-ports")  ? (const void *)&note_ports
         : !strcmp(id, "clap.params")      ? (const void *)&params
         : !strcmp(id, "clap.state")       ? (const void *)&state : NULL;
}

#define CLAP_VERSION {1, 2, 0}

static const char *const features[] = {"note-detector", "audio-effect", "analyzer", "mono", NULL};
static const clap_plugin_descriptor_t descriptor = {
    CLAP_VERSION, URI, NAME, "rtcluster", "", "", "", "1",
    "Hears the drums of a kit and plays a MIDI note for each", features,
};

static uint32_t count_plugins(const clap_plugin_factory_t *factory) { (void)factory; return 1; }

static const clap_plugin_descriptor_t *describe(const clap_plugin_factory_t *factory, uint32_t n)
{
    (void)factory;
    return n == 0 ? &descriptor : NULL;
}

static const clap_plugin_t *create(const clap_plugin_factory_t *factory, const clap_host_t *host,
                                   const char *id)
{
    (void)factory, (void)host;
    Plugin *self = strcmp(id, URI) ? NULL : calloc(1, sizeof(Plugin));
    if (!self)
        return NULL;
    self->clap = (clap_plugin_t){
        &descriptor, self, init, destroy, activate, deactivate, start_processing, stop_processing,
        reset, process, get_extension, on_main_thread,
    };
    self->player.send = send;
    self->player.host = self;
    return &self->clap;
}

static bool enter(const char *path)
{
    const char *end = strrchr(path, '/');
    int length = snprintf(kit_path, sizeof kit_path, "%.*s%s", end ? (int)(end + 1 - path) : 0, path,
                          "kit.rtkit");
    return length > 0 && (size_t)length < sizeof kit_path;
}

static void leave(void) {}

static const void *get_factory(const char *id)
{
    static const clap_plugin_factory_t factory = {count_plugins, describe, create};
    return strcmp(id, "clap.plugin-factory") ? NULL : &factory;
}

__attribute__((visibility("default"))) const clap_plugin_entry_t clap_entry = {
    CLAP_VERSION, enter, leave, get_factory,
};
