/*
 * The cloud's client against services that are written down here: OneNET in
 * both generations and hawkBit, with their states and side effects, and a
 * device with the real installer and bootloader. HTTP is a table of
 * functions; the client over a wire has its own test.
 */
#include "check.h"
#include "fixture.h"
#include "hex.h"
#include "tandem/cloud.h"

/* ---- the world ---- */

enum { OPEN_ = 1, DOWNLOADING, UPGRADING, SUCCEEDED, FAILED_, CANCELLED_ };

struct world {
    struct fixture f;
    struct package old, new;
    struct tandem_cloud cloud;
    struct tandem_cloud_config config;
    struct tandem_cloud_policy policy;
    struct tandem_http_port http;
    struct tandem_store_port store;
    uint8_t record[TANDEM_CLOUD_RECORD_SIZE];
    size_t record_size;
    uint32_t now;
    uint64_t clock; /* Unix seconds at now 0; 0: none */
    int rebooted;
    int8_t dbm;
    enum tandem_status window;

    /* the exchange under way */
    struct tandem_http_response head;
    char answer[2000];
    const uint8_t *body;
    uint32_t body_size, body_at;
    enum tandem_status broken; /* what ends the body or the exchange; OK: nothing */
    uint32_t break_at;         /* body bytes before it does */
    int under_way, lost;

    /* the service */
    unsigned state; /* of the task */
    int no_task, cancel, confirm, attributes, skip_update, etag_changed;
    unsigned token; /* number in the token, raised with each check */
    unsigned requests, checks, downloads, reports, versions, starts, received, cancelled, confirmed, configured;
    long result; /* last step above 100, or 1/-1 for hawkBit */
    char version[32];
    uint64_t bytes;

    /* faults: one for a kind of request, `times` times */
    const char *fault_at;
    unsigned fault_times;
    unsigned fault_status;        /* HTTP status */
    const char *fault_body;       /* JSON */
    const char *fault_extra;      /* Ota-Errno */
    enum tandem_status fault_cut; /* the exchange dies */
    uint32_t fault_after;         /* body bytes before it */
    uint32_t retry_after;
    int whole_always, wrong_range, no_length, no_range_header, wrong_md5;
    int hide_signal, power, signal, retry, interval;
};

static int has(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

static void answer_json(struct world *w, unsigned status, const char *text)
{
    w->head.status = (uint16_t)status;
    snprintf(w->answer, sizeof w->answer, "%s", text);
    w->body = (const uint8_t *)w->answer;
    w->body_size = (uint32_t)strlen(w->answer);
    w->head.length = w->body_size;
}

static void answer_package(struct world *w, const struct tandem_http_request *request)
{
    uint32_t first = request->offset, last = request->length ? first + request->length - 1 : w->new.size - 1;
    int ranged = (first != 0 || request->length != 0) && !w->whole_always;
    if (request->if_range != NULL && w->etag_changed)
        ranged = 0;
    if (last >= w->new.size)
        last = w->new.size - 1;
    if (!ranged) {
        first = 0;
        last = w->new.size - 1;
    }
    w->downloads++;
    w->head.status = ranged ? 206 : 200;
    w->body = w->new.bytes + first;
    w->body_size = last - first + 1;
    w->head.length = w->no_length ? TANDEM_HTTP_UNKNOWN : w->body_size;
    if (ranged && !w->no_range_header) {
        w->head.first = w->wrong_range ? first + 1 : first;
        w->head.last = last;
        w->head.total = w->new.size;
    }
    snprintf(w->head.etag, sizeof w->head.etag, "\"v%d\"", w->etag_changed);
}

static const char *md5_text(const struct world *w)
{
    static char text[33];
    struct tandem_md5 md5;
    uint8_t digest[16];
    tandem_md5_init(&md5);
    tandem_md5_update(&md5, w->new.bytes, w->new.size);
    tandem_md5_final(&md5, digest);
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned)(digest[i] ^ (w->wrong_md5 ? 1 : 0)));
    return text;
}

static void onenet_progress(struct world *w, const char *body)
{
    long step = strtol(strchr(body, ':') + 1, NULL, 10);
    if (w->state >= SUCCEEDED || w->state == 0) {
        answer_json(w, 200, "{\"errno\":20,\"error\":\"task finish\",\"code\":20}");
        return;
    }
    if (step <= 100) {
        CHECK_EQUAL(w->state, DOWNLOADING);
        if (step == 100) {
            w->received++;
            w->state = UPGRADING;
        }
    } else {
        w->reports++;
        w->result = step;
        w->state = step == 201 ? SUCCEEDED : FAILED_;
        if (step == 201)
            snprintf(w->version, sizeof w->version, "2.0.0");
    }
    answer_json(w, 200, "{\"errno\":0,\"code\":0}");
}

