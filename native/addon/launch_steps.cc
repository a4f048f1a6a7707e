#include "launch_steps.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "landlock.h"

static Trouble trouble(const char* syscall) { return {syscall, errno}; }

static Trouble outcome(long result, const char* syscall) {
  return result < 0 ? trouble(syscall) : kNoTrouble;
}

/** Lifts a descriptor of our own out of the way. */
static bool lift(int* fd, int least) {
  if (*fd < 0) return true;
  *fd = fcntl(*fd, F_DUPFD_CLOEXEC, least);
  return *fd >= 0;
}

/**
 * A source may have a number that is another one's target. So all of them are first copied above the targets,
 * and from there down into place. The report pipe comes right after the last one, then the rule set; exec
 * closes both.
 */
static Trouble placeDescriptors(LaunchPlan& plan) {
  const int count = static_cast<int>(plan.descriptors.size());
  const int above = count + 2;
  if (!lift(&plan.report, above) || !lift(&plan.ruleset, above)) return trouble("fcntl");
  for (int i = 0; i < count; i++) {
    int source = plan.descriptors[i];
    if (source < 0) source = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (source < 0) return trouble("open");
    plan.copies[i] = fcntl(source, F_DUPFD_CLOEXEC, above);
    if (plan.copies[i] < 0) return trouble("fcntl");
  }
  for (int i = 0; i < count; i++) {
    if (dup2(plan.copies[i], i) < 0) return trouble("dup2");
  }
  if (dup3(plan.report, count, O_CLOEXEC) < 0) return trouble("dup3");
  plan.report = count;
  int kept = count + 1;
  if (plan.ruleset >= 0) {
    if (dup3(plan.ruleset, kept, O_CLOEXEC) < 0) return trouble("dup3");
    plan.ruleset = kept++;
  }
  return outcome(syscall(SYS_close_range, kept, UINT_MAX, 0), "close_range");
}

static Trouble startSession(LaunchPlan& plan) {
  return plan.newSession ? outcome(setsid(), "setsid") : kNoTrouble;
}

static Trouble setFileMask(LaunchPlan& plan) {
  if (plan.fileMask) umask(*plan.fileMask);
  return kNoTrouble;
}

static Trouble setLimits(LaunchPlan& plan) {
  for (const Limit& limit : plan.limits) {
    const rlimit both = {limit.value, limit.value};
    if (setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &both) != 0) return trouble("setrlimit");
  }
  return kNoTrouble;
}

static Trouble setNiceness(LaunchPlan& plan) {
  return plan.niceness ? outcome(setpriority(PRIO_PROCESS, 0, *plan.niceness), "setpriority") : kNoTrouble;
}

/**
 * Set by root, so that the program cannot go below it again. Where /proc cannot be written, as in some containers, it
 * does without: this decides nothing between sites.
 */
static Trouble setOutOfMemoryScore(LaunchPlan& plan) {
  if (!plan.outOfMemoryScore) return kNoTrouble;
  char text[8];
  int length = 0;
  int rest = *plan.outOfMemoryScore < 0 ? -*plan.outOfMemoryScore : *plan.outOfMemoryScore;
  do text[sizeof(text) - ++length] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (*plan.outOfMemoryScore < 0) text[sizeof(text) - ++length] = '-';
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return kNoTrouble;
  const Trouble found = outcome(write(fd, text + sizeof(text) - length, length), "write");
  close(fd);
  return found;
}

/** While we still are root: whoever is not may do this only by giving up setgid programs, no_new_privs. */
static Trouble confine(LaunchPlan& plan) {
  return plan.ruleset >= 0 ? enterRuleset(plan.ruleset) : kNoTrouble;
}

static Trouble setGroups(LaunchPlan& plan) {
  return plan.identity ? setGroupsAlone(*plan.identity) : kNoTrouble;
}

static Trouble setGid(LaunchPlan& plan) { return plan.identity ? setGidAlone(*plan.identity) : kNoTrouble; }

static Trouble setUid(LaunchPlan& plan) { return plan.identity ? setUidAlone(*plan.identity) : kNoTrouble; }

static Trouble proveIdentity(LaunchPlan& plan) { return plan.identity ? prove(*plan.identity) : kNoTrouble; }

static Trouble setNoNewPrivileges(LaunchPlan& plan) {
  return plan.noNewPrivileges ? refuseNewPrivileges() : kNoTrouble;
}

/** After the change of user, which clears it. A parent that died before this call would never send the
 * signal. */
static Trouble setParentDeathSignal(LaunchPlan& plan) {
  if (plan.parentDeathSignal == 0) return kNoTrouble;
  if (prctl(PR_SET_PDEATHSIG, plan.parentDeathSignal, 0, 0, 0) != 0) return trouble("prctl");
  return getppid() == plan.parent ? kNoTrouble : Trouble{"getppid", ESRCH};
}

/**
 * An ignored signal would stay ignored in the program, a blocked one blocked. First the actions, then the
 * mask: until here all signals were blocked, so none of our handlers can have run in the child.
 */
static Trouble resetSignals(LaunchPlan&) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  // Refused for SIGKILL, SIGSTOP and the C library's own two: these are never ignored.
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  return outcome(sigprocmask(SIG_SETMASK, &none, nullptr), "sigprocmask");
}

static Trouble enterDirectory(LaunchPlan& plan) { return outcome(chdir(plan.cwd.c_str()), "chdir"); }

static Trouble execute(LaunchPlan& plan) {
  execve(plan.file.c_str(), plan.argv.data(), plan.envp.data());
  return trouble("execve");
}

struct Step {
  const char* name;
  Trouble (*run)(LaunchPlan&);
};

constexpr Step kSteps[] = {
    {"descriptors", placeDescriptors},
    {"session", startSession},
    {"umask", setFileMask},
    {"limits", setLimits},
    {"nice", setNiceness},
    {"oom_score", setOutOfMemoryScore},
    {"landlock", confine},
    {"groups", setGroups},
    {"gid", setGid},
    {"uid", setUid},
    {"proof", proveIdentity},
    {"no_new_privs", setNoNewPrivileges},
    {"parent_death_signal", setParentDeathSignal},
    {"signals", resetSignals},
    {"cwd", enterDirectory},
    {"exec", execute},
};

constexpr int32_t kStepCount = sizeof(kSteps) / sizeof(kSteps[0]);

const char* stepName(int32_t step) { return step >= 0 && step < kStepCount ? kSteps[step].name : "unknown"; }

void runLaunchSteps(LaunchPlan& plan) {
  for (int32_t i = 0; i < kStepCount; i++) {
    const Trouble found = kSteps[i].run(plan);
    if (found.error == 0) continue;
    Report report = {i, found.error, {}};
    strncpy(report.syscall, found.syscall, sizeof(report.syscall) - 1);
    // The parent takes silence for success, so a report that cannot be written would be a lie: but then the
    // parent has gone, or its end of the pipe is closed, and nobody is left to be told.
    while (write(plan.report, &report, sizeof(report)) < 0 && errno == EINTR) continue;
    break;
  }
  _exit(127);
}
