// Everything a launch needs, read from JavaScript and laid out before the fork, so that the child allocates
// nothing.
#ifndef GUISE_LAUNCH_PLAN_H
#define GUISE_LAUNCH_PLAN_H

#include <napi.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "credentials.h"

struct Limit {
  int resource;
  rlim_t value;
};

struct LaunchPlan {
  std::string file;
  std::string cwd;
  std::vector<std::string> argTexts;
  std::vector<std::string> envTexts;
  std::vector<char*> argv;
  std::vector<char*> envp;
  /** What becomes descriptor 0, 1, 2 …; -1 is /dev/null. At least three. */
  std::vector<int> descriptors;
  /** Room for their copies above the numbers they are to have. */
  std::vector<int> copies;
  std::optional<Identity> identity;
  std::optional<mode_t> fileMask;
  std::optional<int> niceness;
  /** -1000 to 1000: how soon the kernel ends it when memory runs out, proc_pid_oom_score_adj(5). */
  std::optional<int> outOfMemoryScore;
  /** A directory of cgroup version 2 that the program is born into; -1: the parent's. Stays the caller's. */
  int cgroup = -1;
  std::vector<Limit> limits;
  bool noNewPrivileges = false;
  bool newSession = false;
  /** The Landlock rule set that the program is held by; -1 when it is held by none. */
  int ruleset = -1;
  /** Where in the file system a plan could not be made; empty for other trouble. */
  std::string where;
  int parentDeathSignal = 0;
  /** Filled in at the fork: who the parent is, and where the child reports a failure. */
  pid_t parent = 0;
  int report = -1;

  LaunchPlan() = default;
  ~LaunchPlan();
  // argv and envp point into the texts.
  LaunchPlan(const LaunchPlan&) = delete;
  LaunchPlan& operator=(const LaunchPlan&) = delete;
};

struct BadPlan {
  const char* step;
  Trouble trouble;
};

/** Reads the plan that src/os/launch.ts makes; says at which step what is wrong with it, or error 0. */
BadPlan readLaunchPlan(const Napi::Object& spec, LaunchPlan* plan);

#endif