static void serve_onenet(struct world *w, const struct tandem_http_request *request)
{
    int legacy = w->config.service == TANDEM_CLOUD_ONENET_LEGACY;
    char text[600], name[40];
    snprintf(name, sizeof name, legacy ? "ota_%020u" : "%u", w->token + 1000);
    CHECK(request->authorization != NULL);
    if (has(request->url, "/version")) {
        CHECK(strcmp(request->method, "POST") == 0);
        CHECK(has(request->body, "\"s_version\":\"1.0.0\"") || has(request->body, "\"s_version\":\"2.0.0\""));
        w->versions++;
        snprintf(w->version, sizeof w->version, "%.5s", strchr(request->body, ':') + 2);
        if (strcmp(w->version, "2.0.0") == 0)
            w->state = SUCCEEDED;
        answer_json(w, 200, "{\"errno\":0,\"code\":0}");
    } else if (has(request->url, legacy ? "/ota/south/check?" : "/check?type=2&version=")) {
        w->checks++;
        if (w->no_task || w->state >= SUCCEEDED) {
            answer_json(w, 200, legacy ? "{\"errno\":11,\"error\":\"no\"}" : "{\"code\":12012,\"msg\":\"not exist\"}");
            return;
        }
        if (legacy) {
            w->token++;
            snprintf(name, sizeof name, "ota_%020u", w->token + 1000);
        }
        size_t at = (size_t)snprintf(text, sizeof text,
                                     "{\"errno\":0,\"code\":0,\"data\":{\"target\":\"2.0.0\",\"%s\":%s%s%s,\"size\":%u,"
                                     "\"md5\":\"%s\",\"type\":1,\"status\":%u",
                                     legacy ? "token" : "tid", legacy ? "\"" : "", name, legacy ? "\"" : "",
                                     (unsigned)w->new.size, md5_text(w), w->state);
        if (legacy)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   ",\"signal\":%d,\"power\":%d,\"retry\":%d,\"interval\":%d", w->signal, w->power,
                                   w->retry, w->interval);
        snprintf(text + at, sizeof text - at, "}}");
        answer_json(w, 200, text);
    } else if (!has(request->url, name)) {
        answer_json(w, 200, "{\"errno\":15,\"code\":15}");
    } else if (has(request->url, "/check")) {
        w->starts++;
        if (w->state == OPEN_)
            w->state = DOWNLOADING;
        snprintf(text, sizeof text, "{\"errno\":%d,\"code\":0,\"data\":{\"status\":%u}}",
                 w->state == CANCELLED_ ? 22
                 : w->state > UPGRADING ? 20
                                        : 0,
                 w->state);
        answer_json(w, 200, text);
    } else if (has(request->url, "/progress") || has(request->url, "/status")) {
        onenet_progress(w, request->body);
    } else {
        CHECK(has(request->url, legacy ? "/ota/south/download/" : "/download"));
        CHECK(request->extra != NULL && strcmp(request->extra, "Ota-Errno") == 0);
        if (w->state == CANCELLED_) {
            w->head.has_extra = 1;
            strcpy(w->head.extra, "5");
            answer_json(w, 200, "5");
            return;
        }
        answer_package(w, request);
        w->head.has_extra = 1;
        strcpy(w->head.extra, "0");
    }
}

static void hawkbit_feedback(struct world *w, const struct tandem_http_request *request)
{
    if (w->state >= SUCCEEDED || w->state == 0) {
        answer_json(w, 410, "");
        return;
    }
    if (has(request->body, "\"execution\":\"closed\"")) {
        w->reports++;
        w->result = has(request->body, "\"finished\":\"success\"") ? 1 : -1;
        w->state = w->result > 0 ? SUCCEEDED : FAILED_;
    } else if (has(request->body, "\"downloaded\"")) {
        w->received++;
        w->state = UPGRADING;
    } else {
        w->starts++;
        w->state = DOWNLOADING;
    }
    answer_json(w, 200, "");
}

