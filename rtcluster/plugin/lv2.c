/* rtcluster as an LV2 plug-in: audio in, audio through, a MIDI note for each drum.

   Its kit lies in the bundle, or is chosen in the host (GENERIC): by a message to the port CONTROL,
   upon which the host's worker thread loads it, or with the host's saved state.

   What runs when: instantiate, activate, cleanup, restore and work may allocate and read files. run
   and work_response are called by the host's audio thread. They allocate nothing, lock nothing,
   wait for nothing. save may be called beside any of run and work. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lv2_abi.h"
#include "player.h"

#define MOST_PATH 4096
#define LV2 "http://lv2plug.in/ns/ext/"
#define PADDED(size) (((size) + 7u) & ~7u)

/* The ports, in the order of the bundle's description; a bundle with a kit in it ends before CONTROL. */

enum { IN, OUT, MIDI, FIRST_CONTROL, CONTROL = FIRST_CONTROL + CONTROLS, NOTIFY, PORTS };

typedef struct Path { struct Path *older; char text[]; } Path;

/* For the worker: a kit to free, or else a path to load. */
typedef struct { Kit *unwanted; char path[MOST_PATH]; } Order;

typedef struct {
    Player player;
    void *port[PORTS];
    uint32_t room[PORTS]; /* bytes of an output for messages */
    const LV2_Worker_Schedule *schedule;
    uint32_t sequence, midi_event, object, path, string; /* what the host calls these */
    uint32_t urid, patch_get, patch_set, property, value, kit, drums;
    Kit *next;    /* loaded; taken at the next block */
    Kit *retired; /* and older ones, for the worker to free */
    _Atomic(Path *) chosen; /* the latest; none is freed before the end, since save may read it */
    int asked;    /* the host is to be told of the kit */
    Order order;
} Plugin;

static void *find(const LV2_Feature *const *features, const char *uri)
{
    for (; features && *features; features++)
        if (!strcmp((*features)->uri, uri))
            return (*features)->data;
    return NULL;
}

/* Load a kit, and keep its path for save. */
static Kit *choose(Plugin *self, const char *path)
{
    Path *kept = malloc(sizeof(Path) + strlen(path) + 1);
    if (!kept)
        return NULL;
    strcpy(kept->text, path);
    kept->older = atomic_load(&self->chosen);
    atomic_store(&self->chosen, kept);
    return kit_load(kept->text, self->player.rate);
}

static void cleanup(void *instance)
{
    Plugin *self = instance;
    for (Kit *kit = self->retired, *older; kit; kit = older) {
        older = kit->older;
        kit_free(kit);
    }
    for (Path *path = atomic_load(&self->chosen), *older; path; path = older) {
        older = path->older;
        free(path);
    }
    kit_free(self->next);
    kit_free(self->player.kit);
    free(self);
}

static int send(void *instance, int64_t frame, int kind, int note, int velocity);

