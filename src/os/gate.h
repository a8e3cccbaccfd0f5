#ifndef AK_OS_GATE_H
#define AK_OS_GATE_H
#include <pthread.h>
#include <stddef.h>

/* Lets so many threads through at a time: those that compute, of more that wait for input. */
typedef struct ak_gate {
    pthread_mutex_t lock;
    pthread_cond_t left;
    size_t room;
} ak_gate;

void ak_gate_init(ak_gate *gate, size_t threads);

/* Nobody may be inside. */
void ak_gate_destroy(ak_gate *gate);

/* Waits until there is room. Whoever entered leaves. */
void ak_gate_enter(ak_gate *gate);
void ak_gate_leave(ak_gate *gate);

#endif
