/*
 * Eclipse hawkBit, Direct Device Integration v1: a root resource with links
 * to what the server wants next, followed as they are given; feedback goes to
 * paths of the device's own making.
 */
#include <stddef.h>
#include <string.h>

#include "cloud.h"

/* ---- requests ---- */

static void put_root(struct tandem_cloud *cloud)
{
    const struct tandem_cloud_config *config = cloud->config;

    tandem_cloud_put(cloud, config->base);
    tandem_cloud_put(cloud, "/");
    tandem_cloud_put(cloud, config->product != NULL ? config->product : "DEFAULT");
    tandem_cloud_put(cloud, "/controller/v1/");
    tandem_cloud_put(cloud, config->device);
}

static void put_feedback_path(struct tandem_cloud *cloud)
{
    put_root(cloud);
    tandem_cloud_put(cloud, cloud->step == CLOUD_CANCELLED ? "/cancelAction/"
                            : cloud->step == CLOUD_CONFIRM ? "/confirmationBase/"
                                                           : "/deploymentBase/");
    tandem_cloud_put(cloud,
                     cloud->step == CLOUD_CANCELLED || cloud->step == CLOUD_CONFIRM ? cloud->id : cloud->task.id);
    tandem_cloud_put(cloud, "/feedback");
}

static void put_feedback(struct tandem_cloud *cloud, const char *execution, const char *finished)
{
    tandem_cloud_put(cloud, "{\"status\":{\"execution\":\"");
    tandem_cloud_put(cloud, execution);
    tandem_cloud_put(cloud, "\",\"result\":{\"finished\":\"");
    tandem_cloud_put(cloud, finished);
    tandem_cloud_put(cloud, "\"}");
    if (cloud->step == CLOUD_REPORT && cloud->task.status != TANDEM_OK) {
        tandem_cloud_put(cloud, ",\"code\":");
        tandem_cloud_put_number(cloud, cloud->task.status);
        tandem_cloud_put(cloud, ",\"details\":[\"tandem status ");
        tandem_cloud_put_number(cloud, cloud->task.status);
        tandem_cloud_put(cloud, "\"]");
    }
    tandem_cloud_put(cloud, "}}");
}

static void put_body(struct tandem_cloud *cloud)
{
    int confirmed = cloud->error != TANDEM_ERROR_CONSENT;

    switch (cloud->step) {
    case CLOUD_ATTRIBUTES:
        tandem_cloud_put(cloud, "{\"mode\":\"merge\",\"data\":");
        tandem_cloud_put(cloud, cloud->config->attributes != NULL ? cloud->config->attributes : "{}");
        tandem_cloud_put(cloud, "}");
        return;
    case CLOUD_CONFIRM:
        tandem_cloud_put(cloud, confirmed ? "{\"confirmation\":\"confirmed\"}" : "{\"confirmation\":\"denied\"}");
        return;
    case CLOUD_START:
        put_feedback(cloud, "download", "none");
        return;
    case CLOUD_RECEIVED:
        put_feedback(cloud, "downloaded", "none");
        return;
    case CLOUD_CANCELLED:
        if ((cloud->task.told & CLOUD_TOLD_NO) != 0)
            put_feedback(cloud, "rejected", "none");
        else
            put_feedback(cloud, "closed", "success");
        return;
    default:
        put_feedback(cloud, "closed", cloud->task.status == TANDEM_OK ? "success" : "failure");
        return;
    }
}

/* Credentials go to the service alone, not to whatever a link leads to. */
static int is_ours(const struct tandem_cloud *cloud)
{
    const char *base = cloud->config->base, *link = cloud->text;

    while (*base != 0 && *base == *link) {
        base++;
        link++;
    }
    return *base == 0 && *link == '/';
}

static void compose(struct tandem_cloud *cloud)
{
    int linked = cloud->step == CLOUD_TASK || cloud->step == CLOUD_CANCEL || cloud->step == CLOUD_ATTRIBUTES ||
                 cloud->step == CLOUD_DOWNLOAD;

    tandem_cloud_begin(cloud, cloud->step == CLOUD_ATTRIBUTES        ? "PUT"
                              : linked || cloud->step == CLOUD_CHECK ? "GET"
                                                                     : "POST");
    if (cloud->step == CLOUD_START)
        cloud->used =
            (uint16_t)(tandem_cloud_length(cloud->text) + 1); /* the link behind which it is is still wanted */
    cloud->request.url = tandem_cloud_here(cloud);
    if (linked) {
        cloud->used = (uint16_t)tandem_cloud_length(cloud->text); /* the link is there */
        if (!is_ours(cloud))
            cloud->request.authorization = NULL;
    } else if (cloud->step == CLOUD_CHECK) {
        put_root(cloud);
    } else {
        put_feedback_path(cloud);
    }
    tandem_cloud_end(cloud);
    if (cloud->step == CLOUD_DOWNLOAD)
        return;
    if (cloud->step == CLOUD_CHECK || cloud->step == CLOUD_TASK || cloud->step == CLOUD_CANCEL) {
        cloud->request.accept = "application/hal+json, application/json";
        return;
    }
    const char *body = tandem_cloud_here(cloud);
    put_body(cloud);
    tandem_cloud_end(cloud);
    tandem_cloud_json_body(cloud, body);
    cloud->request.content_type = "application/json";
}

