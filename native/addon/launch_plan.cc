#include "launch_plan.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cmath>

#include "landlock.h"
#include "values.h"

constexpr size_t kFewestDescriptors = 3;
constexpr size_t kMostDescriptors = 256;

struct LimitName {
  const char* name;
  int resource;
};

constexpr LimitName kLimitNames[] = {
    {"as", RLIMIT_AS},
    {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},
    {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE},
    {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC},

    {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

static bool readTexts(const Napi::Value& value, std::vector<std::string>* out) {
  if (!value.IsArray()) return false;
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    std::string text;
    if (!readText(list.Get(i), &text)) return false;
    out->push_back(std::move(text));
  }
  return true;
}

static void pointAt(std::vector<std::string>& texts, std::vector<char*>* pointers) {
  for (std::string& text : texts) pointers->push_back(text.data());
  pointers->push_back(nullptr);
}

static bool readProgram(const Napi::Object& spec, LaunchPlan* plan) {
  if (!readText(spec.Get("file"), &plan->file) || plan->file.empty() || plan->file[0] != '/') return false;
  if (!readText(spec.Get("cwd"), &plan->cwd)) return false;
  if (!readTexts(spec.Get("args"), &plan->argTexts) || plan->argTexts.empty()) return false;
  if (!readTexts(spec.Get("env"), &plan->envTexts)) return false;
  pointAt(plan->argTexts, &plan->argv);
  pointAt(plan->envTexts, &plan->envp);
  return true;
}

static bool readDescriptors(const Napi::Value& value, LaunchPlan* plan) {
  if (!value.IsArray()) return false;
  const Napi::Array list = value.As<Napi::Array>();
  if (list.Length() > kMostDescriptors) return false;
  for (uint32_t i = 0; i < list.Length(); i++) {
    int64_t fd = 0;
    if (!readInteger(list.Get(i), -1, INT_MAX, &fd)) return false;
    plan->descriptors.push_back(static_cast<int>(fd));
  }
  while (plan->descriptors.size() < kFewestDescriptors) plan->descriptors.push_back(-1);
  plan->copies.resize(plan->descriptors.size(), -1);
  return true;
}

static bool readLimit(const Napi::Value& value, Limit* out) {
  if (!value.IsArray()) return false;
  const Napi::Array pair = value.As<Napi::Array>();
  std::string name;
  if (!readText(pair.Get(0u), &name)) return false;
  const Napi::Value amount = pair.Get(1u);
  if (!amount.IsNumber()) return false;
  int64_t number = 0;
  if (std::isinf(amount.As<Napi::Number>().DoubleValue())) {
    if (amount.As<Napi::Number>().DoubleValue() < 0) return false;
    out->value = RLIM_INFINITY;
  } else if (readInteger(amount, 0, int64_t{1} << 53, &number)) {
    out->value = static_cast<rlim_t>(number);
  } else {
    return false;
  }
  for (const LimitName& known : kLimitNames) {
    if (name != known.name) continue;
    out->resource = known.resource;
    return true;
  }
  return false;
}

static bool readLimits(const Napi::Value& value, std::vector<Limit>* out) {
  if (!value.IsArray()) return false;
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    Limit limit = {};
    if (!readLimit(list.Get(i), &limit)) return false;
    out->push_back(limit);
  }
  return true;
}

/** A number that may be left out: false only when it is there and wrong. */
static bool readOptional(const Napi::Value& value, int64_t least, int64_t most, std::optional<int64_t>* out) {
  if (value.IsUndefined()) return true;
  int64_t number = 0;
  if (!readInteger(value, least, most, &number)) return false;
  *out = number;
  return true;
}

static bool readFlag(const Napi::Value& value, bool* out) {
  if (value.IsUndefined()) return true;
  if (!value.IsBoolean()) return false;
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

LaunchPlan::~LaunchPlan() {
  if (ruleset >= 0) close(ruleset);
}

BadPlan readLaunchPlan(const Napi::Object& spec, LaunchPlan* plan) {
  const Trouble invalid = {"argument", EINVAL};
  if (!readProgram(spec, plan)) return {"arguments", invalid};
  if (!readDescriptors(spec.Get("descriptors"), plan)) return {"descriptors", invalid};
  if (!readLimits(spec.Get("limits"), &plan->limits)) return {"limits", invalid};

  std::optional<int64_t> mask, nice, signal, score, cgroup;
  if (!readOptional(spec.Get("umask"), 0, 0777, &mask)) return {"umask", invalid};
  if (!readOptional(spec.Get("nice"), -20, 19, &nice)) return {"nice", invalid};
  if (!readOptional(spec.Get("outOfMemoryScore"), -1000, 1000, &score)) return {"oom_score", invalid};
  if (!readOptional(spec.Get("cgroup"), 0, INT_MAX, &cgroup)) return {"fork", invalid};
  if (!readOptional(spec.Get("parentDeathSignal"), 1, 64, &signal)) return {"parent_death_signal", invalid};
  if (!readFlag(spec.Get("noNewPrivileges"), &plan->noNewPrivileges)) return {"no_new_privs", invalid};
  if (!readFlag(spec.Get("newSession"), &plan->newSession)) return {"session", invalid};
  if (mask) plan->fileMask = static_cast<mode_t>(*mask);
  if (nice) plan->niceness = static_cast<int>(*nice);
  if (score) plan->outOfMemoryScore = static_cast<int>(*score);
  if (cgroup) plan->cgroup = static_cast<int>(*cgroup);
  if (signal) plan->parentDeathSignal = static_cast<int>(*signal);

  // Asked with Has: an identity that is there but undefined is a failed lookup, not a wish to stay root.
  if (spec.Has("identity")) {
    plan->identity.emplace();
    const Trouble found = readIdentity(spec.Get("identity"), &*plan->identity);
    if (found.error != 0) return {"identity", found};
  }
  // The same goes for rules: that they are missing must never be mistaken for a wish to do without.
  if (spec.Has("landlock")) {
    return {"landlock", makeRuleset(spec.Get("landlock"), &plan->ruleset, &plan->where)};
  }
  return {"", kNoTrouble};
}
