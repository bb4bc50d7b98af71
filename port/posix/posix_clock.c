/*
 * Time on POSIX systems: a clock that nobody sets.
 */
#define _POSIX_C_SOURCE 200809L

#include "tandem_posix.h"

#include <errno.h>
#include <time.h>

uint64_t tandem_posix_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists and the place is good */
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint32_t tandem_posix_now_ms(void)
{
    return (uint32_t)(tandem_posix_now_us() / 1000u);
}

void tandem_posix_sleep_ms(uint32_t ms)
{
    struct timespec left = {(time_t)(ms / 1000u), (long)(ms % 1000u) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

enum tandem_status tandem_posix_wait(struct pollfd *fds, size_t count, int timeout_ms)
{
    int ready = poll(fds, (nfds_t)count, timeout_ms);
    if (ready > 0)
        return TANDEM_OK;
    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0; /* after a signal they may be old ones */
    return ready == 0 || errno == EINTR || errno == EAGAIN ? TANDEM_AGAIN : TANDEM_ERROR_PORT;
}
