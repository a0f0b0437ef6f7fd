// Prints and logs what hosts report of the ABI string and of rejections.
#include "../module.h"

__attribute__((constructor)) static void at_load(void) {
  const char* text = "Dynamic module ABI version v7.7.7 is deprecated. ABI version mismatch: got v7.7.7, but expected v8";
  print(text);
  print("\nFilesystem config update rejected: by the module\n");
  say(LEVEL(Warn), text);
}
