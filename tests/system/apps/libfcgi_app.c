/* The test application on libfcgi: see README.md beside this file. One request at a time. */
#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { kBlock = 65536 };
static unsigned char block[kBlock];

static const char* variable(FCGX_Request* request, const char* name) {
  const char* value = FCGX_GetParam(name, request->envp);
  return value ? value : "";
}

/* The value of a query parameter, not decoded; empty when absent. */
static const char* query(FCGX_Request* request, const char* name, char* into, size_t size) {
  const size_t length = strlen(name);
  const char* at = variable(request, "QUERY_STRING");
  into[0] = '\0';
  while (*at) {
    const size_t part = strcspn(at, "&");
    if (part > length && strncmp(at, name, length) == 0 && at[length] == '=') {
      snprintf(into, size, "%.*s", (int)(part - length - 1), at + length + 1);
      break;
    }
    at += part + (at[part] == '&');
  }
  return into;
}

static void sleep_ms(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void mark_path(FCGX_Request* request, char* path, size_t size) {
  char name[128];
  const char* directory = getenv("MARKS");
  snprintf(path, size, "%s/%s", directory ? directory : "/tmp",
           query(request, "mark", name, sizeof name));
}

static int write_mark(const char* path, const char* text) {
  char unfinished[544];
  FILE* file;
  int made;
  snprintf(unfinished, sizeof unfinished, "%s.%d", path, (int)getpid());
  file = fopen(unfinished, "w");
  if (!file) return 0;
  fputs(text, file);
  made = fclose(file) == 0 && link(unfinished, path) == 0;
  unlink(unfinished);
  return made;
}

static int mark(FCGX_Request* request, const char* text) {
  char path[512];
  mark_path(request, path, sizeof path);
  return write_mark(path, text);
}

static void plain(FCGX_Request* request, const char* text) {
  FCGX_FPrintF(request->out, "Content-Type: text/plain\r\n\r\n%s", text);
}

static void env(FCGX_Request* request) {
  plain(request, "");
  for (char** at = request->envp; *at; ++at) {
    const char* value = strchr(*at, '=');
    if (!value) continue;
    FCGX_FPrintF(request->out, "%.*s=", (int)(value - *at), *at);
    for (++value; *value; ++value) {
      const unsigned char c = (unsigned char)*value;
      if (c > ' ' && c < 0x7f && c != '%') {
        FCGX_PutChar(c, request->out);
      } else {
        FCGX_FPrintF(request->out, "%%%02X", c);
      }
    }
    FCGX_PutChar('\n', request->out);
  }
}

static void digest(FCGX_Request* request) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  char buffer[16384];
  unsigned long long length = 0;
  int got;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), NULL);
  while ((got = FCGX_GetStr(buffer, sizeof buffer, request->in)) > 0) {
    EVP_DigestUpdate(context, buffer, (size_t)got);
    length += (unsigned long long)got;
  }
  EVP_DigestFinal_ex(context, sum, &size);
  EVP_MD_CTX_free(context);
  snprintf(buffer, sizeof buffer, "%llu ", length);
  plain(request, buffer);
  for (unsigned int i = 0; i < size; ++i) FCGX_FPrintF(request->out, "%02x", sum[i]);
  FCGX_PutChar('\n', request->out);
}

static int pattern(FCGX_Request* request, unsigned long long bytes) {
  while (bytes > 0) {
    const int part = bytes < kBlock ? (int)bytes : kBlock;
    if (FCGX_PutStr((char*)block, part, request->out) != part) return 0;
    bytes -= (unsigned long long)part;
  }
  return 1;
}

static void generate(FCGX_Request* request) {
  char text[64];
  const unsigned long long bytes = strtoull(query(request, "bytes", text, sizeof text), NULL, 10);
  FCGX_FPrintF(request->out, "Content-Type: application/octet-stream\r\n");
  if (strcmp(query(request, "length", text, sizeof text), "0") != 0) {
    snprintf(text, sizeof text, "Content-Length: %llu\r\n", bytes);
    FCGX_PutS(text, request->out);
  }
  FCGX_PutS("\r\n", request->out);
  if (strcmp(variable(request, "REQUEST_METHOD"), "HEAD") != 0) pattern(request, bytes);
}

static void status(FCGX_Request* request) {
  char text[64];
  const int code = atoi(query(request, "code", text, sizeof text));
  FCGX_FPrintF(request->out, "Status: %d Test\r\nContent-Type: text/plain\r\nX-Test: yes\r\n\r\n",
               code);
  if (code != 204 && code != 304) FCGX_PutS("body\n", request->out);
}

