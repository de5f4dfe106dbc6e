/* What plays the notes of a kit, whatever the kind of plug-in around it: player.c.

   kit.h, which rtcluster writes, has the number of drums that a plug-in has controls for, and where
   in a state and an event of the kernel the fields are that are used here. */

#ifndef PLAYER_H
#define PLAYER_H

#include <stdint.h>

#include "kit.h"

/* A kit that is ready to hear at one rate, or why there is none. Loading and freeing is not for the
   audio thread. */

typedef struct { uint8_t note; char name[NAME_BYTES]; } Drum;

typedef struct Kit {
    void *state;       /* of the kernel; NULL: nothing is heard */
    char *file;        /* its content ... */
    const char *image; /* ... and what of it the state is filled from, ... */
    uint64_t size;     /* ... so many bytes */
    uint64_t drums;
    const Drum *drum;
    float own_threshold;
    int32_t own_mask;
    const char *path;  /* for whoever loaded it */
    struct Kit *older; /* the same */
    char words[512];   /* its drums, or what is wrong */
} Kit;

#define NO_KIT "no kit is chosen" /* words of one with an empty path */

Kit *kit_load(const char *path, double rate); /* NULL only if memory lacks */
void kit_begin(Kit *kit);                     /* as fresh */
void kit_free(Kit *kit);

/* The controls. Each drum has two, NOTE and MUTE; a note below 0 is the kit's. */

enum { THRESHOLD, MASK, STAGE, GAIN, FIRST_DRUM, CONTROLS = FIRST_DRUM + 2 * DRUMS };
enum { NOTES = 128, ROOM = 64 }; /* of MIDI; events taken at once */

typedef struct {
    Kit *kit;  /* NULL: audio goes through, and that is all */
    double rate;
    float control[CONTROLS];
    int64_t now;          /* frames since the kit began */
    int64_t until[NOTES]; /* when a note that sounds ends; 0: it does not sound */
    int (*send)(void *host, int64_t frame, int kind, int note, int velocity); /* 0: no room */
    void *host;
    char events[ROOM * EVENT_BYTES];
} Player;

void player_begin(Player *player);          /* a stream begins; no note sounds */
void player_take(Player *player, Kit *kit); /* another kit, fresh, from the next frame on */
void player_run(Player *player, const float *in, float *out, int64_t frames);

#endif
