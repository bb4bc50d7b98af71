/**
 * @file
 * Two copies of the bootloader, of which one runs and the other can be
 * replaced: slots of the mode TANDEM_MODE_LOADER. A new copy is sealed once
 * the update that brought it is confirmed, starts on trial, and stays if the
 * application is reached and marks it good. See docs/loader.md.
 */
#ifndef TANDEM_LOADER_H
#define TANDEM_LOADER_H

#include "tandem/bank.h"
#include "tandem/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Bootloader: seal a new copy that a confirmed update has brought, and note
 * if the first stage passed over one. Call it at every start after
 * tandem_boot_decide(), whatever that said.
 * @param device description; without a slot of that mode nothing is done
 * @param here the copy that calls: 0 or 1. It also belongs into `loader` of struct tandem_boot, for the boot report.
 * @param buffer,size scratch, as for tandem_boot_decide()
 * @return 1: restart now, a new bootloader waits for its trial; 0: go on
 */
int tandem_loader_run(const struct tandem_device *device, uint8_t here, uint8_t *buffer, size_t size);

/**
 * Application: the bootloader that led here is good, keep it. Call it at
 * every start, as soon as the application knows that it could be updated
 * again; it writes only once for each new bootloader.
 * @param device description
 * @param here the copy that led here: `loader` of the boot report. Of a new one on trial, what is in flash alone
 *             might tell the wrong one after a power cut.
 * @return TANDEM_OK (also without a slot of that mode); TANDEM_ERROR_NOTHING (that copy has no seal);
 *         TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_loader_good(const struct tandem_device *device, uint8_t here);

/** The copy of the bootloader that runs: 0 or 1, as its seals and marks tell. */
uint8_t tandem_loader_running(const struct tandem_area copies[2]);

/**
 * Factory: what belongs at the end of a copy, so that the first stage starts it without a trial.
 * @param tail to fill; goes to the last bytes of the copy's area
 * @param image,size the bootloader
 * @param erased value of an erased byte
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_loader_tail(uint8_t tail[TANDEM_STAGE_TAIL], const uint8_t *image, uint32_t size,
                                      uint8_t erased);

#ifdef __cplusplus
}
#endif

#endif