/* ---- answers ---- */

#define AT(member) offsetof(struct tandem_cloud, member), sizeof(((struct tandem_cloud *)0)->member)
#define LINK offsetof(struct tandem_cloud, text), TANDEM_CLOUD_LINK_SIZE

enum { R_SLEEP, R_CONFIG, R_DEPLOYMENT, R_CANCEL, R_CONFIRM };

static const struct tandem_json_field root_fields[] = {
    {"config/polling/sleep", AT(word)}, {"_links/configData/href", LINK},       {"_links/deploymentBase/href", LINK},
    {"_links/cancelAction/href", LINK}, {"_links/confirmationBase/href", LINK},
};

#define ARTIFACT "deployment/chunks/*/artifacts/*"

enum { T_ID, T_DOWNLOAD, T_UPDATE, T_WINDOW, T_VERSION, T_ARTIFACT, T_NAME, T_SIZE, T_MD5, T_HTTPS, T_HTTP };

#define OF_ARTIFACT (1u << T_NAME | 1u << T_SIZE | 1u << T_MD5 | 1u << T_HTTPS | 1u << T_HTTP | 1u << T_VERSION)

static const struct tandem_json_field task_fields[] = {
    {"id", AT(id)},
    {"deployment/download", AT(word)},
    {"deployment/update", AT(word)},
    {"deployment/maintenanceWindow", 0, 0},
    {"deployment/chunks/*/version", AT(version)},
    {ARTIFACT, 0, 0},
    {ARTIFACT "/filename", AT(word)},
    {ARTIFACT "/size", AT(word)},
    {ARTIFACT "/hashes/md5", AT(hash)},
    {ARTIFACT "/_links/download/href", LINK},
    {ARTIFACT "/_links/download-http/href", LINK},
};

static const struct tandem_json_field cancel_fields[] = {{"id", AT(id)}, {"cancelAction/stopId", AT(word)}};

static const struct tandem_json_field *fields(const struct tandem_cloud *cloud, uint8_t *count)
{
    if (cloud->step == CLOUD_CHECK) {
        *count = sizeof root_fields / sizeof root_fields[0];
        return root_fields;
    }
    if (cloud->step == CLOUD_TASK) {
        *count = sizeof task_fields / sizeof task_fields[0];
        return task_fields;
    }
    if (cloud->step == CLOUD_CANCEL) {
        *count = sizeof cancel_fields / sizeof cancel_fields[0];
        return cancel_fields;
    }
    *count = 0;
    return NULL;
}

