#include "launch.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "launch_plan.h"
#include "launch_steps.h"

/**
 * As fork(2), but the child is born in a group of its own: clone(2), CLONE_INTO_CGROUP. The C library does not know of
 * it, which is no matter: the child makes system calls, and then another program takes its place.
 */
static pid_t forkInto(int cgroup) {
  clone_args how = {};
  how.flags = CLONE_INTO_CGROUP;
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<__u64>(cgroup);
  return static_cast<pid_t>(syscall(SYS_clone3, &how, sizeof(how)));
}

/** Forks with all signals blocked: none of Node's handlers may run in the child. */
static pid_t forkQuietly(LaunchPlan& plan) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  plan.parent = getpid();
  const pid_t pid = plan.cgroup < 0 ? fork() : forkInto(plan.cgroup);
  if (pid == 0) runLaunchSteps(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

/** True when there is a report; end of file without one means that exec has closed the pipe. */
static bool readReport(int fd, Report* report) {
  ssize_t got = 0;
  do {
    got = read(fd, report, sizeof(*report));
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  // A report is smaller than PIPE_BUF and so arrives whole, pipe(7).
  if (got != static_cast<ssize_t>(sizeof(*report))) *report = {-1, EIO, "read"};
  report->syscall[sizeof(report->syscall) - 1] = '\0';
  return true;
}

static void collect(pid_t pid) {
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

static Napi::Value failureAt(Napi::Env env, const BadPlan& bad, const std::string& where) {
  Napi::Value failure = failureOf(env, bad.step, bad.trouble);
  if (!where.empty()) failure.As<Napi::Object>().Set("where", where);
  return failure;
}

static Napi::Value launch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  LaunchPlan plan;
  const BadPlan bad = readLaunchPlan(info[0].As<Napi::Object>(), &plan);
  if (bad.trouble.error != 0) return failureAt(env, bad, plan.where);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failureOf(env, "pipe", {"pipe2", errno});
  plan.report = ends[1];
  const pid_t pid = forkQuietly(plan);
  const int error = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return failureOf(env, "fork", {plan.cgroup < 0 ? "fork" : "clone3", error});
  }
  Report report = {};
  const bool failed = readReport(ends[0], &report);
  close(ends[0]);
  if (!failed) return Napi::Number::New(env, pid);
  collect(pid);
  return failureOf(env, stepName(report.step), {report.syscall, report.error});
}

void registerLaunch(Napi::Env env, Napi::Object exports) {
  exports.Set("launch", Napi::Function::New(env, launch));
}
