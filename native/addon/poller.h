// One epoll instance for everything; src/os/poller.ts is its other half and knows whom an event concerns.
//
// libuv waits with two system calls, and an instance within its own would need two more for each wake-up. So
// it is the other way round: just before libuv would wait, `run` waits in its place, on this instance, which
// has libuv's among its descriptors. It gives way as soon as libuv has something to do.
//
// Events are copied as (descriptor, generation, events) into an array that both sides share, and JavaScript
// is called once for all of them.
#ifndef GUISE_POLLER_H
#define GUISE_POLLER_H

#include <napi.h>
#include <sys/epoll.h>
#include <uv.h>

class Poller : public Napi::ObjectWrap<Poller> {
 public:
  static void registerIn(Napi::Env env, Napi::Object exports);
  explicit Poller(const Napi::CallbackInfo& info);
  ~Poller() override;

 private:
  // libuv needs a handle's memory until it has been closed, which can be later than this object's end.
  struct Watch {
    uv_prepare_t handle;
    // Active while libuv has its turn, which keeps it from waiting.
    uv_idle_t turn;
    Poller* owner;
    int open;
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
  bool watchLoop(int epoll);
  void run();
  bool handle(const epoll_event* events, int count);
  bool dispatch(int count);

  static void onPrepare(uv_prepare_t* handle);
  static void onExit(void* self);

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
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
