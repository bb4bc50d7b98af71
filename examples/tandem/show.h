/*
 * How `tandem update` and `tandem status` show devices and progress: bars on a
 * terminal, lines in a pipe, objects for programs.
 */
#ifndef TANDEM_SHOW_H
#define TANDEM_SHOW_H

#include "host.h"
#include "tandem/update.h"

enum show_mode {
    SHOW_LINES,    /* a pipe or a file: a line now and then */
    SHOW_TERMINAL, /* a bar for each device, drawn anew */
    SHOW_JSON      /* one object a line */
};

struct show {
    enum show_mode mode;
    int colour;
    int drawn;        /* lines of bars on the screen, above the cursor */
    uint64_t next_us; /* when to draw again */
};

/* One device's place on the screen. */
struct show_device {
    char name[TANDEM_POSIX_ADDRESS_SIZE]; /* serial number, or address */
    const char *address;
    const char *note;    /* why it is not reached; "" */
    uint64_t first_us;   /* when its first byte went out; 0: not yet */
    uint64_t last_us;    /* when its last byte had arrived */
    uint32_t first_done; /* bytes it had at first_us */
    uint32_t last_done;  /* bytes it has */
    const char *said;    /* last told in lines: a constant text */
    int said_percent;
    int said_attempt;
};

void show_init(struct show *show, int json);
/* A device and how it stands; `when` is "before", "after" or "now". */
void show_state(struct show *show, const struct show_device *device, const struct tandem_info *info, const char *when);
/* Progress of all; does nothing if the last time was a moment ago, unless `last`. */
void show_progress(struct show *show, struct show_device *devices, const struct tandem_update *updates, size_t count,
                   int last);
/* Bytes a second while it was sent to; 0: not known. */
double show_speed(const struct show_device *device);
/* How one device's update ended. */
void show_result(struct show *show, const struct show_device *device, const struct tandem_update *update,
                 const char *reason);
/* A speed or size in words, to `text`. Returns it. */
char *show_bytes(char text[24], double bytes);

#endif
