/*
 * Recovery: the link and the installer in a bootloader, and when it is over.
 */
#include "tandem/recovery.h"

#include <string.h>

enum tandem_recovery_cause tandem_recovery_wanted(const uint8_t report[TANDEM_BOOT_REPORT_SIZE],
                                                  uint8_t request[TANDEM_BOOT_REQUEST_SIZE], int pin)
{
    struct tandem_boot_report last;

    if (tandem_boot_request_take(request))
        return TANDEM_RECOVERY_REQUEST;
    if (pin)
        return TANDEM_RECOVERY_PIN;
    (void)tandem_boot_report_load(&last, report); /* after power-on there is none */
    return last.restarts >= TANDEM_RECOVERY_RESTARTS_MAX ? TANDEM_RECOVERY_RESTARTS : TANDEM_RECOVERY_NOT;
}

enum tandem_status tandem_recovery_decide(struct tandem_boot *boot, const struct tandem_device *device, uint8_t *buffer,
                                          size_t size)
{
    enum tandem_status status;

    do /* each decision counts a trial that is not begun, until none is left */
        status = tandem_boot_decide(boot, device, buffer, size);
    while (status == TANDEM_OK && boot->reason == TANDEM_BOOT_TRIAL);
    return status;
}

static int may_start(const struct tandem_recovery *recovery)
{
    return recovery->options->boot->reason != TANDEM_BOOT_NONE;
}

/* A host that left between the last byte and the switch: what it brought is whole, and the next start takes it. */
static int holds_update(const struct tandem_recovery *recovery)
{
    enum tandem_state state = tandem_install_state(&recovery->install);

    return state == TANDEM_STATE_VALIDATED || state == TANDEM_STATE_PENDING;
}

enum tandem_status tandem_recovery_init(struct tandem_recovery *recovery, const struct tandem_recovery_options *options)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    enum tandem_status status;

    memset(recovery, 0, sizeof *recovery);
    recovery->options = options;
    recovery->heard = 1; /* patience begins with the first poll */
    status = tandem_install_init(&recovery->install, options->device, options->buffer, options->buffer_size);
    if (status != TANDEM_OK)
        return status;
    tandem_link_service_init(&recovery->service, &recovery->install, may_start(recovery) ? NULL : &none);
    tandem_link_service_boot(&recovery->service, options->boot);
    tandem_link_device_init(&recovery->link, &recovery->service, options->port, options->receive_max);
    return TANDEM_OK;
}

void tandem_recovery_receive(void *self, enum tandem_channel channel, const void *data, size_t size)
{
    struct tandem_recovery *recovery = self;

    recovery->heard = 1;
    tandem_link_device_receive(&recovery->link, channel, data, size);
}

void tandem_recovery_disconnected(struct tandem_recovery *recovery)
{
    tandem_link_device_disconnected(&recovery->link);
}

enum tandem_status tandem_recovery_poll(struct tandem_recovery *recovery, uint32_t now_ms)
{
    const struct tandem_recovery_options *options = recovery->options;
    const struct tandem_system_port *system = options->device->system;
    uint32_t patience = options->silence_ms != 0 ? options->silence_ms : TANDEM_RECOVERY_SILENCE_MS;
    enum tandem_status status;

    if (system != NULL && system->watchdog != NULL)
        system->watchdog(system->ctx);
    if (recovery->heard) {
        recovery->heard = 0;
        recovery->heard_ms = now_ms;
    }
    status = tandem_link_device_poll(&recovery->link, now_ms);
    if (now_ms - recovery->heard_ms >= patience && (may_start(recovery) || holds_update(recovery)))
        return TANDEM_ERROR_TIMEOUT;
    return status;
}
