#include "values.h"

#include <cerrno>
#include <climits>
#include <cmath>

bool readInteger(const Napi::Value& value, int64_t least, int64_t most, int64_t* out) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  // NaN fails the first comparison; without this a conversion would make it 0, which is root.
  if (!(std::trunc(number) == number)) return false;
  if (number < static_cast<double>(least) || number > static_cast<double>(most)) return false;
  *out = static_cast<int64_t>(number);
  return true;
}

bool readText(const Napi::Value& value, std::string* out) {
  if (!value.IsString()) return false;
  *out = value.As<Napi::String>().Utf8Value();
  return out->find('\0') == std::string::npos;
}

int readInt(const Napi::CallbackInfo& info, size_t index) {
  int64_t value = -1;
  return readInteger(info[index], INT_MIN, INT_MAX, &value) ? static_cast<int>(value) : -1;
}

Napi::Value resultOf(Napi::Env env, int64_t result) {
  return Napi::Number::New(env, static_cast<double>(result < 0 ? -errno : result));
}