static void *instantiate(const void *descriptor, double rate, const char *bundle,
                         const LV2_Feature *const *features)
{
    const LV2_URID_Map *urid = find(features, LV2 "urid#map");
    Plugin *self = calloc(1, sizeof(Plugin));
    (void)descriptor;
    if (!self)
        return NULL;
    self->player.rate = rate;
    self->player.send = send;
    self->player.host = self;
    self->schedule = find(features, LV2 "worker#schedule");
    if (!urid || (GENERIC && !self->schedule)) {
        fprintf(stderr, "rtcluster: the host has no urid:map or no work:schedule\n");
        goto failed;
    }
    if (!GENERIC) {
        char path[MOST_PATH];
        snprintf(path, sizeof path, "%s/kit.rtkit", bundle);
        self->player.kit = choose(self, path);
        if (!self->player.kit || !self->player.kit->state)
            goto failed;
    }
    struct { uint32_t *id; const char *uri; } const wanted[] = {
        {&self->sequence, LV2 "atom#Sequence"},
        {&self->object, LV2 "atom#Object"},     {&self->path, LV2 "atom#Path"},
        {&self->string, LV2 "atom#String"},     {&self->urid, LV2 "atom#URID"},
        {&self->midi_event, LV2 "midi#MidiEvent"},
        {&self->patch_get, LV2 "patch#Get"},    {&self->patch_set, LV2 "patch#Set"},
        {&self->property, LV2 "patch#property"}, {&self->value, LV2 "patch#value"},
        {&self->kit, URI "#kit"},               {&self->drums, URI "#drums"},
    };
    for (size_t n = 0; n < sizeof wanted / sizeof *wanted; n++)
        *wanted[n].id = urid->map(urid->handle, wanted[n].uri);
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

static void activate(void *instance)
{
    player_begin(&((Plugin *)instance)->player);
}

/* Begin an output for messages. The host says in its size how large it is. */
static void begin_sequence(Plugin *self, int port)
{
    LV2_Atom_Sequence *out = self->port[port];
    if (!out)
        return;
    self->room[port] = out->atom.size + (uint32_t)sizeof(LV2_Atom);
    out->atom.size = sizeof(LV2_Atom_Sequence) - sizeof(LV2_Atom);
    out->atom.type = self->sequence;
    out->unit = out->pad = 0;
}

/* Room for the body of a message at a frame of the block, zeros; NULL if there is none. */
static void *append(Plugin *self, int port, int64_t frame, uint32_t type, uint32_t size)
{
    LV2_Atom_Sequence *out = self->port[port];
    uint32_t bytes = (uint32_t)sizeof(LV2_Atom_Event) + PADDED(size);
    if (!out || out->atom.size + sizeof(LV2_Atom) + bytes > self->room[port])
        return NULL;
    LV2_Atom_Event *event = (LV2_Atom_Event *)((char *)out + sizeof(LV2_Atom) + out->atom.size);
    memset(event, 0, bytes);
    event->frames = frame;
    event->body.size = size;
    event->body.type = type;
    out->atom.size += bytes;
    return event + 1;
}

static int send(void *instance, int64_t frame, int kind, int note, int velocity)
{
    Plugin *self = instance;
    unsigned char *message = append(self, MIDI, frame, self->midi_event, 3);
    if (!message)
        return 0;
    message[0] = (unsigned char)kind;
    message[1] = (unsigned char)note;
    message[2] = (unsigned char)velocity;
    return 1;
}

/* Tell the host the value of a parameter; 0 if it gave no room. */
static int notify(Plugin *self, uint32_t parameter, uint32_t type, const char *text)
{
    struct {
        LV2_Atom_Object_Body object;
        LV2_Atom_Property_Body which;
        uint32_t parameter, pad;
        LV2_Atom_Property_Body what;
    } head = {{0, self->patch_set}, {self->property, 0, {4, self->urid}}, parameter, 0, {self->value, 0, {0, type}}};
    uint32_t length = (uint32_t)strlen(text) + 1;
    char *body = append(self, NOTIFY, 0, self->object, (uint32_t)sizeof head + PADDED(length));
    if (!body)
        return 0;
    head.what.value.size = length;
    memcpy(body, &head, sizeof head);
    memcpy(body + sizeof head, text, length);
    return 1;
}

/* A message of the host: it chooses a kit, or asks which there is. */
static void take_message(Plugin *self, const char *body, int64_t size)
{
    const LV2_Atom_Object_Body *object = (const LV2_Atom_Object_Body *)body;
    const LV2_Atom *value = NULL;
    uint32_t parameter = 0;
    if (size < (int64_t)sizeof *object)
        return;
    for (int64_t at = sizeof *object; size - at >= (int64_t)sizeof(LV2_Atom_Property_Body);) {
        const LV2_Atom_Property_Body *one = (const LV2_Atom_Property_Body *)(body + at);
        at += (int64_t)sizeof *one;
        if (one->value.size > size - at)
            return;
        if (one->key == self->property && one->value.size == sizeof parameter)
            memcpy(&parameter, one + 1, sizeof parameter);
        else if (one->key == self->value)
            value = &one->value;
        at += (int64_t)PADDED((uint64_t)one->value.size);
    }
    if (object->otype == self->patch_get)
        self->asked = 1;
    if (object->otype != self->patch_set || parameter != self->kit || !value ||
        value->type != self->path || !value->size || value->size > MOST_PATH)
        return;
    const char *path = (const char *)(value + 1);
    if (path[value->size - 1])
        return;
    self->order.unwanted = NULL;
    memcpy(self->order.path, path, value->size);
    self->schedule->schedule_work(self->schedule->handle,
                                  (uint32_t)offsetof(Order, path) + value->size, &self->order);
}

static void retire(Plugin *self, Kit *kit)
{
    if (!kit)
        return;
    kit->older = self->retired;
    self->retired = kit;
}

static void read_messages(Plugin *self, const LV2_Atom_Sequence *in)
{
    const char *at = (const char *)(in + 1), *end = (const char *)&in->unit + in->atom.size;
    while (end - at >= (ptrdiff_t)sizeof(LV2_Atom_Event)) {
        const LV2_Atom_Event *event = (const LV2_Atom_Event *)at;
        at += sizeof *event;
        if (event->body.size > end - at)
            break;
        if (event->body.type == self->object)
            take_message(self, at, event->body.size);
        at += PADDED((uint64_t)event->body.size);
    }
}

/* Before a block: messages of the host, another kit if one is loaded, and word of it. */
static void keep_house(Plugin *self)
{
    if (self->port[CONTROL])
        read_messages(self, self->port[CONTROL]);
    if (self->next) {
        retire(self, self->player.kit);
        player_take(&self->player, self->next);
        self->next = NULL;
        self->asked = 1;
    }
    while (self->retired) {
        Kit *kit = self->order.unwanted = self->retired;
        self->retired = kit->older;
        if (self->schedule->schedule_work(self->schedule->handle, offsetof(Order, path), &self->order)) {
            self->retired = kit; /* no room; at another block */
            break;
        }
    }
    const Kit *kit = self->player.kit;
    if (self->asked && notify(self, self->kit, self->path, kit ? kit->path : "") &&
        notify(self, self->drums, self->string, kit ? kit->words : NO_KIT))
        self->asked = 0;
}

static void run(void *instance, uint32_t frames)
{
    Plugin *self = instance;
    begin_sequence(self, MIDI);
    if (GENERIC) {
        begin_sequence(self, NOTIFY);
        keep_house(self);
    }
    for (int n = 0; n < CONTROLS; n++) {
        const float *value = self->port[FIRST_CONTROL + n];
        self->player.control[n] = value ? *value : 0.0f;
    }
    player_run(&self->player, self->port[IN], self->port[OUT], frames);
}

static int work(void *instance, Respond respond, void *handle, uint32_t size, const void *data)
{
    Plugin *self = instance;
    Kit *kit;
    (void)size;
    memcpy(&kit, data, sizeof kit); /* of an Order */
    if (kit)
        kit_free(kit);
    else if (!(kit = choose(self, (const char *)data + offsetof(Order, path))))
        return 1;
    else if (respond(handle, sizeof kit, &kit)) {
        kit_free(kit);
        return 2;
    }
    return 0;
}

static int work_response(void *instance, uint32_t size, const void *data)
{
    Plugin *self = instance;
    (void)size;
    retire(self, self->next);
    memcpy(&self->next, data, sizeof self->next);
    return 0;
}

static void free_path(const LV2_Feature *const *features, char *path)
{
    const LV2_State_Free_Path *own = find(features, LV2 "state#freePath");
    if (own)
        own->free_path(own->handle, path);
    else
        free(path);
}

static int save(void *instance, Store store, void *handle, uint32_t flags,
                const LV2_Feature *const *features)
{
    Plugin *self = instance;
    const LV2_State_Map_Path *map = find(features, LV2 "state#mapPath");
    const Path *chosen = atomic_load(&self->chosen);
    (void)flags;
    if (!chosen || !*chosen->text)
        return 0;
    if (!map)
        return store(handle, self->kit, chosen->text, strlen(chosen->text) + 1, self->path, LV2_STATE_IS_POD);
    char *path = map->abstract_path(map->handle, chosen->text);
    int status = store(handle, self->kit, path, strlen(path) + 1, self->path, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
    free_path(features, path);
    return status;
}

/* The host calls nothing else meanwhile. */
static int restore(void *instance, Retrieve retrieve, void *handle, uint32_t flags,
                   const LV2_Feature *const *features)
{
    Plugin *self = instance;
    const LV2_State_Map_Path *map = find(features, LV2 "state#mapPath");
    size_t size = 0;
    uint32_t type = 0;
    const char *saved = retrieve(handle, self->kit, &size, &type, &flags);
    if (saved && (type != self->path || !size || saved[size - 1]))
        return 2;
    char *path = saved && map ? map->absolute_path(map->handle, saved) : NULL;
    Kit *kit = choose(self, path ? path : saved ? saved : "");
    if (path)
        free_path(features, path);
    kit_free(self->next);
    self->next = NULL;
    kit_free(self->player.kit);
    player_take(&self->player, kit);
    self->asked = 1;
    return kit ? 0 : 1;
}

static const void *extension_data(const char *uri)
{
    static const LV2_Worker_Interface worker = {work, work_response, NULL};
    static const LV2_State_Interface state = {save, restore};
    if (!GENERIC)
        return NULL;
    return !strcmp(uri, LV2 "worker#interface") ? (const void *)&worker
         : !strcmp(uri, LV2 "state#interface")  ? (const void *)&state : NULL;
}

static const LV2_Descriptor descriptor = {
    URI, instantiate, connect_port, activate, run, NULL, cleanup, extension_data,
};

__attribute__((visibility("default"))) const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    return index == 0 ? &descriptor : NULL;
}