static void serve_hawkbit(struct world *w, const struct tandem_http_request *request)
{
    char text[1500];
    const char *root = "http://server/DEFAULT/controller/v1/dev";
    CHECK(request->authorization != NULL && strcmp(request->authorization, "TargetToken abc") == 0);
    CHECK(strncmp(request->url, root, strlen(root)) == 0);
    const char *path = request->url + strlen(root);
    if (*path == 0) {
        const char *link = NULL;
        w->checks++;
        size_t at =
            (size_t)snprintf(text, sizeof text, "{\"config\":{\"polling\":{\"sleep\":\"00:10:00\"}},\"_links\":{");
        if (w->attributes)
            at += (size_t)snprintf(text + at, sizeof text - at, "\"configData\":{\"href\":\"%s/configData\"},", root);
        if (w->cancel)
            link = "cancelAction/7?x=\\u0031";
        if (w->confirm)
            link = "confirmationBase/7?c=-5";
        if (link == NULL && !w->no_task && w->state < SUCCEEDED)
            link = "deploymentBase/7?c=-12";
        if (link != NULL)
            at += (size_t)snprintf(text + at, sizeof text - at, "\"%.*s\":{\"href\":\"%s/%s\"},",
                                   (int)strcspn(link, "/"), link, root, link);
        snprintf(text + at, sizeof text - at, "\"self\":{}}}");
        answer_json(w, 200, text);
    } else if (strcmp(path, "/configData") == 0) {
        CHECK(strcmp(request->method, "PUT") == 0 && has(request->body, "\"data\":{\"hw\":\"1\"}"));
        w->attributes = 0;
        w->configured++;
        answer_json(w, 200, "");
    } else if (strcmp(path, "/deploymentBase/7?c=-12") == 0) {
        const char *artifact =
            "{\"filename\":\"%s\",\"hashes\":{\"sha1\":\"x\",\"md5\":\"%s\"},\"size\":%u,\"_links\":{"
            "\"download-http\":{\"href\":\"%s/softwaremodules/3/artifacts/%s\"}}}";
        char first[400], second[400];
        snprintf(first, sizeof first, artifact, "notes.txt", "00", 5u, root, "notes.txt");
        snprintf(second, sizeof second, artifact, "app.tdm", md5_text(w), (unsigned)w->new.size, root, "app.tdm");
        snprintf(text, sizeof text,
                 "{\"id\":\"7\",\"deployment\":{\"download\":\"forced\",\"update\":\"%s\",\"chunks\":[{\"part\":\"os\","
                 "\"version\":\"2.0\",\"artifacts\":[%s,%s,%s]}]}}",
                 w->skip_update ? "skip" : "forced", first, second, first);
        answer_json(w, 200, text);
    } else if (strcmp(path, "/deploymentBase/7/feedback") == 0) {
        hawkbit_feedback(w, request);
    } else if (strcmp(path, "/cancelAction/7?x=1") == 0) {
        answer_json(w, 200, "{\"id\":\"7\",\"cancelAction\":{\"stopId\":\"7\"}}");
    } else if (strcmp(path, "/cancelAction/7/feedback") == 0) {
        w->cancelled++;
        w->cancel = 0;
        w->result = has(request->body, "rejected") ? -2 : 2;
        if (w->result == 2)
            w->state = CANCELLED_;
        answer_json(w, 200, "");
    } else if (strcmp(path, "/confirmationBase/7/feedback") == 0) {
        w->confirmed++;
        w->confirm = 0;
        w->no_task = has(request->body, "denied");
        answer_json(w, 200, "");
    } else {
        CHECK(strcmp(path, "/softwaremodules/3/artifacts/app.tdm") == 0);
        answer_package(w, request);
    }
}

static enum tandem_status http_begin(void *ctx, const struct tandem_http_request *request)
{
    struct world *w = ctx;
    memset(&w->head, 0, sizeof w->head);
    w->head.length = w->head.first = w->head.last = w->head.total = w->head.retry_after_s = TANDEM_HTTP_UNKNOWN;
    w->requests++;
    w->body_at = 0;
    w->broken = TANDEM_OK;
    w->under_way = 1;
    REQUIRE(w->requests < 5000);
    if (w->lost) {
        w->broken = TANDEM_ERROR_DISCONNECTED;
        w->break_at = 0;
        w->head.status = 0;
        return TANDEM_OK;
    }
    /* A token check has the download's path in it. */
    int aside = w->fault_at != NULL && has(request->url, "/check?dev_id=") && !has(w->fault_at, "/check");
    if (w->fault_at != NULL && w->fault_times > 0 && has(request->url, w->fault_at) && !aside) {
        w->fault_times--;
        w->head.retry_after_s = w->retry_after;
        if (w->fault_cut != TANDEM_OK) {
            if (w->fault_after > 0) {
                if (w->config.service == TANDEM_CLOUD_HAWKBIT)
                    serve_hawkbit(w, request);
                else
                    serve_onenet(w, request);
            }
            w->broken = w->fault_cut;
            w->break_at = w->fault_after;
            return TANDEM_OK;
        }
        if (w->fault_extra != NULL) {
            w->head.has_extra = 1;
            snprintf(w->head.extra, sizeof w->head.extra, "%s", w->fault_extra);
        }
        answer_json(w, w->fault_status, w->fault_body != NULL ? w->fault_body : "");
        return TANDEM_OK;
    }
    if (w->config.service == TANDEM_CLOUD_HAWKBIT)
        serve_hawkbit(w, request);
    else
        serve_onenet(w, request);
    return TANDEM_OK;
}

static enum tandem_status http_head(void *ctx, const struct tandem_http_response **head)
{
    struct world *w = ctx;
    CHECK(w->under_way);
    *head = &w->head;
    return w->broken != TANDEM_OK && w->break_at == 0 ? w->broken : TANDEM_OK;
}

static enum tandem_status http_read(void *ctx, void *data, size_t size, size_t *got)
{
    struct world *w = ctx;
    uint32_t left = w->body_size - w->body_at;
    CHECK(w->under_way);
    if (w->broken != TANDEM_OK && w->body_size > w->break_at)
        left = w->break_at - w->body_at;
    *got = left < size ? left : size;
    if (*got == 0 && w->broken != TANDEM_OK)
        return w->broken;
    memcpy(data, w->body + w->body_at, *got);
    w->body_at += (uint32_t)*got;
    w->bytes += *got;
    return TANDEM_OK;
}

static void http_cancel(void *ctx)
{
    ((struct world *)ctx)->under_way = 0;
}

static enum tandem_status load(void *ctx, void *data, size_t size, size_t *got)
{
    struct world *w = ctx;
    *got = w->record_size < size ? w->record_size : size;
    memcpy(data, w->record, *got);
    return TANDEM_OK;
}

static enum tandem_status save(void *ctx, const void *data, size_t size)
{
    struct world *w = ctx;
    memcpy(w->record, data, size);
    w->record_size = size;
    return TANDEM_OK;
}

