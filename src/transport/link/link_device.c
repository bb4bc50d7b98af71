/*
 * The link, device half: hands package bytes and commands to the installer,
 * and tells the host what the device wants, what it is, and what became of
 * the update. Several connections share one service; one of them owns the
 * update.
 */
#include "tandem/link.h"

#include <string.h>

#include "core/bytes.h"
#include "link_wire.h"

/* What is to be sent, in the order in which it goes. */
#define PENDING_INFO 0x01u
#define PENDING_ANSWER 0x02u
#define PENDING_STATUS 0x04u
#define PENDING_ACK 0x08u

/* What is due after the last answer has left. */
#define RESTART_NOT 0u
#define RESTART_REBOOT 1u
#define RESTART_ENTER 2u

#define STEPS 2u          /* installer steps in one poll: flash that blocks keeps the radio waiting meanwhile */
#define ACK_NEWS_MS 20u   /* small news wait so long for more */
#define ACK_TICK_MS 100u  /* first acknowledgement without news; then doubled */
#define ACK_SLOW_MS 1600u /* up to this */

/* ---- what the installer says ---- */

/* Bytes that the host may have under way, as far as the position field reaches. */
static uint16_t window(const struct tandem_install *install)
{
    uint32_t wants = tandem_install_wants(install);
    uint32_t limit = tandem_install_limit(install);
    uint32_t size = limit > wants ? limit - wants : 0;

    return (uint16_t)(size < TANDEM_LINK_WINDOW_MAX ? size : TANDEM_LINK_WINDOW_MAX);
}

/* What the window will be when an update begins. */
static uint16_t first_window(const struct tandem_install *install)
{
    uint32_t size = install->buffer_size;

    return (uint16_t)(size < TANDEM_LINK_WINDOW_MAX ? size : TANDEM_LINK_WINDOW_MAX);
}

/* Bytes missing before the first that arrived early; 0: none did. */
static uint16_t gap(const struct tandem_install *install)
{
    uint32_t wants = tandem_install_wants(install);
    uint32_t least = 0;
    unsigned i;

    if (!tandem_install_gap(install))
        return 0;
    for (i = 0; i < TANDEM_INSTALL_SEGMENTS; i++) {
        const struct tandem_segment *early = &install->early[i];

        if (early->begin < early->end && early->begin > wants && (least == 0 || early->begin - wants < least))
            least = early->begin - wants;
    }
    return (uint16_t)(least < TANDEM_LINK_WINDOW_MAX ? least : TANDEM_LINK_WINDOW_MAX);
}

static int receiving(const struct tandem_install *install)
{
    return tandem_install_state(install) == TANDEM_STATE_RECEIVING;
}

/* Another connection owns the update and lives. */
static int held(const struct tandem_link_device *link)
{
    const struct tandem_link_service *service = link->service;

    return service->owner != NULL && service->owner != link &&
           (service->heard || service->now - service->heard_ms < TANDEM_LINK_SILENCE_MS);
}

static uint8_t flags(const struct tandem_link_device *link)
{
    const struct tandem_link_service *service = link->service;
    uint8_t value = service->generation ? LINK_FLAG_GENERATION : 0;

    if (tandem_install_gap(service->install))
        value |= LINK_FLAG_GAP;
    if (service->owner == link)
        value |= LINK_FLAG_YOURS;
    else if (held(link))
        value |= LINK_FLAG_HELD;
    return value;
}

/* Whether the state differs from what the host was told last; notes it as told. */
static int told_differs(struct tandem_link_device *link)
{
    const struct tandem_outcome *outcome = tandem_install_outcome(link->service->install);
    uint32_t now = (uint32_t)tandem_install_state(link->service->install) | (uint32_t)outcome->status << 8 |
                   (uint32_t)outcome->stage << 16 | (uint32_t)outcome->image << 24;

    if (link->service->owner == link)
        now |= 0x80;
    if (now == link->told)
        return 0;
    link->told = now;
    return 1;
}

/* ---- out ---- */

static uint16_t packet_max(const struct tandem_link_device *link)
{
    uint16_t most = link->port->mtu(link->port->ctx);

    if (most > link->peer_max)
        most = link->peer_max;
    return most > TANDEM_LINK_PACKET_MIN ? most : TANDEM_LINK_PACKET_MIN;
}

