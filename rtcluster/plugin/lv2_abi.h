/* LV2, as far as it is used, declared by hand: core 1.18, atom, urid, worker, state. A C compiler is
   all that is needed to build the plug-in; tests/plugin holds this to LV2's own headers. */

#ifndef LV2_ABI_H
#define LV2_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct { const char *uri; void *data; } LV2_Feature;
typedef struct { void *handle; uint32_t (*map)(void *handle, const char *uri); } LV2_URID_Map;
typedef struct { uint32_t size, type; } LV2_Atom;
typedef struct { LV2_Atom atom; uint32_t unit, pad; } LV2_Atom_Sequence;
typedef struct { int64_t frames; LV2_Atom body; } LV2_Atom_Event;
typedef struct { uint32_t id, otype; } LV2_Atom_Object_Body;
typedef struct { uint32_t key, context; LV2_Atom value; } LV2_Atom_Property_Body;
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
typedef struct { void *handle; int (*schedule_work)(void *, uint32_t, const void *); } LV2_Worker_Schedule;
typedef int (*Respond)(void *, uint32_t, const void *);
typedef struct {
    int (*work)(void *, Respond, void *, uint32_t, const void *);
    int (*work_response)(void *, uint32_t, const void *);
    int (*end_run)(void *);
} LV2_Worker_Interface;
typedef int (*Store)(void *, uint32_t, const void *, size_t, uint32_t, uint32_t);
typedef const void *(*Retrieve)(void *, uint32_t, size_t *, uint32_t *, uint32_t *);
typedef struct {
    int (*save)(void *, Store, void *, uint32_t, const LV2_Feature *const *);
    int (*restore)(void *, Retrieve, void *, uint32_t, const LV2_Feature *const *);
} LV2_State_Interface;
typedef struct {
    void *handle;
    char *(*abstract_path)(void *, const char *);
    char *(*absolute_path)(void *, const char *);
} LV2_State_Map_Path;
typedef struct { void *handle; void (*free_path)(void *, char *); } LV2_State_Free_Path;
enum { LV2_STATE_IS_POD = 1, LV2_STATE_IS_PORTABLE = 2 };

#endif
