/* Makes every read of an environment variable a system call, for a tracer to see: a look at a file of the variable's
 * name below /getenv, where nothing is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

char *getenv(const char *name) {
    int before = errno;
    char path[512];
    snprintf(path, sizeof path, "/getenv/%s", name);
    (void)access(path, F_OK);
    errno = before;
    size_t length = strlen(name);
    for (char **variable = environ; variable && *variable; variable++)
        if (!strncmp(*variable, name, length) && (*variable)[length] == '=') return *variable + length + 1;
    return NULL;
}
