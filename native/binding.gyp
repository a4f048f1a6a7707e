{
  # GUISE_SANITIZE=1 npm run install: the addon finds its own mistakes. Node must then run with
  # LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0.
  'variables': {'sanitize%': '<!(echo "${GUISE_SANITIZE:-0}")'},
  'target_defaults': {
    'cflags!': ['-O3', '-Wno-unused-parameter'],
    'cflags': ['-O2', '-Wall', '-Wextra', '-Werror'],
  },
  'targets': [
    {
      # What JavaScript cannot do: loaded by src/os/addon.ts.
      'target_name': 'guise',
      'sources': ['<!@(ls addon/*.cc)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=9', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fexceptions'],
      'cflags_cc': ['-std=c++17', '-fvisibility=hidden'],
      'conditions': [
        ['sanitize==1', {
          'cflags_cc': ['-g', '-fsanitize=address,undefined', '-fno-sanitize=vptr', '-fno-sanitize-recover=undefined'],
          'ldflags': ['-fsanitize=address,undefined'],
        }],
      ],
    },
    {
      # Preloaded into php-cgi. Plain C and nothing but libc: php-cgi knows no Node.
      'target_name': 'guise_preload',
      'type': 'loadable_module',
      'product_prefix': '',
      # Said late: node-gyp makes the extension of every loadable module 'node' in this way.
      'target_conditions': [['_type=="loadable_module"', {'product_extension': 'so'}]],
      'sources': ['<!@(ls preload/*.c)'],
      'cflags_c': ['-std=c11', '-fvisibility=hidden'],
      'ldflags': ['-Wl,-z,defs', '-Wl,-z,relro', '-Wl,-z,now'],
    },
    {
      # The same script check as a program of its own, for "guise explain".
      'target_name': 'guise-script-check',
      'type': 'executable',
      'sources': ['check/main.c', 'preload/script.c', 'preload/site.c'],
      'defines': ['SCRIPT_TRACE'],
      'cflags_c': ['-std=c11'],
      'ldflags': ['-Wl,-z,relro', '-Wl,-z,now'],
    },
    {
      # Reads a worker's PHP stack from outside, for the slow log. Static: it needs no other file.
      'target_name': 'guise-php-stack',
      'type': 'executable',
      'sources': ['stack/main.c'],
      'cflags_c': ['-std=c11'],
      'ldflags': ['-static'],
    },
  ],
}