/* Send one segment; `packet` has room for its first byte. */
static enum tandem_status send_segment(struct tandem_link_device *link, uint8_t *packet, size_t size, uint8_t ends)
{
    enum tandem_status status;

    packet[0] = (uint8_t)(ends | (link->sequence_out & LINK_SEGMENT_SEQUENCE));
    status = link->port->send(link->port->ctx, TANDEM_CHANNEL_CONTROL, packet, size);
    if (status == TANDEM_OK)
        link->sequence_out++;
    return status;
}

static void store_told(struct tandem_link_device *link)
{
    const struct tandem_install *install = link->service->install;

    link->told_wants = tandem_install_wants(install);
    link->told_limit = link->told_wants + window(install);
    link->told_gap = gap(install);
    link->told_generation = link->service->generation;
    if (link->service->owner == link)
        link->service->limit = link->told_limit;
}

/* The fixed part that all status messages and INFO begin with, without header and result. */
static void store_status(const struct tandem_link_device *link, uint8_t *message)
{
    const struct tandem_install *install = link->service->install;
    const struct tandem_outcome *outcome = tandem_install_outcome(install);

    message[LINK_STATUS_STATE] = (uint8_t)tandem_install_state(install);
    message[LINK_STATUS_STATUS] = (uint8_t)outcome->status;
    message[LINK_STATUS_STAGE] = (uint8_t)outcome->stage;
    message[LINK_STATUS_IMAGE] = outcome->image;
    tandem_store_le32(message + LINK_STATUS_DETAIL, outcome->detail);
    message[LINK_STATUS_FLAGS] = flags(link);
    tandem_store_le32(message + LINK_STATUS_WANTS, link->told_wants);
    tandem_store_le16(message + LINK_STATUS_WINDOW, (uint16_t)(link->told_limit - link->told_wants));
}

static enum tandem_status send_status(struct tandem_link_device *link, uint8_t operation, uint8_t tag, uint8_t result)
{
    uint8_t packet[1 + LINK_STATUS_SIZE];
    uint8_t *message = packet + 1;

    store_told(link);
    message[0] = operation;
    message[1] = tag;
    message[2] = 0;
    message[LINK_STATUS_RESULT] = result;
    store_status(link, message);
    return send_segment(link, packet, sizeof packet, LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST);
}

static enum tandem_status send_ack(struct tandem_link_device *link)
{
    uint8_t packet[1 + LINK_ACK_SIZE] = {0};
    uint8_t *message = packet + 1;

    store_told(link);
    message[0] = LINK_EVENT_ACK;
    message[LINK_ACK_FLAGS] = flags(link);
    tandem_store_le32(message + LINK_ACK_WANTS, link->told_wants);
    tandem_store_le16(message + LINK_ACK_WINDOW, (uint16_t)(link->told_limit - link->told_wants));
    tandem_store_le16(message + LINK_ACK_GAP, link->told_gap);
    link->ack_ms = link->service->now;
    return send_segment(link, packet, sizeof packet, LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST);
}

/* A counted string. @return where the next one goes */
static uint8_t *store_string(uint8_t *at, const char *text)
{
    uint8_t *count = at++;

    while (text != NULL && at - count <= TANDEM_NAME_SIZE_MAX && text[at - count - 1] != '\0') {
        *at = (uint8_t)text[at - count - 1];
        at++;
    }
    *count = (uint8_t)(at - count - 1);
    return at;
}

static uint8_t battery(const struct tandem_system_port *system)
{
    uint8_t percent;

    if (system == NULL || system->battery == NULL || system->battery(system->ctx, &percent) != TANDEM_OK)
        return LINK_BATTERY_UNKNOWN;
    return percent;
}

static uint8_t capabilities(const struct tandem_system_port *system)
{
    uint8_t bits = 0;

    if (system != NULL && system->reboot != NULL)
        bits |= LINK_CAN_RESTART;
    if (system != NULL && system->enter_ota != NULL)
        bits |= LINK_CAN_ENTER;
    return bits;
}

