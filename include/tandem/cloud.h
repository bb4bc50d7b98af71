/**
 * @file
 * The cloud: a device pulls its update from a service that already exists,
 * OneNET or Eclipse hawkBit. It asks, checks the conditions, downloads by
 * ranges into the installer, restarts, and reports. See docs/cloud.md.
 *
 * It never waits: tandem_cloud_poll() moves it. What must last (the task, a
 * result that could not be sent) is one small record in a port of the
 * product's.
 */
#ifndef TANDEM_CLOUD_H
#define TANDEM_CLOUD_H

#include "tandem/http.h"
#include "tandem/install.h"
#include "tandem/json.h"
#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_CLOUD_TEXT_SIZE 576   /**< bytes for the URL, token and body of a request */
#define TANDEM_CLOUD_LINK_SIZE 384   /**< bytes of a link that a server gives, its end included */
#define TANDEM_CLOUD_ID_SIZE 36      /**< bytes of a task's name, its end included */
#define TANDEM_CLOUD_VERSION_SIZE 32 /**< bytes of a version's text, its end included */
#define TANDEM_CLOUD_RECORD_SIZE 224 /**< bytes of the record at most */

/** Services. */
enum tandem_cloud_service {
    TANDEM_CLOUD_ONENET = 1,        /**< OneNET, present generation ("fuse-ota"; Studio's paths are the same) */
    TANDEM_CLOUD_ONENET_LEGACY = 2, /**< OneNET OTA 2.0 (…/ota/south/…) */
    TANDEM_CLOUD_HAWKBIT = 3        /**< Eclipse hawkBit, Direct Device Integration v1 */
};

/** How a OneNET token is signed. */
enum tandem_onenet_method {
    TANDEM_ONENET_MD5 = 0,   /**< HMAC-MD5 */
    TANDEM_ONENET_SHA1 = 1,  /**< HMAC-SHA-1 */
    TANDEM_ONENET_SHA256 = 2 /**< HMAC-SHA-256 */
};

/** What a OneNET token is made from. */
struct tandem_onenet_key {
    const char *resource; /**< "products/…/devices/…", not URL-encoded */
    const char *key;      /**< access key, Base64 */
    uint64_t expires;     /**< Unix seconds */
    uint8_t method;       /**< enum tandem_onenet_method */
};

/**
 * Make a OneNET token, version 2018-10-31.
 * @param key what from
 * @param token,size where to; 256 bytes suit names up to 40 bytes
 * @return TANDEM_OK; TANDEM_ERROR_SPACE; TANDEM_ERROR_ARGUMENT (not Base64, or a key of more than 64 bytes)
 */
enum tandem_status tandem_onenet_token(const struct tandem_onenet_key *key, char *token, size_t size);

/** The product's say. Every function is optional. */
struct tandem_cloud_policy {
    void *ctx; /**< handed to every function */
    /** Unix time in seconds; 0: not known. With it waits end on time across restarts, and deadlines hold. */
    uint64_t (*clock)(void *ctx);
    /** May the device restart into its update now? @return TANDEM_OK; TANDEM_AGAIN: not now */
    enum tandem_status (*window)(void *ctx);
    /** hawkBit waits for a confirmation. @return TANDEM_OK yes; TANDEM_AGAIN not yet; TANDEM_ERROR_CONSENT no.
     *  NULL: yes */
    enum tandem_status (*confirm)(void *ctx, const char *action);
};

/** What a client is told. Texts end with 0, stay, and go into URLs as they are. Zero numbers take the default that is
 *  named. */
struct tandem_cloud_config {
    uint8_t service;                          /**< enum tandem_cloud_service */
    uint8_t component;                        /**< OneNET: 1 FOTA (module), 2 SOTA (application); 2 */
    uint8_t attempts;                         /**< failures in a row, without progress, that end a task; 5 */
    const char *base;                         /**< up to where the service's own paths begin, without '/' at the end */
    const char *authorization;                /**< the header's value; NULL: OneNET's token from `key` */
    const struct tandem_onenet_key *key;      /**< used if `authorization` is NULL */
    const char *product;                      /**< OneNET: product id; hawkBit: tenant */
    const char *device;                       /**< OneNET: device name, or dev_id; hawkBit: controller id */
    const char *version;                      /**< of the running firmware, as the service knows it */
    const char *manufacturer;                 /**< legacy OneNET */
    const char *model;                        /**< legacy OneNET */
    const char *attributes;                   /**< hawkBit: a JSON object of texts, told when it asks; NULL: {} */
    const struct tandem_cloud_policy *policy; /**< or NULL */
    uint32_t check_s;                         /**< between questions, if the service does not say; 3600 */
    uint32_t retry_s;                         /**< after the first failure, doubled each time; 60 */
    uint32_t retry_max_s;                     /**< at most; 3600 */
    uint32_t condition_s;                     /**< between looks at conditions; 60 */
    uint32_t recheck_s;                       /**< the task's validity is asked for again in a download; 300 */
    uint32_t deadline_s;                      /**< from the task's arrival, needs the clock; 0: none */
    uint32_t slice;                           /**< bytes of a range; 0: one request for all that is left */
    uint32_t seed;                            /**< differs between devices, so that they do not ask at once */
};

