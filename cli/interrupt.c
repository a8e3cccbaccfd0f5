#include "cli.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The only mutable global of the program: a signal handler has no other way to tell. */
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

bool cli_interrupt_install(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) != 0 || action.sa_handler == SIG_IGN)
            continue; /* nohup, or a shell's background job: stays ignored */
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        action.sa_flags = (int)SA_RESETHAND;
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL);
    }
    return signal(SIGPIPE, SIG_IGN) == SIG_IGN;
}

int cli_interrupted(void)
{
    return caught;
}

bool cli_interrupt_by_closed_pipe(const cli *session)
{
    struct pollfd out = {STDOUT_FILENO, 0, 0};
    if (!session->dies_of_closed_pipe || poll(&out, 1, 0) != 1 || (out.revents & POLLERR) == 0)
        return false;
    caught = SIGPIPE;
    return true;
}

void cli_interrupt_reraise(void)
{
    signal(caught, SIG_DFL);
    raise(caught);
}
