# Sourced by build.sh and lint.sh: how sources are compiled. Needs the environment of a build.
case "$DMCONFORM_PROVIDER" in
official)
  sdk_folder=/work/sdk/source/extensions/dynamic_modules/sdk/cpp
  # As system headers, for warnings are errors in our own sources only.
  include="-isystem $sdk_folder -isystem /work/sdk"
  ;;
reference)
  sdk_folder=/work/src/reference
  include="-I$sdk_folder -isystem /work/abi"
  # The version in abi.h is the one the module returns, so it must be the one that was asked for.
  if ! grep -qF "#define DMCONFORM_ABI_VERSION \"$DMCONFORM_ABI_VERSION\"" /work/abi/abi.h; then
    echo "sdk.toml says ABI version $DMCONFORM_ABI_VERSION for $DMCONFORM_SDK_MINOR, abi.h says:" >&2
    grep -F '#define DMCONFORM_ABI_VERSION' /work/abi/abi.h >&2
    exit 1
  fi
  ;;
*)
  echo "DMCONFORM_PROVIDER must be official or reference, not '$DMCONFORM_PROVIDER'" >&2
  exit 2
  ;;
esac

# 1.38 becomes 138.
sdk_minor=$(printf %s "$DMCONFORM_SDK_MINOR" | tr -d .)
language_flags="-std=c++20 -stdlib=libc++ -DDMCONFORM_SDK_MINOR=$sdk_minor"
