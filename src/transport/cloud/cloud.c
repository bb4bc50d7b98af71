/*
 * The engine: from the question whether there is an update to the report how
 * it went, one step at a time. What a step needs to know after a restart is
 * in the task, which is written down before anything depends on it.
 */
#include "cloud.h"

#include <string.h>

#define SKIP_MAX 4096u       /* more bytes than this that nobody wants are not read but asked around */
#define ANSWER_MAX 65536u    /* bytes of an answer other than a package */
#define WAIT_MAX_S 0x1FFFFFu /* in milliseconds it still fits */

/* The promise of 2 KB, with 512 bytes of them for an HTTP client's buffer. */
typedef char
    promise[sizeof(void *) > 4 || sizeof(struct tandem_cloud) + sizeof(struct tandem_http_client) <= 1536 ? 1 : -1];

static const struct cloud_service *service(const struct tandem_cloud *cloud)
{
    return cloud->config->service == TANDEM_CLOUD_HAWKBIT ? &tandem_cloud_hawkbit : &tandem_cloud_onenet;
}

static int is_hawkbit(const struct tandem_cloud *cloud)
{
    return cloud->config->service == TANDEM_CLOUD_HAWKBIT;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* ---- texts ---- */

size_t tandem_cloud_length(const char *text)
{
    size_t length = 0;

    while (text[length] != 0)
        length++;
    return length;
}

int tandem_cloud_same(const char *a, const char *b)
{
    size_t length = tandem_cloud_length(a);

    return length == tandem_cloud_length(b) && memcmp(a, b, length) == 0;
}

uint32_t tandem_cloud_number(const char *text)
{
    uint32_t number = 0;

    if (*text < '0' || *text > '9')
        return TANDEM_HTTP_UNKNOWN;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint32_t digit = (uint32_t)(*text - '0');
        if (number > (TANDEM_HTTP_UNKNOWN - 1 - digit) / 10)
            return TANDEM_HTTP_UNKNOWN;
        number = number * 10 + digit;
    }
    return number;
}

int tandem_cloud_md5(const char *text, uint8_t md5[TANDEM_MD5_SIZE])
{
    for (unsigned i = 0; i < 2 * TANDEM_MD5_SIZE; i++) {
        unsigned c = (unsigned char)text[i], lower = c | 0x20u, digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (lower >= 'a' && lower <= 'f')
            digit = lower - 'a' + 10u;
        else
            return 0;
        md5[i / 2] = (uint8_t)((unsigned)md5[i / 2] << 4 | digit);
    }
    return text[2 * TANDEM_MD5_SIZE] == 0;
}

void tandem_cloud_begin(struct tandem_cloud *cloud, const char *method)
{
    memset(&cloud->request, 0, sizeof cloud->request);
    cloud->request.method = method;
    cloud->request.authorization = cloud->config->authorization;
    cloud->used = 0;
    cloud->overflow = 0;
}

const char *tandem_cloud_here(struct tandem_cloud *cloud)
{
    return cloud->text + cloud->used;
}

void tandem_cloud_put(struct tandem_cloud *cloud, const char *text)
{
    for (; *text != 0; text++) {
        if (cloud->used + 2u > sizeof cloud->text) {
            cloud->overflow = 1;
            return;
        }
        cloud->text[cloud->used++] = *text;
    }
}

void tandem_cloud_put_number(struct tandem_cloud *cloud, uint32_t number)
{
    char digits[11];
    unsigned at = sizeof digits - 1;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    tandem_cloud_put(cloud, digits + at);
}

void tandem_cloud_end(struct tandem_cloud *cloud)
{
    if (cloud->used + 1u >= sizeof cloud->text)
        cloud->overflow = 1;
    else
        cloud->text[cloud->used++] = 0;
}

void tandem_cloud_json_body(struct tandem_cloud *cloud, const char *body)
{
    cloud->request.body = body;
    cloud->request.body_size = (uint32_t)tandem_cloud_length(body);
}

enum cloud_verdict tandem_cloud_status(uint16_t status)
{
    if (status == 429 || status == 503)
        return CLOUD_BUSY;
    return status >= 500 || status == 408 || status == 401 || status == 403 ? CLOUD_RETRY : CLOUD_REFUSED;
}

/* ---- what lasts ---- */

static uint64_t unix_time(const struct tandem_cloud *cloud)
{
    const struct tandem_cloud_policy *policy = cloud->config->policy;

    return policy != NULL && policy->clock != NULL ? policy->clock(policy->ctx) : 0;
}

static void save(struct tandem_cloud *cloud)
{
    uint8_t record[TANDEM_CLOUD_RECORD_SIZE];
    size_t size = tandem_cloud_record(cloud, record);

    if (cloud->store->save(cloud->store->ctx, record, size) != TANDEM_OK)
        cloud->error = TANDEM_ERROR_PORT;
}

static void set_phase(struct tandem_cloud *cloud, uint8_t phase)
{
    cloud->task.phase = phase;
    save(cloud);
}

/* ---- waiting ---- */

static uint32_t random_below(struct tandem_cloud *cloud, uint32_t bound)
{
    cloud->random ^= cloud->random << 13;
    cloud->random ^= cloud->random >> 17;
    cloud->random ^= cloud->random << 5;
    return bound > 0 ? cloud->random % bound : 0;
}