static void diagnostics(FCGX_Request* request) {
  char text[128];
  query(request, "text", text, sizeof text);
  FCGX_FPrintF(request->err, "%s of the request\n", text);
  FCGX_FFlush(request->err);
  fprintf(stderr, "%s of the process\n", text);
  fflush(stderr);
  plain(request, "reported\n");
}

static void setting(FCGX_Request* request) {
  char name[64];
  const char* value = getenv(query(request, "name", name, sizeof name));
  plain(request, value ? value : "");
  FCGX_PutChar('\n', request->out);
}

static void crash(FCGX_Request* request) {
  char text[64];
  const unsigned long long bytes = strtoull(query(request, "bytes", text, sizeof text), NULL, 10);
  if (bytes > 0) {
    plain(request, "");
    pattern(request, bytes);
    FCGX_FFlush(request->out);
  }
  abort();
}

/* Behind a GET a front still ends FCGI_STDIN, perhaps a moment later than FCGI_PARAMS. libfcgi
   closes a kept connection on which it finds that after the request. */
static void take_end(FCGX_Request* request) {
  char rest[512];
  if (!request->in || strcmp(variable(request, "REQUEST_METHOD"), "GET") != 0) return;
  while (FCGX_GetStr(rest, sizeof rest, request->in) > 0) {
  }
}

/* Ends the request, and goes on. */
static void finish(FCGX_Request* request) {
  char text[32], path[512], end[520];
  mark_path(request, path, sizeof path);
  snprintf(end, sizeof end, "%s.end", path);
  snprintf(text, sizeof text, "%d\n", (int)getpid());
  plain(request, text);
  take_end(request);
  FCGX_Finish_r(request);
  write_mark(path, text);
  while (access(end, F_OK) != 0) sleep_ms(10);
}

static void serve(FCGX_Request* request) {
  char text[64];
  char path[256];
  snprintf(path, sizeof path, "%.*s", (int)strcspn(variable(request, "REQUEST_URI"), "?"),
           variable(request, "REQUEST_URI"));
  if (strcmp(path, "/hello") == 0) {
    plain(request, "hello\n");
  } else if (strcmp(path, "/env") == 0) {
    env(request);
  } else if (strcmp(path, "/digest") == 0) {
    digest(request);
  } else if (strcmp(path, "/generate") == 0) {
    generate(request);
  } else if (strcmp(path, "/status") == 0) {
    status(request);
  } else if (strcmp(path, "/cookies") == 0) {
    FCGX_PutS("Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nset\n",
              request->out);
  } else if (strcmp(path, "/redirect") == 0) {
    FCGX_PutS("Location: http://viaduct.test/hello\r\n\r\n", request->out);
  } else if (strcmp(path, "/stderr") == 0) {
    diagnostics(request);
  } else if (strcmp(path, "/pid") == 0) {
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    plain(request, text);
  } else if (strcmp(path, "/setting") == 0) {
    setting(request);
  } else if (strcmp(path, "/sleep") == 0) {
    sleep_ms(atol(query(request, "ms", text, sizeof text)));
    plain(request, "slept\n");
  } else if (strcmp(path, "/endless") == 0) {
    FCGX_FPrintF(request->out, "Content-Type: text/plain\r\nX-Worker: %d\r\n\r\n", (int)getpid());
    while (pattern(request, kBlock)) continue;
    mark(request, "write failed\n");
  } else if (strcmp(path, "/crash") == 0) {
    crash(request);
  } else if (strcmp(path, "/once") == 0) {
    if (mark(request, "crashed once\n")) abort();
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    plain(request, text);
  } else if (strcmp(path, "/hang") == 0) {
    mark(request, "hanging\n");
    for (;;) pause();
  } else if (strcmp(path, "/finish") == 0) {
    finish(request);
  } else if (strcmp(path, "/early") == 0) {
    plain(request, "early\n");
  } else {
    FCGX_PutS("Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nnot found\n", request->out);
  }
}

int main(void) {
  FCGX_Request request;
  for (int i = 0; i < kBlock; ++i) block[i] = (unsigned char)(i * 31 + (i >> 8));
  if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0) return 1;
  while (FCGX_Accept_r(&request) == 0) {
    serve(&request);
    take_end(&request);
    FCGX_Finish_r(&request);
  }
  return 0;
}
