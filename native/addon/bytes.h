// Arguments of the calls that run for every request, read with the bare interface: nothing is allocated,
// nothing thrown.
#ifndef GUISE_BYTES_H
#define GUISE_BYTES_H

#include <node_api.h>

#include <cstddef>
#include <cstdint>

struct Bytes {
  char* data;
  size_t length;
};

/** The arguments of a call; missing ones are undefined. */
template <size_t N>
struct Arguments {
  napi_value values[N];

  Arguments(napi_env env, napi_callback_info info) {
    size_t count = N;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }
};

/** A descriptor; what is not a number becomes -1, and the system call then says EBADF. */
inline int intOf(napi_env env, napi_value value) {
  int32_t number = -1;
  return napi_get_value_int32(env, value, &number) == napi_ok ? number : -1;
}

/** The whole of a typed array of one type, or false. */
inline bool arrayOf(napi_env env, napi_value value, napi_typedarray_type wanted, void** data,
                    size_t* length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, data, nullptr, nullptr) == napi_ok &&
         type == wanted;
}

/** A stretch of a buffer, or false when it does not lie within. */
inline bool stretchOf(napi_env env, napi_value buffer, napi_value offset, napi_value length, Bytes* out) {
  void* data = nullptr;
  size_t size = 0;
  int64_t from = 0;
  int64_t count = 0;
  if (!arrayOf(env, buffer, napi_uint8_array, &data, &size)) return false;
  if (napi_get_value_int64(env, offset, &from) != napi_ok) return false;
  if (napi_get_value_int64(env, length, &count) != napi_ok) return false;
  const int64_t end = static_cast<int64_t>(size);
  if (from < 0 || count < 0 || from > end || count > end - from) return false;
  *out = {static_cast<char*>(data) + from, static_cast<size_t>(count)};
  return true;
}

inline napi_value numberOf(napi_env env, int64_t number) {
  napi_value value = nullptr;
  napi_create_int64(env, number, &value);
  return value;
}

/** Makes a function with the bare interface a property of exports. */
void exportBare(napi_env env, napi_value exports, const char* name, napi_callback function);

#endif
