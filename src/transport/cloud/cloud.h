/*
 * What the engine of the cloud and its services share. A service composes
 * requests and understands answers; the engine decides when, how often, and
 * what follows.
 */
#ifndef TANDEM_CLOUD_CLOUD_H
#define TANDEM_CLOUD_CLOUD_H

#include "tandem/cloud.h"

/* Steps. Those before CLOUD_REST are exchanges with the service. */
enum {
    CLOUD_CHECK,      /* is there a task? */
    CLOUD_TASK,       /* hawkBit: what is it? */
    CLOUD_ATTRIBUTES, /* hawkBit: who this is */
    CLOUD_CONFIRM,    /* hawkBit: yes or no */
    CLOUD_CANCEL,     /* hawkBit: what is cancelled? */
    CLOUD_CANCELLED,  /* hawkBit: it is, or it cannot be */
    CLOUD_VERSION,    /* OneNET: what runs */
    CLOUD_START,      /* may it be downloaded? */
    CLOUD_DOWNLOAD,   /* the package */
    CLOUD_PROGRESS,   /* OneNET: how far it is */
    CLOUD_RECEIVED,   /* all is here */
    CLOUD_REPORT,     /* how it ended */
    CLOUD_REST,       /* wait */
    CLOUD_CONDITIONS, /* battery and signal */
    CLOUD_VALIDATE,   /* the installer works */
    CLOUD_READY,      /* the moment to activate */
    CLOUD_RESTART,    /* is due */
    CLOUD_TRIAL       /* the new firmware must confirm itself */
};

/* What an answer means. */
enum cloud_verdict {
    CLOUD_OK,      /* go on */
    CLOUD_NONE,    /* there is no task */
    CLOUD_RETRY,   /* it failed, and may not the next time */
    CLOUD_BUSY,    /* the service cannot now: not the task's fault */
    CLOUD_GONE,    /* the service no longer wants the task */
    CLOUD_REFUSED, /* it will not do, however often */
    CLOUD_BROKEN   /* the task cannot be done: report it */
};

/* task.phase */
enum { CLOUD_PHASE_NONE, CLOUD_PHASE_TAKEN, CLOUD_PHASE_ACTIVATING, CLOUD_PHASE_ENDED };

/* task.told */
#define CLOUD_TOLD_START 0x01u
#define CLOUD_TOLD_RECEIVED 0x02u
#define CLOUD_TOLD_NO 0x04u /* the answer to a cancellation was no */

struct cloud_service {
    /* Compose the request for a step in cloud->request and cloud->text. */
    void (*compose)(struct tandem_cloud *cloud);
    /* The fields of the answer, for `step`. */
    const struct tandem_json_field *(*fields)(const struct tandem_cloud *cloud, uint8_t *count);
    /* As of struct tandem_json. */
    void (*found)(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length);
    /* The answer is whole, or its body is not looked at. Sets cloud->then to the step that follows CLOUD_OK, where
     * that is the service's to say. */
    enum cloud_verdict (*answer)(struct tandem_cloud *cloud);
    /* The head of a download. */
    enum cloud_verdict (*download)(struct tandem_cloud *cloud);
};

extern const struct cloud_service tandem_cloud_onenet, tandem_cloud_hawkbit;

/* Requests, piece by piece: begin, URL, … each text ends with 0 and starts behind the one before. */
void tandem_cloud_begin(struct tandem_cloud *cloud, const char *method);
const char *tandem_cloud_here(struct tandem_cloud *cloud);
void tandem_cloud_put(struct tandem_cloud *cloud, const char *text);
void tandem_cloud_put_number(struct tandem_cloud *cloud, uint32_t number);
void tandem_cloud_end(struct tandem_cloud *cloud);
void tandem_cloud_json_body(struct tandem_cloud *cloud, const char *body);
/* The number at the front of a text; TANDEM_HTTP_UNKNOWN. */
uint32_t tandem_cloud_number(const char *text);
/* 32 hexadecimal digits. @return 1, or 0 if it is something else */
int tandem_cloud_md5(const char *text, uint8_t md5[TANDEM_MD5_SIZE]);
int tandem_cloud_same(const char *a, const char *b);
size_t tandem_cloud_length(const char *text);
/* What an HTTP status means that the service has no word for. */
enum cloud_verdict tandem_cloud_status(uint16_t status);

/* The record. */
void tandem_cloud_load(struct tandem_cloud *cloud, const uint8_t *record, size_t size);
size_t tandem_cloud_record(const struct tandem_cloud *cloud, uint8_t record[TANDEM_CLOUD_RECORD_SIZE]);

#endif