/* Wait, a quarter more or less, and then do `then`. A wait in a task survives a restart. */
static void rest(struct tandem_cloud *cloud, uint32_t seconds, uint8_t then)
{
    uint64_t clock = unix_time(cloud);

    if (seconds > WAIT_MAX_S)
        seconds = WAIT_MAX_S;
    seconds = seconds - seconds / 4 + random_below(cloud, seconds / 2 + 1);
    cloud->http->cancel(cloud->http->ctx);
    cloud->step = CLOUD_REST;
    cloud->then = then;
    cloud->wait_ms = cloud->now;
    cloud->task.wait_s = seconds;
    cloud->task.until = clock != 0 ? clock + seconds : 0;
    if (cloud->task.phase != CLOUD_PHASE_NONE && seconds > 0)
        save(cloud);
}

static void wait_for_next(struct tandem_cloud *cloud)
{
    rest(cloud, or_default(cloud->sleep_s, or_default(cloud->config->check_s, 3600)), CLOUD_CHECK);
}

static int wait_is_over(const struct tandem_cloud *cloud)
{
    uint64_t clock = unix_time(cloud);

    if (clock != 0 && cloud->task.until != 0)
        return clock >= cloud->task.until || cloud->task.until - clock > cloud->task.wait_s; /* or it was set back */
    return cloud->now - cloud->wait_ms >= cloud->task.wait_s * 1000u;
}

static uint32_t backoff(const struct tandem_cloud *cloud)
{
    uint32_t first = or_default(cloud->config->retry_s, 60), most = or_default(cloud->config->retry_max_s, 3600);
    unsigned doublings = cloud->task.failures > 0 ? cloud->task.failures - 1u : 0;

    if (cloud->task.phase == CLOUD_PHASE_TAKEN && cloud->task.interval_s > 0)
        first = cloud->task.interval_s;
    for (; doublings > 0 && first < most; doublings--)
        first *= 2;
    if (first > most)
        first = most;
    if (cloud->body && cloud->head->retry_after_s != TANDEM_HTTP_UNKNOWN && cloud->head->retry_after_s > first)
        first = cloud->head->retry_after_s;
    return first;
}

/* ---- the task ---- */

static const struct tandem_system_port *system_of(const struct tandem_cloud *cloud)
{
    return cloud->install->bank.device->system;
}

static void drop_task(struct tandem_cloud *cloud)
{
    memset(&cloud->task, 0, sizeof cloud->task);
    cloud->begun = 0;
    save(cloud);
}

/* From the next poll on: this step. An exchange is composed then. */
static void go(struct tandem_cloud *cloud, uint8_t step)
{
    cloud->step = step;
    cloud->body = 0;
    cloud->request.method = NULL;
}

/* The task has ended with this; it is told now or later, and until then not forgotten. */
static void end_task(struct tandem_cloud *cloud, enum tandem_status status)
{
    cloud->http->cancel(cloud->http->ctx);
    cloud->task.status = (uint8_t)status;
    cloud->task.failures = 0;
    cloud->error = (uint8_t)status;
    set_phase(cloud, CLOUD_PHASE_ENDED);
    go(cloud, CLOUD_REPORT);
}

static void copy_name(char *to, const char *from, size_t size)
{
    size_t length = tandem_cloud_length(from);

    memset(to, 0, size);
    memcpy(to, from, length < size ? length : size - 1);
}

/* Take the task that an answer described: the one in hand, under a new name perhaps, or another one. */
static void adopt(struct tandem_cloud *cloud)
{
    struct tandem_cloud_task *task = &cloud->task;
    uint8_t md5[TANDEM_MD5_SIZE] = {0};

    (void)tandem_cloud_md5(cloud->hash, md5);
    int same = task->phase == CLOUD_PHASE_TAKEN && task->size == cloud->size &&
               memcmp(task->md5, md5, sizeof md5) == 0 &&
               (!is_hawkbit(cloud) || tandem_cloud_same(task->id, cloud->id));
    if (!same) {
        memset(task, 0, sizeof *task);
        task->since = unix_time(cloud);
        task->size = cloud->size;
        memcpy(task->md5, md5, sizeof md5);
        cloud->begun = 0;
        cloud->failed_at = 0;
        cloud->percent = 0;
    }
    int changed = !same || !tandem_cloud_same(task->id, cloud->id);
    copy_name(task->id, cloud->id, sizeof task->id);
    copy_name(task->version, cloud->version, sizeof task->version);
    task->kind = cloud->kind;
    task->signal = cloud->signal;
    task->power = cloud->power;
    task->interval_s = cloud->interval;
    task->retries = cloud->retry > 0 ? cloud->retry : (uint8_t)or_default(cloud->config->attempts, 5);
    task->phase = CLOUD_PHASE_TAKEN;
    if (changed)
        save(cloud);
}

static int deadline_passed(const struct tandem_cloud *cloud)
{
    uint64_t clock = unix_time(cloud);

    return cloud->config->deadline_s != 0 && clock != 0 && cloud->task.since != 0 &&
           clock >= cloud->task.since + cloud->config->deadline_s;
}

