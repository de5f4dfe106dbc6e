/* An LV2 plug-in around rtcluster's kernel: audio in, audio through, a MIDI note for each drum.

   The kernel is one function, rtcluster_hear, over one stretch of memory, the state: core.o has its
   machine code, and kit-RATE.state in the bundle what the state is filled with. kit.h, which
   rtcluster writes, has the plug-in's URI, the number of its drums, and where in a state and an
   event the fields are that are used here. The LV2 ABI is declared by hand, so that a C compiler is
   all that is needed to build this; tests/plugin holds it to LV2's own headers.

   What runs when: instantiate, activate and cleanup may allocate and read files. run is called by
   the host's audio thread. It allocates nothing, locks nothing, waits for nothing. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "kit.h"

/* LV2, as far as it is used: core 1.18, atom, urid. */

typedef struct { const char *uri; void *data; } LV2_Feature;
typedef struct { void *handle; uint32_t (*map)(void *handle, const char *uri); } LV2_URID_Map;
typedef struct { uint32_t size, type; } LV2_Atom;
typedef struct { LV2_Atom atom; uint32_t unit, pad; } LV2_Atom_Sequence;
typedef struct { int64_t frames; LV2_Atom body; } LV2_Atom_Event;
typedef struct {
    const char *uri;
    void *(*instantiate)(const void *, double, const char *, const LV2_Feature *const *);
    void (*connect_port)(void *, uint32_t, void *);
    void (*activate)(void *);
    void (*run)(void *, uint32_t);
    void (*deactivate)(void *);
    void (*cleanup)(void *);
    const void *(*extension_data)(const char *);
} LV2_Descriptor;

/* The kernel. */

__attribute__((visibility("hidden"))) int64_t rtcluster_hear(
    void *state, const float *audio, int64_t frames, void *events, int64_t room);

enum { ONSET = 1, GUESS = 2, FINAL = 3, NOBODY = -1 }; /* an event's kind, and who is no drum */
enum { PIECE = 1024, ROOM = 64 }; /* frames heard at once; events taken at once */
enum { NOTES = 128, NOTE_ON = 0x99, NOTE_OFF = 0x89, RELEASE = 64 }; /* MIDI, channel 10 */
#define NOTE_S 0.050 /* from a note-on to its note-off */

#define AT(type, base, offset) (*(type *)((char *)(base) + (offset)))

/* The ports, in the order of the bundle's description. Each drum has two more, NOTE and MUTE. */

enum { IN, OUT, MIDI, THRESHOLD, MASK, STAGE, GAIN, FIRST_DRUM, PORTS = FIRST_DRUM + 2 * DRUMS };

typedef struct {
    void *port[PORTS];
    void *state;
    char *image; /* the file that the state is filled from ... */
    size_t size; /* ... and its bytes */
    float own_threshold;
    int32_t own_mask;
    double rate;
    int64_t now;          /* frames since activate */
    int64_t until[NOTES]; /* when a note that sounds ends; 0: it does not sound */
    uint32_t sequence, frame_time, midi_event; /* what the host calls these types */
    uint32_t capacity; /* bytes of the MIDI output */
    char events[ROOM * EVENT_BYTES];
} Plugin;

/* The image: a header; stretches that are not zero, each as its place, its length and so many
   bytes, padded to 8; and pairs of places: the first holds the address of the second. */

typedef struct {
    char magic[8];
    uint64_t build, bytes, stretches, pointers;
} Header;

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *content = NULL;
    long length;
    if (!file)
        return NULL;
    if (!fseek(file, 0, SEEK_END) && (length = ftell(file)) > 0 && !fseek(file, 0, SEEK_SET) &&
        (content = malloc((size_t)length)) && fread(content, 1, (size_t)length, file) != (size_t)length) {
        free(content);
        content = NULL;
    }
    *size = content ? (size_t)length : 0;
    fclose(file);
    return content;
}

/* Fill the state from the image; 0 if the image, of so many bytes, is not whole. */
static int fill(const char *image, size_t size, char *state)
{
    const Header *header = (const Header *)image;
    const char *end = image + size;
    const uint64_t *word = (const uint64_t *)(header + 1);
    memset(state, 0, header->bytes);
    for (uint64_t n = 0; n < header->stretches; n++) {
        if (end - (const char *)word < 16)
            return 0;
        uint64_t place = word[0], length = word[1], padded = (length + 7) / 8 * 8;
        if (place > header->bytes || length > header->bytes - place ||
            padded > (uint64_t)(end - (const char *)(word + 2)))
            return 0;
        memcpy(state + place, word + 2, length);
        word += 2 + padded / 8;
    }
    if ((uint64_t)(end - (const char *)word) != 16 * header->pointers)
        return 0;
    for (uint64_t n = 0; n < header->pointers; n++, word += 2) {
        if (word[0] > header->bytes - 8 || word[1] >= header->bytes)
            return 0;
        AT(uint64_t, state, word[0]) = (uint64_t)(uintptr_t)(state + word[1]);
    }
    return 1;
}

