/*
 * Serial lines: raw bytes, eight data bits, no parity, no flow control.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* rates above 38400 and CRTSCTS are not in POSIX */
#define _DARWIN_C_SOURCE

#include "tandem_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "posix_reason.h"
#include "posix_stream.h"

/* The rates that this system has a name for. */
static const struct {
    uint32_t baud;
    speed_t speed;
} rates[] = {
    {9600, B9600},       {19200, B19200}, {38400, B38400},
#ifdef B57600
    {57600, B57600},
#endif
#ifdef B115200
    {115200, B115200},
#endif
#ifdef B230400
    {230400, B230400},
#endif
#ifdef B460800
    {460800, B460800},
#endif
#ifdef B921600
    {921600, B921600},
#endif
#ifdef B1000000
    {1000000, B1000000},
#endif
#ifdef B2000000
    {2000000, B2000000},
#endif
#ifdef B3000000
    {3000000, B3000000},
#endif
#ifdef B4000000
    {4000000, B4000000},
#endif
};

static int find_rate(uint32_t baud, speed_t *speed)
{
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (rates[i].baud == baud) {
            *speed = rates[i].speed;
            return 0;
        }
    return -1;
}

/* Raw: no echo, no line editing, no translation of any byte. */
static int set_raw(int fd, uint32_t baud, speed_t speed)
{
    struct termios line;
    if (tcgetattr(fd, &line) != 0)
        return -1;
    line.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
    line.c_oflag &= ~(tcflag_t)OPOST;
    line.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    line.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CSTOPB);
#ifdef CRTSCTS
    line.c_cflag &= ~(tcflag_t)CRTSCTS;
#endif
    line.c_cflag |= (tcflag_t)(CS8 | CREAD | CLOCAL);
    line.c_cc[VMIN] = 1; /* with 0, a quiet line would read as an ended one */
    line.c_cc[VTIME] = 0;
    if (baud != 0 && (cfsetispeed(&line, speed) != 0 || cfsetospeed(&line, speed) != 0))
        return -1;
    return tcsetattr(fd, TCSANOW, &line) != 0 || tcflush(fd, TCIOFLUSH) != 0 ? -1 : 0;
}

enum tandem_status tandem_posix_serial_open(struct tandem_posix_stream *stream, const char *device, uint32_t baud,
                                            char *reason)
{
    speed_t speed = B9600;
    if (baud != 0 && find_rate(baud, &speed) != 0) {
        posix_reason(reason, device, "no such baud rate here; usual ones are 115200, 460800, 921600, 1000000");
        return TANDEM_ERROR_ARGUMENT;
    }
    int fd = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        posix_reason(reason, device, strerror(why));
        return why == EBUSY ? TANDEM_ERROR_BUSY : TANDEM_ERROR_PORT;
    }
    int failed = !isatty(fd) || posix_prepare(fd) != 0 || set_raw(fd, baud, speed) != 0;
#ifdef TIOCEXCL
    failed = failed || ioctl(fd, TIOCEXCL) != 0; /* two programs on one line would take each other's bytes */
#endif
    if (failed) {
        posix_reason(reason, device, errno == ENOTTY ? "is not a serial line" : strerror(errno));
        (void)close(fd);
        return TANDEM_ERROR_PORT;
    }
    stream->fd = fd;
    stream->socket = 0;
    return TANDEM_OK;
}
