/*
 * How a command fails: one line that says what is wrong and what to do.
 */
#include "tool.h"

#include <stdarg.h>

int tool_fail(int code, const char *format, ...)
{
    va_list list;
    (void)fflush(stdout); /* so that the two streams keep their order */
    fputs("tandem: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return code;
}

int tool_usage(const char *command, const char *format, ...)
{
    va_list list;
    fputs("tandem: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "; see `tandem %s%s--help`\n", command, *command != '\0' ? " " : "");
    return TOOL_USAGE;
}

void tool_warn(const char *format, ...)
{
    va_list list;
    fputs("tandem: warning: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

int tool_help(const struct tool_command *command)
{
    printf("%s", command->help);
    return TOOL_OK;
}

/* The letters of the options that have one. */
static void short_options(char *text, const struct option *options)
{
    *text++ = ':'; /* a missing value is reported as such */
    for (; options->name != NULL; options++) {
        if (options->val <= 0 || options->val > 'z')
            continue;
        *text++ = (char)options->val;
        if (options->has_arg == required_argument)
            *text++ = ':';
    }
    *text = '\0';
}

int tool_option(int argc, char **argv, const struct option *options)
{
    char letters[128];
    short_options(letters, options);
    opterr = 0; /* the messages below say more */
    int at = optind;
    int option = getopt_long(argc, argv, letters, options, NULL);
    if (option != '?' && option != ':')
        return option;
    const char *word = argv[optind > at ? optind - 1 : at];
    char letter[3] = {'-', (char)optopt, '\0'};
    const char *name = word[0] == '-' && word[1] == '-' ? word : letter;
    if (option == ':')
        tool_usage(argv[0], "option %s needs a value", name);
    else if (name == word && optopt != 0)
        tool_usage(argv[0], "option %s takes no value", name);
    else
        tool_usage(argv[0], "there is no option %s", name);
    return TOOL_OPTION_BAD;
}