/** A task: what lasts. Fields are the library's own. */
struct tandem_cloud_task {
    uint8_t phase;                           /**< none, taken, to be activated, ended */
    uint8_t kind;                            /**< OneNET: 1 full, 2 difference */
    uint8_t signal;                          /**< least, in CSQ units; 0: any */
    uint8_t power;                           /**< least battery, percent; 0: any */
    uint8_t retries;                         /**< failures that end it */
    uint8_t failures;                        /**< in a row */
    uint8_t status;                          /**< enum tandem_status of the result */
    uint8_t told;                            /**< what the service has been told, as bits */
    uint32_t size;                           /**< bytes of the package */
    uint32_t interval_s;                     /**< between tries */
    uint32_t spent;                          /**< bytes downloaded for it */
    uint32_t wait_s;                         /**< wait under way; 0: none */
    uint64_t until;                          /**< its end in Unix seconds; 0: no clock */
    uint64_t since;                          /**< arrival in Unix seconds; 0: no clock */
    char id[TANDEM_CLOUD_ID_SIZE];           /**< token, task or action */
    char version[TANDEM_CLOUD_VERSION_SIZE]; /**< target */
    uint8_t md5[TANDEM_MD5_SIZE];            /**< of the package */
    uint8_t package[TANDEM_PACKAGE_ID_SIZE]; /**< its id, once activated */
    char etag[48];                           /**< of what is being downloaded */
};

/** A client. Fields are the library's own; ask through the functions. */
struct tandem_cloud {
    const struct tandem_cloud_config *config; /**< told */
    const struct tandem_http_port *http;      /**< used */
    const struct tandem_store_port *store;    /**< used */
    struct tandem_install *install;           /**< where the package goes */
    const struct tandem_http_response *head;  /**< of the answer in hand */
    struct tandem_http_request request;       /**< under way */
    struct tandem_json json;                  /**< reads the answer */
    struct tandem_md5 md5;                    /**< of what went by in order */
    struct tandem_cloud_task task;            /**< lasts */
    uint32_t now;                             /**< last time seen, ms */
    uint32_t wait_ms;                         /**< when the wait began */
    uint32_t asked_ms;                        /**< when the task was last known to be valid */
    uint32_t at;                              /**< package offset of the next byte of the body */
    uint32_t hashed;                          /**< bytes that `md5` has seen */
    uint32_t failed_at;                       /**< how far it was at the last failure */
    uint32_t random;                          /**< state */
    uint32_t sleep_s;                         /**< as the service wants it; 0: it does not say */
    uint32_t said_version;                    /**< check of the version that was reported last; lasts */
    uint32_t size;                            /**< as read from an answer */
    uint32_t interval;                        /**< as read */
    uint32_t code;                            /**< as read; UNKNOWN: none */
    uint16_t used;                            /**< bytes of `text` */
    uint8_t step;                             /**< under way */
    uint8_t then;                             /**< step after the wait */
    uint8_t body;                             /**< 1: the head is here */
    uint8_t retry;                            /**< as read */
    uint8_t signal;                           /**< as read */
    uint8_t power;                            /**< as read */
    uint8_t kind;                             /**< as read */
    uint8_t state;                            /**< as read */
    uint8_t link;                             /**< step that a link leads to */
    uint8_t artifacts;                        /**< as read */
    uint8_t fit;                              /**< 1: an artifact was chosen */
    uint8_t skip;                             /**< 1: not to be activated now */
    uint8_t begun;                            /**< 1: the installer takes this task's package */
    uint8_t overflow;                         /**< 1: `text` was too small */
    uint8_t percent;                          /**< told last */
    uint8_t error;                            /**< enum tandem_status of the last failure */
    char id[TANDEM_CLOUD_ID_SIZE];            /**< as read */
    char version[TANDEM_CLOUD_VERSION_SIZE];  /**< as read */
    char hash[40];                            /**< as read */
    char word[40];                            /**< as read */
    char text[TANDEM_CLOUD_TEXT_SIZE];        /**< of the request; first a link */
};

/**
 * Prepare, and take up what the record says was under way: a download, a
 * wait, a result that was not reported.
 * @param cloud caller's
 * @param config told; must outlive it
 * @param http used; must outlive it
 * @param store where the record lasts; must outlive it
 * @param install opened; must outlive it. The application confirms through it.
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (the service, or a text is missing); TANDEM_ERROR_PORT (the record could not
 *         be read)
 */
enum tandem_status tandem_cloud_init(struct tandem_cloud *cloud, const struct tandem_cloud_config *config,
                                     const struct tandem_http_port *http, const struct tandem_store_port *store,
                                     struct tandem_install *install);

/**
 * Move: time, HTTP, the installer, a bounded amount of each.
 * @param cloud prepared
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: call soon; TANDEM_OK: nothing to do for about a second
 */
enum tandem_status tandem_cloud_poll(struct tandem_cloud *cloud, uint32_t now_ms);

/** Ask the service now: a push arrived, or somebody pressed a button. */
void tandem_cloud_check(struct tandem_cloud *cloud);
/** Give up the task on the device's side; the service is told that it failed. @return TANDEM_OK; TANDEM_ERROR_STATE
 *  (none, or it is activated) */
enum tandem_status tandem_cloud_cancel(struct tandem_cloud *cloud);
/** Whether a task is under way or a result waits to be reported. */
int tandem_cloud_busy(const struct tandem_cloud *cloud);
/** Why the last request or task failed; TANDEM_OK: it did not. */
enum tandem_status tandem_cloud_error(const struct tandem_cloud *cloud);

#ifdef __cplusplus
}
#endif

#endif
