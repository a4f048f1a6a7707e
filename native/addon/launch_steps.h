// What the child does between fork and exec, in order, as root until the step "uid". It calls only what is
// async-signal-safe, allocates nothing, and reads nothing but the plan. Whatever fails is reported by name
// and the child ends: a program is started exactly as planned or not at all.
#ifndef GUISE_LAUNCH_STEPS_H
#define GUISE_LAUNCH_STEPS_H

#include <cstdint>

#include "launch_plan.h"

/** What the child writes to the report pipe, in one piece, when a step fails. */
struct Report {
  int32_t step;
  int32_t error;
  char syscall[24];
};

/** The name of a step by its number in a report. */
const char* stepName(int32_t step);

[[noreturn]] void runLaunchSteps(LaunchPlan& plan);

#endif
