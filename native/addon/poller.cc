#include "poller.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "values.h"

constexpr int kMostEvents = 256;
// No descriptor has this number, and no registration this generation.
constexpr uint64_t kLoop = UINT64_MAX;

void Poller::registerIn(Napi::Env env, Napi::Object exports) {
  exports.Set("Poller", DefineClass(env, "Poller",
                                    {
                                        InstanceMethod("add", &Poller::add),
                                        InstanceMethod("change", &Poller::change),
                                        InstanceMethod("remove", &Poller::remove),
                                        InstanceMethod("renew", &Poller::renew),
                                        InstanceMethod("close", &Poller::close),
                                        InstanceMethod("ref", &Poller::ref),
                                        InstanceMethod("unref", &Poller::unref),
                                    }));
}

void registerPoller(Napi::Env env, Napi::Object exports) { Poller::registerIn(env, exports); }

Poller::Poller(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Poller>(info), env_(info.Env()), context_(info.Env(), "guise.poller") {
  if (!info[0].IsTypedArray() || !info[1].IsFunction()) {
    Napi::TypeError::New(env_, "expected an Int32Array and a function").ThrowAsJavaScriptException();
    return;
  }
  Napi::Int32Array batch = info[0].As<Napi::Int32Array>();
  capacity_ = std::min(static_cast<int>(batch.ElementLength() / 3), kMostEvents);
  table_ = batch.Data();
  batch_ = Napi::Persistent(batch);
  dispatch_ = Napi::Persistent(info[1].As<Napi::Function>());
  if (!start()) Napi::Error::New(env_, "epoll_create1 failed").ThrowAsJavaScriptException();
}

Poller::~Poller() { stop(); }

bool Poller::start() {
  if (napi_get_uv_event_loop(env_, &loop_) != napi_ok) return false;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return false;
  Watch* watch = new Watch{{}, {}, this, 2};
  if (!watchLoop(epoll_)) {
    delete watch;
    ::close(epoll_);
    epoll_ = -1;
    return false;
  }
  uv_prepare_init(loop_, &watch->handle);
  uv_idle_init(loop_, &watch->turn);
  // It is the other one that keeps the process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->turn));
  watch->handle.data = watch->turn.data = watch;
  watch_ = watch;
  uv_prepare_start(&watch->handle, onPrepare);
  napi_add_env_cleanup_hook(env_, onExit, this);
  // As long as libuv may call, the object must not be collected.
  Ref();
  return true;
}

void Poller::stop() {
  if (watch_ == nullptr) return;
  Watch* watch = watch_;
  watch_ = nullptr;
  watch->owner = nullptr;
  const uv_close_cb closed = [](uv_handle_t* handle) {
    Watch* its = static_cast<Watch*>(handle->data);
    if (--its->open == 0) delete its;
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->handle), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->turn), closed);
  ::close(epoll_);
  epoll_ = -1;
}

bool Poller::watchLoop(int epoll) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kLoop;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, uv_backend_fd(loop_), &event) == 0;
}

void Poller::onExit(void* self) { static_cast<Poller*>(self)->stop(); }

void Poller::close(const Napi::CallbackInfo&) {
  if (watch_ == nullptr) return;
  stop();
  napi_remove_env_cleanup_hook(env_, onExit, this);
  Unref();
}

void Poller::ref(const Napi::CallbackInfo&) {
  if (watch_ != nullptr) uv_ref(reinterpret_cast<uv_handle_t*>(&watch_->handle));
}

void Poller::unref(const Napi::CallbackInfo&) {
  if (watch_ != nullptr) uv_unref(reinterpret_cast<uv_handle_t*>(&watch_->handle));
}

Napi::Value Poller::control(const Napi::CallbackInfo& info, int operation) {
  const int fd = readInt(info, 0);
  epoll_event event = {};
  event.events = static_cast<uint32_t>(readInt(info, 2));
  event.data.u64 =
      static_cast<uint64_t>(static_cast<uint32_t>(readInt(info, 1))) << 32 | static_cast<uint32_t>(fd);
  return resultOf(info.Env(), epoll_ctl(epoll_, operation, fd, &event));
}

Napi::Value Poller::add(const Napi::CallbackInfo& info) { return control(info, EPOLL_CTL_ADD); }

Napi::Value Poller::change(const Napi::CallbackInfo& info) { return control(info, EPOLL_CTL_MOD); }

Napi::Value Poller::remove(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), epoll_ctl(epoll_, EPOLL_CTL_DEL, readInt(info, 0), nullptr));
}

/** Puts an empty epoll instance in the place of the present one, under the same number. */
Napi::Value Poller::renew(const Napi::CallbackInfo& info) {
  if (watch_ == nullptr) return Napi::Number::New(info.Env(), -EBADF);
  const int fresh = epoll_create1(EPOLL_CLOEXEC);
  if (fresh < 0) return resultOf(info.Env(), -1);
  const bool replaced = watchLoop(fresh) && dup3(fresh, epoll_, O_CLOEXEC) >= 0;
  const int error = errno;
  ::close(fresh);
  return Napi::Number::New(info.Env(), replaced ? 0 : -error);
}

void Poller::onPrepare(uv_prepare_t* handle) {
  Poller* owner = static_cast<Watch*>(handle->data)->owner;
  if (owner != nullptr) owner->run();
}

void Poller::run() {
  epoll_event events[kMostEvents];
  uv_idle_stop(&watch_->turn);
  // A handler may close the poller, so it is looked at anew in each round.
  while (watch_ != nullptr) {
    uv_update_time(loop_);
    const int timeout = uv_backend_timeout(loop_);
    const int count = epoll_wait(epoll_, events, capacity_, timeout);
    // A signal, or a stop and its end: what libuv has to do about it is told by its instance.
    if (count < 0 && errno == EINTR) continue;
    // Timers begin now.
    uv_update_time(loop_);
    if (count <= 0 || !handle(events, count) || timeout == 0) break;
  }
  // Whatever libuv finds to do, it must not wait where nobody would see our events.
  if (watch_ != nullptr) uv_idle_start(&watch_->turn, [](uv_idle_t*) {});
}

/** Returns false when libuv must have its turn, or when nothing can go on here. */
bool Poller::handle(const epoll_event* events, int count) {
  int own = 0;
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 == kLoop) continue;
    table_[3 * own] = static_cast<int32_t>(events[i].data.u64 & UINT32_MAX);
    table_[3 * own + 1] = static_cast<int32_t>(events[i].data.u64 >> 32);
    table_[3 * own + 2] = static_cast<int32_t>(events[i].events);
    own++;
  }
  return (own == 0 || dispatch(own)) && own == count;
}

/** False when JavaScript has thrown or cannot run any more. What it throws is an uncaught exception. */
bool Poller::dispatch(int count) {
  // It may be long before libuv has a turn, and what is made here must not pile up until then.
  Napi::HandleScope scope(env_);
  napi_value argument = Napi::Number::New(env_, count);
  napi_value function = dispatch_.Value();
  napi_value receiver = env_.Global();
  napi_value ignored = nullptr;
  const napi_status status = napi_make_callback(env_, context_, receiver, function, 1, &argument, &ignored);
  if (status == napi_ok) return true;
  bool pending = false;
  napi_is_exception_pending(env_, &pending);
  if (pending) {
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env_, &thrown);
    napi_fatal_exception(env_, thrown);
  }
  return false;
}