static struct world *now_world;

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    now_world->rebooted = 1;
    return TANDEM_OK;
}

static enum tandem_status signal_now(void *ctx, int8_t *dbm)
{
    (void)ctx;
    *dbm = now_world->dbm;
    return TANDEM_OK;
}

static uint64_t clock_now(void *ctx)
{
    struct world *w = ctx;
    return w->clock == 0 ? 0 : w->clock + w->now / 1000;
}

static enum tandem_status window_now(void *ctx)
{
    return ((struct world *)ctx)->window;
}

static void begin_client(struct world *w)
{
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
    REQUIRE(tandem_cloud_init(&w->cloud, &w->config, &w->http, &w->store, &w->f.install) == TANDEM_OK);
}

static void start(struct world *w, enum tandem_cloud_service service)
{
    static const struct tandem_onenet_key key = {
        "products/p1/devices/dev", "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", 2524579200u, TANDEM_ONENET_SHA256};
    struct tandem_boot boot;
    memset(w, 0, sizeof *w);
    now_world = w;
    w->old = fixture_package(1);
    w->new = fixture_package(2);
    fixture_open(&w->f, NULL);
    fixture_factory(&w->f, 0, &w->old);
    w->f.system.reboot = reboot;
    w->f.system.signal = signal_now;
    w->dbm = -50;
    w->state = OPEN_;
    w->now = 1;
    w->retry_after = TANDEM_HTTP_UNKNOWN;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    w->policy = (struct tandem_cloud_policy){.ctx = w, .clock = clock_now, .window = window_now};
    w->config = (struct tandem_cloud_config){.service = (uint8_t)service,
                                             .base = "http://server",
                                             .product = service == TANDEM_CLOUD_HAWKBIT ? "DEFAULT" : "p1",
                                             .device = "dev",
                                             .version = "1.0.0",
                                             .attributes = "{\"hw\":\"1\"}",
                                             .policy = &w->policy,
                                             .seed = 1};
    if (service == TANDEM_CLOUD_HAWKBIT)
        w->config.authorization = "TargetToken abc";
    else
        w->config.key = &key;
    w->http = (struct tandem_http_port){w, http_begin, http_head, http_read, http_cancel, NULL};
    w->store = (struct tandem_store_port){w, load, save};
    begin_client(w);
}

static void end(struct world *w)
{
    fixture_close(&w->f);
    package_free(&w->old);
    package_free(&w->new);
}

/* Run until it is told to restart, or for `seconds`. */
static void run(struct world *w, uint32_t seconds)
{
    uint32_t until = w->now + seconds * 1000;
    while (w->now < until && !w->rebooted)
        w->now += tandem_cloud_poll(&w->cloud, w->now) == TANDEM_AGAIN ? 1 : 500;
}

/* The restart: the bootloader decides, and the client begins anew. */
static enum tandem_boot_reason reset(struct world *w)
{
    struct tandem_boot boot;
    w->rebooted = 0;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    if (boot.version.major == 2)
        w->config.version = "2.0.0";
    else
        w->config.version = "1.0.0";
    begin_client(w);
    return boot.reason;
}

static const enum tandem_cloud_service services[] = {TANDEM_CLOUD_ONENET, TANDEM_CLOUD_ONENET_LEGACY,
                                                     TANDEM_CLOUD_HAWKBIT};
#define EACH_SERVICE(s) \
    unsigned s = 0;     \
    s < 3;              \
    s++

static long good(const struct world *w)
{
    return w->config.service == TANDEM_CLOUD_HAWKBIT ? 1 : 201;
}

/* From here to the end of an update that goes well. */
static void finish(struct world *w)
{
    run(w, 86400);
    CHECK(w->rebooted);
    CHECK_EQUAL(w->received, 1);
    CHECK_EQUAL(reset(w), TANDEM_BOOT_TRIAL);
    run(w, 30);
    CHECK_EQUAL(w->reports, 0); /* not before it is confirmed */
    CHECK_EQUAL(tandem_install_confirm(&w->f.install), TANDEM_OK);
    run(w, 7200);
    CHECK_EQUAL(w->reports, 1);
    CHECK_EQUAL(w->result, good(w));
    CHECK_EQUAL(w->state, SUCCEEDED);
    CHECK(!tandem_cloud_busy(&w->cloud));
    run(w, 7200);
    CHECK_EQUAL(w->reports, 1);
}

/* ---- whole updates ---- */

static void whole_update(void)
{
    for (EACH_SERVICE(s))
        for (unsigned slice = 0; slice < 2000; slice = slice * 3 + 500) {
            struct world w;
            start(&w, services[s]);
            w.config.slice = slice;
            finish(&w);
            CHECK(slice > 0 || w.downloads == 1);
            CHECK(w.bytes < w.new.size + 8000);
            if (s < 2)
                CHECK(strcmp(w.version, "2.0.0") == 0);
            end(&w);
        }
}

static void nothing_to_do(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.no_task = 1;
        run(&w, 4 * 3600);
        CHECK_EQUAL(w.checks, w.config.service == TANDEM_CLOUD_HAWKBIT ? w.checks : 4 + (w.checks > 4));
        if (s == 2)
            CHECK(w.checks >= 20 && w.checks <= 33); /* ten minutes, as it says, a quarter more or less */
        else
            CHECK_EQUAL(w.versions, 1);
        CHECK_EQUAL(tandem_cloud_error(&w.cloud), TANDEM_OK);
        unsigned before = w.checks;
        tandem_cloud_check(&w.cloud);
        run(&w, 2);
        CHECK_EQUAL(w.checks, before + 1);
        end(&w);
    }
}