/* Something failed that may succeed the next time. */
static void try_again(struct tandem_cloud *cloud, enum tandem_status status, int counts, uint8_t then)
{
    struct tandem_cloud_task *task = &cloud->task;

    cloud->error = (uint8_t)status;
    if (cloud->step == CLOUD_DOWNLOAD && tandem_install_wants(cloud->install) > cloud->failed_at) {
        cloud->failed_at = tandem_install_wants(cloud->install); /* it came further: not the same failure again */
        task->failures = 0;
    }
    if (counts && task->failures < 255)
        task->failures++;
    if (task->phase == CLOUD_PHASE_TAKEN && counts && task->failures > task->retries) {
        end_task(cloud, status);
        return;
    }
    rest(cloud, backoff(cloud), then);
}

/* ---- exchanges ---- */

static void add_token(struct tandem_cloud *cloud)
{
    char *token = cloud->text + cloud->used;

    if (cloud->request.authorization != NULL || cloud->config->key == NULL || is_hawkbit(cloud))
        return;
    if (tandem_onenet_token(cloud->config->key, token, sizeof cloud->text - cloud->used) != TANDEM_OK) {
        cloud->overflow = 1;
        return;
    }
    cloud->request.authorization = token;
    cloud->used = (uint16_t)(cloud->used + tandem_cloud_length(token) + 1);
}

static void add_range(struct tandem_cloud *cloud)
{
    uint32_t wants = tandem_install_wants(cloud->install), left = cloud->task.size - wants;

    cloud->request.offset = wants;
    cloud->request.length = cloud->config->slice < left ? cloud->config->slice : 0;
    if (cloud->config->slice != 0 && cloud->request.length == 0)
        cloud->request.length = left;
    if (wants > 0 && cloud->task.etag[0] != 0)
        cloud->request.if_range = cloud->task.etag;
    if (wants == 0) {
        tandem_md5_init(&cloud->md5);
        cloud->hashed = 0;
    }
}

static void forget_answer(struct tandem_cloud *cloud)
{
    cloud->size = TANDEM_HTTP_UNKNOWN;
    cloud->code = TANDEM_HTTP_UNKNOWN;
    cloud->interval = 0;
    cloud->retry = cloud->signal = cloud->power = cloud->kind = cloud->state = 0;
    cloud->link = cloud->artifacts = cloud->fit = cloud->skip = 0;
    cloud->overflow = 0;
    cloud->word[0] = cloud->hash[0] = 0;
    if (cloud->step == CLOUD_CHECK || cloud->step == CLOUD_TASK || cloud->step == CLOUD_CANCEL) {
        cloud->id[0] = cloud->version[0] = 0;
        cloud->size = 0;
    }
}

/* ---- what follows an answer ---- */

static void settle_check(struct tandem_cloud *cloud, enum cloud_verdict verdict)
{
    cloud->asked_ms = cloud->now;
    switch (verdict) {
    case CLOUD_OK:
        cloud->task.failures = cloud->task.phase == CLOUD_PHASE_TAKEN ? cloud->task.failures : 0;
        if (cloud->then == CLOUD_CONDITIONS)
            adopt(cloud);
        if (cloud->then == CLOUD_CONFIRM) {
            const struct tandem_cloud_policy *policy = cloud->config->policy;
            enum tandem_status yes =
                policy != NULL && policy->confirm != NULL ? policy->confirm(policy->ctx, cloud->id) : TANDEM_OK;
            if (yes == TANDEM_AGAIN) {
                rest(cloud, or_default(cloud->config->condition_s, 60), CLOUD_CHECK);
                return;
            }
            cloud->error = (uint8_t)yes;
        }
        go(cloud, cloud->then);
        return;
    case CLOUD_NONE:
        cloud->error = TANDEM_OK;
        if (cloud->task.phase == CLOUD_PHASE_TAKEN) { /* taken back */
            (void)tandem_install_abort(cloud->install);
            drop_task(cloud);
        }
        cloud->task.failures = 0;
        if (!is_hawkbit(cloud) && cloud->said_version == 0) /* it knew another version than ours */
            go(cloud, CLOUD_VERSION);
        else
            wait_for_next(cloud);
        return;
    case CLOUD_BROKEN: /* only a task can be */
        adopt(cloud);
        end_task(cloud, TANDEM_ERROR_FORMAT);
        return;
    case CLOUD_GONE:
        rest(cloud, or_default(cloud->config->retry_s, 60), CLOUD_CHECK);
        return;
    case CLOUD_REFUSED:
        cloud->error = cloud->error != TANDEM_OK ? cloud->error : TANDEM_ERROR_PROTOCOL;
        wait_for_next(cloud);
        return;
    default:
        try_again(cloud, cloud->error != TANDEM_OK ? (enum tandem_status)cloud->error : TANDEM_ERROR_PROTOCOL,
                  verdict == CLOUD_RETRY, CLOUD_CHECK);
        return;
    }
}

static uint32_t version_check(const struct tandem_cloud *cloud)
{
    const char *version = cloud->config->version;

    return tandem_crc32(TANDEM_CRC32_START, version, tandem_cloud_length(version)) | 1u;
}