/* @return the message's size */
static uint16_t store_info(const struct tandem_link_device *link, uint8_t *message)
{
    const struct tandem_link_service *service = link->service;
    const struct tandem_bank *bank = &service->install->bank;
    const struct tandem_device *device = bank->device;
    const struct tandem_outcome *outcome = tandem_install_outcome(service->install);
    const struct tandem_boot_report *boot = service->boot;
    uint32_t offset;
    uint8_t *at;

    memset(message, 0, LINK_INFO_FIXED);
    message[0] = LINK_QUERY | LINK_ANSWER;
    message[1] = link->reply[1];
    store_status(link, message);
    message[LINK_INFO_PROTOCOL] = TANDEM_LINK_VERSION;
    message[LINK_INFO_CAPABILITIES] = capabilities(device->system);
    message[LINK_INFO_SEEN] = outcome->seen;
    memcpy(message + LINK_INFO_OUTCOME_ID, outcome->id, TANDEM_PACKAGE_ID_SIZE);
    tandem_version_store(&outcome->version, message + LINK_INFO_OUTCOME_VERSION);
    if (tandem_install_resumable(service->install, message + LINK_INFO_RESUME_ID, &offset))
        tandem_store_le32(message + LINK_STATUS_WANTS, offset);
    if (!receiving(service->install))
        tandem_store_le16(message + LINK_STATUS_WINDOW, first_window(service->install));
    tandem_store_le16(message + LINK_INFO_PACKET_MAX,
                      link->receive_max != 0 ? link->receive_max : link->port->mtu(link->port->ctx));
    tandem_store_le16(message + LINK_INFO_HARDWARE, device->hardware);
    message[LINK_INFO_ROLE] = device->role;
    message[LINK_INFO_BANK] = tandem_bank_running(bank);
    message[LINK_INFO_REASON] = boot != NULL ? (uint8_t)boot->reason : bank->state.reason;
    message[LINK_INFO_BATTERY] = battery(device->system);
    message[LINK_INFO_BATTERY_MINIMUM] = device->battery_minimum;
    message[LINK_INFO_POLICY] = device->version_policy;
    tandem_version_store(&service->version, message + LINK_INFO_VERSION);
    tandem_store_le32(message + LINK_INFO_COUNTER, bank->state.counter);
    at = store_string(message + LINK_INFO_FIXED, device->vendor);
    at = store_string(at, device->product);
    at = store_string(at, device->serial);
    if (boot != NULL) {
        *at++ = (uint8_t)boot->status;
        *at++ = (uint8_t)boot->recovery;
    }
    return (uint16_t)(at - message);
}

/*
 * INFO is made anew whenever the port takes some of it, so that nothing need
 * be kept. A segment's first byte goes where the byte before it was, which is
 * out already.
 */
static enum tandem_status send_info(struct tandem_link_device *link)
{
    uint8_t bytes[1 + LINK_INFO_MAX];
    uint16_t left = (uint16_t)(store_info(link, bytes + 1) - link->info_at);
    uint16_t room = (uint16_t)(packet_max(link) - 1);
    enum tandem_status status;

    do {
        uint8_t ends = link->info_at == 0 ? LINK_SEGMENT_FIRST : 0;
        uint16_t size = room;

        if (left <= room) {
            size = left;
            ends |= LINK_SEGMENT_LAST;
        }
        status = send_segment(link, bytes + link->info_at, (size_t)(1 + size), ends);
        if (status != TANDEM_OK)
            return status;
        link->info_at = (uint16_t)(link->info_at + size);
        left = (uint16_t)(left - size);
    } while (left != 0);
    return TANDEM_OK;
}

/* Send what is pending, most urgent first, as far as the port takes it. */
static void flush(struct tandem_link_device *link)
{
    while (link->pending != 0) {
        enum tandem_status status;
        uint8_t bit;

        if (link->pending & PENDING_INFO) {
            bit = PENDING_INFO;
            status = send_info(link);
        } else if (link->pending & PENDING_ANSWER) {
            bit = PENDING_ANSWER;
            status = send_status(link, link->reply[0] | LINK_ANSWER, link->reply[1], link->reply[2]);
        } else if (link->pending & PENDING_STATUS) {
            bit = PENDING_STATUS;
            status = send_status(link, LINK_EVENT_STATUS, 0, TANDEM_OK);
        } else {
            bit = PENDING_ACK;
            status = send_ack(link);
        }
        if (status != TANDEM_OK)
            return;
        link->pending &= (uint8_t)~bit;
    }
}