static void cleanup(void *instance)
{
    Plugin *self = instance;
    free(self->state);
    free(self->image);
    free(self);
}

static void *instantiate(const void *descriptor, double rate, const char *bundle,
                         const LV2_Feature *const *features)
{
    const LV2_URID_Map *urid = NULL;
    char path[4096];
    Plugin *self = calloc(1, sizeof(Plugin));
    (void)descriptor;
    if (!self)
        return NULL;
    for (; features && *features; features++)
        if (!strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map"))
            urid = (*features)->data;
    snprintf(path, sizeof path, "%s/kit-%.0f.state", bundle, rate);
    self->image = read_file(path, &self->size);
    const Header *header = (const Header *)self->image;
    if (!urid || !header) {
        fprintf(stderr, "rtcluster: %s at %.0f Hz: this plug-in has 44100, 48000, 88200 and 96000 Hz\n",
                urid ? "no kit" : "the host has no urid:map", rate);
        goto failed;
    }
    if (self->size < sizeof(Header) || memcmp(header->magic, "rtcl-kit", 8) || header->build != BUILD ||
        header->bytes < STATE_BYTES || !(self->state = malloc(header->bytes)) ||
        !fill(self->image, self->size, self->state)) {
        fprintf(stderr, "rtcluster: %s is damaged; build the plug-in again\n", path);
        goto failed;
    }
    self->own_threshold = AT(float, self->state, ASKED_THRESHOLD);
    self->own_mask = AT(int32_t, self->state, ASKED_MASK);
    self->rate = rate;
    self->sequence = urid->map(urid->handle, "http://lv2plug.in/ns/ext/atom#Sequence");
    self->frame_time = urid->map(urid->handle, "http://lv2plug.in/ns/ext/atom#frameTime");
    self->midi_event = urid->map(urid->handle, "http://lv2plug.in/ns/ext/midi#MidiEvent");
    return self;
failed:
    cleanup(self);
    return NULL;
}

static void connect_port(void *instance, uint32_t port, void *data)
{
    if (port < PORTS)
        ((Plugin *)instance)->port[port] = data;
}

/* Begin a stream: as fresh. */
static void activate(void *instance)
{
    Plugin *self = instance;
    fill(self->image, self->size, self->state); /* it was found whole when it was read */
    memset(self->until, 0, sizeof self->until);
    self->now = 0;
}

static float control(const Plugin *self, int port)
{
    return self->port[port] ? *(const float *)self->port[port] : 0.0f;
}

/* Write a MIDI message at a frame of the block; 0 if the host gave no room for it. */
static int send(Plugin *self, int64_t frame, int kind, int note, int velocity)
{
    LV2_Atom_Sequence *out = self->port[MIDI];
    enum { BYTES = sizeof(LV2_Atom_Event) + 8 }; /* three of a message, padded */
    if (!out || out->atom.size + sizeof(LV2_Atom) + BYTES > self->capacity)
        return 0;
    LV2_Atom_Event *event = (LV2_Atom_Event *)((char *)out + sizeof(LV2_Atom) + out->atom.size);
    unsigned char *message = (unsigned char *)(event + 1);
    memset(event, 0, BYTES);
    event->frames = frame;
    event->body.size = 3;
    event->body.type = self->midi_event;
    message[0] = (unsigned char)kind;
    message[1] = (unsigned char)note;
    message[2] = (unsigned char)velocity;
    out->atom.size += BYTES;
    return 1;
}

/* End the notes whose time comes before a frame of the block, in order. One that finds no room
   sounds on to the next block. */
static void end_notes(Plugin *self, int64_t frame)
{
    for (;;) {
        int next = -1;
        for (int note = 0; note < NOTES; note++)
            if (self->until[note] && (next < 0 || self->until[note] < self->until[next]))
                next = note;
        if (next < 0 || self->until[next] >= self->now + frame)
            return;
        int64_t due = self->until[next] - self->now;
        if (!send(self, due < 0 ? 0 : due, NOTE_OFF, next, RELEASE))
            return;
        self->until[next] = 0;
    }
}

static void begin_note(Plugin *self, int64_t frame, int note, int velocity)
{
    if (self->until[note] && send(self, frame, NOTE_OFF, note, RELEASE))
        self->until[note] = 0;
    if (!self->until[note] && send(self, frame, NOTE_ON, note, velocity))
        self->until[note] = self->now + frame + (int64_t)(NOTE_S * self->rate);
}

/* The note of a drum; -1 if it is silent. */
static int note_of(const Plugin *self, int drum)
{
    if (drum < 0 || drum >= DRUMS || control(self, FIRST_DRUM + 2 * drum + 1) > 0.5f)
        return -1;
    float note = control(self, FIRST_DRUM + 2 * drum);
    return note >= 0.0f && note < NOTES ? (int)note : -1;
}

/* Send the notes of an event, at the frame with which it became known. */
static void tell(Plugin *self, const char *event)
{
    int wanted = control(self, STAGE) > 0.5f ? FINAL : GUESS;
    if (AT(const int32_t, event, EVENT_KIND) != wanted)
        return;
    int64_t frame = AT(const int64_t, event, EVENT_EMITTED) - 1 - self->now;
    int notes[PARTS];
    notes[0] = note_of(self, AT(const int32_t, event, EVENT_CLASS));
    for (int part = 1; part < PARTS; part++) {
        int drum = AT(const int32_t, event, EVENT_OTHERS + 4 * (part - 1));
        notes[part] = drum == NOBODY ? -1 : note_of(self, drum);
    }
    end_notes(self, frame + 1);
    for (int part = 0; part < PARTS; part++) {
        int told = notes[part] < 0;
        for (int before = 0; before < part; before++)
            told |= notes[before] == notes[part];
        if (!told)
            begin_note(self, frame, notes[part],
                       AT(const int32_t, event, EVENT_PART_VELOCITY + 4 * part));
    }
}

/* Denormals count as zero while this runs; arithmetic on them is a hundred times slower. */
static unsigned flush_denormals(void)
{
#if defined(__SSE__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}

static void restore_denormals(unsigned before)
{
#if defined(__SSE__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static void run(void *instance, uint32_t frames)
{
    Plugin *self = instance;
    const float *in = self->port[IN];
    float *out = self->port[OUT];
    LV2_Atom_Sequence *midi = self->port[MIDI];
    unsigned before = flush_denormals();

    if (midi) { /* the host says in its size how large it is */
        self->capacity = midi->atom.size + (uint32_t)sizeof(LV2_Atom);
        midi->atom.size = sizeof(LV2_Atom_Sequence) - sizeof(LV2_Atom);
        midi->atom.type = self->sequence;
        midi->unit = midi->pad = 0;
    }
    float threshold = control(self, THRESHOLD), mask = control(self, MASK);
    AT(float, self->state, ASKED_THRESHOLD) = threshold > 0.0f ? threshold : self->own_threshold;
    AT(int32_t, self->state, ASKED_MASK) =
        mask > 0.0f ? (int32_t)(mask * 1e-3 * self->rate) : self->own_mask;

    for (uint32_t at = 0; in && at < frames;) {
        int64_t piece = frames - at < PIECE ? frames - at : PIECE, count;
        const float *audio = in + at;
        do {
            count = rtcluster_hear(self->state, audio, piece, self->events, ROOM);
            for (int64_t n = 0; n < count; n++)
                tell(self, self->events + n * EVENT_BYTES);
            at += (uint32_t)piece;
            piece = 0; /* only what events are left */
        } while (count == ROOM);
    }
    end_notes(self, frames);
    self->now += frames;

    if (in && out) { /* may be the same buffer */
        float decibels = control(self, GAIN);
        float gain = decibels <= SILENT_DB ? 0.0f : powf(10.0f, decibels / 20.0f);
        for (uint32_t i = 0; i < frames; i++)
            out[i] = isfinite(in[i]) ? gain * in[i] : 0.0f;
    }
    restore_denormals(before);
}

static const void *extension_data(const char *uri)
{
    (void)uri;
    return NULL;
}

static const LV2_Descriptor descriptor = {
    URI, instantiate, connect_port, activate, run, NULL, cleanup, extension_data,
};

__attribute__((visibility("default"))) const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    return index == 0 ? &descriptor : NULL;
}