/* The new firmware does not confirm itself: the old one says so. */
static void rolled_back(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        run(&w, 3600);
        CHECK(w.rebooted);
        for (unsigned i = 0; i < 3; i++) {
            CHECK_EQUAL(reset(&w), TANDEM_BOOT_TRIAL);
            run(&w, 10);
        }
        CHECK_EQUAL(reset(&w), TANDEM_BOOT_REVERTED);
        run(&w, 7200);
        CHECK_EQUAL(w.reports, 1);
        CHECK_EQUAL(w.result, s == 2 ? -1 : 206);
        CHECK_EQUAL(w.state, FAILED_);
        end(&w);
    }
}

/* ---- reports last ---- */

static void report_later(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        run(&w, 3600);
        CHECK_EQUAL(reset(&w), TANDEM_BOOT_TRIAL);
        w.lost = 1;
        CHECK_EQUAL(tandem_install_confirm(&w.f.install), TANDEM_OK);
        for (unsigned i = 0; i < 3; i++) {
            run(&w, 300);
            CHECK(tandem_cloud_busy(&w.cloud));
            (void)reset(&w);
        }
        CHECK_EQUAL(w.reports, 0);
        w.lost = 0;
        run(&w, 7200);
        CHECK_EQUAL(w.reports, 1);
        CHECK_EQUAL(w.result, good(&w));
        (void)reset(&w);
        run(&w, 7200);
        CHECK_EQUAL(w.reports, 1);
        end(&w);
    }
}

/* ---- faults of the way ---- */

/* The connection dies after every so many bytes: it goes on there, and pays little more than once. */
static void cut_connections(void)
{
    for (EACH_SERVICE(s))
        for (uint32_t after = 1; after < 3000; after = after * 3 + 100) {
            struct world w;
            start(&w, services[s]);
            w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
            w.fault_times = 4;
            w.fault_cut = TANDEM_ERROR_TRUNCATED;
            w.fault_after = after;
            finish(&w);
            CHECK(w.bytes < w.new.size + 20000);
            end(&w);
        }
}

/* A restart without notice in the middle: the transfer goes on. */
static void power_lost(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
        w.fault_times = 1;
        w.fault_cut = TANDEM_ERROR_TRUNCATED;
        w.fault_after = w.new.size * 3 / 4;
        while (w.bytes < w.new.size * 3 / 4)
            run(&w, 1);
        CHECK_EQUAL(reset(&w), TANDEM_BOOT_CONFIRMED);
        uint64_t before = w.bytes;
        finish(&w);
        CHECK(w.bytes - before < w.new.size / 2 + 4000);
        end(&w);
    }
}

struct range_fault {
    int whole_always, wrong_range, no_length, no_range_header;
    int fails;
};

static void odd_ranges(void)
{
    static const struct range_fault faults[] = {
        {1, 0, 0, 0, 0}, /* 200 to a ranged request: from byte 0 */
        {0, 1, 0, 0, 1}, /* another range than was asked for */
        {0, 0, 0, 1, 0}, /* no Content-Range: its length must fit */
    };
    for (EACH_SERVICE(s))
        for (unsigned i = 0; i < 3; i++) {
            struct world w;
            start(&w, services[s]);
            w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
            w.fault_times = 2;
            w.fault_cut = TANDEM_ERROR_TRUNCATED;
            w.fault_after = 3000;
            w.whole_always = faults[i].whole_always;
            w.wrong_range = faults[i].wrong_range;
            w.no_range_header = faults[i].no_range_header;
            if (faults[i].fails) {
                run(&w, 86400);
                CHECK(!w.rebooted);
                CHECK_EQUAL(w.reports, 1);
                CHECK(w.result == (s == 2 ? -1 : 107));
            } else {
                finish(&w);
            }
            end(&w);
        }
}

/* OneNET: an answer without a length is an error, and none of it is written. */
static void no_length(void)
{
    for (unsigned s = 0; s < 2; s++) {
        struct world w;
        start(&w, services[s]);
        w.no_length = 1;
        run(&w, 86400);
        CHECK_EQUAL(tandem_install_wants(&w.f.install), 0);
        CHECK_EQUAL(w.result, 107);
        end(&w);
    }
}

static void changed_etag(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
        w.fault_times = 1;
        w.fault_cut = TANDEM_ERROR_TRUNCATED;
        w.fault_after = 3000;
        while (w.bytes < 3000)
            run(&w, 1);
        w.etag_changed = 1;
        finish(&w);
        end(&w);
    }
}

