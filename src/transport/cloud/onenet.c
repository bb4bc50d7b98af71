/*
 * OneNET: the present generation and the one before it. They differ in their
 * paths, in what the task is called, and in the name of the result's number.
 */
#include <stddef.h>
#include <string.h>

#include "cloud.h"

static int legacy(const struct tandem_cloud *cloud)
{
    return cloud->config->service == TANDEM_CLOUD_ONENET_LEGACY;
}

/* ---- requests ---- */

static const char *component(const struct tandem_cloud *cloud)
{
    return cloud->config->component == 1 ? "1" : "2";
}

static void legacy_path(struct tandem_cloud *cloud)
{
    const struct tandem_cloud_config *config = cloud->config;

    switch (cloud->step) {
    case CLOUD_CHECK:
        tandem_cloud_put(cloud, "/ota/south/check?dev_id=");
        tandem_cloud_put(cloud, config->device);
        tandem_cloud_put(cloud, "&manuf=");
        tandem_cloud_put(cloud, config->manufacturer != NULL ? config->manufacturer : "100");
        tandem_cloud_put(cloud, "&model=");
        tandem_cloud_put(cloud, config->model != NULL ? config->model : "10001");
        tandem_cloud_put(cloud, "&type=");
        tandem_cloud_put(cloud, component(cloud));
        tandem_cloud_put(cloud, "&version=");
        tandem_cloud_put(cloud, config->version);
        tandem_cloud_put(cloud, "&cdn=true");
        return;
    case CLOUD_VERSION:
        tandem_cloud_put(cloud, "/ota/device/version?dev_id=");
        break;
    case CLOUD_START:
    case CLOUD_DOWNLOAD:
        tandem_cloud_put(cloud, "/ota/south/download/");
        tandem_cloud_put(cloud, cloud->task.id);
        if (cloud->step == CLOUD_DOWNLOAD)
            return;
        tandem_cloud_put(cloud, "/check?dev_id=");
        break;
    default:
        tandem_cloud_put(cloud, "/ota/south/device/download/");
        tandem_cloud_put(cloud, cloud->task.id);
        tandem_cloud_put(cloud, "/progress?dev_id=");
        break;
    }
    tandem_cloud_put(cloud, config->device);
}

static void fuse_path(struct tandem_cloud *cloud)
{
    tandem_cloud_put(cloud, "/");
    tandem_cloud_put(cloud, cloud->config->product);
    tandem_cloud_put(cloud, "/");
    tandem_cloud_put(cloud, cloud->config->device);
    tandem_cloud_put(cloud, "/");
    if (cloud->step == CLOUD_CHECK) {
        tandem_cloud_put(cloud, "check?type=");
        tandem_cloud_put(cloud, component(cloud));
        tandem_cloud_put(cloud, "&version=");
        tandem_cloud_put(cloud, cloud->config->version);
        return;
    }
    if (cloud->step == CLOUD_VERSION) {
        tandem_cloud_put(cloud, "version");
        return;
    }
    tandem_cloud_put(cloud, cloud->task.id);
    tandem_cloud_put(cloud, cloud->step == CLOUD_START      ? "/check"
                            : cloud->step == CLOUD_DOWNLOAD ? "/download"
                                                            : "/status");
}

/* The status code of a result. */
static uint32_t result_code(const struct tandem_cloud *cloud)
{
    enum tandem_status status = (enum tandem_status)cloud->task.status;
    int activated = (cloud->task.told & CLOUD_TOLD_RECEIVED) != 0;

    switch (status) {
    case TANDEM_OK:
        return 201;
    case TANDEM_ERROR_TOO_LARGE:
        return activated ? 206 : 102;
    case TANDEM_ERROR_SPACE:
        return activated ? 203 : 103;
    case TANDEM_ERROR_TIMEOUT:
    case TANDEM_ERROR_DISCONNECTED:
        return activated ? 207 : 104;
    case TANDEM_ERROR_BATTERY:
        return activated ? 202 : 105;
    case TANDEM_ERROR_SIGNAL:
        return activated ? 206 : 106;
    case TANDEM_ERROR_DIGEST:
        return 205;
    case TANDEM_ERROR_TARGET:
    case TANDEM_ERROR_HARDWARE:
    case TANDEM_ERROR_VERSION:
    case TANDEM_ERROR_BASE:
        return 204;
    case TANDEM_ERROR_PROTOCOL:
    case TANDEM_ERROR_TRUNCATED:
        return activated ? 206 : 107;
    case TANDEM_ERROR_CANCELLED: /* the deadline has passed; the present generation has no word for it */
        return legacy(cloud) ? 208 : 207;
    default:
        return 206;
    }
}