/* HH:mm:ss */
static uint32_t seconds(const char *text)
{
    uint32_t total = 0;

    for (unsigned i = 0; i < 3; i++, text += 3) {
        if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9' || text[2] != (i < 2 ? ':' : 0))
            return 0;
        total = total * 60 + (uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0');
    }
    return total;
}

static void root_found(struct tandem_cloud *cloud, uint8_t field)
{
    static const uint8_t steps[] = {0, CLOUD_ATTRIBUTES, CLOUD_TASK, CLOUD_CANCEL, CLOUD_CONFIRM};

    if (field >= sizeof steps)
        return;
    if (field == R_SLEEP) {
        cloud->sleep_s = seconds(cloud->word);
        return;
    }
    cloud->link = steps[field];
    if (field == R_CONFIG) /* this first; the others are there again the next time */
        cloud->json.off = 1u << R_DEPLOYMENT | 1u << R_CANCEL | 1u << R_CONFIRM;
}

static int ends_with_tdm(const char *name)
{
    size_t length = tandem_cloud_length(name);

    return length >= 4 && tandem_cloud_same(name + length - 4, ".tdm");
}

/* One artifact is the package: the only one, or the one whose name says so. */
static void artifact_found(struct tandem_cloud *cloud, enum tandem_json_type type)
{
    if (type == TANDEM_JSON_OPEN) {
        cloud->size = TANDEM_HTTP_UNKNOWN;
        cloud->hash[0] = cloud->text[0] = 0;
        return;
    }
    if (type != TANDEM_JSON_CLOSE)
        return;
    cloud->artifacts++;
    if (cloud->fit)
        cloud->json.off |= OF_ARTIFACT | 1u << T_ARTIFACT;
}

static void task_found(struct tandem_cloud *cloud, uint8_t field, enum tandem_json_type type)
{
    int https = cloud->config->base[4] == 's';

    switch (field) {
    case T_DOWNLOAD:
    case T_UPDATE:
        if (field == T_UPDATE)
            cloud->skip = tandem_cloud_same(cloud->word, "skip") ? 1 : 0;
        break;
    case T_WINDOW:
        cloud->state = 1;
        break;
    case T_ARTIFACT:
        artifact_found(cloud, type);
        break;
    case T_NAME:
        cloud->fit = ends_with_tdm(cloud->word) ? 1 : 0;
        break;
    case T_SIZE:
        cloud->size = tandem_cloud_number(cloud->word);
        break;
    case T_HTTPS: /* either will do; that which the service itself is reached by is preferred */
        if (https)
            cloud->json.off |= 1u << T_HTTP;
        break;
    case T_HTTP:
        if (!https)
            cloud->json.off |= 1u << T_HTTPS;
        break;
    default:
        break;
    }
}

static void found(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length)
{
    struct tandem_cloud *cloud = ctx;
    uint8_t count;
    const struct tandem_json_field *table = fields(cloud, &count);

    if (table[field].size > 0 && (type == TANDEM_JSON_OPEN || type == TANDEM_JSON_CLOSE))
        return;
    if (table[field].size > 0 && length >= table[field].size && field != T_NAME)
        cloud->overflow = 1;
    if (cloud->step == CLOUD_CHECK)
        root_found(cloud, field);
    else if (cloud->step == CLOUD_TASK)
        task_found(cloud, field, type);
}

static int number_only(const char *text)
{
    size_t length = 0;

    while (text[length] >= '0' && text[length] <= '9')
        length++;
    return length > 0 && text[length] == 0;
}

/* The action that a link names: the number behind its last '/', before '?'. */
static int action_of_link(struct tandem_cloud *cloud)
{
    const char *text = cloud->text, *begin = text;
    size_t size = 0;

    for (; *text != 0 && *text != '?'; text++)
        if (*text == '/')
            begin = text + 1;
    while (begin[size] >= '0' && begin[size] <= '9' && size + 1 < sizeof cloud->id)
        size++;
    memcpy(cloud->id, begin, size);
    cloud->id[size] = 0;
    return size > 0 && (begin[size] == 0 || begin[size] == '?');
}

static enum cloud_verdict root_answer(struct tandem_cloud *cloud)
{
    if (cloud->link == 0)
        return CLOUD_NONE;
    if (cloud->overflow || (cloud->link == CLOUD_CONFIRM && !action_of_link(cloud)))
        return CLOUD_REFUSED;
    cloud->then = cloud->link;
    return CLOUD_OK;
}

static enum cloud_verdict task_answer(struct tandem_cloud *cloud)
{
    uint8_t md5[TANDEM_MD5_SIZE];

    if (cloud->overflow || !number_only(cloud->id))
        return CLOUD_REFUSED;
    if (cloud->artifacts == 0 || (cloud->artifacts > 1 && (cloud->json.off & 1u << T_ARTIFACT) == 0) ||
        cloud->size == 0 || cloud->size == TANDEM_HTTP_UNKNOWN || cloud->text[0] == 0 ||
        !tandem_cloud_md5(cloud->hash, md5)) {
        cloud->size = 0;
        return CLOUD_BROKEN; /* nothing in it that is for us */
    }
    cloud->then = CLOUD_CONDITIONS;
    return CLOUD_OK;
}

static enum cloud_verdict answer(struct tandem_cloud *cloud)
{
    uint16_t status = cloud->head->status;
    int task = cloud->step != CLOUD_CHECK && cloud->step != CLOUD_ATTRIBUTES;

    if (task && (status == 404 || status == 410 || status == 405))
        return CLOUD_GONE;
    if (status == 409)
        return CLOUD_BUSY;
    if (status < 200 || status > 299)
        return tandem_cloud_status(status);
    switch (cloud->step) {
    case CLOUD_CHECK:
        return root_answer(cloud);
    case CLOUD_TASK:
        return task_answer(cloud);
    case CLOUD_CANCEL:
        if (!number_only(cloud->id) || !number_only(cloud->word))
            return CLOUD_REFUSED;
        cloud->then = CLOUD_CANCELLED;
        return CLOUD_OK;
    default:
        return CLOUD_OK;
    }
}

static enum cloud_verdict download(struct tandem_cloud *cloud)
{
    (void)cloud;
    return CLOUD_OK;
}

const struct cloud_service tandem_cloud_hawkbit = {compose, fields, found, answer, download};
