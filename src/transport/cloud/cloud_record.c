/*
 * The record: what a client must still know after a restart. The firmware
 * that reads it may be another one than that which wrote it, so its bytes are
 * a format: fields in this order, little-endian, a version in front, a CRC
 * behind. What is not whole is no record.
 */
#include <string.h>

#include "cloud.h"
#include "core/bytes.h"

#define RECORD_VERSION 1u

struct cursor {
    uint8_t *to;         /* writing */
    const uint8_t *from; /* reading */
    size_t at;
};

static void bytes(struct cursor *c, void *data, size_t size)
{
    if (c->to != NULL)
        memcpy(c->to + c->at, data, size);
    else
        memcpy(data, c->from + c->at, size);
    c->at += size;
}

static void word(struct cursor *c, uint32_t *value)
{
    uint8_t raw[4];

    tandem_store_le32(raw, *value);
    bytes(c, raw, sizeof raw);
    *value = tandem_load_le32(raw);
}

static void long_word(struct cursor *c, uint64_t *value)
{
    uint8_t raw[8];

    tandem_store_le64(raw, *value);
    bytes(c, raw, sizeof raw);
    *value = tandem_load_le64(raw);
}

/* One list of the fields for both ways. */
static void fields(struct cursor *c, struct tandem_cloud_task *task, uint32_t *said_version)
{
    bytes(c, &task->phase, 1);
    bytes(c, &task->kind, 1);
    bytes(c, &task->signal, 1);
    bytes(c, &task->power, 1);
    bytes(c, &task->retries, 1);
    bytes(c, &task->failures, 1);
    bytes(c, &task->status, 1);
    bytes(c, &task->told, 1);
    word(c, &task->size);
    word(c, &task->interval_s);
    word(c, &task->spent);
    word(c, &task->wait_s);
    long_word(c, &task->until);
    long_word(c, &task->since);
    bytes(c, task->id, sizeof task->id);
    bytes(c, task->version, sizeof task->version);
    bytes(c, task->md5, sizeof task->md5);
    bytes(c, task->package, sizeof task->package);
    bytes(c, task->etag, sizeof task->etag);
    word(c, said_version);
}

size_t tandem_cloud_record(const struct tandem_cloud *cloud, uint8_t record[TANDEM_CLOUD_RECORD_SIZE])
{
    struct cursor c = {record, NULL, 1};
    struct tandem_cloud_task task = cloud->task;
    uint32_t said_version = cloud->said_version;

    record[0] = RECORD_VERSION;
    fields(&c, &task, &said_version);
    tandem_store_le32(record + c.at, ~tandem_crc32(TANDEM_CRC32_START, record, c.at));
    return c.at + 4;
}

void tandem_cloud_load(struct tandem_cloud *cloud, const uint8_t *record, size_t size)
{
    struct cursor c = {NULL, record, 1};
    struct tandem_cloud_task task;
    uint8_t own[TANDEM_CLOUD_RECORD_SIZE];
    uint32_t said_version;

    memset(&cloud->task, 0, sizeof cloud->task);
    if (size != tandem_cloud_record(cloud, own) || record[0] != RECORD_VERSION ||
        tandem_load_le32(record + size - 4) != (uint32_t)~tandem_crc32(TANDEM_CRC32_START, record, size - 4))
        return;
    fields(&c, &task, &said_version);
    task.id[sizeof task.id - 1] = 0;
    task.version[sizeof task.version - 1] = 0;
    task.etag[sizeof task.etag - 1] = 0;
    cloud->task = task;
    cloud->said_version = said_version;
}