static void compose(struct tandem_cloud *cloud)
{
    const struct tandem_cloud_config *config = cloud->config;
    int post = cloud->step == CLOUD_VERSION || cloud->step == CLOUD_PROGRESS || cloud->step == CLOUD_RECEIVED ||
               cloud->step == CLOUD_REPORT;

    tandem_cloud_begin(cloud, post ? "POST" : "GET");
    cloud->request.url = tandem_cloud_here(cloud);
    tandem_cloud_put(cloud, config->base);
    if (legacy(cloud))
        legacy_path(cloud);
    else
        fuse_path(cloud);
    tandem_cloud_end(cloud);
    if (cloud->step == CLOUD_DOWNLOAD)
        cloud->request.extra = "Ota-Errno";
    else
        cloud->request.content_type = "application/json";
    if (!post)
        return;
    const char *body = tandem_cloud_here(cloud);
    if (cloud->step == CLOUD_VERSION) {
        tandem_cloud_put(cloud, "{\"s_version\":\"");
        tandem_cloud_put(cloud, config->version);
        tandem_cloud_put(cloud, "\",\"f_version\":\"");
        tandem_cloud_put(cloud, config->version);
        tandem_cloud_put(cloud, "\"}");
    } else {
        tandem_cloud_put(cloud, "{\"step\":");
        tandem_cloud_put_number(cloud, cloud->step == CLOUD_PROGRESS   ? cloud->percent
                                       : cloud->step == CLOUD_RECEIVED ? 100
                                                                       : result_code(cloud));
        tandem_cloud_put(cloud, "}");
    }
    tandem_cloud_end(cloud);
    tandem_cloud_json_body(cloud, body);
}

/* ---- answers ---- */

#define AT(member) offsetof(struct tandem_cloud, member), sizeof(((struct tandem_cloud *)0)->member)

enum {
    F_CODE,
    F_ERRNO,
    F_TARGET,
    F_TOKEN,
    F_TID,
    F_MD5,
    F_SIZE,
    F_SIGNAL,
    F_POWER,
    F_RETRY,
    F_INTERVAL,
    F_TYPE,
    F_STATUS
};

static const struct tandem_json_field all[] = {
    {"code", AT(word)},        {"errno", AT(word)},      {"data/target", AT(version)}, {"data/token", AT(id)},
    {"data/tid", AT(id)},      {"data/md5", AT(hash)},   {"data/size", AT(word)},      {"data/signal", AT(word)},
    {"data/power", AT(word)},  {"data/retry", AT(word)}, {"data/interval", AT(word)},  {"data/type", AT(word)},
    {"data/status", AT(word)},
};

static const struct tandem_json_field *fields(const struct tandem_cloud *cloud, uint8_t *count)
{
    (void)cloud;
    *count = sizeof all / sizeof all[0];
    return all;
}

static uint8_t small(uint32_t number)
{
    return number == TANDEM_HTTP_UNKNOWN ? 0 : number < 255 ? (uint8_t)number : 255;
}