/* ---- commands ---- */

static void schedule(struct tandem_link_service *service, uint8_t what, uint32_t delay_ms)
{
    uint32_t at = service->now + (delay_ms > TANDEM_LINK_RESTART_MS ? delay_ms : TANDEM_LINK_RESTART_MS);

    /* A host that asks again and again does not put it off. */
    if (service->restart == what && at - service->restart_ms <= UINT32_MAX / 2)
        return;
    service->restart = what;
    service->restart_ms = at;
}

/* The package that a BEGIN names is being received already: another host's half, or our own before the link broke. */
static int continues(const struct tandem_install *install, const uint8_t *id, uint8_t activate)
{
    enum tandem_state state = tandem_install_state(install);

    return (state == TANDEM_STATE_RECEIVING || state == TANDEM_STATE_VALIDATING) && install->activate == activate &&
           memcmp(tandem_install_outcome(install)->id, id, TANDEM_PACKAGE_ID_SIZE) == 0;
}

static enum tandem_status begin(struct tandem_link_device *link, const uint8_t *body, size_t size)
{
    struct tandem_link_service *service = link->service;
    struct tandem_install *install = service->install;
    const uint8_t *id = body + 5;

    if (size < LINK_BEGIN_SIZE)
        return TANDEM_ERROR_PROTOCOL;
    if (held(link) && !(body[0] & LINK_BEGIN_FORCE))
        return TANDEM_ERROR_BUSY;
    uint8_t activate = body[0] & LINK_BEGIN_ACTIVATE;
    if (id[0] == 0 && memcmp(id, id + 1, TANDEM_PACKAGE_ID_SIZE - 1) == 0)
        id = NULL; /* all zero: not known */
    if (id == NULL || !continues(install, id, activate)) {
        enum tandem_status status = tandem_install_begin(install, id, tandem_load_le32(body + 1), activate);
        if (status != TANDEM_OK)
            return status;
    }
    service->owner = link;
    service->generation = (body[0] & LINK_BEGIN_GENERATION) ? 1 : 0;
    service->wants = tandem_install_wants(install);
    link->ack_ms = service->now;
    link->tick_ms = ACK_TICK_MS;
    return TANDEM_OK;
}

static enum tandem_status switch_over(struct tandem_link_device *link, const uint8_t *body, size_t size)
{
    struct tandem_link_service *service = link->service;
    const struct tandem_system_port *system = service->install->bank.device->system;
    enum tandem_status status;

    if (size < LINK_ACTIVATE_SIZE)
        return TANDEM_ERROR_PROTOCOL;
    if (held(link))
        return TANDEM_ERROR_BUSY;
    status = tandem_install_activate(service->install);
    if (status == TANDEM_OK && system != NULL && system->reboot != NULL)
        schedule(service, RESTART_REBOOT, tandem_load_le16(body));
    return status;
}

static enum tandem_status give_up(struct tandem_link_device *link)
{
    struct tandem_link_service *service = link->service;

    if (held(link))
        return TANDEM_ERROR_BUSY;
    service->restart = RESTART_NOT;
    service->owner = NULL;
    return tandem_install_abort(service->install);
}

static enum tandem_status enter(struct tandem_link_device *link)
{
    const struct tandem_system_port *system = link->service->install->bank.device->system;

    if (system == NULL || system->enter_ota == NULL)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (held(link))
        return TANDEM_ERROR_BUSY;
    schedule(link->service, RESTART_ENTER, 0);
    return TANDEM_OK;
}

static enum tandem_status execute(struct tandem_link_device *link, uint8_t operation, const uint8_t *body, size_t size)
{
    switch (operation) {
    case LINK_BEGIN:
        return begin(link, body, size);
    case LINK_ACTIVATE:
        return switch_over(link, body, size);
    case LINK_ABORT:
        return give_up(link);
    case LINK_SEEN:
        return tandem_install_seen(link->service->install);
    case LINK_STATUS:
        return TANDEM_OK;
    case LINK_ENTER:
        return enter(link);
    default:
        return TANDEM_ERROR_NOT_SUPPORTED;
    }
}