/* X2, X12: errors of the server end it after so many tries, overload does not; both at a growing distance. */
static void server_errors(void)
{
    static const struct {
        unsigned status;
        int ends; /* the task is reported as failed */
    } cases[] = {{500, 1}, {502, 1}, {503, 0}, {429, 0}, {400, 1}, {416, 1}};
    for (EACH_SERVICE(s))
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct world w;
            start(&w, services[s]);
            w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
            w.fault_times = 1000;
            w.fault_status = cases[i].status;
            w.retry_after = cases[i].status == 503 ? 1800 : TANDEM_HTTP_UNKNOWN;
            run(&w, 6 * 3600);
            CHECK_EQUAL(w.reports, (unsigned)cases[i].ends);
            unsigned tries = 1000 - w.fault_times;
            CHECK(cases[i].ends ? tries <= 6 : tries >= 4 && tries < 500);
            if (cases[i].status == 503)
                CHECK(tries <= 18);
            if (!cases[i].ends) {
                w.fault_times = 0;
                finish(&w);
            }
            end(&w);
        }
}

static void service_down(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.lost = 1;
        run(&w, 86400);
        CHECK(w.requests > 10 && w.requests < 60);
        CHECK_EQUAL(tandem_cloud_error(&w.cloud), TANDEM_ERROR_DISCONNECTED);
        w.lost = 0;
        finish(&w);
        end(&w);
    }
}

static void damaged_package(void)
{
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.new.bytes[w.new.size - 100] ^= 1; /* and its MD5 is right */
        run(&w, 86400);
        CHECK(!w.rebooted);
        CHECK_EQUAL(w.result, s == 2 ? -1 : 205);
        CHECK(w.bytes < 5 * w.new.size + 40000);
        end(&w);
        start(&w, services[s]);
        w.wrong_md5 = 1; /* the package is good: still not what was announced */
        run(&w, 86400);
        CHECK(!w.rebooted);
        CHECK_EQUAL(w.result, s == 2 ? -1 : 205);
        end(&w);
    }
}

/* ---- what the service says ---- */

static void onenet_numbers(void)
{
    static const struct {
        const char *at, *body, *extra;
        long result; /* of the report; 0: none */
        int goes_on; /* the update succeeds afterwards */
    } cases[] = {
        {"/south/check?", "{\"errno\":7}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":10}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":11}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":13}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":19}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":9}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":1}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":2}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":8}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":27}", NULL, 201, 1},
        {"/south/check?", "not json", NULL, 201, 1},
        {"/south/check?", "{\"errno\":0}", NULL, 201, 1},
        {"/south/check?", "{\"errno\":0,\"data\":{\"token\":\"a/b\",\"size\":5,\"md5\":\"x\"}}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":4}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":12}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":15}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":17}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":18}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":19}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":20}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":22}", NULL, 201, 1},
        {"1001/check?dev_id=", "{\"errno\":23}", NULL, 201, 1},
        {"/download/ota_", "\1", "1", 107, 0},
        {"/download/ota_", "2", "2", 107, 0},
        {"/download/ota_", "x", "4", 107, 0},
        {"/download/ota_", "x", "5", 201, 1},
        {"/download/ota_", "x", "6", 201, 1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        start(&w, TANDEM_CLOUD_ONENET_LEGACY);
        w.fault_at = cases[i].at;
        w.fault_times = 1;
        w.fault_status = 200;
        w.fault_body = cases[i].body;
        w.fault_extra = cases[i].extra;
        if (cases[i].goes_on) {
            finish(&w);
        } else {
            run(&w, 7000);
            CHECK_EQUAL(w.result, cases[i].result);
        }
        end(&w);
    }
}

static void cancelled(void)
{
    for (unsigned s = 0; s < 2; s++) {
        struct world w; /* OneNET: noticed at the next look, and nothing is reported */
        start(&w, services[s]);
        w.config.slice = 1000;
        w.config.recheck_s = 1;
        while (w.bytes < 3000)
            w.now += tandem_cloud_poll(&w.cloud, w.now) == TANDEM_AGAIN ? 200 : 500;
        w.state = CANCELLED_;
        run(&w, 3600);
        CHECK(!w.rebooted);
        CHECK_EQUAL(w.reports, 0);
        CHECK(!tandem_cloud_busy(&w.cloud));
        end(&w);
    }
    struct world w;
    start(&w, TANDEM_CLOUD_HAWKBIT);
    while (w.bytes < 4000)
        w.now += tandem_cloud_poll(&w.cloud, w.now) == TANDEM_AGAIN ? 200 : 500;
    w.cancel = 1;
    w.config.recheck_s = 1;
    w.now += 2000;
    run(&w, 3600);
    CHECK(!w.rebooted);
    CHECK_EQUAL(w.cancelled, 1);
    CHECK_EQUAL(w.result, 2);
    CHECK(!tandem_cloud_busy(&w.cloud));
    end(&w);
    start(&w, TANDEM_CLOUD_HAWKBIT); /* by the device's own side */
    while (w.bytes < 4000)
        w.now += tandem_cloud_poll(&w.cloud, w.now) == TANDEM_AGAIN ? 200 : 500;
    CHECK_EQUAL(tandem_cloud_cancel(&w.cloud), TANDEM_OK);
    run(&w, 100);
    CHECK_EQUAL(w.result, -1);
    CHECK_EQUAL(tandem_cloud_cancel(&w.cloud), TANDEM_ERROR_STATE);
    end(&w);
}

