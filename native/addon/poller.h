// One epoll instance that libuv watches; src/os/poller.ts is its other half and knows whom an event concerns.
//
// Events are copied as (descriptor, generation, events) into an array that both sides share, and JavaScript
// is called once for all of them. After that the instance is asked again, a few times at most: other handles
// of the loop must get their turn.
#ifndef GUISE_POLLER_H
#define GUISE_POLLER_H

#include <napi.h>
#include <uv.h>

class Poller : public Napi::ObjectWrap<Poller> {
 public:
  static void registerIn(Napi::Env env, Napi::Object exports);
  explicit Poller(const Napi::CallbackInfo& info);
  ~Poller() override;

 private:
  // libuv frees a handle's memory only after it has been closed, which can be later than this object.
  struct Watch {
    uv_poll_t handle;
    Poller* owner;
  };

  Napi::Value add(const Napi::CallbackInfo& info);
  Napi::Value change(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);
  Napi::Value renew(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void unref(const Napi::CallbackInfo& info);

  Napi::Value control(const Napi::CallbackInfo& info, int operation);
  bool start();
  void stop();
  void drain();
  bool dispatch(int count);

  static void onReady(uv_poll_t* handle, int status, int events);
  static void onExit(void* self);

  Napi::Env env_;
  int epoll_ = -1;
  Watch* watch_ = nullptr;
  int capacity_ = 0;
  int32_t* table_ = nullptr;
  Napi::Reference<Napi::Int32Array> batch_;
  Napi::FunctionReference dispatch_;
  Napi::AsyncContext context_;
};

void registerPoller(Napi::Env env, Napi::Object exports);

#endif
