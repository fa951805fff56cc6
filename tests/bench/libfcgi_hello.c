/* What the bridge is compared with: an application on libfcgi whose processes accept on one
 * listening socket, so that the front server reaches it without anything between.
 *
 *   libfcgi_hello PATH PROCESSES
 *
 * Serves on the Unix socket PATH until it is killed; its processes end with it. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 1024, EXIT_USAGE = 64, EXIT_INTERNAL = 70 };

static const char ANSWER[] =
    "Status: 200 OK\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, world\n";

static int serve(int socket) {
  FCGX_Request request;
  if (FCGX_InitRequest(&request, socket, 0) != 0) return EXIT_INTERNAL;
  while (FCGX_Accept_r(&request) == 0) FCGX_PutStr(ANSWER, sizeof ANSWER - 1, request.out);
  return EXIT_INTERNAL;
}

static void start_process(int socket, pid_t parent) {
  const pid_t pid = fork();
  if (pid < 0) {
    fprintf(stderr, "libfcgi_hello: fork: %s\n", strerror(errno));
    exit(EXIT_INTERNAL);
  }
  if (pid > 0) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EXIT_INTERNAL);
  _exit(serve(socket));
}

int main(int argc, char** argv) {
  const long processes = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
  if (processes < 1 || processes > 4096) {
    fprintf(stderr, "usage: libfcgi_hello PATH PROCESSES (1 to 4096)\n");
    return EXIT_USAGE;
  }
  if (FCGX_Init() != 0) return EXIT_INTERNAL;
  const int socket = FCGX_OpenSocket(argv[1], BACKLOG);
  if (socket < 0) {
    fprintf(stderr, "libfcgi_hello: cannot listen on %s\n", argv[1]);
    return EXIT_INTERNAL;
  }
  signal(SIGTERM, SIG_DFL); /* libfcgi's own handler only makes accept return */
  const pid_t parent = getpid();
  for (long i = 0; i < processes; ++i) start_process(socket, parent);
  int status = 0;
  wait(&status);
  fprintf(stderr, "libfcgi_hello: a process ended with status %d\n", status);
  return EXIT_INTERNAL;
}