static void hawkbit_flow(void)
{
    struct world w;
    start(&w, TANDEM_CLOUD_HAWKBIT);
    w.attributes = 1;
    w.confirm = 1;
    w.skip_update = 1; /* its window is closed */
    run(&w, 7200);
    CHECK(!w.rebooted);
    CHECK_EQUAL(w.configured, 1);
    CHECK_EQUAL(w.confirmed, 1);
    CHECK_EQUAL(w.received, 1);
    CHECK_EQUAL(w.downloads, 1);
    (void)reset(&w); /* and over a restart */
    run(&w, 7200);
    CHECK_EQUAL(w.downloads, 1);
    w.skip_update = 0;
    finish(&w);
    CHECK_EQUAL(w.downloads, 1);
    end(&w);
}

/* ---- conditions ---- */

static void conditions(void)
{
    struct world w;
    start(&w, TANDEM_CLOUD_ONENET_LEGACY);
    w.power = 50;
    w.signal = 12; /* -89 dBm */
    w.f.battery = 49;
    run(&w, 3600);
    CHECK_EQUAL(w.downloads, 0);
    CHECK_EQUAL(tandem_cloud_error(&w.cloud), TANDEM_ERROR_BATTERY);
    w.f.battery = 50;
    w.dbm = -90;
    run(&w, 3600);
    CHECK_EQUAL(w.downloads, 0);
    CHECK_EQUAL(tandem_cloud_error(&w.cloud), TANDEM_ERROR_SIGNAL);
    w.dbm = -89;
    w.window = TANDEM_AGAIN;
    run(&w, 7200);
    CHECK_EQUAL(w.received, 1);
    CHECK(!w.rebooted);
    w.window = TANDEM_OK;
    finish(&w);
    end(&w);
}

static void deadline(void)
{
    static const long codes[] = {207, 208, -1};
    for (EACH_SERVICE(s)) {
        struct world w;
        start(&w, services[s]);
        w.clock = 1700000000;
        w.config.deadline_s = 7200;
        w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
        w.fault_times = 1000;
        w.fault_status = 503;
        run(&w, 7000);
        CHECK_EQUAL(w.reports, 0);
        (void)reset(&w);
        run(&w, 1000);
        CHECK_EQUAL(w.reports, 1);
        CHECK_EQUAL(w.result, codes[s]);
        end(&w);
    }
}

/* A wait goes on after a restart: to its end by the clock, all of it anew without one. */
static void waits_last(void)
{
    for (unsigned with_clock = 0; with_clock < 2; with_clock++) {
        struct world w;
        start(&w, TANDEM_CLOUD_HAWKBIT);
        w.clock = with_clock ? 1700000000 : 0;
        w.fault_at = "artifacts";
        w.fault_times = 1;
        w.fault_status = 503;
        w.retry_after = 1000;
        run(&w, 600);
        unsigned before = w.requests;
        (void)reset(&w);
        run(&w, 100);
        CHECK_EQUAL(w.requests, before);
        run(&w, with_clock ? 560 : 1200);
        CHECK(w.rebooted || w.requests > before);
        end(&w);
    }
}

/* ---- power ---- */

static unsigned stride = 97; /* 1: every place; the program's argument */

/* After the cut: restarts until all is quiet, and then the new firmware runs, the service knows, and was told once. */
static void recovers(struct world *w)
{
    for (unsigned i = 0; i < 8; i++) {
        enum tandem_boot_reason reason = reset(w);
        CHECK(reason != TANDEM_BOOT_NONE && reason != TANDEM_BOOT_FALLBACK);
        if (tandem_install_state(&w->f.install) == TANDEM_STATE_TRIAL)
            CHECK_EQUAL(tandem_install_confirm(&w->f.install), TANDEM_OK);
        run(w, 20000);
        if (!w->rebooted)
            break;
    }
    CHECK(!tandem_cloud_busy(&w->cloud));
    CHECK_EQUAL(w->reports, 1);
    CHECK_EQUAL(w->result, good(w));
    CHECK(fixture_holds(&w->f, tandem_bank_running(&w->f.install.bank), TANDEM_KIND_APPLICATION, &w->new));
}

/* Run until power fails in operation `at` of the flash. @return 0 if it did not come to that */
static int run_until_cut(struct world *w, uint64_t at)
{
    struct sim_flash *const flashes[] = {&w->f.flash};
    jmp_buf out;

    w->f.power.tear = (enum sim_tear)(at % SIM_TEARS);
    w->f.power.cut_at = w->f.power.ops + at;
    w->f.power.out = &out;
    if (setjmp(out) == 0)
        run(w, 3600);
    int cut = !w->f.power.on;
    if (cut)
        sim_power_return(&w->f.power, flashes, 1);
    w->f.power.cut_at = 0;
    w->f.power.out = NULL;
    return cut;
}

/* At an operation of the flash, in the ways in which power fails. */
static void power_cut_in_flash(void)
{
    for (EACH_SERVICE(s)) {
        unsigned cuts = 0;
        int cut = 1;
        for (uint64_t at = 1; cut; at += stride) {
            struct world w;
            start(&w, services[s]);
            cut = run_until_cut(&w, at);
            cuts += cut ? 1 : 0;
            w.rebooted = 0;
            recovers(&w);
            end(&w);
        }
        CHECK(cuts > 1500 / stride);
    }
}

