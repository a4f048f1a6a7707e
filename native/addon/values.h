// Reads JavaScript values strictly: a value of another type, out of range, or text with a NUL in it (which
// the kernel would take for the end) is refused, never converted.
#ifndef GUISE_VALUES_H
#define GUISE_VALUES_H

#include <napi.h>

#include <cstdint>
#include <string>

/** An integer between two bounds, both included. */
bool readInteger(const Napi::Value& value, int64_t least, int64_t most, int64_t* out);

/** Text without NUL, as UTF-8. */
bool readText(const Napi::Value& value, std::string* out);

/** A descriptor or another small number given as an argument; -1 when it is none. */
int readInt(const Napi::CallbackInfo& info, size_t index);

/** The result of a system call as the TypeScript side expects it: negative is the error number. */
Napi::Value resultOf(Napi::Env env, int64_t result);

#endif