static void start_download(struct tandem_cloud *cloud)
{
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset;

    if (!cloud->begun && tandem_install_state(cloud->install) == TANDEM_STATE_VALIDATED &&
        memcmp(tandem_install_outcome(cloud->install)->id, cloud->task.package, sizeof id) == 0) {
        cloud->hashed = TANDEM_HTTP_UNKNOWN; /* it was whole before the restart */
        cloud->step = CLOUD_VALIDATE;
        return;
    }
    if (!cloud->begun) {
        int known =
            tandem_install_resumable(cloud->install, id, &offset) && memcmp(id, cloud->task.package, sizeof id) == 0;
        enum tandem_status status = tandem_install_begin(cloud->install, known ? id : NULL, cloud->task.size, 0);
        if (status == TANDEM_ERROR_TRIAL ||
            status == TANDEM_ERROR_STATE) { /* first the running firmware's own affairs */
            rest(cloud, or_default(cloud->config->condition_s, 60), CLOUD_CHECK);
            return;
        }
        if (status != TANDEM_OK) {
            end_task(cloud, status);
            return;
        }
        cloud->begun = 1;
        cloud->failed_at = tandem_install_wants(cloud->install);
        cloud->hashed = TANDEM_HTTP_UNKNOWN;
    }
    go(cloud, tandem_install_wants(cloud->install) < cloud->task.size ? CLOUD_DOWNLOAD : CLOUD_VALIDATE);
}

static void settle(struct tandem_cloud *cloud, enum cloud_verdict verdict)
{
    uint8_t again = cloud->step;

    switch (cloud->step) {
    case CLOUD_CHECK:
    case CLOUD_TASK:
    case CLOUD_ATTRIBUTES:
    case CLOUD_CONFIRM:
    case CLOUD_CANCEL:
        if (cloud->step == CLOUD_ATTRIBUTES || cloud->step == CLOUD_CONFIRM)
            cloud->then = CLOUD_CHECK; /* and see what it says then */
        if (cloud->step == CLOUD_CANCEL && verdict == CLOUD_OK) {
            if (tandem_cloud_same(cloud->task.id, cloud->word) && cloud->task.phase == CLOUD_PHASE_TAKEN)
                (void)tandem_install_abort(cloud->install);
            else if (tandem_cloud_same(cloud->task.id, cloud->word))
                cloud->task.told |= CLOUD_TOLD_NO; /* too late */
        }
        settle_check(cloud, verdict);
        return;
    case CLOUD_CANCELLED:
        if (verdict == CLOUD_OK || verdict == CLOUD_GONE) {
            cloud->task.told &= (uint8_t)~CLOUD_TOLD_NO;
            if (cloud->task.phase == CLOUD_PHASE_TAKEN)
                drop_task(cloud);
        }
        rest(cloud, verdict == CLOUD_OK ? 0 : backoff(cloud), CLOUD_CHECK);
        return;
    case CLOUD_VERSION:
        if (verdict == CLOUD_OK || verdict == CLOUD_REFUSED) {
            cloud->said_version = version_check(cloud);
            save(cloud);
            go(cloud, CLOUD_CHECK);
            return;
        }
        break;
    case CLOUD_PROGRESS:
        go(cloud, CLOUD_DOWNLOAD); /* told or not */
        return;
    case CLOUD_RECEIVED:
        if (verdict == CLOUD_OK || verdict == CLOUD_REFUSED) {
            cloud->task.told |= CLOUD_TOLD_RECEIVED;
            save(cloud);
            cloud->step = CLOUD_READY;
            return;
        }
        break;
    case CLOUD_REPORT:
        if (verdict == CLOUD_OK || verdict == CLOUD_GONE || verdict == CLOUD_REFUSED || verdict == CLOUD_BROKEN) {
            (void)tandem_install_seen(cloud->install);
            if (cloud->task.status != TANDEM_OK)
                (void)tandem_install_abort(cloud->install);
            drop_task(cloud);
            /* After a failure the service may offer the same again: not at once. */
            rest(cloud, cloud->error == TANDEM_OK ? 0 : or_default(cloud->config->retry_max_s, 3600), CLOUD_CHECK);
            return;
        }
        break;
    case CLOUD_START:
        if (verdict == CLOUD_OK) {
            cloud->asked_ms = cloud->now;
            if ((cloud->task.told & CLOUD_TOLD_START) == 0) {
                cloud->task.told |= CLOUD_TOLD_START;
                save(cloud);
            }
            start_download(cloud);
            return;
        }
        again = CLOUD_CHECK;
        break;
    default:
        again = is_hawkbit(cloud) ? CLOUD_CHECK : CLOUD_START;
        break;
    }
    if (verdict == CLOUD_GONE) {
        /* Cancelled, ended, or under another name by now: ask. What was received stays for that case. */
        drop_task(cloud);
        rest(cloud, or_default(cloud->config->retry_s, 60), CLOUD_CHECK);
    } else if (verdict == CLOUD_REFUSED || verdict == CLOUD_BROKEN) {
        end_task(cloud, cloud->error != TANDEM_OK ? (enum tandem_status)cloud->error : TANDEM_ERROR_PROTOCOL);
    } else {
        try_again(cloud, cloud->error != TANDEM_OK ? (enum tandem_status)cloud->error : TANDEM_ERROR_PROTOCOL,
                  verdict == CLOUD_RETRY, again);
    }
}

static void ask(struct tandem_cloud *cloud)
{
    const struct tandem_json_field *fields;
    uint8_t count;

    cloud->body = 0;
    cloud->at = 0;
    service(cloud)->compose(cloud);
    if (cloud->step == CLOUD_DOWNLOAD)
        add_range(cloud);
    add_token(cloud);
    enum tandem_status status =
        cloud->overflow ? TANDEM_ERROR_SPACE : cloud->http->begin(cloud->http->ctx, &cloud->request);
    if (status != TANDEM_OK) {
        cloud->error = (uint8_t)status;
        settle(cloud, status == TANDEM_ERROR_PORT ? CLOUD_RETRY : CLOUD_REFUSED);
        return;
    }
    if (cloud->step == CLOUD_DOWNLOAD)
        return;
    uint8_t skip = cloud->skip;
    forget_answer(cloud);
    if (cloud->step != CLOUD_TASK)
        cloud->skip = skip;
    fields = service(cloud)->fields(cloud, &count);
    tandem_json_init(&cloud->json, fields, count, cloud, service(cloud)->found, cloud);
}

