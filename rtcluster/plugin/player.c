/* A kit's file becomes the kernel's state, and what the kernel hears becomes MIDI notes.

   The kernel is one function, rtcluster_hear, over one stretch of memory, the state; core.o has its
   machine code. player_run is called by the host's audio thread. It allocates nothing, locks
   nothing, waits for nothing; nor do player_begin and player_take. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "player.h"

__attribute__((visibility("hidden"))) int64_t rtcluster_hear(
    void *state, const float *audio, int64_t frames, void *events, int64_t room);

enum { ONSET = 1, GUESS = 2, FINAL = 3, NOBODY = -1 }; /* an event's kind, and who is no drum */
enum { PIECE = 1024 }; /* frames heard at once */
enum { NOTE_ON = 0x99, NOTE_OFF = 0x89, RELEASE = 64 }; /* MIDI, channel 10 */
#define NOTE_S 0.050 /* from a note-on to its note-off */

#define AT(type, base, offset) (*(type *)((char *)(base) + (offset)))

/* The file: a header, the drums, and an image of the state for each rate. The checksum finds damage;
   it is no defence against a file that was made to do harm.

   An image: stretches that are not zero, each as its place, its length and so many bytes, padded
   to 8; and pairs of places: the first holds the address of the second. */

typedef struct {
    char magic[8];
    uint32_t version, checksum; /* of all that follows */
    uint64_t size, build, drums, rates; /* of the file; of the kernel; how many */
} Header;
typedef struct { uint64_t rate, place, size; } Rate;
typedef struct { uint64_t bytes, stretches, pointers; } Image;

static char *read_file(const char *path, uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    char *content = NULL;
    long length;
    if (!file)
        return NULL;
    if (!fseek(file, 0, SEEK_END) && (length = ftell(file)) > 0 && length <= MOST_BYTES &&
        !fseek(file, 0, SEEK_SET) && (content = malloc((size_t)length)) &&
        fread(content, 1, (size_t)length, file) != (size_t)length) {
        free(content);
        content = NULL;
    }
    *size = content ? (uint64_t)length : 0;
    fclose(file);
    return content;
}

/* CRC-32 as of zlib. */
static uint32_t checksum(const char *content, uint64_t size)
{
    uint32_t table[256], sum = 0xffffffffu;
    for (uint32_t n = 0; n < 256; n++) {
        table[n] = n;
        for (int bit = 0; bit < 8; bit++)
            table[n] = table[n] >> 1 ^ (table[n] & 1 ? 0xedb88320u : 0);
    }
    for (uint64_t n = 0; n < size; n++)
        sum = sum >> 8 ^ table[(sum ^ (unsigned char)content[n]) & 255];
    return ~sum;
}

/* Fill the state from its image; 0 if the image is not whole. */
static int fill(const Kit *kit)
{
    const Image *image = (const Image *)kit->image;
    const char *end = kit->image + kit->size;
    const uint64_t *word = (const uint64_t *)(image + 1);
    char *state = kit->state;
    memset(state, 0, image->bytes);
    for (uint64_t n = 0; n < image->stretches; n++) {
        if (end - (const char *)word < 16)
            return 0;
        uint64_t place = word[0], length = word[1];
        if (place > image->bytes || length > image->bytes - place ||
            length > (uint64_t)(end - (const char *)(word + 2)))
            return 0;
        memcpy(state + place, word + 2, length);
        word += 2 + (length + 7) / 8;
    }
    if (end < (const char *)word || (uint64_t)(end - (const char *)word) / 16 != image->pointers)
        return 0;
    for (uint64_t n = 0; n < image->pointers; n++, word += 2) {
        if (word[0] % 8 || word[0] > image->bytes - 8 || word[1] >= image->bytes)
            return 0;
        AT(uint64_t, state, word[0]) = (uint64_t)(uintptr_t)(state + word[1]);
    }
    return 1;
}

/* Find the rate's image in a file that was read; what is wrong, or NULL. */
static const char *take_apart(Kit *kit, double rate, uint64_t size)
{
    const char *damaged = "is damaged; write it again with 'rtcluster plugin'";
    const Header *header = (const Header *)kit->file;
    if (size < sizeof(Header) || memcmp(header->magic, "rtcl-kit", 8))
        return "is no kit of a plug-in; write one with 'rtcluster plugin kit'";
    if (header->version != VERSION)
        return "is for another version of rtcluster; write it again with 'rtcluster plugin'";
    const char *checked = (const char *)&header->size;
    if (header->size != size ||
        header->checksum != checksum(checked, size - (uint64_t)(checked - kit->file)))
        return damaged;
    if (header->build != BUILD)
        return "is for another version of rtcluster; write it again with 'rtcluster plugin'";
    if (header->drums > DRUMS)
        return "has more drums than this plug-in has controls for";
    uint64_t rates_at = sizeof(Header) + header->drums * sizeof(Drum);
    if (header->rates > 64 || rates_at + header->rates * sizeof(Rate) > size)
        return damaged;
    kit->drums = header->drums;
    kit->drum = (const Drum *)(header + 1);
    for (uint64_t n = 0; n < kit->drums; n++)
        if (kit->drum[n].note >= NOTES || kit->drum[n].name[NAME_BYTES - 1])
            return damaged;
    for (uint64_t n = 0; n < header->rates; n++) {
        const Rate *found = (const Rate *)(kit->file + rates_at) + n;
        if ((double)found->rate != rate)
            continue;
        if (found->place % 8 || found->place > size || found->size > size - found->place ||
            found->size < sizeof(Image))
            return damaged;
        kit->image = kit->file + found->place;
        kit->size = found->size;
        uint64_t bytes = ((const Image *)kit->image)->bytes;
        if (bytes < STATE_BYTES || bytes > MOST_BYTES)
            return damaged;
        kit->state = malloc(bytes);
        return !kit->state ? "finds no memory" : fill(kit) ? NULL : damaged;
    }
    return "is not for the host's sample rate, but for " RATES " Hz";
}

