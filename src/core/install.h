/*
 * What the installer's files share: install.c (the door and its window),
 * install_check.c (may this package come in?), install_jobs.c (the work).
 */
#ifndef TANDEM_CORE_INSTALL_H
#define TANDEM_CORE_INSTALL_H

#include "tandem/install.h"

/* What the next poll does. */
enum job {
    JOB_IDLE,           /* nothing */
    JOB_HEAD,           /* wait for the whole head, then check it */
    JOB_CONSENT,        /* wait for the user */
    JOB_FORGET,         /* make durable that the free bank's content no longer counts */
    JOB_ERASE_MANIFEST, /* the free bank's manifest area */
    JOB_WRITE_MANIFEST, /* the new head */
    JOB_CARRY,          /* the heads of images that are taken over */
    JOB_START,          /* make durable that the transfer has begun */
    JOB_COPY,           /* copy an image from the running bank */
    JOB_UNSEAL,         /* the seal of a copy of the bootloader that is to be replaced */
    JOB_BLOCK,          /* wait for a whole block, then check it; erase ahead meanwhile */
    JOB_WRITE,          /* program the block */
    JOB_BARE,           /* the bare door's */
    JOB_HASH,           /* read the image back */
    JOB_FINISH,         /* make durable that all is whole */
    JOB_ERASE_IDLE      /* erase the free bank for the next update */
};

/* What a slot gets: nothing, a copy from the running bank, or the manifest's entry of that number. An image that the
 * package brings too, unchanged, is copied, but can still be received should the copy turn out damaged. */
#define PLAN_NOTHING 0xFF
#define PLAN_COPY 0xFE
#define PLAN_SAME 0x80  /* plus the entry's number */
#define STEP_RECEIVE 32 /* steps: slots to copy from 0, entries to receive from here */
#define STEP_NONE 0xFF

/* End with a reason. */
enum tandem_status tandem_install_fail(struct tandem_install *install, enum tandem_status status,
                                       enum tandem_stage stage, uint8_t image, uint32_t detail);
/* Take the buffer for other work: nothing comes in until the window is moved to a payload, and what was in is asked for
 * anew. */
void tandem_install_close(struct tandem_install *install);
/* Begin something new: wait for the flash, empty the window. @return as tandem_install_begin() */
enum tandem_status tandem_install_take_over(struct tandem_install *install);
/* Wait for an operation that was started: the flash must not be touched before. */
void tandem_install_settle(struct tandem_install *install);
/* Put bytes into the window, and where it ends. */
void tandem_install_take_in(struct tandem_install *install, uint32_t offset, const void *data, size_t size);
uint32_t tandem_install_window_end(const struct tandem_install *install);
/* Move the window so that it begins at `base`; bytes already there are kept. */
void tandem_install_rebase(struct tandem_install *install, uint32_t base);

/* The policy: is this head's package for this device, now? Fills the plan. The reason goes to the outcome. A head that
 * was taken before, and is known by its id, is not authenticated again. */
enum tandem_status tandem_install_check(struct tandem_install *install, const struct tandem_manifest *manifest,
                                        int taken_before);
/* Whether the charge suffices, and what it is. */
enum tandem_status tandem_install_battery(const struct tandem_install *install, uint8_t *percent);
/* Note what the running bank holds. */
enum tandem_status tandem_install_survey(struct tandem_install *install);

/* Do one step of the job in hand. */
enum tandem_status tandem_install_work(struct tandem_install *install);
/* Erase the next sector of the slot in hand. */
enum tandem_status tandem_install_erase_one(struct tandem_install *install);
/* Program some of `size` bytes to the slot in hand at `place`, erasing first where that is due. A part of a unit is
 * filled up. */
enum tandem_status tandem_install_write(struct tandem_install *install, uint32_t place, const uint8_t *data,
                                        uint32_t size, uint32_t *done);
/* Hash a piece of the slot in hand from `cursor` on. @return TANDEM_AGAIN; TANDEM_OK: `digest` is filled; an error */
enum tandem_status tandem_install_hash(struct tandem_install *install, uint8_t digest[TANDEM_SHA256_SIZE]);
/* The bytes of the slot in hand that lie in one sector with the bank's manifest, from `*address` on. */
uint32_t tandem_install_shared(const struct tandem_install *install, uint32_t *address);
/* Go on with the package that is stored; 0 if that cannot be. */
int tandem_install_resume(struct tandem_install *install);

static inline const struct tandem_device *device_of(const struct tandem_install *install)
{
    return install->bank.device;
}

#endif
