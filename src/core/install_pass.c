/*
 * The installer's door for transports that cannot jump: a package passes by
 * once, from its first byte to its last.
 */
#include "core/install.h"

/* One past the last byte that may be stored now. The payload waits until the head has been seen to: that may take the
 * buffer, and what was in it would have to come again. */
static uint32_t room_end(const struct tandem_install *install)
{
    struct tandem_package_header header;
    if (install->job == JOB_HEAD && install->fill < TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_PACKAGE_HEADER_SIZE;
    if (install->job == JOB_HEAD && tandem_package_header(&header, install->buffer) == TANDEM_OK)
        return header.head_size;
    return install->job <= JOB_START ? tandem_install_wants(install) : tandem_install_limit(install);
}

/* What becomes of bytes that come when nothing is wanted. */
static enum tandem_status beyond(const struct tandem_install *install)
{
    switch (tandem_install_state(install)) {
    case TANDEM_STATE_VALIDATED:
    case TANDEM_STATE_PENDING:
        return TANDEM_OK; /* images that this device did not need */
    case TANDEM_STATE_FAILED:
        return tandem_install_outcome(install)->status;
    default:
        return TANDEM_ERROR_STATE;
    }
}

enum tandem_status tandem_install_pass(struct tandem_install *install, uint32_t *at, const void *data, size_t size)
{
    uint32_t wants = tandem_install_wants(install), limit = tandem_install_limit(install), end = room_end(install);
    if (size > UINT32_MAX - *at)
        return TANDEM_ERROR_TOO_LARGE;
    uint32_t last = *at + (uint32_t)size;
    if (install->bare)
        return TANDEM_ERROR_STATE;
    if (install->job == JOB_IDLE || install->job == JOB_ERASE_IDLE) {
        enum tandem_status status = beyond(install);
        if (status == TANDEM_OK)
            *at = last;
        return status;
    }
    if (wants < *at)
        return TANDEM_ERROR_DIGEST;
    if (wants >= last) {
        *at = last;
        return TANDEM_OK;
    }
    if (end > limit)
        end = limit;
    if (end > last)
        end = last;
    if (end > wants)
        (void)tandem_install_feed(install, wants, (const uint8_t *)data + (wants - *at), end - wants);
    *at = end > wants ? end : wants;
    return *at == last ? TANDEM_OK : TANDEM_AGAIN;
}