/* QUERY opens a conversation: whatever was said before is forgotten. */
static void query(struct tandem_link_device *link, const uint8_t *body, size_t size)
{
    memset(link->last, 0, sizeof link->last);
    if (size >= LINK_QUERY_SIZE) {
        uint16_t most = tandem_load_le16(body + 1);

        link->peer_max = most > TANDEM_LINK_PACKET_MIN ? most : TANDEM_LINK_PACKET_MIN;
    }
    store_told(link);
    (void)told_differs(link);
    link->info_at = 0;
    link->pending |= PENDING_INFO;
}

static void take_request(struct tandem_link_device *link, const uint8_t *message, size_t size)
{
    uint8_t operation, tag;

    if (size < LINK_HEADER || (message[0] & LINK_ANSWER))
        return;
    operation = message[0];
    tag = message[1];
    link->awake = 1;
    link->pending &= (uint8_t) ~(PENDING_INFO | PENDING_ANSWER);
    link->reply[0] = operation;
    link->reply[1] = tag;
    if (message[2] != 0) {
        link->reply[2] = TANDEM_ERROR_NOT_SUPPORTED;
    } else if (operation == LINK_QUERY) {
        query(link, message + LINK_HEADER, size - LINK_HEADER);
        return;
    } else if (operation == link->last[0] && tag == link->last[1]) {
        link->reply[2] = link->last[2]; /* heard before: its answer was lost or late */
    } else {
        link->reply[2] = (uint8_t)execute(link, operation, message + LINK_HEADER, size - LINK_HEADER);
        memcpy(link->last, link->reply, sizeof link->last);
    }
    link->pending |= PENDING_ANSWER;
    (void)told_differs(link); /* the answer tells it */
}

/* ---- in ---- */

static void take_segment(struct tandem_link_device *link, const uint8_t *data, size_t size)
{
    uint8_t sequence = data[0] & LINK_SEGMENT_SEQUENCE;

    if (data[0] & LINK_SEGMENT_FIRST) {
        link->request_size = 0;
    } else if (link->request_size == 0) {
        return;
    } else if (sequence != link->sequence_in) {
        if (((sequence + 1u) & LINK_SEGMENT_SEQUENCE) != link->sequence_in)
            link->request_size = 0; /* one is missing */
        return;                     /* else it came twice */
    }
    link->sequence_in = (sequence + 1u) & LINK_SEGMENT_SEQUENCE;
    size--;
    if (size == 0 || size > (size_t)(TANDEM_LINK_REQUEST_MAX - link->request_size)) {
        link->request_size = 0;
        return;
    }
    memcpy(link->request + link->request_size, data + 1, size);
    link->request_size = (uint8_t)(link->request_size + size);
    if (data[0] & LINK_SEGMENT_LAST) {
        size = link->request_size;
        link->request_size = 0;
        take_request(link, link->request, size);
        flush(link);
    }
}

static void take_data(struct tandem_link_device *link, const uint8_t *data, size_t size)
{
    struct tandem_link_service *service = link->service;
    uint16_t header = tandem_load_le16(data);
    uint32_t wants = tandem_install_wants(service->install);
    uint32_t ahead = (header - wants) & LINK_DATA_POSITION;
    uint32_t offset = wants + ahead;

    if (service->owner != link || (header & LINK_DATA_GENERATION ? 1u : 0u) != service->generation)
        return;
    if (ahead > LINK_DATA_POSITION / 2) { /* behind what is wanted; its end may not be */
        if (offset < LINK_DATA_POSITION + 1u)
            return;
        offset -= LINK_DATA_POSITION + 1u;
    }
    link->tick_ms = ACK_TICK_MS;
    (void)tandem_install_feed(service->install, offset, data + LINK_DATA_HEADER, size - LINK_DATA_HEADER);
    service->wants = tandem_install_wants(service->install);
}