/* ---- small answers ---- */

static enum tandem_status read_answer(struct tandem_cloud *cloud)
{
    uint8_t data[64];
    size_t got = 0;
    enum tandem_status status = cloud->http->read(cloud->http->ctx, data, sizeof data, &got);

    if (status == TANDEM_AGAIN)
        return TANDEM_OK;
    cloud->at += (uint32_t)got;
    if (status != TANDEM_OK || cloud->at > ANSWER_MAX) {
        cloud->error = (uint8_t)(status != TANDEM_OK ? status : TANDEM_ERROR_PROTOCOL);
        settle(cloud, CLOUD_RETRY);
        return TANDEM_AGAIN;
    }
    if (got > 0) {
        (void)tandem_json_feed(&cloud->json, data, got);
        return TANDEM_AGAIN;
    }
    cloud->error = TANDEM_OK;
    if (cloud->json.count > 0 && cloud->head->status < 300 && tandem_json_end(&cloud->json) != TANDEM_OK) {
        cloud->error = TANDEM_ERROR_PROTOCOL;
        settle(cloud, CLOUD_RETRY);
    } else {
        settle(cloud, service(cloud)->answer(cloud));
    }
    return TANDEM_AGAIN;
}

/* ---- the download ---- */

/* What the answer to a range is worth. Sets `at`. */
static enum cloud_verdict range_answer(struct tandem_cloud *cloud)
{
    const struct tandem_http_response *head = cloud->head;
    uint32_t size = cloud->task.size, asked = cloud->request.offset, length = head->length;

    cloud->error = TANDEM_ERROR_PROTOCOL;
    if (head->status == 404 || head->status == 410)
        return CLOUD_GONE;
    if (head->status == 200) {
        cloud->at = 0; /* the whole, whatever was asked for */
        if (length == TANDEM_HTTP_UNKNOWN)
            return is_hawkbit(cloud) ? CLOUD_OK : CLOUD_RETRY;
        return length == size ? CLOUD_OK : CLOUD_RETRY;
    }
    if (head->status == 206) {
        cloud->at = asked;
        if (head->first == TANDEM_HTTP_UNKNOWN) /* no word of where it is from: then its length must fit */
            return length == (cloud->request.length != 0 ? cloud->request.length : size - asked) ? CLOUD_OK
                                                                                                 : CLOUD_RETRY;
        if (head->first != asked || head->last < asked || head->last >= size ||
            (head->total != TANDEM_HTTP_UNKNOWN && head->total != size) ||
            (length != TANDEM_HTTP_UNKNOWN && length != head->last - head->first + 1))
            return CLOUD_RETRY;
        return CLOUD_OK;
    }
    if (head->status == 416)
        return CLOUD_RETRY;
    return tandem_cloud_status(head->status) == CLOUD_REFUSED ? CLOUD_BROKEN : tandem_cloud_status(head->status);
}

/* Another content under the same name: begin anew. The package would be found out anyway; so is one of a server that
 * mixes two versions without telling. */
static void watch_etag(struct tandem_cloud *cloud)
{
    const char *etag = cloud->head->etag;

    if (etag[0] == 0 || tandem_cloud_length(etag) >= sizeof cloud->task.etag ||
        tandem_cloud_same(etag, cloud->task.etag))
        return;
    int changed = cloud->task.etag[0] != 0;
    copy_name(cloud->task.etag, etag, sizeof cloud->task.etag);
    save(cloud);
    if (changed) {
        memset(cloud->task.package, 0, sizeof cloud->task.package);
        (void)tandem_install_begin(cloud->install, NULL, cloud->task.size, 0);
    }
}

static void download_head(struct tandem_cloud *cloud)
{
    enum cloud_verdict verdict = service(cloud)->download(cloud);

    cloud->error = TANDEM_ERROR_PROTOCOL;
    if (verdict == CLOUD_OK)
        verdict = range_answer(cloud);
    if (verdict != CLOUD_OK) {
        settle(cloud, verdict);
        return;
    }
    watch_etag(cloud);
    uint32_t wants = tandem_install_wants(cloud->install);
    if (wants < cloud->at) {
        cloud->error = TANDEM_ERROR_PROTOCOL;
        settle(cloud, CLOUD_RETRY);
    }
}

/* Once its head is accepted and there is a checkpoint the package's id is written down: after a restart the transfer
 * goes on there. */
static void note_package(struct tandem_cloud *cloud)
{
    static const uint8_t none[TANDEM_PACKAGE_ID_SIZE];
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset;

    if (memcmp(cloud->task.package, none, sizeof none) != 0 ||
        tandem_install_wants(cloud->install) <= cloud->install->buffer_size ||
        !tandem_install_resumable(cloud->install, id, &offset))
        return;
    memcpy(cloud->task.package, id, sizeof id);
    save(cloud);
}

