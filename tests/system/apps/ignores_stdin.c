/* Answers what it was asked for and never touches its input. With libfcgi, and FCGI_KEEP_CONN set,
 * whatever the client put into the body is then parsed as the next records of the connection. */
#include <fcgiapp.h>
#include <stdio.h>

int main(void) {
  FCGX_Request request;
  if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0) return 1;
  while (FCGX_Accept_r(&request) == 0) {
    const char* target = FCGX_GetParam("REQUEST_URI", request.envp);
    fprintf(stderr, "served %s\n", target ? target : "(none)");
    fflush(stderr);
    FCGX_FPrintF(request.out, "Content-Type: text/plain\r\n\r\n%s\n", target ? target : "(none)");
    FCGX_Finish_r(&request);
  }
  return 0;
}