/* At a byte of the download. */
static void power_cut_on_the_way(void)
{
    for (EACH_SERVICE(s))
        for (uint32_t at = 1;; at += stride) {
            struct world w;
            start(&w, services[s]);
            uint32_t size = w.new.size;
            w.fault_at = s == 2 ? "artifacts" : s == 1 ? "/ota/south/download/" : "/download";
            w.fault_times = 1;
            w.fault_cut = TANDEM_ERROR_TIMEOUT;
            w.fault_after = at;
            while (w.broken == TANDEM_OK || w.body_at < at)
                w.now += tandem_cloud_poll(&w.cloud, w.now) == TANDEM_AGAIN ? 1 : 500;
            recovers(&w);
            CHECK(w.bytes < size + 9000);
            end(&w);
            if (at + stride >= size)
                break;
        }
}

/* ---- the record ---- */

static void bad_records(void)
{
    struct world w;
    start(&w, TANDEM_CLOUD_HAWKBIT);
    w.fault_at = "artifacts";
    w.fault_times = 1;
    w.fault_status = 503;
    run(&w, 10);
    REQUIRE(w.record_size > 100 && w.record_size <= TANDEM_CLOUD_RECORD_SIZE);
    begin_client(&w);
    CHECK(tandem_cloud_busy(&w.cloud));
    for (size_t i = 0; i < w.record_size; i++) {
        w.record[i] ^= 0x10;
        begin_client(&w);
        CHECK(!tandem_cloud_busy(&w.cloud));
        w.record[i] ^= 0x10;
    }
    w.record_size--;
    begin_client(&w);
    CHECK(!tandem_cloud_busy(&w.cloud));
    finish(&w); /* and without any it begins anew */
    end(&w);
}

/* ---- tokens ---- */

static void tokens(void)
{
    static const struct {
        const char *resource;
        uint8_t method;
        const char *sign;
    } cases[] = {
        {"products/123123", TANDEM_ONENET_MD5, "M3jB6jcSNUuGcvW3dFcrWA%3D%3D"},
        {"products/123123", TANDEM_ONENET_SHA1, "lsaPSiiGvEFFjXu5WU7a6IkScqE%3D"},
        {"products/123123", TANDEM_ONENET_SHA256, "tuFMd8Cc5krZO%2BRiNaW4mad5tauSFq2J89Gd70MXQPI%3D"},
        {"products/123123/devices/mydev", TANDEM_ONENET_SHA1, "p2Bv5QYrZolQCtt68923gtxRCVk%3D"},
    };
    char token[256];
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tandem_onenet_key key = {cases[i].resource, "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", 1537255523,
                                        cases[i].method};
        CHECK_EQUAL(tandem_onenet_token(&key, token, sizeof token), TANDEM_OK);
        CHECK(has(token, cases[i].sign) && strlen(strstr(token, "sign=") + 5) == strlen(cases[i].sign));
        if (i == 2)
            CHECK(strcmp(token, "version=2018-10-31&res=products%2F123123&et=1537255523&method=sha256&sign="
                                "tuFMd8Cc5krZO%2BRiNaW4mad5tauSFq2J89Gd70MXQPI%3D") == 0);
        size_t size = strlen(token) + 1;
        CHECK_EQUAL(tandem_onenet_token(&key, token, size), TANDEM_OK);
        CHECK_EQUAL(tandem_onenet_token(&key, token, size - 1), TANDEM_ERROR_SPACE);
        key.key = "not*base64";
        CHECK_EQUAL(tandem_onenet_token(&key, token, sizeof token), TANDEM_ERROR_ARGUMENT);
        key.key = "";
        CHECK_EQUAL(tandem_onenet_token(&key, token, sizeof token), TANDEM_ERROR_ARGUMENT);
    }
    struct tandem_onenet_key late = {"r", "AAAA", 7559008892u, TANDEM_ONENET_MD5};
    CHECK_EQUAL(tandem_onenet_token(&late, token, sizeof token), TANDEM_OK);
    CHECK(has(token, "&et=7559008892&"));
}

/* Promised: 2 KB besides the installer's window, with the HTTP client and a buffer of half a KB for it. Pointers of
 * eight bytes cost this machine a little more. */
static void memory(void)
{
    size_t size = sizeof(struct tandem_cloud) + sizeof(struct tandem_http_client) + 512;
    printf("client %zu, http %zu, with its buffer %zu bytes here\n", sizeof(struct tandem_cloud),
           sizeof(struct tandem_http_client), size);
    CHECK(sizeof(void *) > 4 ? size <= 2560 : size <= 2048);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        stride = (unsigned)atoi(argv[1]);
    RUN(tokens);
    RUN(memory);
    RUN(whole_update);
    RUN(nothing_to_do);
    RUN(rolled_back);
    RUN(report_later);
    RUN(cut_connections);
    RUN(power_lost);
    RUN(odd_ranges);
    RUN(no_length);
    RUN(changed_etag);
    RUN(server_errors);
    RUN(service_down);
    RUN(damaged_package);
    RUN(onenet_numbers);
    RUN(cancelled);
    RUN(hawkbit_flow);
    RUN(conditions);
    RUN(deadline);
    RUN(waits_last);
    RUN(power_cut_in_flash);
    RUN(power_cut_on_the_way);
    RUN(bad_records);
    return check_report();
}
