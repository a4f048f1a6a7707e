#include "landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "values.h"

// The kernel's own numbers and structures, linux/landlock.h and linux/openat2.h: the headers of the machine
// that builds this may be older than the kernel that runs it.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr long kOpenat2 = 437;

constexpr unsigned kVersion = 1;
constexpr int kPathBeneath = 1;
constexpr uint64_t kNoSymlinks = 0x04;

struct RulesetAttr {
  uint64_t files;
  uint64_t net;
  uint64_t scoped;
};

struct PathBeneathAttr {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadDir = 1 << 3;
constexpr uint64_t kMakeChar = 1 << 6;
constexpr uint64_t kMakeBlock = 1 << 11;
constexpr uint64_t kRefer = 1 << 13;
constexpr uint64_t kTruncate = 1 << 14;
constexpr uint64_t kIoctlDevice = 1 << 15;
constexpr uint64_t kFirstAbi = (1 << 13) - 1;

constexpr uint64_t kScopeAbstractSockets = 1 << 0;
constexpr uint64_t kScopeSignals = 1 << 1;

/** All that a rule for something other than a directory may give; the kernel refuses the rest. */
constexpr uint64_t kForFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;
constexpr uint64_t kReading = kExecute | kReadFile | kReadDir;
/** Everything below a directory but making device files. */
constexpr uint64_t kWriting = (kFirstAbi & ~(kMakeChar | kMakeBlock)) | kRefer | kTruncate | kIoctlDevice;
constexpr uint64_t kUsingDevice = kReadFile | kWriteFile | kIoctlDevice;

/** The rights over files that a kernel of this ABI can deny. What it cannot is open to everybody. */
static uint64_t deniable(long abi) {
  uint64_t rights = kFirstAbi;
  if (abi >= 2) rights |= kRefer;
  if (abi >= 3) rights |= kTruncate;
  if (abi >= 5) rights |= kIoctlDevice;
  return rights;
}

static long abiOfKernel() { return syscall(kCreateRuleset, nullptr, 0, kVersion); }

static Trouble addPath(int ruleset, const std::string& path, uint64_t rights) {
  // A link that a site's user made on the way could lead to a neighbour, so there must be none at all.
  const OpenHow how = {O_PATH | O_CLOEXEC, 0, kNoSymlinks};
  const long fd = syscall(kOpenat2, AT_FDCWD, path.c_str(), &how, sizeof(how));
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? kNoTrouble : Trouble{"openat2", errno};
  struct stat found = {};
  Trouble trouble = kNoTrouble;
  if (fstat(static_cast<int>(fd), &found) != 0) {
    trouble = {"fstat", errno};
  } else {
    if (!S_ISDIR(found.st_mode)) rights &= kForFiles;
    const PathBeneathAttr rule = {rights, static_cast<int32_t>(fd)};
    if (syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) != 0) trouble = {"landlock_add_rule", errno};
  }
  close(static_cast<int>(fd));
  return trouble;
}

static Trouble addPaths(int ruleset, const Napi::Value& value, uint64_t rights, std::string* where) {
  if (!value.IsArray()) return {"argument", EINVAL};
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    std::string path;
    if (!readText(list.Get(i), &path) || path.empty() || path[0] != '/') return {"argument", EINVAL};
    const Trouble trouble = addPath(ruleset, path, rights);
    if (trouble.error == 0) continue;
    *where = path;
    return trouble;
  }
  return kNoTrouble;
}

Trouble makeRuleset(const Napi::Value& rules, int* ruleset, std::string* where) {
  if (!rules.IsObject()) return {"argument", EINVAL};
  const long abi = abiOfKernel();
  if (abi < 1) return {"landlock_create_ruleset", abi < 0 ? errno : ENOSYS};
  const uint64_t known = deniable(abi);
  RulesetAttr attr = {known, 0, 0};
  if (abi >= 6) attr.scoped = kScopeAbstractSockets | kScopeSignals;
  // A kernel that knows a shorter structure takes this one as long as the rest is zero.
  const long fd = syscall(kCreateRuleset, &attr, sizeof(attr), 0);
  if (fd < 0) return {"landlock_create_ruleset", errno};
  *ruleset = static_cast<int>(fd);
  const Napi::Object lists = rules.As<Napi::Object>();
  Trouble trouble = addPaths(*ruleset, lists.Get("read"), kReading & known, where);
  if (trouble.error == 0) trouble = addPaths(*ruleset, lists.Get("write"), kWriting & known, where);
  if (trouble.error == 0) trouble = addPaths(*ruleset, lists.Get("devices"), kUsingDevice & known, where);
  return trouble;
}

Trouble enterRuleset(int ruleset) {
  return syscall(kRestrictSelf, ruleset, 0) == 0 ? kNoTrouble : Trouble{"landlock_restrict_self", errno};
}

static Napi::Value landlockAbi(const Napi::CallbackInfo& info) { return resultOf(info.Env(), abiOfKernel()); }

void registerLandlock(Napi::Env env, Napi::Object exports) {
  exports.Set("landlockAbi", Napi::Function::New(env, landlockAbi));
}
