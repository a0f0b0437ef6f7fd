. "$steps/common.sh"
. "$steps/module.sh"

# A module whose own symbol tells whether it is visible globally, and another one that looks for it.
echo 'int symbol_of_both;' > both.c
sed 's/HOOK(program_init, ABI)//' module.c > rest.c
cc -shared -fPIC -o libboth.so module.c both.c
cat > looks.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
void *envoy_dynamic_module_on_program_init(void) {
  fprintf(stderr, "the symbol is visible globally: %s\n", dlsym(RTLD_DEFAULT, "symbol_of_both") ? "yes" : "no");
  return "v0.1.0";
}
END
cc -shared -fPIC -o liblooks.so rest.c looks.c

# The order of listeners is the order in which they are loaded.
{ listener first '{name: both}'; listener second '{name: both, load_globally: true}'; listener third '{name: looks}'; } | configure
start
wait_for live
echo "without the flag first:"
grep 'visible globally' envoy.log
kill "$pid"
wait "$pid"

{ listener second '{name: both, load_globally: true}'; listener third '{name: looks}'; } | configure
start
wait_for live
echo "with the flag first:"
grep 'visible globally' envoy.log
