#include "os/gate.h"

void ak_gate_init(ak_gate *gate, size_t threads)
{
    pthread_mutex_init(&gate->lock, NULL); /* cannot fail on Linux with default attributes */
    pthread_cond_init(&gate->left, NULL);
    gate->room = threads;
}

void ak_gate_destroy(ak_gate *gate)
{
    pthread_cond_destroy(&gate->left);
    pthread_mutex_destroy(&gate->lock);
}

void ak_gate_enter(ak_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->room == 0)
        pthread_cond_wait(&gate->left, &gate->lock);
    gate->room--;
    pthread_mutex_unlock(&gate->lock);
}

void ak_gate_leave(ak_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->room++;
    pthread_cond_signal(&gate->left);
    pthread_mutex_unlock(&gate->lock);
}