void tandem_link_device_receive(struct tandem_link_device *link, enum tandem_channel channel, const void *data,
                                size_t size)
{
    if (link->service->owner == link)
        link->service->heard = 1;
    if (channel == TANDEM_CHANNEL_CONTROL && size > 0)
        take_segment(link, data, size);
    else if (channel == TANDEM_CHANNEL_DATA && size > LINK_DATA_HEADER)
        take_data(link, data, size);
}

/* ---- time ---- */

static enum tandem_status work(struct tandem_link_service *service)
{
    enum tandem_status status = TANDEM_AGAIN;
    uint32_t wants;
    unsigned i;

    for (i = 0; i < STEPS && status == TANDEM_AGAIN; i++)
        status = tandem_install_poll(service->install);
    wants = tandem_install_wants(service->install);
    /* After a jump, bytes that are under way could be taken for others at the
       new place: the position field is short. A new generation rules them out. */
    if (wants < service->wants || wants > service->limit)
        service->generation ^= 1u;
    service->wants = wants;
    return status;
}

static void restart(struct tandem_link_service *service)
{
    const struct tandem_system_port *system = service->install->bank.device->system;
    uint8_t what = service->restart;

    if (what == RESTART_NOT || service->now - service->restart_ms > UINT32_MAX / 2)
        return;
    service->restart = RESTART_NOT;
    if (what == RESTART_REBOOT)
        (void)system->reboot(system->ctx);
    else
        (void)system->enter_ota(system->ctx);
}

static int ack_due(struct tandem_link_device *link)
{
    const struct tandem_install *install = link->service->install;
    uint32_t wants = tandem_install_wants(install);
    uint32_t room = window(install);
    uint32_t advance = wants + room - link->told_limit;
    uint32_t waited = link->service->now - link->ack_ms;
    uint16_t missing = gap(install);

    if (link->told_generation != link->service->generation)
        return 1;
    if (missing != 0 && (missing != link->told_gap || wants != link->told_wants))
        return 1;
    if (advance != 0 && advance >= room / 4)
        return 1;
    if (waited >= ACK_NEWS_MS && (advance != 0 || wants != link->told_wants || missing != link->told_gap))
        return 1;
    if (waited < link->tick_ms)
        return 0;
    link->tick_ms = (uint16_t)(link->tick_ms < ACK_SLOW_MS ? link->tick_ms * 2 : ACK_SLOW_MS);
    return 1;
}

enum tandem_status tandem_link_device_poll(struct tandem_link_device *link, uint32_t now_ms)
{
    struct tandem_link_service *service = link->service;
    enum tandem_status status;

    service->now = now_ms;
    if (service->heard) {
        service->heard = 0;
        service->heard_ms = now_ms;
    }
    status = work(service);
    if (link->awake && told_differs(link)) {
        link->pending |= PENDING_STATUS;
        link->info_at = 0; /* an INFO half sent would be torn */
    }
    if (service->owner == link && receiving(service->install) && ack_due(link))
        link->pending |= PENDING_ACK;
    flush(link);
    restart(service);
    return link->pending != 0 ? TANDEM_AGAIN : status;
}

/* ---- life ---- */

static void forget(struct tandem_link_device *link)
{
    struct tandem_link_service *service = link->service;
    const struct tandem_packet_port *port = link->port;
    uint16_t receive_max = link->receive_max;

    memset(link, 0, sizeof *link);
    link->service = service;
    link->port = port;
    link->receive_max = receive_max;
    link->peer_max = TANDEM_LINK_PACKET_MIN;
    link->tick_ms = ACK_TICK_MS;
}

void tandem_link_device_disconnected(struct tandem_link_device *link)
{
    if (link->service->owner == link)
        link->service->owner = NULL;
    forget(link);
}

void tandem_link_device_init(struct tandem_link_device *link, struct tandem_link_service *service,
                             const struct tandem_packet_port *port, uint16_t receive_max)
{
    link->service = service;
    link->port = port;
    link->receive_max = receive_max;
    forget(link);
}

void tandem_link_service_init(struct tandem_link_service *service, struct tandem_install *install,
                              const struct tandem_version *version)
{
    memset(service, 0, sizeof *service);
    service->install = install;
    service->version = version != NULL ? *version : install->running;
}

void tandem_link_service_boot(struct tandem_link_service *service, const struct tandem_boot_report *boot)
{
    service->boot = boot;
}
