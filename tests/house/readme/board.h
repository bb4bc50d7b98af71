/*
 * The board that the README's code speaks of.
 */
#include <tandem/tandem.h>

extern const struct tandem_flash_port flash;
extern const struct tandem_packet_port gatt;
extern const uint8_t public_key[TANDEM_ED25519_KEY_SIZE];

uint32_t clock_ms(void);
int self_test(void);
void jump(uint32_t address);
void recovery(void);
void bootloader(void);
void application(void);