static void found(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length)
{
    struct tandem_cloud *cloud = ctx;
    uint32_t number = tandem_cloud_number(cloud->word);

    if (type != TANDEM_JSON_STRING && type != TANDEM_JSON_NUMBER)
        return;
    if (length >= all[field].size) {
        cloud->overflow = 1;
        return;
    }
    switch (field) {
    case F_CODE:
        cloud->code = number;
        break;
    case F_ERRNO:
        if (cloud->code == TANDEM_HTTP_UNKNOWN)
            cloud->code = number;
        break;
    case F_SIZE:
        cloud->size = number;
        break;
    case F_SIGNAL:
        cloud->signal = small(number);
        break;
    case F_POWER:
        cloud->power = small(number);
        break;
    case F_RETRY:
        cloud->retry = small(number);
        break;
    case F_INTERVAL:
        cloud->interval = number == TANDEM_HTTP_UNKNOWN ? 0 : number;
        break;
    case F_TYPE:
        cloud->kind = small(number);
        break;
    case F_STATUS:
        cloud->state = small(number);
        break;
    default:
        break;
    }
}

/* A name goes into URLs: nothing that would end it early. */
static int name_is_plain(const char *name)
{
    if (*name == 0)
        return 0;
    for (; *name != 0; name++)
        if (!((*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
              *name == '_' || *name == '-' || *name == '.'))
            return 0;
    return 1;
}

static enum cloud_verdict check_answer(struct tandem_cloud *cloud)
{
    uint8_t md5[TANDEM_MD5_SIZE];

    if (cloud->code == 0) {
        if (cloud->overflow || !name_is_plain(cloud->id) || cloud->size == 0 || cloud->size == TANDEM_HTTP_UNKNOWN ||
            !tandem_cloud_md5(cloud->hash, md5))
            return cloud->id[0] == 0 && cloud->size == 0 ? CLOUD_NONE : CLOUD_REFUSED;
        cloud->then = CLOUD_CONDITIONS;
        return CLOUD_OK;
    }
    if (!legacy(cloud))
        return CLOUD_NONE; /* whatever the number: it has no task for us */
    switch (cloud->code) {
    case 7:
        return CLOUD_BUSY;
    case 9: /* it knows another version: tell it ours, and ask again */
        if (cloud->said_version != 0) {
            cloud->said_version = 0;
            return CLOUD_NONE;
        }
        return CLOUD_REFUSED;
    case 10:
    case 11:
    case 13:
    case 19:
        return CLOUD_NONE;
    default:
        return CLOUD_REFUSED;
    }
}

/* What errno says of a task in hand. */
static enum cloud_verdict task_answer(struct tandem_cloud *cloud)
{
    switch (cloud->code) {
    case 0:
        if (!legacy(cloud) && cloud->step == CLOUD_START && cloud->state >= 4)
            return CLOUD_GONE; /* succeeded, failed or cancelled */
        return CLOUD_OK;
    case 7:
    case 19:
        return CLOUD_BUSY;
    case 4:
    case 12:
    case 15:
    case 18:
    case 20:
    case 22:
    case 23:
        return CLOUD_GONE; /* of this name; the next question may bring the task back under another */
    case 17:               /* also when it has heard before that all is here */
        return tandem_install_state(cloud->install) == TANDEM_STATE_VALIDATED ? CLOUD_OK : CLOUD_GONE;
    default:
        return legacy(cloud) ? CLOUD_REFUSED : CLOUD_GONE;
    }
}

static enum cloud_verdict answer(struct tandem_cloud *cloud)
{
    if (cloud->head->status < 200 || cloud->head->status > 299)
        return tandem_cloud_status(cloud->head->status);
    if (cloud->code == TANDEM_HTTP_UNKNOWN)
        return CLOUD_RETRY;
    if (cloud->step == CLOUD_CHECK)
        return check_answer(cloud);
    if (cloud->step == CLOUD_VERSION)
        return cloud->code == 0 ? CLOUD_OK : cloud->code == 7 ? CLOUD_BUSY : CLOUD_REFUSED;
    return task_answer(cloud);
}

/* An error comes as a number in a header, or as a body of one byte without a length. */
static enum cloud_verdict download(struct tandem_cloud *cloud)
{
    const struct tandem_http_response *head = cloud->head;
    uint32_t number = head->has_extra ? tandem_cloud_number(head->extra) : 0;

    if (number != 0)
        return number == 5 ? CLOUD_GONE : number == 6 ? CLOUD_RETRY : CLOUD_BROKEN;
    return CLOUD_OK;
}

const struct cloud_service tandem_cloud_onenet = {compose, fields, found, answer, download};