/* The next request of the download, or a look whether it is still wanted. */
static void next_slice(struct tandem_cloud *cloud)
{
    uint32_t wants = tandem_install_wants(cloud->install), size = cloud->task.size;
    uint8_t percent = (uint8_t)((uint64_t)wants * 100 / size);

    cloud->http->cancel(cloud->http->ctx);
    if (cloud->now - cloud->asked_ms >= or_default(cloud->config->recheck_s, 300) * 1000u) {
        go(cloud, is_hawkbit(cloud) ? CLOUD_CHECK : CLOUD_START);
    } else if (!is_hawkbit(cloud) && percent >= cloud->percent + 10 && percent < 100) {
        cloud->percent = percent;
        go(cloud, CLOUD_PROGRESS);
    } else {
        go(cloud, CLOUD_DOWNLOAD);
    }
}

static enum tandem_status feed(struct tandem_cloud *cloud, size_t room)
{
    uint8_t data[128];
    size_t got = 0;
    enum tandem_status status =
        cloud->http->read(cloud->http->ctx, data, room < sizeof data ? room : sizeof data, &got);

    if (status == TANDEM_AGAIN)
        return TANDEM_OK;
    if (status != TANDEM_OK) {
        cloud->error = (uint8_t)status;
        settle(cloud, CLOUD_RETRY);
        return TANDEM_AGAIN;
    }
    if (got == 0) { /* the body is whole; is what it belongs to? */
        if (cloud->at < cloud->task.size && (cloud->request.length == 0 || cloud->at == cloud->request.offset)) {
            cloud->error = TANDEM_ERROR_TRUNCATED;
            settle(cloud, CLOUD_RETRY);
        } else if (tandem_install_wants(cloud->install) < cloud->task.size) {
            next_slice(cloud);
        } else {
            cloud->step = CLOUD_VALIDATE;
        }
        return TANDEM_AGAIN;
    }
    if (got > cloud->task.size - cloud->at) {
        cloud->error = TANDEM_ERROR_PROTOCOL;
        settle(cloud, CLOUD_RETRY);
        return TANDEM_AGAIN;
    }
    if (cloud->hashed == cloud->at) {
        tandem_md5_update(&cloud->md5, data, got);
        cloud->hashed += (uint32_t)got;
    }
    cloud->task.spent += (uint32_t)got;
    (void)tandem_install_feed(cloud->install, cloud->at, data, got);
    cloud->at += (uint32_t)got;
    return TANDEM_AGAIN;
}

static enum tandem_status work_download(struct tandem_cloud *cloud)
{
    struct tandem_install *install = cloud->install;
    uint32_t wants = tandem_install_wants(install), limit = tandem_install_limit(install), size = cloud->task.size;

    if (tandem_install_state(install) != TANDEM_STATE_RECEIVING) {
        cloud->step = CLOUD_VALIDATE; /* it has what it needs, or has had enough */
        return TANDEM_AGAIN;
    }
    note_package(cloud);
    if (deadline_passed(cloud)) {
        end_task(cloud, TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    }
    if (cloud->task.spent / 4 > size + 16384) { /* whatever goes wrong, not for ever at somebody's cost */
        end_task(cloud, TANDEM_ERROR_TIMEOUT);
        return TANDEM_AGAIN;
    }
    if (!cloud->body) {
        enum tandem_status status = cloud->http->head(cloud->http->ctx, &cloud->head);
        if (status == TANDEM_AGAIN)
            return TANDEM_OK;
        if (status != TANDEM_OK) {
            cloud->error = (uint8_t)status;
            settle(cloud, CLOUD_RETRY);
            return TANDEM_AGAIN;
        }
        cloud->body = 1;
        download_head(cloud);
        return TANDEM_AGAIN;
    }
    if (wants < cloud->at) { /* a block was damaged on its way: again from there */
        next_slice(cloud);
        return TANDEM_AGAIN;
    }
    if (limit <= cloud->at)
        return TANDEM_AGAIN; /* no room: the installer works first */
    if (wants > cloud->at && wants - cloud->at > SKIP_MAX && cloud->request.offset != 0 && wants < size) {
        next_slice(cloud); /* what lies between is for others */
        return TANDEM_AGAIN;
    }
    if (cloud->now - cloud->asked_ms >= or_default(cloud->config->recheck_s, 300) * 1000u && wants < size) {
        next_slice(cloud);
        return TANDEM_AGAIN;
    }
    return feed(cloud, limit - cloud->at);
}

/* ---- between download and report ---- */

static enum tandem_status work_conditions(struct tandem_cloud *cloud)
{
    const struct tandem_system_port *system = system_of(cloud);
    uint8_t percent = 100;
    int8_t dbm = 0;

    if (deadline_passed(cloud)) {
        end_task(cloud, TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    }
    if (cloud->task.power > 0 && system != NULL && system->battery != NULL &&
        system->battery(system->ctx, &percent) == TANDEM_OK && percent < cloud->task.power) {
        cloud->error = TANDEM_ERROR_BATTERY;
        rest(cloud, or_default(cloud->config->condition_s, 60), CLOUD_CONDITIONS);
        return TANDEM_AGAIN;
    }
    /* The service's scale is not told; it looks like that of modems: 0 is -113 dBm, 2 dB a step. */
    if (cloud->task.signal > 0 && system != NULL && system->signal != NULL &&
        system->signal(system->ctx, &dbm) == TANDEM_OK && (dbm + 113) / 2 < (int)cloud->task.signal) {
        cloud->error = TANDEM_ERROR_SIGNAL;
        rest(cloud, or_default(cloud->config->condition_s, 60), CLOUD_CONDITIONS);
        return TANDEM_AGAIN;
    }
    cloud->error = TANDEM_OK;
    if ((cloud->task.told & CLOUD_TOLD_RECEIVED) != 0 ||
        (is_hawkbit(cloud) && (cloud->task.told & CLOUD_TOLD_START) != 0))
        start_download(cloud);
    else
        go(cloud, CLOUD_START);
    return TANDEM_AGAIN;
}

static enum tandem_status work_validate(struct tandem_cloud *cloud)
{
    enum tandem_state state = tandem_install_state(cloud->install);
    const struct tandem_outcome *outcome = tandem_install_outcome(cloud->install);

