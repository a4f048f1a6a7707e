// In C++ because it races against processes that fork: between reading who they are and the signal there must
// be less time than a fork takes.
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "bytes.h"
#include "values.h"

struct Process {
  pid_t parent = -1;
  uid_t uid = 0;
  /** Dead and not yet waited for. A dead first thread whose others live is no dead process. */
  bool isZombie = false;
};

static bool readWhole(const std::string& path, std::string* out) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char part[4096];
  out->clear();
  for (ssize_t got = read(fd, part, sizeof(part)); got > 0; got = read(fd, part, sizeof(part))) {
    out->append(part, static_cast<size_t>(got));
  }
  close(fd);
  return true;
}

/** A line of proc_pid_status(5). Its first one, the name, cannot hold a line break. */
static long long field(const std::string& status, const char* name) {
  const size_t at = status.find(std::string("\n") + name + ":\t");
  return at == std::string::npos ? -1 : atoll(status.c_str() + at + strlen(name) + 3);
}

static bool look(pid_t pid, Process* process) {
  std::string status;
  if (!readWhole("/proc/" + std::to_string(pid) + "/status", &status) || status.empty()) return false;
  process->parent = static_cast<pid_t>(field(status, "PPid"));
  process->uid = static_cast<uid_t>(field(status, "Uid"));
  process->isZombie = status.find("\nState:\tZ") != std::string::npos && field(status, "Threads") <= 1;
  return true;
}

static void addNumbers(const std::string& text, std::vector<pid_t>* pids) {
  const char* at = text.c_str();
  char* end = nullptr;
  for (long pid = strtol(at, &end, 10); end != at; pid = strtol(at, &end, 10)) {
    pids->push_back(static_cast<pid_t>(pid));
    at = end;
  }
}

/** Calls `each` with every number that is a name in the directory; false when there is no such directory. */
template <typename Each>
static bool forNumbers(const std::string& path, Each each) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return false;
  while (const dirent* entry = readdir(directory)) {
    char* end = nullptr;
    const long number = strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0') each(static_cast<pid_t>(number));
  }
  closedir(directory);
  return true;
}

/** A kernel may be built without the lists of children: then everybody is asked for his parent. */
static void searchChildren(pid_t parent, std::vector<pid_t>* pids) {
  forNumbers("/proc", [&](pid_t pid) {
    Process process;
    if (look(pid, &process) && process.parent == parent) pids->push_back(pid);
  });
}

/** Each thread has children of its own. */
static bool readChildren(pid_t parent, std::vector<pid_t>* pids) {
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  bool hasLists = false;
  pids->clear();
  const bool isThere = forNumbers(tasks, [&](pid_t thread) {
    std::string text;
    if (!readWhole(tasks + "/" + std::to_string(thread) + "/children", &text)) return;
    hasLists = true;
    addNumbers(text, pids);
  });
  if (isThere && !hasLists) searchChildren(parent, pids);
  return isThere;
}

enum class Listing { none, partial, whole };

/**
 * proc_pid_task_tid_children(5): a reading may miss somebody when a child that it has passed is waited for meanwhile. That
 * one is not in the next reading, so two readings in a row that are alike have missed nobody who was there at the
 * first. `partial`: no two are.
 */
static Listing listChildren(pid_t parent, std::vector<pid_t>* pids) {
  std::vector<pid_t> before;
  if (!readChildren(parent, &before)) return Listing::none;
  for (int readings = 0; readings < 8; readings++) {
    if (!readChildren(parent, pids)) return Listing::none;
    if (*pids == before) return Listing::whole;
    before.swap(*pids);
  }
  // They differ, so one of the two has somebody in it.
  if (pids->empty()) pids->swap(before);
  return Listing::partial;
}

static bool holds(const int32_t* list, size_t count, int64_t value) {
  return std::find(list, list + count, static_cast<int32_t>(value)) != list + count;
}

/**
 * Kills `pid` if it is a child of `parent` and one of these users started it. The descriptor stands for one
 * process, and what is read while that one lives is about nobody else.
 */
static bool killChild(pid_t pid, pid_t parent, const int32_t* uids, size_t uidCount) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return false;
  Process process;
  const bool isMeant = look(pid, &process) && process.parent == parent && !process.isZombie &&
                       (uidCount == 0 || holds(uids, uidCount, process.uid));
  const bool isKilled = isMeant && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0;
  close(pidfd);
  return isKilled;
}

/** Whether somebody is in the second list who is not in the first. */
static bool hasCome(std::vector<pid_t> before, std::vector<pid_t> after) {
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  return !std::includes(before.begin(), before.end(), after.begin(), after.end());
}

static int64_t nowUs() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000;
}

struct List {
  const int32_t* at = nullptr;
  size_t count = 0;
};

static bool readList(Napi::Env env, const Napi::Value& value, List* list) {
  void* table = nullptr;
  if (!arrayOf(env, value, napi_int32_array, &table, &list->count)) return false;
  list->at = static_cast<const int32_t*>(table);
  return true;
}

/**
 * endChildren(parent, spare, uids, budgetUs): again and again until nobody is found or the time is over.
 * Returns how many were found the last time, -ESRCH when there is no such parent. One that was dead when it was looked
 * at may have left a child, which is then in the next list: nobody is left when nothing lives and nobody has come.
 */
static Napi::Value endChildren(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const pid_t parent = readInt(info, 0);
  List spare, uids;
  if (!readList(env, info[1], &spare) || !readList(env, info[2], &uids)) {
    return Napi::Number::New(env, -EINVAL);
  }
  const int64_t endUs = nowUs() + readInt(info, 3);
  std::vector<pid_t> before, pids;
  if (listChildren(parent, &pids) == Listing::none) return Napi::Number::New(env, -ESRCH);
  int found = 0;
  do {
    found = 0;
    for (const pid_t pid : pids) {
      if (!holds(spare.at, spare.count, pid) && killChild(pid, parent, uids.at, uids.count)) found++;
    }
    before.swap(pids);
    const Listing listing = listChildren(parent, &pids);
    if (listing == Listing::none) return Napi::Number::New(env, -ESRCH);
    if (listing == Listing::partial || hasCome(before, pids)) found = std::max(found, 1);
  } while (found > 0 && nowUs() < endUs);
  return Napi::Number::New(env, found);
}

/** childrenOf(parent): their numbers; or -ESRCH when there is no such parent. */
static Napi::Value childrenOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<pid_t> pids;
  if (listChildren(readInt(info, 0), &pids) == Listing::none) return Napi::Number::New(env, -ESRCH);
  const Napi::Array list = Napi::Array::New(env, pids.size());
  for (uint32_t i = 0; i < pids.size(); i++) list.Set(i, Napi::Number::New(env, pids[i]));
  return list;
}

void registerTree(Napi::Env env, Napi::Object exports) {
  exports.Set("endChildren", Napi::Function::New(env, endChildren));
  exports.Set("childrenOf", Napi::Function::New(env, childrenOf));
}