Kit *kit_load(const char *path, double rate)
{
    Kit *kit = calloc(1, sizeof(Kit));
    uint64_t size;
    if (!kit)
        return NULL;
    kit->path = path;
    if (!*path) {
        strcpy(kit->words, NO_KIT);
        return kit;
    }
    kit->file = read_file(path, &size);
    const char *wrong = kit->file ? take_apart(kit, rate, size) : "cannot be read";
    if (wrong) {
        const char *name = strrchr(path, '/');
        snprintf(kit->words, sizeof kit->words, "%.255s %s", name ? name + 1 : path, wrong);
        fprintf(stderr, "rtcluster: %s\n", kit->words);
        free(kit->state);
        kit->state = NULL;
        return kit;
    }
    for (uint64_t n = 0, at = 0; n < kit->drums && at < sizeof kit->words; n++)
        at += (uint64_t)snprintf(kit->words + at, sizeof kit->words - at, "%s%s", n ? ", " : "",
                                 kit->drum[n].name);
    kit->own_threshold = AT(float, kit->state, ASKED_THRESHOLD);
    kit->own_mask = AT(int32_t, kit->state, ASKED_MASK);
    return kit;
}

void kit_begin(Kit *kit)
{
    if (kit && kit->state)
        fill(kit); /* it was found whole when it was loaded */
}

void kit_free(Kit *kit)
{
    if (!kit)
        return;
    free(kit->state);
    free(kit->file);
    free(kit);
}

void player_begin(Player *self)
{
    kit_begin(self->kit);
    memset(self->until, 0, sizeof self->until);
    self->now = 0;
}

void player_take(Player *self, Kit *kit)
{
    for (int note = 0; note < NOTES; note++)
        if (self->until[note])
            self->until[note] = self->until[note] > self->now ? self->until[note] - self->now : 1;
    self->now = 0;
    self->kit = kit;
}

/* End the notes whose time comes before a frame of the block, in order. One that finds no room
   sounds on to the next block. */
static void end_notes(Player *self, int64_t frame)
{
    for (;;) {
        int next = -1;
        for (int note = 0; note < NOTES; note++)
            if (self->until[note] && (next < 0 || self->until[note] < self->until[next]))
                next = note;
        if (next < 0 || self->until[next] >= self->now + frame)
            return;
        int64_t due = self->until[next] - self->now;
        if (!self->send(self->host, due < 0 ? 0 : due, NOTE_OFF, next, RELEASE))
            return;
        self->until[next] = 0;
    }
}

static void begin_note(Player *self, int64_t frame, int note, int velocity)
{
    if (self->until[note] && self->send(self->host, frame, NOTE_OFF, note, RELEASE))
        self->until[note] = 0;
    if (!self->until[note] && self->send(self->host, frame, NOTE_ON, note, velocity))
        self->until[note] = self->now + frame + (int64_t)(NOTE_S * self->rate);
}

/* The note of a drum; -1 if it is silent. */
static int note_of(const Player *self, int drum)
{
    if (drum < 0 || (uint64_t)drum >= self->kit->drums || self->control[FIRST_DRUM + 2 * drum + 1] > 0.5f)
        return -1;
    float note = self->control[FIRST_DRUM + 2 * drum];
    return note < 0.0f ? self->kit->drum[drum].note : note < NOTES ? (int)note : -1;
}

/* Send the notes of an event, at the frame with which it became known. */
static void tell(Player *self, const char *event)
{
    int wanted = self->control[STAGE] > 0.5f ? FINAL : GUESS;
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

/* Hear the audio and send its notes, each at its frame of the block. */
static void hear(Player *self, const float *in, int64_t frames)
{
    float threshold = self->control[THRESHOLD], mask = self->control[MASK];
    void *state = self->kit->state;
    AT(float, state, ASKED_THRESHOLD) = threshold > 0.0f ? threshold : self->kit->own_threshold;
    AT(int32_t, state, ASKED_MASK) =
        mask > 0.0f ? (int32_t)(mask * 1e-3 * self->rate) : self->kit->own_mask;
    for (int64_t at = 0; at < frames;) {
        int64_t piece = frames - at < PIECE ? frames - at : PIECE, count;
        const float *audio = in + at;
        do {
            count = rtcluster_hear(state, audio, piece, self->events, ROOM);
            for (int64_t n = 0; n < count; n++)
                tell(self, self->events + n * EVENT_BYTES);
            at += piece;
            piece = 0; /* only what events are left */
        } while (count == ROOM);
    }
}

void player_run(Player *self, const float *in, float *out, int64_t frames)
{
    unsigned before = flush_denormals();
    if (in && self->kit && self->kit->state)
        hear(self, in, frames);
    end_notes(self, frames);
    self->now += frames;
    if (in && out) { /* may be the same buffer */
        float decibels = self->control[GAIN];
        float gain = decibels <= SILENT_DB ? 0.0f : powf(10.0f, decibels / 20.0f);
        for (int64_t i = 0; i < frames; i++)
            out[i] = isfinite(in[i]) ? gain * in[i] : 0.0f;
    }
    restore_denormals(before);
}