    if (state == TANDEM_STATE_VALIDATING)
        return TANDEM_AGAIN;
    if (state == TANDEM_STATE_RECEIVING) {
        if (tandem_install_poll(cloud->install) == TANDEM_AGAIN)
            return TANDEM_AGAIN;
        if (tandem_install_state(cloud->install) == TANDEM_STATE_RECEIVING) {
            if (tandem_install_wants(cloud->install) < cloud->task.size)
                next_slice(cloud); /* a block was damaged on its way */
            else
                end_task(cloud, TANDEM_ERROR_TRUNCATED);
        }
        return TANDEM_AGAIN;
    }
    cloud->http->cancel(cloud->http->ctx);
    if (state != TANDEM_STATE_VALIDATED) {
        enum tandem_status status = outcome->status != TANDEM_OK ? outcome->status : TANDEM_ERROR_FORMAT;
        if (tandem_status_group(status) == TANDEM_STATUS_CONDITION && status != TANDEM_ERROR_CONSENT) {
            cloud->begun = 0;
            rest(cloud, or_default(cloud->config->condition_s, 60), CLOUD_CHECK);
            return TANDEM_AGAIN;
        }
        end_task(cloud, status);
        return TANDEM_AGAIN;
    }
    if (memcmp(cloud->task.package, outcome->id, sizeof outcome->id) != 0) {
        memcpy(cloud->task.package, outcome->id, sizeof outcome->id);
        save(cloud);
    }
    uint8_t digest[TANDEM_MD5_SIZE];
    if (cloud->hashed == cloud->task.size && cloud->task.size > 0) {
        tandem_md5_final(&cloud->md5, digest);
        cloud->hashed = TANDEM_HTTP_UNKNOWN;
        if (memcmp(digest, cloud->task.md5, sizeof digest) != 0) {
            end_task(cloud, TANDEM_ERROR_DIGEST);
            return TANDEM_AGAIN;
        }
    }
    if ((cloud->task.told & CLOUD_TOLD_RECEIVED) != 0)
        cloud->step = CLOUD_READY;
    else
        go(cloud, CLOUD_RECEIVED);
    return TANDEM_AGAIN;
}

static void restart(struct tandem_cloud *cloud)
{
    const struct tandem_system_port *system = system_of(cloud);

    cloud->step = CLOUD_RESTART;
    if (system != NULL && system->reboot != NULL)
        (void)system->reboot(system->ctx);
}

static enum tandem_status work_ready(struct tandem_cloud *cloud)
{
    const struct tandem_cloud_policy *policy = cloud->config->policy;
    uint32_t later = or_default(cloud->config->condition_s, 60);

    if (tandem_install_state(cloud->install) == TANDEM_STATE_PENDING) {
        restart(cloud);
        return TANDEM_AGAIN;
    }
    if (cloud->skip) { /* the server's maintenance window is not open, or it wants the download only */
        rest(cloud, or_default(cloud->sleep_s, later), CLOUD_CHECK);
        return TANDEM_AGAIN;
    }
    if (policy != NULL && policy->window != NULL && policy->window(policy->ctx) != TANDEM_OK) {
        rest(cloud, later, CLOUD_READY);
        return TANDEM_AGAIN;
    }
    memcpy(cloud->task.package, tandem_install_outcome(cloud->install)->id, sizeof cloud->task.package);
    cloud->task.failures = 0;
    set_phase(cloud, CLOUD_PHASE_ACTIVATING);
    enum tandem_status status = tandem_install_activate(cloud->install);
    if (status == TANDEM_ERROR_BATTERY) {
        cloud->error = TANDEM_ERROR_BATTERY;
        rest(cloud, later, CLOUD_READY);
        return TANDEM_AGAIN;
    }
    if (status != TANDEM_OK) {
        end_task(cloud, status);
        return TANDEM_AGAIN;
    }
    restart(cloud);
    return TANDEM_AGAIN;
}

/* After the restart: what became of it. */
static enum tandem_status work_trial(struct tandem_cloud *cloud)
{
    const struct tandem_outcome *outcome = tandem_install_outcome(cloud->install);
    int ours = memcmp(outcome->id, cloud->task.package, sizeof outcome->id) == 0;

