/** The PHP pages that every test site has. Those that answer with data answer in JSON. */

const whoami = `<?php
header('Content-Type: application/json');
echo json_encode([
    'uid' => posix_getuid(), 'euid' => posix_geteuid(), 'gid' => posix_getgid(), 'egid' => posix_getegid(),
    'groups' => posix_getgroups(), 'pid' => getmypid(), 'ppid' => posix_getppid(), 'sapi' => PHP_SAPI,
    'tmp' => sys_get_temp_dir(), 'cwd' => getcwd(), 'file' => __FILE__,
]);`;

export interface Whoami {
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  readonly groups: readonly number[];
  readonly pid: number;
  readonly ppid: number;
  readonly sapi: string;
  readonly tmp: string;
  readonly cwd: string;
  readonly file: string;
}

/** What PHP sees: parameters and its own environment. */
const server = `<?php
header('Content-Type: application/json');
echo json_encode(['server' => $_SERVER, 'environment' => getenv(), 'file' => __FILE__, 'post' => $_POST, 'get' => $_GET]);`;

export interface Seen {
  readonly server: Readonly<Record<string, string | number | undefined>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly file: string;
  readonly post: Readonly<Record<string, string>>;
  readonly get: Readonly<Record<string, string>>;
}

/** The body as PHP reads it. */
const body = `<?php
header('Content-Type: application/json');
$hash = hash_init('sha256');
$length = 0;
$input = fopen('php://input', 'rb');
while (!feof($input)) {
    $piece = fread($input, 1 << 20);
    $length += strlen($piece);
    hash_update($hash, $piece);
}
echo json_encode([
    'length' => $length, 'sha256' => hash_final($hash), 'declared' => $_SERVER['CONTENT_LENGTH'] ?? null,
    'encoding' => $_SERVER['HTTP_TRANSFER_ENCODING'] ?? null, 'pid' => getmypid(), 'started' => $_SERVER['REQUEST_TIME_FLOAT'],
]);`;

export interface BodySeen {
  readonly length: number;
  readonly sha256: string;
  readonly declared: string | null;
  readonly encoding: string | null;
  readonly pid: number;
  /** When PHP began the request, in seconds since 1970. */
  readonly started: number;
}

/** An uploaded file of a form, kept under the document root. */
const upload = `<?php
header('Content-Type: application/json');
$file = $_FILES['file'];
$kept = __DIR__ . '/kept.bin';
$moved = move_uploaded_file($file['tmp_name'], $kept);
echo json_encode(['error' => $file['error'], 'moved' => $moved, 'size' => filesize($kept), 'sha256' => hash_file('sha256', $kept),
    'tmp' => $file['tmp_name'], 'field' => $_POST['field'] ?? null]);`;

/** \`?bytes=N\`: as many bytes, in blocks of 64 KiB that hold their own number. The same as \`bigBlock\` below. */
const big = `<?php
header('Content-Type: application/octet-stream');
$left = (int) $_GET['bytes'];
for ($block = 0; $left > 0; $block++) {
    $text = str_repeat(sprintf('%08x', $block), 8192);
    echo $left >= 65536 ? $text : substr($text, 0, $left);
    $left -= 65536;
}`;

export function bigBlock(block: number): Buffer {
  return Buffer.alloc(65_536, block.toString(16).padStart(8, '0'));
}

/** \`?how=\`: ends in different ways; \`after\` sends half a page first. */
const crash = `<?php
$how = $_GET['how'];
if ($how === 'after') {
    header('Content-Length: 100000');
    echo str_repeat('x', 50000);
    flush();
    posix_kill(getmypid(), 9);
    sleep(10);
}
if ($how === 'kill') { posix_kill(getmypid(), 9); sleep(10); }
if ($how === 'segv') { posix_kill(getmypid(), 11); sleep(10); }
if ($how === 'exit') { exit(255); }
if ($how === 'fatal') { undefined_function(); }
echo 'alive';`;

/** \`?ms=N\`: answers after a while, and says who and when. */
const slow = `<?php
usleep(1000 * (int) $_GET['ms']);
echo json_encode(['pid' => getmypid()]);`;

/** Tells what the opcache of this process knows. */
const opcache = `<?php
header('Content-Type: application/json');
$status = opcache_get_status(true);
echo json_encode([
    'pid' => getmypid(), 'hits' => $status['opcache_statistics']['hits'] ?? -1,
    'misses' => $status['opcache_statistics']['misses'] ?? -1, 'scripts' => array_keys($status['scripts'] ?? []),
]);`;

export interface OpcacheSeen {
  readonly pid: number;
  readonly hits: number;
  readonly misses: number;
  readonly scripts: readonly string[];
}

/** \`?name=\`: writes a file beside itself and in the temporary directory, and a directory. */
const write = `<?php
header('Content-Type: application/json');
$name = basename($_GET['name']);
file_put_contents(__DIR__ . "/$name", 'written');
mkdir(__DIR__ . "/$name.d");
$temporary = tempnam(sys_get_temp_dir(), 'guise');
echo json_encode(['temporary' => $temporary]);`;

/** The environment that a program started by PHP inherits, and the descriptors that it inherits. */
const child = `<?php
header('Content-Type: application/json');
$lines = fn (string $command): array => explode("\\n", trim((string) shell_exec($command)));
echo json_encode(['environment' => $lines('/usr/bin/env'), 'descriptors' => $lines('ls -l /proc/self/fd')]);`;

export interface ChildSeen {
  /** \`NAME=value\`. */
  readonly environment: readonly string[];
  /** Lines of \`ls -l\`. */
  readonly descriptors: readonly string[];
}

/** Sends the page in pieces, with flushes that have nothing to send. */
const pieces = `<?php
ob_end_flush();
flush();
for ($n = 0; $n < 5; $n++) { flush(); usleep(30000); echo "piece $n\\n"; flush(); flush(); }
error_log('pieces were sent');`;

export const pages: Readonly<Record<string, string>> = {
  'index.php': '<?php echo "front page of ", $_SERVER["SERVER_NAME"];',
  'whoami.php': whoami,
  'server.php': server,
  'body.php': body,
  'upload.php': upload,
  'big.php': big,
  'crash.php': crash,
  'slow.php': slow,
  'opcache.php': opcache,
  'write.php': write,
  'child.php': child,
  'pieces.php': pieces,
  'empty.php': '',
  'my page.php': server,
};
