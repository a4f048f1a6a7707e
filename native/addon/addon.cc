// The addon does what JavaScript cannot, and no more. This file only says what there is.

#include <napi.h>

#include "accounts.h"
#include "become.h"
#include "files.h"
#include "landlock.h"
#include "launch.h"
#include "message.h"
#include "mount.h"
#include "poller.h"
#include "process.h"
#include "reap.h"
#include "setup.h"
#include "socket.h"
#include "tcp_peer.h"
#include "tree.h"

static Napi::Object registerAll(Napi::Env env, Napi::Object exports) {
  registerLaunch(env, exports);
  registerReap(env, exports);
  registerProcess(env, exports);
  registerAccounts(env, exports);
  registerBecome(env, exports);
  registerSocket(env, exports);
  registerTcpPeer(env, exports);
  registerMessage(env, exports);
  registerSetup(env, exports);
  registerFiles(env, exports);
  registerLandlock(env, exports);
  registerMount(env, exports);
  registerTree(env, exports);
  registerPoller(env, exports);
  return exports;
}

NODE_API_MODULE(guise, registerAll)
