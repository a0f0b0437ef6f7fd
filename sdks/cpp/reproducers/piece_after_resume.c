// An HTTP filter that stops at the headers of a request with a body, resumes by an event, and then takes hold of the second piece.
// Configuration, two letters: the event is scheduled by the "h"eaders hook or at the "f"irst piece; the second piece is "b"uffered until
// the third comes, buffered until an "e"vent, or "m"oved to the buffer by callbacks and then passed on.
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define CALL(what) envoy_dynamic_module_callback_http_##what
#define TYPE(what) envoy_dynamic_module_type_##what
#define STATUS(what) TYPE(on_http_filter_request_body_status_##what)
#define BODY(which) TYPE(http_body_type_##which)
typedef TYPE(http_filter_envoy_ptr) Envoy;
typedef TYPE(http_filter_module_ptr) Module;
struct stream {
  const char* kind;
  unsigned pieces;
};

static void resume_soon(Envoy host) {
  TYPE(http_filter_scheduler_module_ptr) scheduler = CALL(filter_scheduler_new)(host);
  CALL(filter_scheduler_commit)(scheduler, 1);
  CALL(filter_scheduler_delete)(scheduler);
}
static void move_to_buffer(Envoy host) {
  size_t count = CALL(get_body_chunks_size)(host, BODY(ReceivedRequestBody));
  TYPE(envoy_buffer) chunks[count + 1];
  CALL(get_body_chunks)(host, BODY(ReceivedRequestBody), chunks);
  for (size_t each = 0; each < count; each++)
    CALL(append_body)(host, BODY(BufferedRequestBody), (TYPE(module_buffer)){chunks[each].ptr, chunks[each].length});
  CALL(drain_body)(host, BODY(ReceivedRequestBody), CALL(get_body_size)(host, BODY(ReceivedRequestBody)));
}
TYPE(http_filter_config_module_ptr) HOOK(config_new)(TYPE(http_filter_config_envoy_ptr) host, TYPE(envoy_buffer) name, TYPE(envoy_buffer) config) {
  static const char kinds[][3] = {"hb", "he", "hm", "fb", "fe", "fm"};
  return kinds[3 * (config.ptr[0] == 'f') + (config.ptr[1] == 'e' ? 1 : 2 * (config.ptr[1] == 'm'))];
}
Module HOOK(new)(TYPE(http_filter_config_module_ptr) config, Envoy host) {
  struct stream* made = malloc(sizeof *made);
  return *made = (struct stream){config, 0}, made;
}
void HOOK(destroy)(Module module) { free((void*)module); }
TYPE(on_http_filter_request_headers_status) HOOK(request_headers)(Envoy host, Module module, bool end) {
  if (((struct stream*)module)->kind[0] == 'h') resume_soon(host);
  return TYPE(on_http_filter_request_headers_status_StopIteration);
}
TYPE(on_http_filter_request_body_status) HOOK(request_body)(Envoy host, Module module, bool end) {
  struct stream* stream = (struct stream*)module;
  unsigned piece = ++stream->pieces;
  fprintf(stderr, "piece: body\n");
  if (piece == 1 && stream->kind[0] == 'f') return resume_soon(host), STATUS(StopIterationAndBuffer);
  if (piece != 2 || end) return STATUS(Continue);
  if (stream->kind[1] == 'm') return move_to_buffer(host), STATUS(Continue);
  if (stream->kind[1] == 'e') resume_soon(host);
  return STATUS(StopIterationAndBuffer);
}
void HOOK(scheduled)(Envoy host, Module module, uint64_t event) {
  CALL(filter_continue_decoding)(host);
  fprintf(stderr, "piece: event\n");
}