    switch (tandem_install_state(cloud->install)) {
    case TANDEM_STATE_VALIDATED:
        cloud->step = CLOUD_READY;
        return TANDEM_AGAIN;
    case TANDEM_STATE_PENDING:
        restart(cloud);
        return TANDEM_AGAIN;
    case TANDEM_STATE_TRIAL:
        return TANDEM_OK; /* the application has the word */
    case TANDEM_STATE_CONFIRMED:
        end_task(cloud, ours ? TANDEM_OK : TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    case TANDEM_STATE_FAILED:
        end_task(cloud, ours ? outcome->status : TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    default:
        end_task(cloud, TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    }
}

static enum tandem_status work_rest(struct tandem_cloud *cloud)
{
    if (cloud->task.phase == CLOUD_PHASE_TAKEN && deadline_passed(cloud)) {
        end_task(cloud, TANDEM_ERROR_CANCELLED);
        return TANDEM_AGAIN;
    }
    if (!wait_is_over(cloud))
        return TANDEM_OK;
    cloud->task.wait_s = 0;
    cloud->task.until = 0;
    cloud->body = 0;
    if (cloud->then == CLOUD_CHECK && cloud->said_version != version_check(cloud) && !is_hawkbit(cloud))
        cloud->then = CLOUD_VERSION;
    go(cloud, cloud->then);
    return TANDEM_AGAIN;
}

static enum tandem_status work_exchange(struct tandem_cloud *cloud)
{
    if (!cloud->body) {
        enum tandem_status status = cloud->http->head(cloud->http->ctx, &cloud->head);
        if (status == TANDEM_AGAIN)
            return TANDEM_OK;
        if (status != TANDEM_OK) {
            cloud->error = (uint8_t)status;
            settle(cloud, CLOUD_RETRY);
            return TANDEM_AGAIN;
        }
        cloud->body = 1;
    }
    return read_answer(cloud);
}

static enum tandem_status work(struct tandem_cloud *cloud)
{
    if (cloud->step < CLOUD_REST && cloud->request.method == NULL) {
        ask(cloud);
        return TANDEM_AGAIN;
    }
    switch (cloud->step) {
    case CLOUD_DOWNLOAD:
        return work_download(cloud);
    case CLOUD_REST:
        return work_rest(cloud);
    case CLOUD_CONDITIONS:
        return work_conditions(cloud);
    case CLOUD_VALIDATE:
        return work_validate(cloud);
    case CLOUD_READY:
        return work_ready(cloud);
    case CLOUD_RESTART:
        return TANDEM_OK;
    case CLOUD_TRIAL:
        return work_trial(cloud);
    default:
        return work_exchange(cloud);
    }
}

/* ---- outside ---- */

enum tandem_status tandem_cloud_init(struct tandem_cloud *cloud, const struct tandem_cloud_config *config,
                                     const struct tandem_http_port *http, const struct tandem_store_port *store,
                                     struct tandem_install *install)
{
    uint8_t record[TANDEM_CLOUD_RECORD_SIZE];
    size_t size = 0;

    memset(cloud, 0, sizeof *cloud);
    if (config->service < TANDEM_CLOUD_ONENET || config->service > TANDEM_CLOUD_HAWKBIT || config->base == NULL ||
        config->device == NULL || (config->service == TANDEM_CLOUD_ONENET && config->product == NULL) ||
        (config->service != TANDEM_CLOUD_HAWKBIT && config->version == NULL))
        return TANDEM_ERROR_ARGUMENT;
    cloud->config = config;
    cloud->http = http;
    cloud->store = store;
    cloud->install = install;
    cloud->random = (config->seed * 2654435761u) | 1u;
    if (store->load(store->ctx, record, sizeof record, &size) != TANDEM_OK)
        return TANDEM_ERROR_PORT;
    tandem_cloud_load(cloud, record, size);
    cloud->step = CLOUD_REST;
    cloud->then = CLOUD_CHECK;
    if (cloud->task.phase == CLOUD_PHASE_ACTIVATING)
        cloud->then = CLOUD_TRIAL;
    else if (cloud->task.phase == CLOUD_PHASE_ENDED)
        cloud->then = CLOUD_REPORT;
    return TANDEM_OK;
}

enum tandem_status tandem_cloud_poll(struct tandem_cloud *cloud, uint32_t now_ms)
{
    if (cloud->wait_ms == 0 && cloud->now == 0)
        cloud->wait_ms = now_ms; /* a wait from before the restart begins anew, unless there is a clock */
    cloud->now = now_ms;
    if (cloud->http->poll != NULL)
        cloud->http->poll(cloud->http->ctx, now_ms);
    enum tandem_status install = tandem_install_poll(cloud->install);
    enum tandem_status status = work(cloud);
    return status == TANDEM_AGAIN || install == TANDEM_AGAIN || cloud->step < CLOUD_REST ? TANDEM_AGAIN : TANDEM_OK;
}

void tandem_cloud_check(struct tandem_cloud *cloud)
{
    if (cloud->step == CLOUD_REST && cloud->then == CLOUD_CHECK && cloud->task.phase == CLOUD_PHASE_NONE) {
        cloud->task.wait_s = 0;
        cloud->task.until = 0;
    }
}

enum tandem_status tandem_cloud_cancel(struct tandem_cloud *cloud)
{
    if (cloud->task.phase != CLOUD_PHASE_TAKEN)
        return TANDEM_ERROR_STATE;
    end_task(cloud, TANDEM_ERROR_CANCELLED);
    return TANDEM_OK;
}

int tandem_cloud_busy(const struct tandem_cloud *cloud)
{
    return cloud->task.phase != CLOUD_PHASE_NONE;
}

enum tandem_status tandem_cloud_error(const struct tandem_cloud *cloud)
{
    return (enum tandem_status)cloud->error;
}
